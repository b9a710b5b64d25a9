// Exchange: one request on its way, from the message that began it to its one answer.
//
// It is where everything about the request goes out, in the order the protocol asks for: any number
// of notifications, then one answer, then nothing. A request that the client withdrew gets no
// answer and nothing else either. Whoever handles the request calls answer() or fail() exactly
// once, also when it was withdrawn meanwhile (then nothing is sent).
//
// Threads: all methods, from any. The parameters belong to the handler.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/user_context.h"
#include "invoke/call.h"
#include "mcp/message.h"
#include "mcp/questions.h"
#include "mcp/request_meta.h"
#include "mcp/rounds.h"
#include "mcp/server.h"

namespace mxcp::mcp {

// How the server presents itself, as JSON.
struct Presentation {
  explicit Presentation(ServerInfo given);

  // To a client of that revision.
  const std::string& text(const Revision& revision) const;

  const ServerInfo info;
  const std::string full;
  const std::string titled;  // for every single result: name, title and version
  const std::string bare;
};

// What all exchanges of one server share.
struct Setup {
  explicit Setup(ServerOptions given);

  const ServerOptions options;
  std::shared_ptr<const Presentation> presentation() const {
    const std::lock_guard lock(mutex_);
    return presentation_;
  }
  // From any thread.
  void present(ServerInfo info) const;
  OpenRounds& rounds() const { return rounds_; }

 private:
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Presentation> presentation_;
  mutable OpenRounds rounds_;
};

class Exchange;

// Who keeps the running requests of one client.
class ExchangeOwner {
 public:
  virtual ~ExchangeOwner() = default;
  // Nothing more will be sent about this request; its id is free again.
  virtual void closed(const Exchange& exchange) = 0;
  // Asks the client while the request runs (handshake revisions).
  using Questions = std::vector<invoke::ClientChannel::Question>;
  using Answers = std::function<void(Result<Object>)>;
  virtual void ask(Exchange& exchange, Questions questions, Answers done) = 0;
};

// The members of a JSON object, written one after the other into one buffer.
class ObjectText {
 public:
  // Where to append the JSON text of the member's value.
  std::string& member(std::string_view key);
  // Members that are written already.
  void append(std::string_view members);
  // A member of `_meta`, which is written last; `json` is its text.
  void meta(std::string_view key, std::string_view json);

 protected:
  void write_meta();
  std::string text_;

 private:
  std::string meta_;
  bool first_ = true;
};

// Builds the result message of an exchange in one buffer, in the form of its revision.
//
//     Reply reply(exchange);
//     reply.member("content") += "[]";
//     exchange.answer(std::move(reply));
class Reply : public ObjectText {
 public:
  explicit Reply(const Exchange& exchange, std::size_t size_hint = 256,
                 std::string_view result_type = "complete");

  // How long the client may keep this result; the handshake revisions do not know that.
  void cache_for(std::chrono::milliseconds ttl, bool same_for_all_callers);
  // "io.modelcontextprotocol/subscriptionId" in the result's `_meta`.
  void subscription(const RequestId& id) { subscription_ = id.json; }
  std::string finish() &&;

 private:
  const Revision& revision_;
  const Setup& setup_;
  const bool introduces_;  // the server, with its icons
  std::string subscription_;
};

class Exchange final : public invoke::ClientChannel {
 public:
  // `peer` takes the messages of this request; `owner` may be empty.
  Exchange(Message message, RequestMeta meta, Caller caller, std::shared_ptr<Peer> peer,
           std::weak_ptr<ExchangeOwner> owner, std::shared_ptr<const Setup> setup);

  const RequestId& id() const { return id_; }
  const std::string& method() const { return method_; }
  const Revision& revision() const { return *meta_.revision; }
  const Setup& setup() const { return *setup_; }
  Object& params() { return params_; }
  Caller& caller() { return caller_; }
  const std::shared_ptr<CancelToken>& cancel_token() const { return cancel_; }

  // Occupies a place among the running requests until the work is over, also when the request is
  // withdrawn before.
  void hold(std::shared_ptr<void> place) { place_ = std::move(place); }

  // Whether the client declares the extension in this very request.
  bool declares(std::string_view extension) const;
  const std::shared_ptr<const Object>& client_capabilities() const { return meta_.capabilities; }
  // What the client brought along from an earlier round, by question.
  const Object& answers() const { return answers_; }
  // Whether this is the next round of a request that asked; once for each round.
  bool goes_on() const { return goes_on_; }

  // --- what goes out ---
  // False when the exchange was closed before: nothing was sent.
  bool answer(Reply reply);
  void fail(const RpcError& error);
  // `params` is JSON text. False when the exchange is closed: nothing was sent.
  bool notify(std::string_view method, std::string_view params);

  // The client no longer wants the answer. The work is told to stop; false when it was too late.
  bool withdraw();
  // The client is gone: the same, and the peer is not touched again.
  bool abandon();
  // What the client brought along from an earlier round (2026-07-28). The error is -32602. To be
  // called before the parameters are used.
  std::optional<RpcError> read_input();
  // A request of ours that belongs to this one. False when the exchange is closed.
  bool send_request(std::string message);
  // False when the client takes nothing before the answer.
  bool can_send_requests();

  // Until the answer is on its way, or the request is withdrawn.
  bool is_open() const { return open_.load(std::memory_order_acquire); }

  // --- invoke::ClientChannel ---
  void log(const std::string& level, const std::string& logger, const Value& data) override;
  // At most kProgressRate a second after a first burst; of what came too fast the last is kept and
  // sent before the answer. A value that does not grow is dropped.
  void progress(double progress, std::optional<double> total, const std::string& message) override;
  void release(std::chrono::milliseconds retry) override;
  bool wants_progress() const override { return !meta_.progress_token.empty(); }
  Object capabilities() const override;
  // 2026-07-28: what is not answered yet is asked in the result, which ends this run of the call.
  // Handshake revisions: the owner asks, and the call waits.
  void ask(std::vector<Question> questions, std::function<void(Result<Object>)> done) override;
  bool is_asking() const override { return open_questions_->load() != 0; }
  void elicitation_complete(const std::string& id) override;

  static constexpr double kProgressRate = 20;
  static constexpr double kProgressBurst = 20;

 private:
  bool settle(std::string message, int error_code);
  void ask_in_result(const std::vector<Question>& questions);
  bool is_next(const Value& round, const Value* responses);
  bool stop(bool tell_peer);
  // Gives the peer away: work that goes on for a withdrawn request keeps no connection.
  std::shared_ptr<Peer> close();

  const RequestId id_;
  const std::string method_;
  const RequestMeta meta_;
  const std::shared_ptr<const Setup> setup_;
  const std::shared_ptr<CancelToken> cancel_ = std::make_shared<CancelToken>();
  const std::weak_ptr<ExchangeOwner> owner_;
  Object params_;
  Caller caller_;
  Object answers_;  // that the client brought along
  bool goes_on_ = false;
  std::int64_t round_ = 0;  // how often it asked before
  QuestionKeys keys_;       // of this run; under mutex_
  // That the owner asks at the moment; lists of questions.
  const std::shared_ptr<std::atomic<int>> open_questions_ = std::make_shared<std::atomic<int>>(0);
  std::string bound_;  // what a token of this request is bound to

  std::mutex mutex_;  // orders what goes out
  std::atomic<bool> open_{true};
  std::shared_ptr<Peer> peer_;
  std::shared_ptr<void> place_;
  double last_progress_;
  double progress_budget_ = kProgressBurst;
  Instant budget_time_;
  std::string late_progress_;  // params of the notification that came too fast
};

}  // namespace mxcp::mcp
