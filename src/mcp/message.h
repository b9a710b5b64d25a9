// JSON-RPC 2.0 as MCP uses it: messages from JSON values, and back to text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"
#include "base/value.h"

namespace mxcp::mcp {

constexpr int kParseError = -32700;
constexpr int kInvalidRequest = -32600;
constexpr int kMethodNotFound = -32601;
constexpr int kInvalidParams = -32602;
constexpr int kInternalError = -32603;
constexpr int kLegacyResourceNotFound = -32002;  // up to 2025-11-25
// From 2026-07-28.
constexpr int kHeaderMismatch = -32020;
constexpr int kMissingCapability = -32021;
constexpr int kUnsupportedVersion = -32022;

struct RpcError {
  int code = kInternalError;
  std::string message;
  std::optional<Value> data = {};
};

// What the client may read of an error of ours: the message and the hint, never the place (a path
// of this machine) nor the detail (a traceback).
std::string public_text(const Error& error);
RpcError to_rpc(const Error& error);
// Of text that is no JSON.
RpcError parse_failure(const Error& error);

// A string or an integer, as the JSON text that goes back: 7 and "7" are different ids, and every
// digit survives. Also the form of progress tokens.
struct RequestId {
  std::string json;

  // nullopt for null, fractions and everything else that is no id.
  static std::optional<RequestId> from(const Value& value);
  friend bool operator==(const RequestId&, const RequestId&) = default;
};

struct Message {
  enum class Kind { kRequest, kNotification, kResponse };
  Kind kind = Kind::kNotification;
  RequestId id;  // of a request or response
  std::string method;
  Object params;
  // Of a response: the result, or what the error says.
  Value result;
  std::optional<std::string> failure;
};

// What came is no JSON-RPC message; `id` when it could still be read.
struct Malformed {
  RpcError error;
  std::optional<RequestId> id;
};

std::variant<Message, Malformed> read_message(Value value);

// One line each. Without an id, `null_id` writes "id":null, else there is no id at all.
std::string error_message(const RequestId* id, bool null_id, const RpcError& error);
// A request of ours to the client.
std::string request_message(std::string_view id, std::string_view method, const Object& params);
// `params` is JSON text of an object, or empty.
std::string notification_message(std::string_view method, std::string_view params);

// Appends JSON text as a JSON string: `{"a":1}` becomes `"{\"a\":1}"`. The text must be compact and
// valid, so that quotes and backslashes are all there is to escape.
void append_quoted_json(std::string& out, std::string_view json);

}  // namespace mxcp::mcp
