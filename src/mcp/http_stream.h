// SSE streams, and the answers to single requests that may become one.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_budget.h"
#include "mcp/exchange.h"
#include "mcp/http.h"
#include "mcp/revisions/revision.h"

namespace mxcp::mcp {

// The messages of one stream, in their order. In a session they are numbered ("3-17": message 17 of
// stream 3) and the last ones are kept, so that a client whose connection broke can ask for the
// rest. From any thread. Locked before the reply it writes to.
class HttpStream final : public Peer {
 public:
  // `kept`: what may be kept of its messages; null: nothing, and they have no numbers. `primed`:
  // the first event only says its id (from 2025-11-25).
  HttpStream(std::uint64_t number, std::shared_ptr<ByteBudget> kept, bool primed);
  ~HttpStream() override;

  std::uint64_t number() const { return number_; }

  // The stream goes on at this reply: with the messages after `after`, or with those that were not
  // sent to anybody yet. A reply that had it before is ended.
  static constexpr std::uint64_t kUnsent = ~std::uint64_t{0};
  void attach(std::shared_ptr<HttpReply> reply, std::string_view headers, std::uint64_t after);
  // The connection of that reply is gone.
  void detach(const HttpReply* reply);
  bool is_attached() const;
  // Whether what follows message `after` is kept, the end of it at least.
  bool can_go_on(std::uint64_t after) const;
  // Whether more may come, and if not, whether somebody was given the last of it.
  enum class State { kOpen, kUnheard, kHeard };
  State state() const;

  void send(std::string message) override;
  // No message follows `last` (which may be empty).
  void finish(std::string_view last);
  // Ends the reply; the stream itself may go on at another, not before `retry` when that is given.
  void end_reply(std::optional<std::chrono::milliseconds> retry = {});

 private:
  struct Event {
    std::uint64_t number;
    std::string text;
  };
  // With the lock held.
  std::string event_of(std::string_view message);
  void keep(const std::string& event);
  void forget(std::size_t events);

  const std::uint64_t number_;
  const std::shared_ptr<ByteBudget> budget_;
  const bool primed_;
  mutable std::mutex mutex_;
  std::shared_ptr<HttpReply> reply_;
  std::deque<Event> kept_;
  std::size_t kept_bytes_ = 0;
  std::uint64_t last_ = 0;  // number of the last message
  std::uint64_t sent_ = 0;  // the last one that was given to a reply
  bool finished_ = false;
};

// Opens the stream of a request when there is something to say before the answer.
class HttpStreams {
 public:
  virtual ~HttpStreams() = default;
  virtual std::shared_ptr<HttpStream> open_stream() = 0;
  // Whether a stream begins with an event that only says its id.
  virtual bool primes() const = 0;
};

// The peer of one POST request.
class HttpPeer final : public Peer, public HttpCall {
 public:
  struct Accepted {
    bool json = true;
    bool stream = true;
  };
  // `streams` may be null: then a stream keeps nothing, and a disconnect cancels the exchange.
  HttpPeer(std::shared_ptr<HttpReply> reply, Accepted accepted, bool stateless_era,
           std::shared_ptr<HttpStreams> streams);

  // Whom a disconnect cancels.
  void set_exchange(std::shared_ptr<Exchange> exchange) { exchange_ = std::move(exchange); }
  // Lines for a successful answer.
  void set_headers(std::string headers) { headers_ = std::move(headers); }

  void send(std::string message) override;
  bool can_send() const override { return accepted_.stream; }
  void answer(std::string message, int error_code) override;
  void withdrawn() override;
  void release(std::chrono::milliseconds retry) override;
  void disconnected() override;
  // A disconnect cancels nothing in the handshake revisions, so there an answer cannot be wrong.
  bool outlives_input() const override { return !stateless_era_; }

  // An error with an HTTP status of its own.
  void refuse(int status, const RequestId* id, const RpcError& error);
  // The message needed no answer.
  void acknowledge();

 private:
  void begin_stream();  // with the lock held

  const Accepted accepted_;
  const bool stateless_era_;
  const std::shared_ptr<HttpStreams> streams_;
  std::shared_ptr<Exchange> exchange_;
  std::string headers_;
  std::mutex mutex_;
  std::shared_ptr<HttpReply> reply_;  // until the answer, or the end of the connection
  std::shared_ptr<HttpStream> stream_;
};

constexpr std::string_view kJsonType = "application/json";

}  // namespace mxcp::mcp
