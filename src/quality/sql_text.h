// Where placeholders stand in SQL text.
//
// DuckDB reports the names a statement uses, but not where; a message about `$naem` has to point at
// it. This scans the text the way DuckDB's lexer does as far as placeholders need it: strings,
// quoted identifiers, dollar quotes and comments are passed over.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mxcp::quality {

struct Placeholder {
  std::string name;        // "user_id" for $user_id, "1" for $1, "" for ?
  std::size_t offset = 0;  // of the `$` or `?`
};

// All of them, in the order of the text.
std::vector<Placeholder> placeholders(std::string_view sql);

}  // namespace mxcp::quality
