// Declared types and DuckDB's, side by side.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/result_set.h"
#include "types/parameters.h"

namespace mxcp::quality {

// The SQL type of the values that arguments of a declared type are bound as: "VARCHAR",
// "INTEGER[]". Nothing where the declaration leaves it open (an array without items).
std::optional<std::string> sql_type(const types::TypeSpec& declared);

// Of all parameters that have one, as Lease::prepare takes them.
std::vector<std::pair<std::string, std::string>> sql_types(const types::ParameterSet& parameters);

// The declaration that every value of a column fits, as wide as it must be: a DATE is a string.
// Nothing when that depends on the value, or nothing is known.
std::optional<types::TypeSpec> declaration_of(const engine::ColumnType& column);

// The declaration that fits both; nothing when there is none.
std::optional<types::TypeSpec> common(const types::TypeSpec& a, const types::TypeSpec& b);

}  // namespace mxcp::quality
