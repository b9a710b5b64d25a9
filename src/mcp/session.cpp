#include "mcp/session.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/json_member.h"
#include "base/log.h"
#include "base/text.h"
#include "mcp/questions.h"

namespace mxcp::mcp {
namespace {

// Resources that one session may subscribe to.
constexpr std::size_t kMaxWatched = 1000;
constexpr std::size_t kMaxWatchedUri = 8192;  // bytes of each
// Messages in one array: each costs far more than its two bytes may be.
constexpr std::size_t kMaxBatch = 1000;

// Collects the answers to one batch and sends them as one array when the last is there.
// Notifications pass at once.
class BatchPeer final : public Peer {
 public:
  BatchPeer(std::shared_ptr<Peer> peer, std::size_t expected)
      : peer_(std::move(peer)), missing_(expected) {}

  void send(std::string message) override { peer_->send(std::move(message)); }
  bool can_send() const override { return peer_->can_send(); }
  void answer(std::string message, int) override { settle(message); }
  void withdrawn() override { settle(""); }

 private:
  void settle(std::string_view message) {
    std::string out;
    {
      const std::lock_guard lock(mutex_);
      if (!message.empty()) {
        answers_ += answers_.empty() ? '[' : ',';
        answers_ += message;
      }
      if (--missing_ > 0) return;
      if (!answers_.empty()) out = std::move(answers_) + ']';
    }
    // Whoever waits for the answer of an HTTP request is told that none comes.
    if (out.empty()) return peer_->withdrawn();
    peer_->answer(std::move(out), 0);
  }

  const std::shared_ptr<Peer> peer_;
  std::mutex mutex_;
  std::size_t missing_;
  std::string answers_;
};

std::optional<RequestId> id_in(std::string_view text) {
  JsonMember member("id");
  member.feed(text);
  const auto value = member.finish();
  return value ? RequestId::from(*value) : std::nullopt;
}

bool is_answered(const std::variant<Message, Malformed>& message) {
  const Message* const well_formed = std::get_if<Message>(&message);
  return well_formed == nullptr || well_formed->kind == Message::Kind::kRequest;
}

}  // namespace

// Several questions whose answers are waited for together.
struct Session::Asked {
  const Exchange* exchange = nullptr;
  std::size_t missing = 0;
  Object answers;
  Answers done;

