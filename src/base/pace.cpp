#include "base/pace.h"

#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <thread>

namespace mxcp {
namespace {

constexpr std::chrono::microseconds kTurn{500};
constexpr std::chrono::microseconds kPause{20};

// Linux lets a thread sleep up to 50 us longer than it asks for, unless it is told otherwise.
class ExactSleep {
 public:
  ExactSleep() {
#ifdef __linux__
    ::prctl(PR_SET_TIMERSLACK, 1);
#endif
  }
  ~ExactSleep() {
#ifdef __linux__
    ::prctl(PR_SET_TIMERSLACK, 0);  // the usual
#endif
  }
  ExactSleep(const ExactSleep&) = delete;
  ExactSleep& operator=(const ExactSleep&) = delete;
};

}  // namespace

Pace::Pace(std::chrono::milliseconds gentle_after)
    : next_pause_(gentle_after.count() > 0 ? Clock::system().now() + gentle_after
                                           : Instant::max()) {}

void Pace::step() {
  if (next_pause_ == Instant::max() || Clock::system().now() < next_pause_) return;
  {
    const ExactSleep exact;
    std::this_thread::sleep_for(kPause);
  }
  next_pause_ = Clock::system().now() + kTurn;
}

}  // namespace mxcp
