// From rows to the declared shape (mxcp-features 3.5, step 1).
//
// A list that stands where an object or a scalar is declared must hold exactly one element: the
// row itself, or its single column. Anything else is an error that says how many there were.
#pragma once

#include "types/type.h"

namespace mxcp::types {

// `rows`: the result is a list of row objects that came from SQL, so a scalar type takes the single
// column of the single row. Errors: kInvalidOutput.
Result<Value> shape(Value result, const Type& declared, bool rows);

// What MCP advertises as outputSchema: the object schema itself, or {"result": ...} around anything
// else; and the same wrapping for a value.
Value output_schema(const Type& declared);
bool is_wrapped(const Type& declared);

}  // namespace mxcp::types
