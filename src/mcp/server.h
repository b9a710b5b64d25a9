// The protocol as a function from messages to messages (Model Context Protocol, revisions 2024-11-05
// to 2025-11-25 with their handshake, and 2026-07-28 without one).
//
// Server knows no sockets, no Python and no DuckDB. A transport feeds it one message at a time and
// gives it a Peer to answer through; calls go to a Backend and are answered when they finish, in any
// order. The core is (Request, Caller) -> Result | Error; what the older revisions keep per session
// (the negotiated revision, the log level, running requests) lives in a Session above it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/user_context.h"
#include "invoke/call.h"
#include "project/project.h"

namespace mxcp::mcp {

// Where the messages for one client go. send() takes one complete JSON-RPC message (one line, no
// newline) and may be called from any thread.
class Peer {
 public:
  virtual ~Peer() = default;
  virtual void send(std::string message) = 0;
};

// What the protocol serves.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::shared_ptr<const project::Project> project() const = 0;
  virtual void call(invoke::Request request, invoke::Done done) = 0;
};

struct ServerInfo {
  std::string name = "mxcp";
  std::string title;
  std::string version;
  std::string instructions;
};

struct ServerOptions {
  ServerInfo info;
  std::size_t page_size = 100;     // of the list methods
  std::size_t max_message = 16 << 20;
  std::size_t max_running = 1024;  // requests of one session at a time
};

class Session;

class Server {
 public:
  Server(ServerOptions options, Backend& backend);
  ~Server();

  // One client over a stream (stdio): keeps what the handshake revisions need.
  std::shared_ptr<Session> open_session(std::shared_ptr<Peer> peer, Caller caller);

  // One message from that client. Returns at once.
  void receive(const std::shared_ptr<Session>& session, std::string_view message);
  // The client is gone: its running calls are cancelled; nothing more is sent.
  void close(const std::shared_ptr<Session>& session);
  // The client will send no more but may still read (stdin at its end): waits for the answers that
  // are due, up to the deadline.
  void drain(const std::shared_ptr<Session>& session, Instant deadline);

  // The set of tools, prompts or resources changed: tells every session that was told to expect it.
  void notify_list_changed();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mxcp::mcp