  // Outside of the lock; only the first counts.
  void finish(Result<Object> outcome) {
    if (const Answers tell = std::exchange(done, nullptr)) tell(std::move(outcome));
  }
};

Session::Session(Core& core, std::shared_ptr<Peer> peer, Caller caller)
    : core_(core),
      peer_(std::move(peer)),
      caller_(std::move(caller)),
      // What a client sees that never asked for a level.
      log_threshold_(std::make_shared<LogThreshold>(LogLevel::kInfo)),
      places_taken_(std::make_shared<std::atomic<std::size_t>>(0)) {}

// --- what comes in ------------------------------------------------------------------------------

void Session::receive(std::string_view text) {
  if (text.size() > core_.setup()->options.max_message) return receive_oversized(id_in(text));
  auto parsed = parse_json(text);
  // With its id where it can be read at all: the text is only nested too deeply.
  if (!parsed.ok()) return refuse(peer_, id_in(text), parse_failure(parsed.error()));
  if (Array* const items = parsed->as_array()) {
    receive_batch(std::move(*items), peer_, caller_);
  } else {
    receive(read_message(*std::move(parsed)), peer_, caller_);
  }
}

void Session::receive_oversized(const std::optional<RequestId>& id) {
  refuse(peer_, id,
         {kInvalidRequest, "the message is larger than " +
                               std::to_string(core_.setup()->options.max_message) + " bytes"});
}

bool Session::receive_batch(Array items, const PeerPtr& peer, const Caller& caller) {
  if (!revision().batches) {
    refuse(peer, {},
           {kInvalidRequest, "several messages in one array are not part of revision " +
                                 std::string(revision().name) + "; send one at a time"});
    return true;
  }
  if (items.empty()) {
    refuse(peer, {}, {kInvalidRequest, "the array of messages is empty"});
    return true;
  }
  if (items.size() > kMaxBatch) {
    refuse(
        peer, {},
        {kInvalidRequest, "the array has " + std::to_string(items.size()) + " messages; at most " +
                              std::to_string(kMaxBatch) + " may come at a time"});
    return true;
  }
  std::vector<Incoming> messages;
  std::size_t answers = 0;
  for (Value& item : items) {
    messages.push_back(read_message(std::move(item)));
    if (is_answered(messages.back())) ++answers;
  }
  const PeerPtr collector = std::make_shared<BatchPeer>(peer, answers);
  for (auto& message : messages) dispatch(std::move(message), {collector, caller, true});
  return answers > 0;
}

bool Session::receive(Incoming message, const PeerPtr& peer, const Caller& caller) {
  return dispatch(std::move(message), {peer, caller});
}

bool Session::dispatch(Incoming message, const Asker& asker) {
  if (const Malformed* const malformed = std::get_if<Malformed>(&message)) {
    refuse(asker.peer, malformed->id, malformed->error);
    return true;
  }
  Message& well_formed = *std::get_if<Message>(&message);
  switch (well_formed.kind) {
    case Message::Kind::kRequest: handle_request(std::move(well_formed), asker); return true;
    case Message::Kind::kNotification: handle_notification(well_formed); break;
    case Message::Kind::kResponse: handle_response(std::move(well_formed)); break;
  }
  return false;
}

void Session::handle_notification(const Message& message) {
  if (message.method == "notifications/initialized") {
    const std::lock_guard lock(mutex_);
    ready_ = negotiated_ != nullptr;
  } else if (message.method == "notifications/cancelled") {
    const Value* const given = message.params.find("requestId");
    const auto id = given == nullptr ? std::nullopt : RequestId::from(*given);
    if (!id) return;
    ExchangePtr exchange;
    {
      const std::lock_guard lock(mutex_);
      const auto it = running_.find(id->json);
      if (it == running_.end()) return;
      exchange = it->second;
    }
    log::debug("mcp", "request {} is cancelled by the client", id->json);
    exchange->withdraw();
  }
}

void Session::handle_request(Message message, const Asker& asker) {
  const bool stateless = is_stateless(message);
  auto meta = stateless ? read_stateless_meta(message) : read_session_meta(message, revision());
  if (const RpcError* const error = std::get_if<RpcError>(&meta)) {
    return refuse(asker.peer, message.id, *error);
  }
  RequestMeta& known = *std::get_if<RequestMeta>(&meta);
  if (!stateless) {
    known.log_threshold = log_threshold_;
    const std::lock_guard lock(mutex_);
    known.capabilities = client_capabilities_;
  }

  const Method* const method = Core::find_method(message.method, *known.revision);
  const auto exchange =
      std::make_shared<Exchange>(std::move(message), std::move(known), asker.caller, asker.peer,
                                 std::weak_ptr<ExchangeOwner>(weak_from_this()), core_.setup());
  if (const auto error = begin(exchange, method)) {
    // The session's own stream is gone; what came by itself, as a POST, is still answered.
    if (!is_open() && asker.peer == peer_) exchange->abandon();
    return exchange->fail(*error);
  }
  if (!stateless && handle_own_method(exchange, asker.in_batch)) return;
  core_.start(exchange);
}

std::optional<RpcError> Session::begin(const ExchangePtr& exchange, const Method* method) {
  const std::size_t limit = core_.setup()->options.max_running;
  const std::lock_guard lock(mutex_);
  if (!open_) return RpcError{kInternalError, "the session is closed"};
  // A client that goes on has seen the answer to its handshake, whether it said so or not.
  if (method != nullptr && !exchange->revision().stateless) ready_ = negotiated_ != nullptr;
  if (method != nullptr && method->runs) {
    if (places_taken_->load(std::memory_order_relaxed) >= limit) {
      return RpcError{kInternalError, "too many requests are running (the limit is " +
                                          std::to_string(limit) +
                                          "); wait for an answer and try again"};
    }
    places_taken_->fetch_add(1, std::memory_order_relaxed);
    // The deleter, not the session: the work may outlive it.
    exchange->hold(std::shared_ptr<void>(nullptr, [taken = places_taken_](void*) {
      taken->fetch_sub(1, std::memory_order_relaxed);
    }));
  }
  const auto [it, is_new] = running_.try_emplace(exchange->id().json, exchange);
  if (!is_new) {
    // One that is answered but not yet forgotten does not count.
    if (it->second->is_open()) {
      return RpcError{kInvalidRequest,
                      "id " + exchange->id().json + " belongs to a request that still runs"};
    }
    it->second = exchange;
  }
  return {};
}

void Session::closed(const Exchange& exchange) {
  ExchangePtr last;  // destroyed after the lock is released
  std::vector<std::shared_ptr<Asked>> given_up;
  std::vector<std::string> unanswered;
  {
    const std::lock_guard lock(mutex_);
    for (auto it = waiting_.begin(); it != waiting_.end();) {
      if (it->second.asked->exchange != &exchange) {
        ++it;
        continue;
      }
      if (it->second.is_sent) unanswered.push_back(it->first);
      given_up.push_back(std::move(it->second.asked));
      it = waiting_.erase(it);
    }
    const auto it = running_.find(exchange.id().json);
    if (it != running_.end() && it->second.get() == &exchange) {
      last = std::move(it->second);
      running_.erase(it);
      if (running_.empty()) idle_.notify_all();
    }
  }
  take_back(nullptr, unanswered);
  for (const auto& asked : given_up) asked->finish(Error{Code::kCancelled, "cancelled"});
}

// --- questions to the client --------------------------------------------------------------------

void Session::ask(Exchange& exchange, Questions questions, Answers done) {
  if (!exchange.can_send_requests()) {
    return done(Error{Code::kUnavailable,
                      "the client cannot be asked: its Accept does not list text/event-stream"});
  }
  const auto asked = std::make_shared<Asked>();
  asked->exchange = &exchange;
  asked->missing = questions.size();
  asked->done = std::move(done);
  std::vector<std::pair<std::string, std::string>> messages;  // by the JSON of their ids
  {
    const std::lock_guard lock(mutex_);
    for (auto& question : questions) {
      const std::string id = "mxcp-" + std::to_string(next_question_++);
      if (asks_by_url(question) && !question.params.contains("elicitationId")) {
        question.params.set("elicitationId", random_id());
      }
      messages.emplace_back(to_json(id), request_message(id, question.method, question.params));
      waiting_.emplace(messages.back().first, Waiting{asked, std::move(question)});
    }
  }
  const auto mark = [&](const std::string& id, bool is_sent) {
    const std::lock_guard lock(mutex_);
    const auto it = waiting_.find(id);
    if (it == waiting_.end()) return false;
    it->second.is_sent = is_sent;
    return true;
  };
  for (auto& [id, message] : messages) {
    // The wait has ended meanwhile, by an answer to an earlier one or with the exchange.
    if (!mark(id, true)) return;
    if (exchange.send_request(std::move(message))) continue;
    // Closed meanwhile: whoever closed it has seen the questions, or will not look again.
    mark(id, false);
    return closed(exchange);
  }
}

void Session::take_back(const ExchangePtr& exchange, const std::vector<std::string>& ids) {
  constexpr std::string_view kCancelled = "notifications/cancelled";
  for (const std::string& id : ids) {
    const std::string params = R"({"requestId":)" + id + '}';
    if (exchange != nullptr && exchange->notify(kCancelled, params)) continue;
    // Locked while it is told: the peer of a session that is over may be gone.
    const std::lock_guard lock(mutex_);
    if (open_ && peer_ != nullptr) peer_->send(notification_message(kCancelled, params));
  }
}

void Session::handle_response(Message message) {
  std::shared_ptr<Asked> asked;
  Result<Object> outcome = Object();
  ExchangePtr exchange;
  std::vector<std::string> unanswered;
  {
    const std::lock_guard lock(mutex_);
    const auto it = waiting_.find(message.id.json);
    if (it == waiting_.end()) return;  // an answer to nothing, or one that comes too late
    asked = it->second.asked;
    const auto question = std::move(it->second.question);
    waiting_.erase(it);
    const auto wrong = message.failure
                           ? std::nullopt
                           : why_no_answer(question.method, question.params, message.result);
    if (message.failure || wrong) {
      outcome =
          Error{Code::kUnavailable, message.failure ? "the client answered: " + *message.failure
                                                    : "the client's answer to " + question.method +
                                                          " cannot be used: " + *wrong};
      std::erase_if(waiting_, [&](const auto& entry) {
        if (entry.second.asked != asked) return false;
        if (entry.second.is_sent) unanswered.push_back(entry.first);
        return true;
      });
      const auto running = std::find_if(running_.begin(), running_.end(), [&](const auto& entry) {
        return entry.second.get() == asked->exchange;
      });
      if (running != running_.end()) exchange = running->second;
    } else {
      asked->answers.set(question.key, std::move(message.result));
      if (--asked->missing > 0) return;
      outcome = std::move(asked->answers);
    }
  }
  take_back(exchange, unanswered);
  asked->finish(std::move(outcome));
}

// --- the handshake ------------------------------------------------------------------------------

bool Session::handle_own_method(const ExchangePtr& exchange, bool in_batch) {
  const std::string& method = exchange->method();
  if (method == "initialize") {
    if (in_batch) {
      exchange->fail({kInvalidRequest, "'initialize' must not be part of a batch"});
    } else {
      initialize(exchange);
    }
  } else if (method == "ping") {
    exchange->answer(Reply(*exchange));
  } else if (method == "logging/setLevel") {
    set_log_level(exchange);
  } else if (peer_ != nullptr &&
             (method == "resources/subscribe" || method == "resources/unsubscribe")) {
    subscribe(exchange, method == "resources/subscribe");
  } else {
    return false;
  }
  return true;
}

void Session::initialize(const ExchangePtr& exchange) {
  const std::string* const requested = required_text(exchange, "protocolVersion");
  if (requested == nullptr) return;
  const Revision* chosen = find_revision(*requested);
  if (chosen == nullptr || chosen->stateless) chosen = &latest_handshake_revision();

  const auto catalog = core_.catalog();
  {
    const std::lock_guard lock(mutex_);
    negotiated_ = chosen;
    if (const Value* const given = exchange->params().find("capabilities");
        given != nullptr && given->is_object()) {
      client_capabilities_ = std::make_shared<const Object>(*given->as_object());
    }
    ready_ = false;
    announced_ = {.tools = true,
                  .resources = has_resources(*catalog),
                  .prompts = catalog->has(ListKind::kPrompts)};
  }
  if (const Value* const client = exchange->params().find("clientInfo");
      client != nullptr && log::enabled(log::Level::kInfo)) {
    log::info("mcp", "client {} speaks {}", shorten(to_json(*client), 200), chosen->name);
  }
  const auto presentation = core_.setup()->presentation();
  Reply reply(*exchange, 512);
  append_json_string(reply.member("protocolVersion"), chosen->name);
  reply.member("capabilities") += capabilities(*catalog, *chosen, peer_ != nullptr);
  reply.member("serverInfo") += presentation->text(*chosen);
  if (const std::string& instructions = presentation->info.instructions; !instructions.empty()) {
    append_json_string(reply.member("instructions"), instructions);
  }
  exchange->answer(std::move(reply));
}

void Session::set_log_level(const ExchangePtr& exchange) {
  const std::string* const name = required_text(exchange, "level");
  if (name == nullptr) return;
  const auto level = log_level_from(*name);
  if (!level) return exchange->fail(bad_log_level(*name));
  log_threshold_->store(*level, std::memory_order_relaxed);
  exchange->answer(Reply(*exchange));
}

void Session::subscribe(const ExchangePtr& exchange, bool on) {
  const auto catalog = core_.catalog();
  if (!has_resources(*catalog)) return exchange->fail(nothing_to_serve("resources"));
  const std::string* const uri = required_text(exchange, "uri");
  if (uri == nullptr) return;
  if (uri->size() > kMaxWatchedUri) {
    return exchange->fail(
        {kInvalidParams, "'uri' is longer than " + std::to_string(kMaxWatchedUri) + " bytes"});
  }
  if (on && !catalog->resolve(*uri)) {
    return exchange->fail({exchange->revision().resource_not_found,
                           "resource not found: '" + *uri + "'", Value(Object{{"uri", *uri}})});
  }
  bool full = false;
  {
    const std::lock_guard lock(mutex_);
    full = on && watched_.size() >= kMaxWatched && !watched_.contains(*uri);
    if (on && !full) watched_.insert(*uri);
    if (!on) watched_.erase(*uri);
  }
  if (full) return exchange->fail({kInvalidParams, "too many resources are subscribed to"});
  exchange->answer(Reply(*exchange));
}

const Revision& Session::revision() const {
  const Revision* const known = negotiated_.load();
  return known != nullptr ? *known : latest_handshake_revision();
}

void Session::assume(const Revision& revision) {
  negotiated_ = &revision;
}

bool Session::has_running() const {
  const std::lock_guard lock(mutex_);
  return !running_.empty();
}

void Session::refuse(const PeerPtr& peer, const std::optional<RequestId>& id,
                     const RpcError& error) {
  if (!is_open() && peer == peer_) return;
  peer->answer(error_message(id ? &*id : nullptr, revision().null_id, error), error.code);
}

// --- the end ------------------------------------------------------------------------------------

bool Session::is_open() const {
  const std::lock_guard lock(mutex_);
  return open_;
}

void Session::close(bool tell) {
  std::vector<ExchangePtr> running;
  {
    const std::lock_guard lock(mutex_);
    open_ = false;
    for (auto& [id, exchange] : running_) running.push_back(std::move(exchange));
    running_.clear();
    idle_.notify_all();
  }
  for (const ExchangePtr& exchange : running) {
    if (tell) {
      exchange->withdraw();
    } else {
      exchange->abandon();
    }
  }
}

bool Session::drain(Instant deadline) {
  std::vector<ExchangePtr> running;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, exchange] : running_) running.push_back(exchange);
  }
  // Subscriptions would never end by themselves.
  for (const ExchangePtr& exchange : running) core_.subscriptions().end(exchange);
  std::unique_lock lock(mutex_);
  return idle_.wait_until(lock, deadline, [&] { return running_.empty(); });
}

void Session::notify_resources_updated() {
  const std::lock_guard lock(mutex_);
  if (!open_) return;
  for (const std::string& uri : watched_) {
    peer_->send(
        notification_message("notifications/resources/updated", to_json(Object{{"uri", uri}})));
  }
}

void Session::notify_list_changed(const ListChanges& changes) {
  const std::lock_guard lock(mutex_);
  if (!open_ || !ready_) return;
  const auto tell = [&](bool expected, bool changed, std::string_view method) {
    if (expected && changed) peer_->send(notification_message(method, ""));
  };
  tell(announced_.tools, changes.tools, "notifications/tools/list_changed");
  tell(announced_.prompts, changes.prompts, "notifications/prompts/list_changed");
  tell(announced_.resources, changes.resources, "notifications/resources/list_changed");
}

}  // namespace mxcp::mcp
