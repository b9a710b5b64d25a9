// Limiter: how many calls run, and how many began lately. One per server; it outlives reloads, so
// that neither is forgotten.
//
// `concurrency` counts calls from here until their work is over. `rate` is a token bucket that
// begins full. A call that is refused by one limit does not count for another. What asks its client
// something begins once, in however many rounds it comes.
//
// Threads: any.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <variant>

#include "base/clock.h"
#include "invoke/call.h"

namespace mxcp::invoke {

class Limiter {
 public:
  explicit Limiter(const Clock& clock = Clock::system());

  // Counts one call as running as long as it is kept.
  using Ticket = std::shared_ptr<void>;
  struct Refusal {
    Error error;
    LimitMet limit;
  };
  enum class What {
    kCall,
    kRound,  // of a call that has begun: it runs, but does not begin
    // What is asked for while somebody types has the same limits as the endpoint but is counted
    // apart: typing does not use up the calls.
    kCompletion
  };
  // An empty ticket when there is nothing to count.
  std::variant<Ticket, Refusal> admit(const project::Endpoint& endpoint,
                                      const project::ServerLimits& server, What what = What::kCall);

 private:
  struct Counted;
  struct Bucket {
    project::Rate rate;
    double calls = -1;  // that may begin now; -1: not used yet
    Instant since = {};
    void refill(const project::Rate& wanted, Instant now);
    // Until the next call may begin.
    int seconds() const;
  };
  struct Counted {
    std::uint64_t running = 0;
    double seconds = 1;  // that a call takes, on average
    Bucket bucket;
    int retry_after() const;
  };
  struct State {
    std::mutex mutex;
    Counted server;
    // "tool/name", "completion of prompt/name"; never erased.
    std::unordered_map<std::string, Counted> endpoints;
  };

  const Clock& clock_;
  const std::shared_ptr<State> state_;
};

}  // namespace mxcp::invoke
