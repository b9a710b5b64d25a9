#include "cli/interruptible.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "base/log.h"

namespace mxcp::cli {
namespace {

// User code that was asked to stop is waited for this long.
constexpr std::chrono::seconds kPatience{2};
// Before, whoever asked hears why nothing happens.
constexpr std::chrono::milliseconds kSilence{500};
constexpr std::chrono::seconds kStopLimit{10};

invoke::Outcome cancelled() {
  invoke::Outcome outcome;
  outcome.error = Error{Code::kCancelled, "cancelled"};
  return outcome;
}

// One call, as the main thread, the thread that finishes it and the one that loses patience see it.
struct Waiting {
  std::mutex mutex;
  std::condition_variable finished;
  std::optional<invoke::Outcome> outcome;
  bool given_up = false;
};

}  // namespace

invoke::Outcome call(Parts& parts, invoke::Request request) {
  runtime::MainLoop& loop = parts.loop();
  if (loop.signal() != 0) return cancelled();
  const auto cancel = request.cancel;
  const auto state = std::make_shared<Waiting>();
  std::thread patience;
  loop.on_stop_signal = [&](int) {
    cancel->cancel();
    patience = std::thread([state, &loop] {
      std::unique_lock lock(state->mutex);
      const auto finished = [&] { return state->outcome.has_value(); };
      if (!state->finished.wait_for(lock, kSilence, finished)) {
        log::warning(
            "cli", "the code goes on and is left behind in a moment; Ctrl-C again leaves at once");
        state->finished.wait_for(lock, kPatience - kSilence, finished);
      }
      state->given_up = true;
      lock.unlock();
      loop.wake();
    });
  };
  parts.runtime().call(std::move(request), [state, &loop](invoke::Outcome outcome) {
    {
      const std::lock_guard lock(state->mutex);
      state->outcome = std::move(outcome);
    }
    state->finished.notify_all();
    loop.wake();
  });
  loop.run_until([&] {
    const std::lock_guard lock(state->mutex);
    return state->outcome || state->given_up;
  });
  loop.on_stop_signal = nullptr;
  if (patience.joinable()) patience.join();
  const std::lock_guard lock(state->mutex);
  return state->outcome ? *std::move(state->outcome) : cancelled();
}

void run_cancellable(Parts& parts, CancelToken& cancel, const std::function<void()>& work) {
  runtime::MainLoop& loop = parts.loop();
  std::atomic<bool> finished{false};
  loop.on_stop_signal = [&](int) { cancel.cancel(); };
  std::thread worker([&] {
    work();
    finished = true;
    loop.wake();
  });
  loop.run_until([&] { return finished.load(); });
  loop.on_stop_signal = nullptr;
  worker.join();
}

void stop(Parts& parts, bool hurry) {
  const Instant now = Clock::system().now();
  parts.runtime().stop(hurry || parts.loop().signal() != 0 ? now : now + kStopLimit);
  parts.finish();
}

}  // namespace mxcp::cli
