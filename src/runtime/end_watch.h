// EndWatch: the process ends, whatever user code does.
//
// Hooks, imports and `atexit` handlers run on the main thread and cannot be stopped. A server that
// was told to end leaves at the latest this long after that, without them.
#pragma once

#include <chrono>

namespace mxcp::runtime {

class EndWatch {
 public:
  // From now on notice() counts. Once per process.
  static void arm(std::chrono::seconds limit);
  // The server was told to end. From anywhere, signal handlers too; the first counts.
  static void notice();
};

}  // namespace mxcp::runtime
