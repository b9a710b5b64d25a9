// Deadlines: calls back when an instant has come. One thread for all of them, started with the
// first one.
//
//     Deadlines::Entry entry = deadlines.after(1s, [weak] { ... });
//     entry = {};                                   // not needed any more
//
// A callback runs on that thread and holds up the others, so it must not wait. One that is running
// while its entry ends goes on: it has to look by itself whether it is still wanted.
//
// Threads: everything from any. Entries may outlive the Deadlines; nothing is called then.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "base/clock.h"

namespace mxcp {

class Deadlines {
 public:
  explicit Deadlines(const Clock& clock = Clock::system());
  // Waits for a callback that runs, unless it is the one that destroys this.
  ~Deadlines();
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

  // Starts the thread now, so that it is there when it is needed. Throws std::system_error when the
  // system gives none, as the first after() would.
  void start();

  class Entry;
  [[nodiscard]] Entry after(Duration duration, std::function<void()> callback);
  // For a clock that is no clock: the time is different now.
  void clock_changed();

 private:
  struct Core;
  using Key = std::pair<Instant, std::uint64_t>;
  std::shared_ptr<Core> core_;
};

class Deadlines::Entry {
 public:
  Entry() = default;
  Entry(Entry&& other) noexcept = default;
  Entry& operator=(Entry&& other) noexcept;
  ~Entry();

 private:
  friend class Deadlines;
  Entry(std::weak_ptr<Core> core, Key key) : core_(std::move(core)), key_(key) {}
  std::weak_ptr<Core> core_;
  Key key_;
};

}  // namespace mxcp
