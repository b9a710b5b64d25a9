// Content blocks in the words of a revision. A block that it does not have yet would make a strict
// client refuse the whole result, so it becomes one that says the same: a link to a resource its
// title and URI as text (before 2025-06-18), audio an embedded resource (2024-11-05).
#pragma once

#include <string>
#include <string_view>

#include "base/value.h"
#include "mcp/revisions/revision.h"

namespace mxcp::mcp {

// Appends a JSON array of blocks; as it is where the revision has all of them.
void append_content_blocks(std::string& out, const Revision& revision, std::string_view json);

// One of them.
void append_content_block(std::string& out, const Revision& revision, const Value& block);

// {"type":"resource",...} around base64 data, itself JSON text.
void append_audio_as_resource(std::string& out, std::string_view mime_type_json,
                              std::string_view base64_json, std::string_view annotations_json);

}  // namespace mxcp::mcp
