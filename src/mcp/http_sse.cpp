#include "mcp/http_sse.h"

#include <functional>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/log.h"
#include "mcp/http_headers.h"
#include "mcp/http_stream.h"
#include "mcp/session.h"

namespace mxcp::mcp {
namespace {

constexpr std::string_view kSessionKey = "session_id";

// The stream of one session.
class SsePeer final : public Peer {
 public:
  explicit SsePeer(std::shared_ptr<HttpReply> reply) : reply_(std::move(reply)) {}

  void begin(std::string_view endpoint) {
    const std::lock_guard lock(mutex_);
    reply_->begin_stream("", "event: endpoint\ndata: " + std::string(endpoint) + "\n\n");
  }
  void send(std::string message) override {
    const std::lock_guard lock(mutex_);
    if (reply_ == nullptr) return;
    std::string event;
    event.reserve(message.size() + 32);
    event += "event: message\ndata: ";
    event += message;
    event += "\n\n";
    // When it was given up, the connection closes, and that ends the session.
    if (!reply_->send_events(std::move(event))) reply_ = nullptr;
  }
  void end() {
    const std::lock_guard lock(mutex_);
    if (const auto reply = std::exchange(reply_, nullptr)) reply->end_stream("");
  }
  void forget() {
    const std::lock_guard lock(mutex_);
    reply_ = nullptr;
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<HttpReply> reply_;
};

struct SseSession {
  std::string id;
  std::string user;
  std::shared_ptr<SsePeer> peer;
  std::shared_ptr<Session> session;
};
using SseSessionPtr = std::shared_ptr<const SseSession>;

// The value of one key in "a=b&c=d". Ids need no decoding.
std::string_view query_value(std::string_view query, std::string_view key) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    if (pair.size() > key.size() && pair.starts_with(key) && pair[key.size()] == '=') {
      return pair.substr(key.size() + 1);
    }
    if (end == std::string_view::npos) break;
    query.remove_prefix(end + 1);
  }
  return "";
}

void refuse(HttpReply& reply, int status, const RpcError& error, std::string_view headers = "") {
  reply.respond(status, kJsonType, error_message(nullptr, false, error), headers);
}

}  // namespace

struct SseEndpoint::Impl {
  Impl(SseOptions given, Server& the_server) : options(std::move(given)), server(the_server) {}

  std::shared_ptr<HttpCall> open(const HttpRequest& request,
                                 const std::shared_ptr<HttpReply>& reply);
  void post(HttpRequest& request, HttpReply& reply);
  SseSessionPtr find(std::string_view id);
  std::vector<SseSessionPtr> all() const;
  void end(const std::string& id);

  const SseOptions options;
  Server& server;
  mutable std::mutex mutex;
  std::unordered_map<std::string, SseSessionPtr> sessions;
};

namespace {

// The connection that a session lives on.
class SseCall final : public HttpCall {
 public:
  explicit SseCall(std::function<void()> end) : end_(std::move(end)) {}
  void disconnected() override { end_(); }

 private:
  const std::function<void()> end_;
};

}  // namespace

SseEndpoint::SseEndpoint(SseOptions options, Server& server)
    : impl_(std::make_unique<Impl>(std::move(options), server)) {}

SseEndpoint::~SseEndpoint() = default;

const std::string& SseEndpoint::path() const {
  return impl_->options.path;
}

bool SseEndpoint::serves(std::string_view path) const {
  return path == impl_->options.path || path == impl_->options.messages_path;
}

std::shared_ptr<HttpCall> SseEndpoint::handle(HttpRequest request,
                                              std::shared_ptr<HttpReply> reply) {
  const bool is_stream = request.path == impl_->options.path;
  const std::string_view method = is_stream ? "GET" : "POST";
  if (request.method != method) {
    std::string why = request.method + " is not possible here";
    // What a client of a later revision tries first.
    if (is_stream && request.method == "POST") {
      why = "this is the transport of 2024-11-05 (HTTP+SSE): begin with GET";
    }
    refuse(*reply, 405, {kInvalidRequest, std::move(why)},
           "Allow: " + std::string(method) + "\r\n");
    return nullptr;
  }
  if (is_stream) return impl_->open(request, reply);
  impl_->post(request, *reply);
  return nullptr;
}

