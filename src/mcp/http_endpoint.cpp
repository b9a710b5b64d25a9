#include <utility>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "mcp/http.h"
#include "mcp/http_headers.h"
#include "mcp/http_sessions.h"

namespace mxcp::mcp {
namespace {

constexpr std::string_view kSessionHeader = "mcp-session-id";
constexpr std::string_view kVersionHeader = "mcp-protocol-version";
constexpr std::string_view kListen = "subscriptions/listen";
constexpr std::string_view kVersionKey = "io.modelcontextprotocol/protocolVersion";
// What a client speaks that names no revision (it was not asked to before 2025-06-18).
constexpr std::string_view kUnnamedRevision = "2025-03-26";

using PeerPtr = std::shared_ptr<HttpPeer>;
using CallPtr = std::shared_ptr<HttpCall>;

// An error before there is a message to answer.
CallPtr refuse(HttpReply& reply, int status, int code, std::string message,
               std::string_view headers = "") {
  reply.respond(status, kJsonType, error_message(nullptr, false, {code, std::move(message)}),
                headers);
  return nullptr;
}

RpcError stream_expected() {
  return {kInvalidRequest, "the answer is text/event-stream; Accept must list it"};
}

RpcError unknown_session() {
  return {kInvalidRequest, "this session has ended or never was; begin again with 'initialize'"};
}

RpcError unknown_version(std::string_view version) {
  return {kInvalidRequest, "MCP-Protocol-Version '" + shorten(version, 64) +
                               "' is not supported; it may be " +
                               join(revision_names(false), ", ")};
}

}  // namespace

std::string_view HttpRequest::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : caller.headers) {
    if (name == lower_case_name) return value;
  }
  return "";
}

std::string_view HttpRequest::last_header(std::string_view lower_case_name) const {
  for (auto it = caller.headers.rbegin(); it != caller.headers.rend(); ++it) {
    if (it->first == lower_case_name) return it->second;
  }
  return "";
}

std::string HttpRequest::list_header(std::string_view lower_case_name) const {
  std::string out;
  for (const auto& [name, value] : caller.headers) {
    if (name != lower_case_name) continue;
    if (!out.empty()) out += ", ";
    out += value;
  }
  return out;
}

struct HttpEndpoint::Impl {
  Impl(HttpEndpointOptions given, Server& the_server)
      : options(std::move(given)),
        server(the_server),
        core(the_server.core()),
        sessions(the_server, options) {}

  CallPtr post(HttpRequest& request, std::shared_ptr<HttpReply> reply);
  CallPtr get(HttpRequest& request, std::shared_ptr<HttpReply> reply);
  CallPtr remove(HttpRequest& request, HttpReply& reply);

  std::optional<RpcError> check_tool_headers(const HttpRequest& request,
                                             const Message& message) const;
  CallPtr stateless_request(HttpRequest& request, Message message, const PeerPtr& peer);
  // One message of the handshake revisions, or a batch of them.
  using Incoming = std::variant<Message, Malformed, Array>;
  CallPtr legacy(HttpRequest& request, Incoming incoming, std::shared_ptr<HttpReply> reply,
                 HttpPeer::Accepted accepted);
  std::shared_ptr<HttpSession> find(const HttpRequest& request);
  Instant now() const { return core.setup()->options.clock->now(); }

  const HttpEndpointOptions options;
  Server& server;
  Core& core;
  HttpSessions sessions;
};

HttpEndpoint::HttpEndpoint(HttpEndpointOptions options, Server& server)
    : impl_(std::make_unique<Impl>(std::move(options), server)) {}

HttpEndpoint::~HttpEndpoint() = default;

const std::string& HttpEndpoint::path() const {
  return impl_->options.path;
}

