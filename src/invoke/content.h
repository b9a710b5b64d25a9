// Content blocks of MCP (images, sounds, resources, links) instead of data: what a function
// returned as such (mxcp.runtime.mcp), and results that the tool declares to be one (`content:`).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "invoke/call.h"

namespace mxcp::invoke {

inline constexpr std::string_view kBlockInsideOfData =
    "a content block stands inside of data; return it by itself or in a list";

// What mcp.image() and its like in mxcp.runtime return.
bool is_block(const Value& value);
// Whether it is one, or has one somewhere within.
bool has_block(const Value& value);
// The block, without the mark by which it is known; of anything else its text. Errors
// (kInvalidOutput): it is none that MCP has, or data with a block within.
Result<Value> to_block(Value value);

// The blocks, when the function returned one of them or a list with one among it; no more than
// `max_blocks` of them. Errors (kInvalidOutput): as to_block(), or there are too many.
Result<std::optional<Array>> take_content(Value& value, std::uint64_t max_blocks);

// What the tool gave, as what it declares. `rows`: a list of row objects from SQL. Errors
// (kInvalidOutput): there is none, or more than one; it is nothing that can be such a block.
Result<Array> declared_content(const Call& call, Value value, bool rows);

}  // namespace mxcp::invoke
