#include "mcp/request_meta.h"

#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/text.h"

namespace mxcp::mcp {
namespace {

constexpr std::string_view kVersionKey = "io.modelcontextprotocol/protocolVersion";
constexpr std::string_view kCapabilitiesKey = "io.modelcontextprotocol/clientCapabilities";
constexpr std::string_view kClientInfoKey = "io.modelcontextprotocol/clientInfo";
constexpr std::string_view kLogLevelKey = "io.modelcontextprotocol/logLevel";

constexpr std::array<std::string_view, 8> kLevels = {"debug", "info",     "notice", "warning",
                                                     "error", "critical", "alert",  "emergency"};

RpcError invalid(std::string message) {
  return {kInvalidParams, std::move(message)};
}

RpcError wrong_kind(std::string_view key, std::string_view expected, const Value* got) {
  return invalid("_meta[\"" + std::string(key) + "\"] must be " + std::string(expected) +
                 (got == nullptr ? ", but is missing" : ", got " + std::string(got->kind_name())));
}

std::optional<RpcError> read_progress_token(const Value* meta, RequestMeta& out) {
  if (meta == nullptr) return {};
  if (!meta->is_object()) return invalid("'_meta' must be an object");
  const Value* const token = meta->find("progressToken");
  if (token == nullptr || token->is_null()) return {};
  const auto text = RequestId::from(*token);
  if (!text) return wrong_kind("progressToken", "a string or an integer", token);
  out.progress_token = text->json;
  return {};
}

RpcError unsupported(const std::string& requested) {
  const Revision* const known = find_revision(requested);
  std::string message = "protocol version '" + shorten(requested, 64) + "' is not supported";
  // Naming a handshake revision back as supported would send the client in a circle.
  if (known != nullptr) message += " in _meta: it begins with 'initialize'";
  Array supported;
  for (auto& name : revision_names(known != nullptr)) supported.emplace_back(std::move(name));
  return {kUnsupportedVersion, std::move(message),
          Value(Object{{"supported", std::move(supported)}, {"requested", requested}})};
}

}  // namespace

std::string_view name_of(LogLevel level) {
  return kLevels[static_cast<std::size_t>(level)];
}

std::optional<LogLevel> log_level_from(std::string_view name) {
  const auto it = std::find(kLevels.begin(), kLevels.end(), name);
  if (it == kLevels.end()) return {};
  return static_cast<LogLevel>(it - kLevels.begin());
}

RpcError bad_log_level(const Value& given) {
  return invalid("unknown log level " + shorten(to_json(given), 64) + "; expected one of " +
                 join({kLevels.begin(), kLevels.end()}, ", "));
}

bool is_stateless(const Message& request) {
  if (request.method == "server/discover" || request.method == "subscriptions/listen") return true;
  const Value* const meta = request.params.find("_meta");
  if (meta == nullptr) return false;
  return meta->find(kVersionKey) != nullptr || meta->find(kCapabilitiesKey) != nullptr ||
         meta->find(kClientInfoKey) != nullptr || meta->find(kLogLevelKey) != nullptr;
}

std::variant<RequestMeta, RpcError> read_stateless_meta(const Message& request) {
  RequestMeta out;
  const Value* const meta = request.params.find("_meta");
  if (meta == nullptr) {
    return invalid("'_meta' is missing; this method needs _meta[\"" + std::string(kVersionKey) +
                   "\"] and _meta[\"" + std::string(kCapabilitiesKey) + "\"]");
  }
  if (auto error = read_progress_token(meta, out)) return std::move(*error);

  const Value* const version = meta->find(kVersionKey);
  if (version == nullptr || version->as_string() == nullptr) {
    return wrong_kind(kVersionKey, "a string", version);
  }
  out.revision = find_revision(*version->as_string());
  if (out.revision == nullptr || !out.revision->stateless) {
    return unsupported(*version->as_string());
  }

  const Value* const capabilities = meta->find(kCapabilitiesKey);
  if (capabilities == nullptr || !capabilities->is_object()) {
    return wrong_kind(kCapabilitiesKey, "an object", capabilities);
  }
  if (!capabilities->as_object()->empty()) {
    out.capabilities = std::make_shared<const Object>(*capabilities->as_object());
  }
  const Value* const info = meta->find(kClientInfoKey);
  if (info != nullptr && !info->is_object()) return wrong_kind(kClientInfoKey, "an object", info);

  if (const Value* const level = meta->find(kLogLevelKey)) {
    const std::string* const name = level->as_string();
    const auto parsed = name == nullptr ? std::nullopt : log_level_from(*name);
    if (!parsed) return bad_log_level(*level);
    out.log_threshold = std::make_shared<const LogThreshold>(*parsed);
  }
  return out;
}

std::variant<RequestMeta, RpcError> read_session_meta(const Message& request,
                                                      const Revision& revision) {
  RequestMeta out;
  out.revision = &revision;
  if (auto error = read_progress_token(request.params.find("_meta"), out)) {
    return std::move(*error);
  }
  return out;
}

}  // namespace mxcp::mcp
