// Gate: who may run now, and who waits.
//
// Open, a call is counted and let through. Closed, it waits in a bounded queue until the gate opens
// or its patience ends. The reload and the stop close the gate and wait for the count to reach
// zero. All methods from any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/error.h"
#include "invoke/call.h"

namespace mxcp::runtime {

class Gate {
 public:
  struct Options {
    std::chrono::milliseconds max_wait{300'000};
    std::size_t max_waiting = 4096;
  };
  explicit Gate(Options options);
  ~Gate();

  // One call. `run` gets a Pass that counts it as running until the last copy is gone; or, when it
  // may not run, `refuse` gets the reason. Exactly one of them is called: at once, on the thread
  // that opens the gate, or on the gate's own thread when the wait took too long. Only of what runs
  // when refuse_running() is called `refuse` hears as well.
  struct Call {
    std::shared_ptr<CancelToken> cancel = nullptr;           // may be null
    std::weak_ptr<const invoke::ClientChannel> client = {};  // may be null
  };
  using Pass = std::shared_ptr<void>;
  using Run = std::function<void(Pass)>;
  using Refuse = std::function<void(Error)>;
  void enter(Call call, Run run, Refuse refuse);

  void close();  // later calls wait
  void open();   // those that wait run now, in their order
  void shut();   // for good: later calls, and those that wait, are refused

  // Waits until nothing runs. False at the deadline.
  bool wait_idle(Instant deadline);
  // Whether all that runs waits for the answer to a question that it asked its client.
  bool all_ask() const;
  // Cancels what runs.
  void cancel_running(Code reason);
  // Gives up what runs: it may go on, but nobody waits for its outcome any more. Each `refuse` gets
  // the reason.
  void refuse_running(const Error& reason);
  std::size_t running() const;

 private:
  struct Waiting {
    Call call;
    Run run;
    Refuse refuse;
    Instant until;
  };
  // What runs. Shared with the passes, which may outlive the gate.
  struct Running {
    std::mutex mutex;
    std::condition_variable idle;
    struct Entry {
      Call call;
      Refuse refuse;
    };
    std::list<Entry> calls;
  };
  Pass admit(Call call, Refuse refuse);  // with the lock held
  bool start_expiry();  // with the lock held; false when the system gives no thread
  void expire();

  const Options options_;
  const std::shared_ptr<Running> running_ = std::make_shared<Running>();
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  enum class State { kClosed, kOpen, kShut } state_ = State::kClosed;
  std::deque<Waiting> waiting_;
  std::thread expiry_;  // started with the first call that waits
};

}  // namespace mxcp::runtime
