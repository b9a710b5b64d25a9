#include "mcp/http_stream.h"

#include <utility>

namespace mxcp::mcp {
namespace {

constexpr std::size_t kKeptEvents = 256;
constexpr std::size_t kKeptBytes = 256 << 10;

// How a JSON-RPC error shows in the status. What a method says about its parameters is an answer
// like any other.
int status_of(int error_code, bool stateless_era) {
  switch (error_code) {
    case kParseError:
    case kInvalidRequest:
    case kHeaderMismatch:
    case kMissingCapability:
    case kUnsupportedVersion: return 400;
    case kMethodNotFound: return stateless_era ? 404 : 200;
    default: return 200;
  }
}

}  // namespace

// --- HttpStream ---------------------------------------------------------------------------------

HttpStream::HttpStream(std::uint64_t number, std::shared_ptr<ByteBudget> kept, bool primed)
    : number_(number), budget_(std::move(kept)), primed_(primed) {}

HttpStream::~HttpStream() {
  if (budget_ != nullptr) budget_->give(kept_bytes_);
}

std::string HttpStream::event_of(std::string_view message) {
  std::string event;
  event.reserve(message.size() + 64);
  ++last_;
  if (budget_ != nullptr) {
    event += "id: " + std::to_string(number_) + '-' + std::to_string(last_) + '\n';
  }
  event += "event: message\ndata: ";
  event += message;
  event += "\n\n";
  if (budget_ != nullptr) keep(event);
  return event;
}

void HttpStream::keep(const std::string& event) {
  // Without the latest, those before it are of no use.
  if (!budget_->take(event.size())) return forget(kept_.size());
  kept_.push_back({last_, event});
  kept_bytes_ += event.size();
  while (kept_.size() > kKeptEvents || (kept_bytes_ > kKeptBytes && kept_.size() > 1)) forget(1);
}

void HttpStream::forget(std::size_t events) {
  std::size_t bytes = 0;
  for (; events > 0; --events) {
    bytes += kept_.front().text.size();
    kept_.pop_front();
  }
  kept_bytes_ -= bytes;
  budget_->give(bytes);
}

void HttpStream::send(std::string message) {
  const std::lock_guard lock(mutex_);
  if (finished_) return;
  std::string event = event_of(message);
  if (reply_ == nullptr) return;
  if (reply_->send_events(std::move(event))) {
    sent_ = last_;
  } else {
    reply_ = nullptr;
  }
}

void HttpStream::finish(std::string_view last) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(finished_, true)) return;
  std::string event;
  if (!last.empty()) event = event_of(last);
  if (const auto reply = std::exchange(reply_, nullptr)) {
    sent_ = last_;
    reply->end_stream(std::move(event));
  }
}

void HttpStream::attach(std::shared_ptr<HttpReply> reply, std::string_view headers,
                        std::uint64_t after) {
  const std::lock_guard lock(mutex_);
  if (const auto before = std::exchange(reply_, nullptr)) before->end_stream("");
  if (after == kUnsent) after = sent_;
  std::string events;
  if (primed_) {
    events = "id: " + std::to_string(number_) + '-' + std::to_string(after) + "\ndata: \n\n";
  }
  for (const Event& event : kept_) {
    if (event.number > after) events += event.text;
  }
  sent_ = last_;
  reply->begin_stream(headers, std::move(events));
  if (finished_) {
    reply->end_stream("");
  } else {
    reply_ = std::move(reply);
  }
}

void HttpStream::detach(const HttpReply* reply) {
  const std::lock_guard lock(mutex_);
  if (reply_.get() == reply) reply_ = nullptr;
}

bool HttpStream::is_attached() const {
  const std::lock_guard lock(mutex_);
  return reply_ != nullptr;
}

bool HttpStream::can_go_on(std::uint64_t after) const {
  const std::lock_guard lock(mutex_);
  return after >= last_ || !kept_.empty();
}

HttpStream::State HttpStream::state() const {
  const std::lock_guard lock(mutex_);
  if (!finished_) return State::kOpen;
  return sent_ == last_ ? State::kHeard : State::kUnheard;
}

void HttpStream::end_reply(std::optional<std::chrono::milliseconds> retry) {
  const std::lock_guard lock(mutex_);
  const auto reply = std::exchange(reply_, nullptr);
  if (reply == nullptr) return;
  reply->end_stream(retry ? "retry: " + std::to_string(retry->count()) + "\n\n" : "");
}

// --- HttpPeer -----------------------------------------------------------------------------------

HttpPeer::HttpPeer(std::shared_ptr<HttpReply> reply, Accepted accepted, bool stateless_era,
                   std::shared_ptr<HttpStreams> streams)
    : accepted_(accepted),
      stateless_era_(stateless_era),
      streams_(std::move(streams)),
      reply_(std::move(reply)) {}

void HttpPeer::begin_stream() {
  stream_ = streams_ != nullptr ? streams_->open_stream()
                                : std::make_shared<HttpStream>(0, nullptr, false);
  stream_->attach(reply_, headers_, 0);
}

void HttpPeer::send(std::string message) {
  const std::lock_guard lock(mutex_);
  if (stream_ == nullptr) {
    // A client that takes no stream gets the answer only.
    if (reply_ == nullptr || !accepted_.stream) return;
    begin_stream();
  }
  stream_->send(std::move(message));
}

void HttpPeer::answer(std::string message, int error_code) {
  const std::lock_guard lock(mutex_);
  if (stream_ == nullptr && reply_ != nullptr && !accepted_.json && error_code == 0) begin_stream();
  const auto reply = std::exchange(reply_, nullptr);
  if (stream_ != nullptr) return stream_->finish(message);
  if (reply == nullptr) return;
  reply->respond(status_of(error_code, stateless_era_), kJsonType, std::move(message),
                 error_code == 0 ? headers_ : std::string());
}

void HttpPeer::withdrawn() {
  const std::lock_guard lock(mutex_);
  const auto reply = std::exchange(reply_, nullptr);
  if (stream_ != nullptr) return stream_->finish("");
  if (reply == nullptr) return;
  if (!accepted_.stream) return reply->respond(202, "", "", "");
  // No message about it follows, and that is what an empty stream says.
  reply->begin_stream("", "");
  reply->end_stream("");
}

// Only a client that was told an event's id at the beginning can come back for the rest.
void HttpPeer::release(std::chrono::milliseconds retry) {
  const std::lock_guard lock(mutex_);
  if (streams_ == nullptr || !streams_->primes() || !accepted_.stream) return;
  if (stream_ == nullptr) {
    if (reply_ == nullptr) return;
    begin_stream();
  }
  stream_->end_reply(retry);
}

void HttpPeer::disconnected() {
  std::shared_ptr<Exchange> exchange;
  {
    const std::lock_guard lock(mutex_);
    if (stream_ != nullptr) stream_->detach(reply_.get());
    reply_ = nullptr;
    exchange = std::move(exchange_);
  }
  if (exchange != nullptr) exchange->abandon();
}

void HttpPeer::refuse(int status, const RequestId* id, const RpcError& error) {
  const std::lock_guard lock(mutex_);
  const auto reply = std::exchange(reply_, nullptr);
  if (reply != nullptr) reply->respond(status, kJsonType, error_message(id, false, error), "");
}

void HttpPeer::acknowledge() {
  const std::lock_guard lock(mutex_);
  if (const auto reply = std::exchange(reply_, nullptr)) reply->respond(202, "", "", "");
}

}  // namespace mxcp::mcp
