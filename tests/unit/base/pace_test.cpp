#include "base/pace.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <thread>

using namespace mxcp;

namespace {

// How often this thread has given up its processor by itself.
long pauses() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

long pauses_of(Pace pace, int steps) {
  const long before = pauses();
  for (int i = 0; i < steps; ++i) pace.step();
  return pauses() - before;
}

}  // namespace

TEST_CASE("Pace: never pauses unless it is told when") {
  CHECK(pauses_of(Pace(), 1'000'000) == 0);
}

TEST_CASE("Pace: work that has not gone on for long has no pauses") {
  CHECK(pauses_of(Pace(std::chrono::hours(1)), 1'000'000) == 0);
}

TEST_CASE("Pace: long work has one in each turn, not one in each step") {
  Pace pace(std::chrono::milliseconds(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  const long before = pauses();
  pace.step();
  CHECK(pauses() - before == 1);

  // However slow the machine, there are no more turns than time.
  const Instant began = Clock::system().now();
  long steps = 0;
  const long at_first = pauses();
  while (Clock::system().now() - began < std::chrono::milliseconds(20)) {
    pace.step();
    ++steps;
  }
  const auto took = Clock::system().now() - began;
  CHECK(pauses() > at_first);
  CHECK(pauses() - at_first <= took / std::chrono::microseconds(500) + 1);
  CHECK(steps > 0);
}
