// MIME types and base64, as far as results depend on them.
#pragma once

#include <string_view>

#include "base/value.h"
#include "project/project.h"

namespace mxcp::invoke {

// RFC 4648, 4, with its padding.
bool is_base64(std::string_view text);

// Whether what has this MIME type is characters (RFC 6838, 4.2.1, and what is written like JSON,
// XML or YAML).
bool is_text_type(std::string_view mime_type);
// Whether "image/png" is an "image", in any case.
bool is_of_type(std::string_view mime_type, std::string_view type);

// Whether the contents of a resource are sent as a blob, which the value then is the base64 of.
// Bytes of a text type become text, where they are text. Errors (kInvalidOutput): the value can be
// no image, sound, video or font, but its MIME type says that it is.
Result<bool> is_blob(const project::Endpoint& resource, Value& value);

}  // namespace mxcp::invoke
