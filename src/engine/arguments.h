// The names of parameters: those that a call gives and those that its SQL uses.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "types/parameters.h"

namespace mxcp::engine {

// DuckDB's parameter names do not distinguish case; the exact name wins. nullptr when there is
// none.
const Value* find_argument(const types::Arguments& arguments, std::string_view name);

// Every name that the SQL uses is given, and, unless `allow_unused`, the other way round; no two
// differ only in case then. Errors: kSql, with a suggestion.
Status check_names(const std::vector<std::string>& used, const types::Arguments& arguments,
                   bool allow_unused);

}  // namespace mxcp::engine
