// Whether a regular expression finds something, by RE2: for patterns that no declared type holds.
#pragma once

#include <string_view>

#include "base/error.h"

namespace mxcp::types {

// Anywhere in the text, as JSON Schema means it. The error says what is wrong with the pattern.
Result<bool> matches(std::string_view pattern, std::string_view text);

}  // namespace mxcp::types
