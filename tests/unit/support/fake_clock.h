// A clock that a test sets.
#pragma once

#include <atomic>

#include "base/clock.h"

namespace mxcp::test {

class FakeClock final : public Clock {
 public:
  Instant now() const override { return Instant(since_.load()); }
  std::int64_t unix_micros() const override {
    return std::chrono::duration_cast<std::chrono::microseconds>(since_.load()).count();
  }
  void advance(Duration by) { since_ = since_.load() + by; }

 private:
  std::atomic<Duration> since_{std::chrono::hours(1)};
};

}  // namespace mxcp::test
