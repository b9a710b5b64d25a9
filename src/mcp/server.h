// The protocol as a function from messages to messages (Model Context Protocol, revisions
// 2024-11-05 to 2025-11-25 with their handshake, and 2026-07-28 without one).
//
// Server knows no sockets, no Python and no DuckDB. A transport feeds it one message at a time and
// gives it a Peer to answer through; calls go to a Backend and are answered when they finish, in
// any order.
//
// Two eras share one process, and every message decides for itself:
//   - A request whose `_meta` names a protocol version is served statelessly (2026-07-28): all that
//     matters is in the request. That is core.h, and it knows nothing of sessions.
//   - Any other request belongs to the handshake revisions. What those keep between messages (the
//     negotiated revision, the log level, which lists the client was told of) lives in session.h,
//     an adapter above the same core. A client that never shakes hands is served by the newest of
//     them.
//
// The files, from the wire inwards:
//   message        JSON-RPC envelopes: ids, errors, reading and writing
//   revisions/     what differs between revisions on the wire, as data
//   request_meta   what `_meta` says about a request: era, progress token, log level
//   session        a client on a stream: handshake, batches, running requests, cancelling
//   http           the same over HTTP requests: http_headers, http_sessions, http_endpoint;
//                  http_sse is the transport of 2024-11-05
//   core           the table of methods; (request, caller) -> one answer
//   exchange       one running request: its notifications, then its one answer, then silence
//   questions      what a running request asks its client; rounds, answer_schema
//   tools, resources, prompts, completion, lists, discovery, subscriptions     the methods
//   content        content blocks as each revision has them
//   tasks          calls that go on after their request was answered
//   catalog        the lists of one Project snapshot, encoded once per revision
//   uri_template   `users://{id}`
//
// Threads: everything here may be called from any thread. Locks are taken in the order
// subscriptions, task, session, exchange, HTTP peer, HTTP sessions, HTTP session, HTTP stream,
// connection; none is held while the Backend is called.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/user_context.h"
#include "invoke/call.h"
#include "project/project.h"

namespace mxcp::mcp {

// Where the messages for one client, or for one request, go. Every message is complete and on one
// line, without the newline. All methods may be called from any thread, in the order the messages
// must arrive; none may wait for the client.
class Peer {
 public:
  virtual ~Peer() = default;
  // A notification, or a message that belongs to no request.
  virtual void send(std::string message) = 0;
  // Whether what is sent before the answer reaches the client; if not, send() drops it.
  virtual bool can_send() const { return true; }
  // The answer to a request, the last message about it: a result (`error_code` 0) or an error.
  virtual void answer(std::string message, int /*error_code*/) { send(std::move(message)); }
  // The client withdrew a request: no answer to it will come.
  virtual void withdrawn() {}
  // The client may come back for what follows, after `retry`, instead of keeping its connection.
  virtual void release(std::chrono::milliseconds /*retry*/) {}
};

// What the protocol serves.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::shared_ptr<const project::Project> project() const = 0;
  // Returns at once; `done` is called exactly once, from any thread, also when the call is
  // cancelled.
  virtual void call(invoke::Request request, invoke::Done done) = 0;
  // Runs `then`, at once or from another thread, when project() has the return types that are
  // derived from prepared SQL; with an error when that does not come.
  // NOLINTNEXTLINE(performance-unnecessary-value-param): those who implement it keep both.
  virtual void when_ready(std::shared_ptr<CancelToken> cancel, std::function<void(Status)> then) {
    static_cast<void>(cancel);
    then({});
  }
};

struct ServerInfo {
  std::string name = "mxcp";
  std::string title;
  std::string version;
  std::string instructions;
  std::string description = {};
  std::string website = {};
  Array icons = {};
};

// Turns text into a token that only this server can have made, and back. What a token is `bound` to
// must be the same both times. From any thread.
class Sealer {
 public:
  virtual ~Sealer() = default;
  virtual std::string seal(std::string_view text, std::string_view bound) const = 0;
  virtual std::optional<std::string> open(std::string_view token, std::string_view bound) const = 0;
};

using project::TaskLimits;

// 128 random bits of the operating system, as hexadecimal text; empty when it gives none.
std::string random_id();

struct ServerOptions {
  ServerInfo info;
  std::size_t page_size = 100;  // of the list methods
  std::size_t max_message = 16 << 20;
  std::size_t max_running = 1024;  // requests of one session at a time
  // How long a client of 2026-07-28 may keep a list or what discovery said. Short: an edited
  // project should show, also to clients that do not listen for changes.
  std::chrono::milliseconds list_ttl{5'000};
  const Clock* clock = &Clock::system();
  // Hears of every request when its answer leaves: `error_code` is 0 for a result, and absent when
  // the client withdrew the request. May be empty; must not wait.
  std::function<void(std::string_view method, std::optional<int> error_code)> on_end;
  // For what a client of 2026-07-28 keeps for us between the rounds of a call.
  std::shared_ptr<const Sealer> sealer;
  std::chrono::minutes answer_time{60};  // for which it may keep it
  TaskLimits tasks;
  std::function<std::string()> new_task_id = random_id;  // such as nobody can guess
};

class Core;
class Session;

class Server {
 public:
  // The backend must outlive the server, and the server every call it gave to the backend.
  Server(ServerOptions options, Backend& backend);
  ~Server();

  // One client over a stream (stdio): keeps what the handshake revisions need.
  std::shared_ptr<Session> open_session(std::shared_ptr<Peer> peer, Caller caller);

  // One message from that client. Returns at once.
  void receive(const std::shared_ptr<Session>& session, std::string_view message);
  // The client sent a message of more than max_message bytes, which the transport skipped, but for
  // its id, where it found that.
  void receive_oversized(const std::shared_ptr<Session>& session, const std::optional<Value>& id);
  // The client is gone: its running calls are cancelled; nothing more is sent.
  void close(const std::shared_ptr<Session>& session);
  // The session is over, but whoever asked something in it is still there: the same, and each peer
  // is told that its request was withdrawn.
  void end(const std::shared_ptr<Session>& session);
  // The client will send no more but may still read (stdin at its end): ends its subscriptions,
  // then waits for the answers that are due, up to the deadline.
  void drain(const std::shared_ptr<Session>& session, Instant deadline);

  // How it presents itself from now on, instead of ServerOptions::info.
  void present(ServerInfo info);
  // The project was loaded anew: tells every session and subscription that was told to expect it
  // about the lists that are different now.
  void notify_list_changed();
  // The data may be different: the same for the resources that clients subscribed to.
  void notify_resources_updated();
  // Nobody can answer any more what running tasks ask: they are told so.
  void end_questions();
  // Waits for the tasks that run, which belong to no session; clients cannot answer them any more.
  // False at the deadline.
  bool drain_tasks(Instant deadline);

  // For transports whose requests need no session.
  Core& core();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mxcp::mcp
