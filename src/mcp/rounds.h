// Which rounds of asking calls (2026-07-28) may still come.
//
// Each is good once: who sends the same `requestState` again makes another call. Where the round
// was asked for by another process, or so long ago that it is forgotten, it counts as a call, too.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <unordered_set>

namespace mxcp::mcp {

class OpenRounds {
 public:
  static constexpr std::size_t kKept = 10'000;  // the latest
  // Later ones of the same call count as calls.
  static constexpr std::int64_t kPerCall = 32;

  // An id for `requestState`; empty when the system gives no randomness.
  std::string begin();
  // Whether the round was begun, and did not come before.
  bool take(const std::string& id);

 private:
  std::mutex mutex_;
  std::deque<std::string> order_;  // oldest first, also those that came
  std::unordered_set<std::string> open_;
};

}  // namespace mxcp::mcp