CallPtr HttpEndpoint::handle(HttpRequest request, std::shared_ptr<HttpReply> reply) {
  if (request.method == "POST") return impl_->post(request, std::move(reply));
  if (auto error = check_repeated(request)) {
    return refuse(*reply, 400, kInvalidRequest, std::move(error->message));
  }
  const std::string_view version = request.header(kVersionHeader);
  const Revision* const revision = find_revision(version);
  const bool has_sessions = !impl_->options.stateless && !(revision && revision->stateless);
  if (has_sessions && (request.method == "GET" || request.method == "DELETE")) {
    if (!version.empty() && revision == nullptr) {
      return refuse(*reply, 400, kInvalidRequest, unknown_version(version).message);
    }
    if (request.method == "GET") return impl_->get(request, std::move(reply));
    return impl_->remove(request, *reply);
  }
  return refuse(*reply, 405, kInvalidRequest, request.method + " is not possible here",
                has_sessions ? "Allow: POST, GET, DELETE\r\n" : "Allow: POST\r\n");
}

// --- POST ---------------------------------------------------------------------------------------

CallPtr HttpEndpoint::Impl::post(HttpRequest& request, std::shared_ptr<HttpReply> reply) {
  if (!is_json(request.header("content-type"))) {
    return refuse(*reply, 415, kInvalidRequest, "the Content-Type must be application/json");
  }
  const std::string accept = request.list_header("accept");
  const HttpPeer::Accepted accepted{accepts(accept, kJsonType),
                                    accepts(accept, "text/event-stream")};
  if (!accepted.json && !accepted.stream) {
    return refuse(*reply, 406, kInvalidRequest,
                  "the answer is application/json or text/event-stream; Accept must list both");
  }
  auto parsed = parse_json(request.body);
  if (!parsed.ok()) {
    const RpcError error = parse_failure(parsed.error());
    return refuse(*reply, 400, error.code, error.message);
  }
  // The values are copies.
  std::string().swap(request.body);

  const std::string_view version = request.header(kVersionHeader);
  const Revision* const named = find_revision(version);
  const bool names_stateless = named != nullptr && named->stateless;
  if (Array* const items = parsed->as_array(); items != nullptr && !names_stateless) {
    return legacy(request, std::move(*items), std::move(reply), accepted);
  }
  auto message = read_message(*std::move(parsed));
  Message* const well_formed = std::get_if<Message>(&message);
  const bool is_request = well_formed != nullptr && well_formed->kind == Message::Kind::kRequest;
  if (!names_stateless && !(is_request && is_stateless(*well_formed))) {
    if (well_formed != nullptr) {
      return legacy(request, std::move(*well_formed), std::move(reply), accepted);
    }
    return legacy(request, std::move(*std::get_if<Malformed>(&message)), std::move(reply),
                  accepted);
  }

  const auto peer = std::make_shared<HttpPeer>(std::move(reply), accepted, true, nullptr);
  if (const auto error = check_repeated(request)) {
    peer->refuse(400, is_request ? &well_formed->id : nullptr, *error);
    return nullptr;
  }
  // Only a stream can carry what is listened for.
  if (is_request && well_formed->method == kListen && !accepted.stream) {
    peer->refuse(406, &well_formed->id, stream_expected());
    return nullptr;
  }
  if (is_request) return stateless_request(request, std::move(*well_formed), peer);
  if (const Malformed* const malformed = std::get_if<Malformed>(&message)) {
    peer->refuse(400, malformed->id ? &*malformed->id : nullptr, malformed->error);
  } else if (well_formed->kind == Message::Kind::kResponse) {
    peer->refuse(400, nullptr, {kInvalidRequest, "a client sends no responses in this revision"});
  } else {
    peer->acknowledge();
  }
  return nullptr;
}

std::optional<RpcError> HttpEndpoint::Impl::check_tool_headers(const HttpRequest& request,
                                                               const Message& message) const {
  if (message.method != "tools/call") return {};
  const Value* const name = message.params.find("name");
  if (name == nullptr || !name->is_string()) return {};
  const auto tool =
      core.backend().project()->find(project::EndpointKind::kTool, *name->as_string());
  if (tool == nullptr || tool->header_parameters.empty()) return {};
  const Value* const arguments = message.params.find("arguments");
  return check_parameter_headers(request, tool->header_parameters,
                                 arguments == nullptr ? nullptr : arguments->as_object());
}

