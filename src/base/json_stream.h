// Large JSON for people, without the whole text in memory.
#pragma once

#include <functional>
#include <string_view>

#include "base/value.h"

namespace mxcp {

// The text of to_pretty_json, in pieces of some 64 KB.
void write_pretty_json(const Value& value, const std::function<void(std::string_view)>& write);

}  // namespace mxcp
