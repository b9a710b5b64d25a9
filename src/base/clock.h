// Time and identifiers, injected so that tests are exact.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace mxcp {

using Instant = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  // Microseconds since 1970-01-01T00:00:00Z.
  virtual std::int64_t unix_micros() const = 0;

  static const Clock& system();
};

}  // namespace mxcp
