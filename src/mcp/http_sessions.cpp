#include "mcp/http_sessions.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>

#include "base/log.h"

namespace mxcp::mcp {
namespace {

// Streams of requests that are kept, per session: those that somebody was given to the end, those
// whose end nobody was given, and those that go on (what may run at once is bounded elsewhere).
constexpr std::size_t kKeptHeard = 8;
constexpr std::size_t kKeptUnheard = 64;
constexpr std::size_t kKeptOpen = 1024;
// Bytes of their messages: of a session, of all.
constexpr std::size_t kKeptBytes = 8 << 20;
constexpr std::size_t kKeptBytesOfAll = 128 << 20;
// A session that somebody used so lately is not ended to make place for another.
constexpr Duration kYoung = std::chrono::minutes(1);
// Nor one that was begun so lately and not used yet.
constexpr Duration kBegun = std::chrono::seconds(5);

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

// "3-17": message 17 of stream 3.
struct EventId {
  std::uint64_t stream, event;
};
std::optional<EventId> event_id_in(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return {};
  const auto stream = number_in(text.substr(0, dash));
  const auto event = number_in(text.substr(dash + 1));
  if (!stream || !event) return {};
  return EventId{*stream, *event};
}

bool is_heard(const std::shared_ptr<HttpStream>& stream) {
  return stream->is_attached();
}

}  // namespace

// What belongs to no request goes to whoever listens. The session has ended before it goes.
class HttpSession::Listener final : public Peer {
 public:
  explicit Listener(HttpSession& session) : session_(session) {}
  void send(std::string message) override { session_.tell(std::move(message)); }