// --- the stream ---------------------------------------------------------------------------------

std::shared_ptr<HttpCall> SseEndpoint::Impl::open(const HttpRequest& request,
                                                  const std::shared_ptr<HttpReply>& reply) {
  if (!accepts(request.list_header("accept"), "text/event-stream")) {
    refuse(*reply, 406, {kInvalidRequest, "the answer is text/event-stream; Accept must list it"});
    return nullptr;
  }
  std::string id = random_id();
  const auto peer = std::make_shared<SsePeer>(reply);
  {
    const std::lock_guard lock(mutex);
    if (!id.empty() && sessions.size() < options.max_sessions) {
      // Before anybody can find the session: a message for it, or the end of the server.
      peer->begin(options.messages_path + "/?" + std::string(kSessionKey) + '=' + id);
      const auto session = server.open_session(
          peer, Caller{.transport = request.caller.transport, .user = {}, .headers = {}});
      sessions.emplace(id, std::make_shared<const SseSession>(
                               SseSession{id, user_key(request.caller), peer, session}));
    } else {
      id.clear();
    }
  }
  if (id.empty()) {
    log::warning("http", "no place for another session (the limit is {})", options.max_sessions);
    refuse(*reply, 503, {kInternalError, "too many sessions are open; try again later"});
    return nullptr;
  }
  return std::make_shared<SseCall>([this, id] { end(id); });
}

void SseEndpoint::Impl::end(const std::string& id) {
  SseSessionPtr ended;
  {
    const std::lock_guard lock(mutex);
    const auto it = sessions.find(id);
    if (it == sessions.end()) return;
    ended = std::move(it->second);
    sessions.erase(it);
  }
  ended->peer->forget();
  server.close(ended->session);
}

void SseEndpoint::end_streams() {
  impl_->server.core().subscriptions().end_all();
  for (const SseSessionPtr& session : impl_->all()) {
    if (session->session->has_running()) continue;
    session->peer->end();
    impl_->end(session->id);
  }
}

// --- messages -----------------------------------------------------------------------------------

SseSessionPtr SseEndpoint::Impl::find(std::string_view id) {
  const std::lock_guard lock(mutex);
  const auto it = sessions.find(std::string(id));
  return it == sessions.end() ? nullptr : it->second;
}

std::vector<SseSessionPtr> SseEndpoint::Impl::all() const {
  const std::lock_guard lock(mutex);
  std::vector<SseSessionPtr> out;
  out.reserve(sessions.size());
  for (const auto& [id, session] : sessions) out.push_back(session);
  return out;
}

void SseEndpoint::Impl::post(HttpRequest& request, HttpReply& reply) {
  if (!is_json(request.header("content-type"))) {
    return refuse(reply, 415, {kInvalidRequest, "the Content-Type must be application/json"});
  }
  const std::string_view id = query_value(request.query, kSessionKey);
  if (id.empty()) {
    return refuse(
        reply, 400,
        {kInvalidRequest, "session_id is missing in the query; begin with GET " + options.path});
  }
  const SseSessionPtr found = find(id);
  if (found == nullptr || found->user != user_key(request.caller)) {
    return refuse(reply, 404,
                  {kInvalidRequest,
                   "this session has ended or never was; begin again with GET " + options.path});
  }
  auto parsed = parse_json(request.body);
  if (!parsed.ok()) return refuse(reply, 400, parse_failure(parsed.error()));
  std::string().swap(request.body);  // the values are copies

  // The answers come on the stream, possibly before receive() returns.
  reply.respond(202, "text/plain", "Accepted", "");
  Session& session = *found->session;
  if (Array* const items = parsed->as_array()) {
    session.receive_batch(std::move(*items), found->peer, request.caller);
  } else {
    session.receive(read_message(*std::move(parsed)), found->peer, request.caller);
  }
}

std::size_t SseEndpoint::session_count() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->sessions.size();
}

}  // namespace mxcp::mcp