CallPtr HttpEndpoint::Impl::stateless_request(HttpRequest& request, Message message,
                                              const PeerPtr& peer) {
  // That header and body contradict each other counts before what they say.
  const Value* const given = message.params.find("_meta");
  const Value* const version = given == nullptr ? nullptr : given->find(kVersionKey);
  if (version != nullptr && version->is_string()) {
    if (const auto error = check_version_header(request, *version->as_string())) {
      peer->refuse(400, &message.id, *error);
      return nullptr;
    }
  }
  auto meta = read_stateless_meta(message);
  if (const RpcError* const error = std::get_if<RpcError>(&meta)) {
    peer->refuse(400, &message.id, *error);
    return nullptr;
  }
  RequestMeta& known = *std::get_if<RequestMeta>(&meta);
  if (const auto error = check_headers(request, message)) {
    peer->refuse(400, &message.id, *error);
    return nullptr;
  }
  if (const auto error = check_tool_headers(request, message)) {
    peer->refuse(400, &message.id, *error);
    return nullptr;
  }
  const auto exchange =
      std::make_shared<Exchange>(std::move(message), std::move(known), std::move(request.caller),
                                 peer, std::weak_ptr<ExchangeOwner>(), core.setup());
  peer->set_exchange(exchange);
  core.start(exchange);
  return peer;
}

// --- the handshake revisions --------------------------------------------------------------------

namespace {

// A request without a session to come back to. Nobody else can have the answer, so that leaving
// cancels it, as in 2026-07-28.
class Sessionless final : public HttpCall {
 public:
  Sessionless(std::shared_ptr<Session> session, PeerPtr peer)
      : session_(std::move(session)), peer_(std::move(peer)) {}
  void disconnected() override {
    peer_->disconnected();
    session_->close(false);
  }

 private:
  const std::shared_ptr<Session> session_;
  const PeerPtr peer_;
};

}  // namespace

std::shared_ptr<HttpSession> HttpEndpoint::Impl::find(const HttpRequest& request) {
  const std::string_view id = request.header(kSessionHeader);
  auto session = id.empty() ? nullptr : sessions.find(id);
  if (session == nullptr || !session->belongs_to(request.caller)) return nullptr;
  session->touch(now());
  return session;
}

