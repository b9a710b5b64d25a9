// From rows to the declared shape (mxcp-features 3.5, step 1), and what is advertised of results.
#pragma once

#include "types/type.h"

namespace mxcp::types {

// A list that stands where an object or a scalar is declared must hold exactly one element: the
// object itself, or, for a scalar, the single column of a row or a bare value. Anything else is an
// error (kInvalidOutput) that says how many there were. Everything that is no list passes
// unchanged; whether it fits is Type::check's to say.
//
// `rows`: the list is the result of SQL; it only chooses the words ("no results returned", "3
// rows"): a function that returns [] where an object is declared did not run a query that found
// nothing.
Result<Value> shape(Value result, const Type& declared, bool rows);

// The error for a list of `count` elements, which is not 1, where `declared` is one thing.
Error not_single(const Type& declared, std::size_t count, bool rows);

// What MCP advertises as outputSchema. It accepts every result that passes Type::check, in the JSON
// that we write, under validators that enforce more than they must:
//
//  * null is legal at every level inside: "type": ["string","null"], and null in every enum;
//  * `format` is left out, except `date` (validators want a zone in a date-time and ASCII in a URI,
//    our results may have neither), and so are `multipleOf` of a fraction (they divide in floating
//    point), `default` and `examples`;
//  * `pattern` is rewritten from RE2's syntax to what every dialect reads alike, or left out.
//
// An object type is advertised itself. Anything else stands in {"result": ...}: is_wrapped() says
// so, and the caller wraps the value alike.
//
// A null result of an object type passes shape() and check(), as null does everywhere: `run` prints
// it, a test can expect it. But structured content must be an object: whoever speaks MCP must
// answer such a call with an error ("the tool returned no result (null)"), not with null.
Value output_schema(const Type& declared);
bool is_wrapped(const Type& declared);

}  // namespace mxcp::types
