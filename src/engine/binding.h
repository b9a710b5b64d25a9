// Arguments as parameters of a prepared statement.
//
// A number has the type that its literal would have in SQL: an integer is INTEGER when it fits, so
// that `DATE + $days` works, else BIGINT, else HUGEINT; an exact fraction is DECIMAL. Where DuckDB
// already inferred BIGINT or DOUBLE for the parameter, that is bound: another type makes it plan
// the statement again at each call. Arrays become LISTs of the type that fits all elements (INTEGER
// and DOUBLE make DOUBLE; kinds that have nothing in common become text), objects STRUCTs; the
// empty object is an empty MAP.
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

}  // namespace mxcp::engine
