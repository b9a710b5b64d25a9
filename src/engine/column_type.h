// DuckDB's logical types as ColumnType trees.
#pragma once

#include <string>

#include "engine/handle.h"
#include "engine/result_set.h"

namespace mxcp::engine {

ColumnType read_type(const Api& api, c::LogicalType type);
// The other way round, for the types that a ScalarFunction may have (scalar_function.h).
TypeHandle make_type(const Api& api, const ColumnType& type);

// False when a value of this type cannot be read from a vector: kOther, at any depth.
bool is_readable(const ColumnType& type);

// The SQL type that a column with unreadable parts is cast to: the same with JSON or VARCHAR in
// their place.
std::string readable_cast(const ColumnType& type);

}  // namespace mxcp::engine
