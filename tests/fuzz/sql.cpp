// Any bytes as SQL: where the statements and their named parameters are.
#include "engine/sql_text.h"
#include "verdict.h"

using namespace mxcp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view sql = fuzz::text_of(data, size);
  std::size_t last = 0;
  for (const engine::SqlPiece& piece : engine::split_sql(sql)) {
    if (piece.begin < last || piece.end < piece.begin || piece.end > sql.size()) {
      fuzz::report({true, "statements overlap or leave the text"});
    }
    last = piece.end;
    for (const auto& place : piece.places) {
      const std::string written = place.name.empty() ? "?" : "$" + place.name;
      if (sql.substr(place.begin, place.end - place.begin) != written) {
        fuzz::report({true, "the place of $" + place.name + " is wrong"});
      }
    }
    const engine::RunText apart = engine::with_distinct_parameters(sql, piece);
    for (std::size_t i = 0; i <= apart.text.size(); ++i) {
      const std::ptrdiff_t at = apart.source_position(i);
      if (at < 0 || at > static_cast<std::ptrdiff_t>(sql.size())) {
        fuzz::report({true, "a position leads out of the source"});
      }
    }
  }
  static_cast<void>(engine::only_reads(sql));
  return 0;
}
