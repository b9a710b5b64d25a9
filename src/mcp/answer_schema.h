// What a user filled a form with, held against the schema that it was asked with.
//
// Such schemas are flat objects of texts, numbers, booleans and choices (client/elicitation of the
// specification). What a schema says beyond that is not looked at.
#pragma once

#include <optional>
#include <string>

#include "base/value.h"

namespace mxcp::mcp {

// "'content.age' expected an integer, got \"x\""; nothing when it fits.
std::optional<std::string> why_it_does_not_fit(const Object& content, const Value& schema);

}  // namespace mxcp::mcp
