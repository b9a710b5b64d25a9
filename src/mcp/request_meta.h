// What a request says about itself in `params._meta`: its era, who asks, what to report meanwhile.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "mcp/message.h"
#include "mcp/revisions/revision.h"

namespace mxcp::mcp {

// RFC 5424, least severe first.
enum class LogLevel { kDebug, kInfo, kNotice, kWarning, kError, kCritical, kAlert, kEmergency };
std::string_view name_of(LogLevel level);
std::optional<LogLevel> log_level_from(std::string_view name);
// "'log' is not a log level; expected debug, info, ..."
RpcError bad_log_level(const Value& given);

// The least level a client wants to see. Shared, because logging/setLevel also changes it for calls
// that already run.
using LogThreshold = std::atomic<LogLevel>;

struct RequestMeta {
  const Revision* revision = nullptr;
  std::string progress_token;                         // JSON text; "" when the client wants none
  std::shared_ptr<const Object> capabilities;         // of the client; may be null
  std::shared_ptr<const LogThreshold> log_threshold;  // null: no log messages at all
};

// Whether the request belongs to the stateless era: its `_meta` has a key that only this era knows,
// or it calls a method that only exists there.
bool is_stateless(const Message& request);

// Checks what every stateless request must carry. Errors: -32602, and -32022 for a revision that is
// not spoken here.
std::variant<RequestMeta, RpcError> read_stateless_meta(const Message& request);
// The handshake revisions only know the progress token.
std::variant<RequestMeta, RpcError> read_session_meta(const Message& request,
                                                      const Revision& revision);

}  // namespace mxcp::mcp
