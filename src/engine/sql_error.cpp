#include "engine/sql_error.h"

#include <charconv>

#include "base/json.h"
#include "base/text.h"
#include "engine/database.h"

namespace mxcp::engine {
namespace {

constexpr std::string_view kJsonStart = "{\"exception_type\"";

std::string without_noise(std::string_view message) {
  for (const std::string_view noise : {"\n\nStack Trace:", "\n\nLINE ", "\nLINE "}) {
    message = message.substr(0, message.find(noise));
  }
  return std::string(trim(message));
}

}  // namespace

std::string DuckError::text() const {
  return type.empty() ? message : type + " Error: " + message;
}

DuckError parse_duckdb_error(const char* raw) {
  DuckError out;
  const std::string_view text = raw == nullptr ? "DuckDB gave no reason" : raw;
  if (const std::size_t start = text.find(kJsonStart); start != std::string_view::npos) {
    if (const Result<Value> json = parse_json(text.substr(start))) {
      const auto member = [&](std::string_view name) {
        const Value* value = json->find(name);
        return value != nullptr && value->is_string() ? *value->as_string() : std::string();
      };
      out.type = member("exception_type");
      out.message = without_noise(member("exception_message"));
      const std::string position = member("position");
      std::size_t offset = 0;
      const auto [end, error] =
          std::from_chars(position.data(), position.data() + position.size(), offset);
      if (error == std::errc{}) out.position = offset;
      return out;
    }
  }
  // "Catalog Error: ..." of a statement that ran without errors_as_json.
  constexpr std::string_view kError = " Error: ";
  const std::size_t colon = text.find(kError);
  const std::string_view type = text.substr(0, colon);
  if (colon != std::string_view::npos && type.find_first_of(":\n") == std::string_view::npos) {
    out.type = type;
    out.message = without_noise(text.substr(colon + kError.size()));
  } else {
    out.message = without_noise(text);
  }
  return out;
}

Error sql_error(const char* text, std::string_view sql, const RunText& run) {
  const DuckError parsed = parse_duckdb_error(text);
  Error error{Code::kSql, parsed.text()};
  const std::ptrdiff_t position = run.source_position(parsed.position.value_or(0));
  if (parsed.position && position >= 0 && position <= static_cast<std::ptrdiff_t>(sql.size())) {
    const LineColumn at = line_column(sql, static_cast<std::size_t>(position));
    error.place.line = at.line;
    error.place.column = at.column;
  }
  return error;
}

bool is_database_failure(const Error& error) {
  return error.message.starts_with("INTERNAL Error: ") ||
         error.message.starts_with("FATAL Error: ");
}

bool is_missing_object(const Error& error) {
  return error.code == Code::kSql && error.message.starts_with("Catalog Error: ") &&
         error.message.find(" does not exist!") != std::string::npos;
}

}  // namespace mxcp::engine
