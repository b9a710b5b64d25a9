// Declared types and DuckDB's, side by side.
#pragma once

#include <optional>
#include <vector>

#include "engine/result_set.h"
#include "types/parameters.h"

namespace mxcp::quality {

// Values like those that arguments of a declared type become, one for each type of SQL that they
// may be bound as.
struct Examples {
  std::vector<Value> usual;  // the first stands for all; none where the declaration says too little
  std::vector<Value> rare;   // as far as types go: an integer beyond 32 bits, an empty list
  bool open = false;         // there are further types: a list of anything, an object with more
  bool guessed = false;      // null stands for a member of which nothing is known
};
Examples examples_of(const types::TypeSpec& declared);
// Where a JSON Schema of the author's own says more than a type of ours can.
Examples examples_of_anything();

// The declaration that every value of a column fits, as wide as it must be: a DATE is a string.
// Nothing when that depends on the value, or nothing is known.
std::optional<types::TypeSpec> declaration_of(const engine::ColumnType& column);

// A member that may be anything has no property: beside members that have one it is not required
// either, since a type requires only what it declares.
void forget_open_members(types::TypeSpec& object);

// The declaration that fits both; nothing when there is none.
std::optional<types::TypeSpec> common(const types::TypeSpec& a, const types::TypeSpec& b);

}  // namespace mxcp::quality