CallPtr HttpEndpoint::Impl::legacy(HttpRequest& request, Incoming incoming,
                                   std::shared_ptr<HttpReply> reply, HttpPeer::Accepted accepted) {
  const Message* const message = std::get_if<Message>(&incoming);
  const bool is_request = message != nullptr && message->kind == Message::Kind::kRequest;
  const auto peer_with = [&](std::shared_ptr<HttpStreams> streams) {
    return std::make_shared<HttpPeer>(std::move(reply), accepted, false, std::move(streams));
  };
  const RequestId* const id = is_request ? &message->id : nullptr;
  const auto refuse_with = [&](int status, const RpcError& error) {
    peer_with(nullptr)->refuse(status, id, error);
    return nullptr;
  };

  if (auto error = check_repeated(request)) {
    return refuse_with(400, {kInvalidRequest, std::move(error->message)});
  }
  // From 2025-06-18 clients repeat the revision that was negotiated.
  const std::string_view version = request.header(kVersionHeader);
  const Revision* const named = find_revision(version);
  const bool begins = is_request && message->method == "initialize";
  if (!version.empty() && named == nullptr && !begins) {
    return refuse_with(400, unknown_version(version));
  }

  const auto receive = [&](Session& session, const PeerPtr& peer) -> CallPtr {
    bool answered = false;
    if (Array* const items = std::get_if<Array>(&incoming)) {
      answered = session.receive_batch(std::move(*items), peer, request.caller);
    } else if (Message* const one = std::get_if<Message>(&incoming)) {
      answered = session.receive(std::move(*one), peer, request.caller);
    } else {
      answered =
          session.receive(std::move(*std::get_if<Malformed>(&incoming)), peer, request.caller);
    }
    if (!answered) peer->acknowledge();
    return peer;
  };

  if (options.stateless) {
    // A session that begins and ends with this message: what was negotiated is what the client
    // says.
    const auto session = std::make_shared<Session>(core, nullptr, request.caller);
    session->assume(named != nullptr ? *named : *find_revision(kUnnamedRevision));
    const PeerPtr peer = peer_with(nullptr);
    receive(*session, peer);
    return std::make_shared<Sessionless>(session, peer);
  }
  if (begins) {
    const auto session = sessions.open(request.caller, now());
    if (session == nullptr) {
      return refuse_with(503, {kInternalError, "too many sessions are open; try again later"});
    }
    const PeerPtr peer = peer_with(session);
    peer->set_headers("Mcp-Session-Id: " + session->id() + "\r\n");
    auto call = receive(session->session(), peer);
    if (!session->session().negotiated()) sessions.end(session->id());
    return call;
  }
  const auto session = find(request);
  if (session == nullptr) {
    if (!request.header(kSessionHeader).empty()) return refuse_with(404, unknown_session());
    return refuse_with(
        400, {kInvalidRequest, "the header Mcp-Session-Id is missing; begin with 'initialize'"});
  }
  if (is_request || std::holds_alternative<Array>(incoming)) session->set_used();
  return receive(session->session(), peer_with(session));
}

// --- GET and DELETE -----------------------------------------------------------------------------

namespace {

// A connection on which a client listens.
class Listening final : public HttpCall {
 public:
  Listening(std::shared_ptr<HttpStream> stream, const HttpReply* reply)
      : stream_(std::move(stream)), reply_(reply) {}
  void disconnected() override { stream_->detach(reply_); }

 private:
  const std::shared_ptr<HttpStream> stream_;
  const HttpReply* const reply_;
};

}  // namespace

CallPtr HttpEndpoint::Impl::get(HttpRequest& request, std::shared_ptr<HttpReply> reply) {
  if (!accepts(request.list_header("accept"), "text/event-stream")) {
    return refuse(*reply, 406, kInvalidRequest, stream_expected().message);
  }
  if (request.header(kSessionHeader).empty()) {
    return refuse(*reply, 400, kInvalidRequest,
                  "the header Mcp-Session-Id is missing; begin with 'initialize' (POST)");
  }
  const auto session = find(request);
  if (session == nullptr) return refuse(*reply, 404, kInvalidRequest, unknown_session().message);
  session->set_used();
  const HttpReply* const id = reply.get();
  auto stream = session->listen(reply, request.header("last-event-id"));
  if (stream == nullptr) {
    return refuse(*reply, 400, kInvalidRequest,
                  "the stream that Last-Event-ID names is no longer kept");
  }
  return std::make_shared<Listening>(std::move(stream), id);
}

CallPtr HttpEndpoint::Impl::remove(HttpRequest& request, HttpReply& reply) {
  const auto session = find(request);
  if (session == nullptr) {
    const bool named = !request.header(kSessionHeader).empty();
    return refuse(reply, named ? 404 : 400, kInvalidRequest,
                  named ? unknown_session().message : "the header Mcp-Session-Id is missing");
  }
  sessions.end(session->id());
  reply.respond(204, "", "", "");
  return nullptr;
}

// --- time ---------------------------------------------------------------------------------------

void HttpEndpoint::sweep() {
  impl_->sessions.sweep(impl_->now());
  impl_->core.tasks().sweep();
}

void HttpEndpoint::end_streams() {
  impl_->core.subscriptions().end_all();
  impl_->core.tasks().end_questions();
  impl_->sessions.end_streams();
}

std::size_t HttpEndpoint::session_count() const {
  return impl_->sessions.size();
}

}  // namespace mxcp::mcp
