// Session: one client on a stream, above the stateless core.
//
// It keeps what only a stream has: which requests run (to cancel them, to refuse an id twice, to
// bound their number), and for the handshake revisions what was negotiated. A request of the
// stateless era passes through it untouched by any of that but the running requests.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "mcp/core.h"

namespace mxcp::mcp {

class Session final : public ExchangeOwner, public std::enable_shared_from_this<Session> {
 public:
  // Without a peer there is no stream of its own, and nothing can be told of what changes.
  Session(Core& core, std::shared_ptr<Peer> peer, Caller caller);

  // A message on the session's own stream.
  void receive(std::string_view text);
  void receive_oversized(const std::optional<RequestId>& id);
  // Messages whose answers go to a peer of their own, on behalf of `caller`. False when they ask
  // for none.
  using Incoming = std::variant<Message, Malformed>;
  bool receive(Incoming message, const std::shared_ptr<Peer>& peer, const Caller& caller);
  bool receive_batch(Array items, const std::shared_ptr<Peer>& peer, const Caller& caller);

  // Takes a revision for granted that was not negotiated here.
  void assume(const Revision& revision);
  bool negotiated() const { return negotiated_.load() != nullptr; }
  // What was negotiated, or what stands in for it before that.
  const Revision& revision() const;
  bool has_running() const;

  // Running requests are cancelled; `tell` their peers so.
  void close(bool tell);
  // True when every answer that was due has been sent.
  bool drain(Instant deadline);
  void notify_list_changed(const ListChanges& changes);
  // Tells of every resource that the client subscribed to.
  void notify_resources_updated();
  bool is_open() const;

  void closed(const Exchange& exchange) override;
  void ask(Exchange& exchange, Questions questions, Answers done) override;

 private:
  using PeerPtr = std::shared_ptr<Peer>;

  // Where an answer goes, and who asks.
  struct Asker {
    const std::shared_ptr<Peer>& peer;
    const Caller& caller;
    bool in_batch = false;
  };
  bool dispatch(Incoming message, const Asker& asker);
  void handle_notification(const Message& message);
  void handle_response(Message message);
  void handle_request(Message message, const Asker& asker);
  // Adds the exchange to the running requests; the error when it may not run. `method` is null for
  // the methods of the handshake and unknown ones.
  std::optional<RpcError> begin(const ExchangePtr& exchange, const Method* method);

  // Tells the client that nobody waits any more for its answers to these questions (JSON of their
  // ids): beside what `exchange` still has to say, or when it is null or closed, on the session's
  // own stream.
  void take_back(const ExchangePtr& exchange, const std::vector<std::string>& ids);

  // The methods of the handshake. True when the exchange was one of them.
  bool handle_own_method(const ExchangePtr& exchange, bool in_batch);
  void initialize(const ExchangePtr& exchange);
  void set_log_level(const ExchangePtr& exchange);
  void subscribe(const ExchangePtr& exchange, bool on);

  void refuse(const PeerPtr& peer, const std::optional<RequestId>& id, const RpcError& error);

  Core& core_;
  const PeerPtr peer_;
  const Caller caller_;
  const std::shared_ptr<LogThreshold> log_threshold_;
  const std::shared_ptr<std::atomic<std::size_t>> places_taken_;

  std::atomic<const Revision*> negotiated_{nullptr};
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  std::unordered_map<std::string, ExchangePtr> running_;  // by id
  bool ready_ = false;  // the client has seen the answer to initialize
  // Questions to the client that are not answered yet, by the id they were sent with.
  struct Asked;
  struct Waiting {
    std::shared_ptr<Asked> asked;
    invoke::ClientChannel::Question question;
    bool is_sent = false;
  };
  std::unordered_map<std::string, Waiting> waiting_;
  std::uint64_t next_question_ = 1;
  std::shared_ptr<const Object> client_capabilities_;
  std::set<std::string> watched_;  // URIs of resources
  ListChanges announced_;          // the lists whose changes it was told to expect
  bool open_ = true;
};

}  // namespace mxcp::mcp
