// The assertions of a test (mxcp-features 7.2), as functions of the result alone.
#pragma once

#include <string>

#include "base/value.h"

namespace mxcp::quality {

// The value as Python's str() writes it: 'single quotes', True, None, 1.0. A string at the top
// stays bare. result_contains_text searches this spelling beside the JSON ones.
std::string to_python_text(const Value& value);

}  // namespace mxcp::quality
