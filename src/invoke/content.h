// Content blocks of MCP (images, sounds, resources, links) instead of data: what a function
// returned as such (mxcp.runtime.mcp), and results that the tool declares to be one (`content:`).
#pragma once

#include <optional>

#include "invoke/call.h"

namespace mxcp::invoke {

// What mcp.image() and its like in mxcp.runtime return.
bool is_block(const Value& value);
// The block, without the mark by which it is known; of anything else its text.
Value to_block(Value value);

// The blocks, when the function returned one of them or a list with one among it.
std::optional<Array> take_content(Value& value);

// What the tool gave, as what it declares. `rows`: a list of row objects from SQL. Errors
// (kInvalidOutput): there is none, or more than one; it is nothing that can be such a block.
Result<Array> declared_content(const Call& call, Value value, bool rows);

}  // namespace mxcp::invoke
