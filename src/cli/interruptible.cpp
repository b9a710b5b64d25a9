#include "cli/interruptible.h"

#include <atomic>
#include <thread>

namespace mxcp::cli {
namespace {

// Until it goes out of scope, a stop signal cancels the token.
class CancelOnSignal {
 public:
  CancelOnSignal(runtime::MainLoop& loop, CancelToken& token) : loop_(loop) {
    loop_.on_stop_signal = [&token](int) { token.cancel(); };
  }
  ~CancelOnSignal() { loop_.on_stop_signal = nullptr; }

 private:
  runtime::MainLoop& loop_;
};

}  // namespace

invoke::Outcome call(Parts& parts, invoke::Request request) {
  if (parts.loop().signal() != 0) {
    invoke::Outcome outcome;
    outcome.error = Error{Code::kCancelled, "cancelled"};
    return outcome;
  }
  const auto cancel = request.cancel;
  const CancelOnSignal guard(parts.loop(), *cancel);
  return parts.runtime().call_and_wait(std::move(request));
}

void run_cancellable(Parts& parts, CancelToken& cancel, const std::function<void()>& work) {
  std::atomic<bool> finished{false};
  const CancelOnSignal guard(parts.loop(), cancel);
  std::thread worker([&] {
    work();
    finished = true;
    parts.loop().wake();
  });
  parts.loop().run_until([&] { return finished.load(); });
  worker.join();
}

}  // namespace mxcp::cli
