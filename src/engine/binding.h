// Arguments as parameters of a prepared statement.
//
// A number has the type that its literal would have in SQL: an integer is INTEGER when it fits, so
// that `DATE + $days` works, else BIGINT, else HUGEINT; an exact fraction is DECIMAL. Where DuckDB
// already inferred BIGINT or DOUBLE for the parameter, that is bound: another type makes it plan
// the statement again at each call. Arrays become LISTs of the type that fits all elements (INTEGER
// and DOUBLE make DOUBLE; kinds that have nothing in common become text), objects STRUCTs; the
// empty object is an empty MAP. An integer that no integer type of DuckDB holds is an error. Where
// DuckDB inferred INTERVAL, an ISO 8601 duration is one: P1D, which DuckDB itself cannot read.
#pragma once

#include <string_view>

#include "base/error.h"
#include "base/value.h"
#include "engine/duckdb_api.h"
#include "engine/result_set.h"

namespace mxcp::engine {

// `expected`: what DuckDB inferred for the parameter, kOther when it could not. Errors:
// kInvalidArgs, naming the parameter.
Status bind_parameter(const Api& api, c::PreparedStatement statement, c::Index index,
                      std::string_view name, const Value& value, TypeId expected);

// For planning without running: binds a NULL of the type that `value` would be bound as, of no type
// for null. A text's NULL is a string literal to DuckDB as the text would be.
Status bind_null_like(const Api& api, c::PreparedStatement statement, c::Index index,
                      std::string_view name, const Value& value, TypeId expected);
// The name of that type, "INTEGER[]"; "" when the value cannot be bound.
std::string bound_type_name(const Api& api, const Value& value, TypeId expected);

}  // namespace mxcp::engine
