// The sessions of the handshake revisions over HTTP: an id, what was negotiated, the streams that a
// client listens to with GET, and the streams of requests that it may come back for.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mcp/http_stream.h"
#include "mcp/session.h"

namespace mxcp::mcp {

class HttpSession final : public HttpStreams {
 public:
  // `kept`: for the messages of all sessions that are kept.
  HttpSession(Server& server, std::string id, const Caller& caller, Instant now,
              std::shared_ptr<ByteBudget> kept);
  ~HttpSession() override;

  const std::string& id() const { return id_; }
  Session& session() { return *session_; }
  // Whether the caller is the one who began the session.
  bool belongs_to(const Caller& caller) const;

  void touch(Instant now) {
    used_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  }
  Instant last_used() const { return Instant(Duration(used_.load(std::memory_order_relaxed))); }
  // Nothing runs in it and nobody listens.
  bool is_idle() const;
  // Nothing was asked in it after `initialize`.
  bool is_unused() const { return !asked_.load(std::memory_order_relaxed); }
  void set_used() { asked_.store(true, std::memory_order_relaxed); }

  // The stream of a request, kept for a client that comes back: while more may come, and then the
  // last ones, more of those whose end nobody was given yet.
  std::shared_ptr<HttpStream> open_stream() override;
  // A client listens (GET). With the id of the last event that it has seen (Last-Event-ID), the
  // stream of that event goes on there, and a connection that has it is ended. Null when that
  // stream is not kept any more. Without an id it is a stream beside those that are listened to
  // already. Beyond kMaxListening the oldest makes place.
  std::shared_ptr<HttpStream> listen(std::shared_ptr<HttpReply> reply,
                                     std::string_view last_event_id);
  static constexpr std::size_t kMaxListening = 8;
  // A message that belongs to no request, on exactly one stream: the one that was listened to last,
  // since a connection that broke unnoticed is an older one. Without a listener it is kept there.
  void tell(std::string message);

  void end_streams();
  // Ends the session: running requests are cancelled, streams end.
  void end();
  bool primes() const override;

 private:
  Server& server_;
  const std::string id_;
  const std::string user_;
  const std::shared_ptr<ByteBudget> kept_;
  std::shared_ptr<Session> session_;
  std::atomic<Duration::rep> used_;
  std::atomic<bool> asked_{false};
  mutable std::mutex mutex_;
  // With the lock held.
  std::shared_ptr<HttpStream> add_listening();
  void forget_streams();

  std::vector<std::shared_ptr<HttpStream>> listening_;  // to with GET; the latest last
  std::vector<std::shared_ptr<HttpStream>> streams_;    // of requests, oldest first
  std::uint64_t next_stream_ = 1;

  class Listener;
};

class HttpSessions {
 public:
  HttpSessions(Server& server, const HttpEndpointOptions& options);

  // Null when there is no place, not even by ending a session that rests: one in which nothing was
  // asked yet before others, so that who only opens sessions ends those of nobody else.
  std::shared_ptr<HttpSession> open(const Caller& caller, Instant now);
  std::shared_ptr<HttpSession> find(std::string_view id);
  // False when there was none.
  bool end(std::string_view id);
  void sweep(Instant now);
  void end_streams();
  std::size_t size() const;

 private:
  std::vector<std::shared_ptr<HttpSession>> all() const;
  // With the lock held: the session that can make place, or null.
  std::shared_ptr<HttpSession> take_resting(Instant now);

  Server& server_;
  const HttpEndpointOptions options_;
  const std::shared_ptr<ByteBudget> kept_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<HttpSession>> sessions_;
};

}  // namespace mxcp::mcp