 private:
  HttpSession& session_;
};

// --- HttpSession --------------------------------------------------------------------------------

HttpSession::HttpSession(Server& server, std::string id, const Caller& caller, Instant now,
                         std::shared_ptr<ByteBudget> kept)
    : server_(server),
      id_(std::move(id)),
      kept_(std::make_shared<ByteBudget>(kKeptBytes, std::move(kept))),
      user_(user_key(caller)),
      session_(
          server.open_session(std::make_shared<Listener>(*this),
                              Caller{.transport = caller.transport, .user = {}, .headers = {}})),
      used_(now.time_since_epoch().count()) {}

HttpSession::~HttpSession() {
  // Nobody may speak to the listener any more.
  server_.end(session_);
}

bool HttpSession::belongs_to(const Caller& caller) const {
  return user_ == user_key(caller);
}

bool HttpSession::is_idle() const {
  {
    const std::lock_guard lock(mutex_);
    if (std::any_of(listening_.begin(), listening_.end(), is_heard)) return false;
  }
  return !session_->has_running();
}

bool HttpSession::primes() const {
  return session_->revision().primes_streams;
}

std::shared_ptr<HttpStream> HttpSession::open_stream() {
  const bool primed = primes();
  const std::lock_guard lock(mutex_);
  auto stream = std::make_shared<HttpStream>(next_stream_++, kept_, primed);
  forget_streams();
  streams_.push_back(stream);
  return stream;
}

void HttpSession::forget_streams() {
  // Room for what comes.
  for (const auto state : {HttpStream::State::kHeard, HttpStream::State::kUnheard}) {
    std::erase_if(streams_, [&](const std::shared_ptr<HttpStream>& stream) {
      return kept_->used() > kKeptBytes / 2 && stream->state() == state;
    });
  }
  if (streams_.size() <= kKeptHeard) return;
  std::size_t heard = 0;
  std::size_t unheard = 0;
  std::size_t open = 0;
  const auto is_kept = [&](const std::shared_ptr<HttpStream>& stream) {
    switch (stream->state()) {
      case HttpStream::State::kHeard: return ++heard <= kKeptHeard;
      case HttpStream::State::kUnheard: return ++unheard <= kKeptUnheard;
      case HttpStream::State::kOpen: return ++open <= kKeptOpen;
    }
    return false;
  };
  std::vector<std::shared_ptr<HttpStream>> kept;
  // From the latest to the oldest.
  std::copy_if(streams_.rbegin(), streams_.rend(), std::back_inserter(kept), is_kept);
  streams_.assign(kept.rbegin(), kept.rend());
}

std::shared_ptr<HttpStream> HttpSession::add_listening() {
  listening_.push_back(std::make_shared<HttpStream>(next_stream_++, kept_, primes()));
  return listening_.back();
}

std::shared_ptr<HttpStream> HttpSession::listen(std::shared_ptr<HttpReply> reply,
                                                std::string_view last_event_id) {
  const auto last = event_id_in(last_event_id);
  std::uint64_t after = HttpStream::kUnsent;
  // Until it is attached, so that two clients do not get the same stream.
  const std::lock_guard lock(mutex_);
  const auto is_asked_for = [&](const auto& stream) { return stream->number() == last->stream; };
  std::shared_ptr<HttpStream> stream;
  if (last) {
    const auto kept = std::find_if(streams_.begin(), streams_.end(), is_asked_for);
    if (kept != streams_.end()) stream = *kept;
    after = last->event;
  }
  if (stream == nullptr) {
    auto place = listening_.end();
    if (last) place = std::find_if(listening_.begin(), listening_.end(), is_asked_for);
    if (place == listening_.end()) {
      if (last && last->stream < next_stream_) return nullptr;
      after = HttpStream::kUnsent;
      // What was to be said while nobody listened is in the latest of those that nobody has.
      const auto free = std::find_if_not(listening_.rbegin(), listening_.rend(), is_heard);
      if (free != listening_.rend()) {
        place = std::prev(free.base());
      } else if (listening_.size() >= kMaxListening) {
        place = listening_.begin();
      }
    }
    if (place == listening_.end()) {
      stream = add_listening();
    } else {
      stream = *place;
      std::rotate(place, std::next(place), listening_.end());
    }
  }
  if (!stream->can_go_on(after)) return nullptr;
  stream->attach(std::move(reply), "", after);
  return stream;
}

void HttpSession::tell(std::string message) {
  std::shared_ptr<HttpStream> stream;
  {
    const std::lock_guard lock(mutex_);
    const auto heard = std::find_if(listening_.rbegin(), listening_.rend(), is_heard);
    stream = heard != listening_.rend() ? *heard
             : listening_.empty()       ? add_listening()
                                        : listening_.back();
  }
  stream->send(std::move(message));
}

void HttpSession::end_streams() {
  std::vector<std::shared_ptr<HttpStream>> listening;
  {
    const std::lock_guard lock(mutex_);
    listening = listening_;
  }
  for (const auto& stream : listening) stream->end_reply();
}

void HttpSession::end() {
  server_.end(session_);
  end_streams();
}

// --- HttpSessions -------------------------------------------------------------------------------

HttpSessions::HttpSessions(Server& server, const HttpEndpointOptions& options)
    : server_(server), options_(options), kept_(std::make_shared<ByteBudget>(kKeptBytesOfAll)) {}

std::shared_ptr<HttpSession> HttpSessions::open(const Caller& caller, Instant now) {
  std::string id = random_id();
  if (id.empty()) return nullptr;
  auto session = std::make_shared<HttpSession>(server_, id, caller, now, kept_);
  std::shared_ptr<HttpSession> ended;
  bool full = false;
  {
    const std::lock_guard lock(mutex_);
    if (sessions_.size() >= options_.max_sessions) {
      ended = take_resting(now);
      full = ended == nullptr;
    }
    if (!full) sessions_.emplace(std::move(id), session);
  }
  if (ended != nullptr) ended->end();
  if (full) {
    log::warning("http", "no place for another session (the limit is {})", options_.max_sessions);
    session->end();
    return nullptr;
  }
  return session;
}

std::shared_ptr<HttpSession> HttpSessions::take_resting(Instant now) {
  const auto unused_ones = std::count_if(sessions_.begin(), sessions_.end(),
                                         [](const auto& one) { return one.second->is_unused(); });
  // A flood of them: the older ones are abandoned.
  const bool flooded = static_cast<std::size_t>(unused_ones) > options_.max_sessions / 2;
  const Duration begun = flooded ? Duration::zero() : kBegun;
  auto best = sessions_.end();
  for (auto it = sessions_.begin(); it != sessions_.end(); ++it) {
    const HttpSession& session = *it->second;
    const bool unused = session.is_unused();
    if (best != sessions_.end()) {
      const HttpSession& before = *best->second;
      if (before.is_unused() != unused ? before.is_unused()
                                       : before.last_used() <= session.last_used()) {
        continue;
      }
    }
    const Duration young = unused ? begun : kYoung;
    if (now - session.last_used() >= young && session.is_idle()) best = it;
  }
  if (best == sessions_.end()) return nullptr;
  auto taken = std::move(best->second);
  sessions_.erase(best);
  return taken;
}

std::shared_ptr<HttpSession> HttpSessions::find(std::string_view id) {
  const std::string key(id);
  const std::lock_guard lock(mutex_);
  const auto it = sessions_.find(key);
  return it == sessions_.end() ? nullptr : it->second;
}

bool HttpSessions::end(std::string_view id) {
  std::shared_ptr<HttpSession> ended;
  {
    const std::lock_guard lock(mutex_);
    const auto it = sessions_.find(std::string(id));
    if (it == sessions_.end()) return false;
    ended = std::move(it->second);
    sessions_.erase(it);
  }
  ended->end();
  return true;
}

std::vector<std::shared_ptr<HttpSession>> HttpSessions::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<HttpSession>> out;
  out.reserve(sessions_.size());
  for (const auto& [id, session] : sessions_) out.push_back(session);
  return out;
}

void HttpSessions::sweep(Instant now) {
  for (const auto& session : all()) {
    if (now - session->last_used() > options_.session_idle && session->is_idle())
      end(session->id());
  }
}

void HttpSessions::end_streams() {
  for (const auto& session : all()) session->end_streams();
}

std::size_t HttpSessions::size() const {
  const std::lock_guard lock(mutex_);
  return sessions_.size();
}

}  // namespace mxcp::mcp
