// The headers that a request of 2026-07-28 carries, so that whoever stands in between can route it
// without reading its body. They must say what the body says.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mcp/http.h"
#include "mcp/message.h"
#include "project/endpoint.h"

namespace mxcp::mcp {

// Headers of the protocol (Mcp-...) that are there more than once, also with the same value:
// whoever stands in between may have looked at another one than we. The error is -32020.
std::optional<RpcError> check_repeated(const HttpRequest& request);
// MCP-Protocol-Version. The error is -32020.
std::optional<RpcError> check_version_header(const HttpRequest& request,
                                             std::string_view protocol_version);
// Mcp-Method and, where there is a name, Mcp-Name. The error is -32020.
std::optional<RpcError> check_headers(const HttpRequest& request, const Message& message);

// Mcp-Param-<name> of the parameters that ask for it: each says what the arguments say, and is
// there exactly when they have a value. The error is -32020.
std::optional<RpcError> check_parameter_headers(
    const HttpRequest& request, const std::vector<project::HeaderParameter>& parameters,
    const Object* arguments);

// The value of a header that may be written as =?base64?...?=; nullopt when that is broken, or when
// the value has characters that no header may have.
std::optional<std::string> decode_header_value(std::string_view value);

// Whether an Accept header takes the media type ("application/json"). None at all takes everything.
bool accepts(std::string_view accept, std::string_view media_type);
// Whether a Content-Type names JSON.
bool is_json(std::string_view content_type);

}  // namespace mxcp::mcp
