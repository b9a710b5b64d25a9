// MainLoop: the process's main thread between start and stop.
//
// It owns SIGINT, SIGTERM and SIGHUP and runs tasks that must happen on the main thread (imports,
// hooks). User code keeps every other signal: when one interrupts the loop, `on_other_signal` lets
// Python run its handlers.
#pragma once

#include <deque>
#include <functional>
#include <mutex>

namespace mxcp::runtime {

class MainLoop {
 public:
  MainLoop();
  ~MainLoop();
  MainLoop(const MainLoop&) = delete;
  MainLoop& operator=(const MainLoop&) = delete;

  // From now on: first SIGINT/SIGTERM stops the loop, a second one leaves the process at once with
  // 128 + signal; SIGHUP calls on_hangup (on the main thread).
  void install_signal_handlers();
  std::function<void()> on_hangup;
  std::function<void()> on_other_signal;
  // Called from run() (main thread) when the first stop signal arrives, before run() returns.
  std::function<void(int signal)> on_stop_signal;

  // From any thread.
  void post(std::function<void()> task);
  void stop();
  // Runs tasks until stop(), then the tasks that were posted before it, and returns. May be entered
  // again (a command that waits for one call).
  void run();
  // Runs tasks until `ready()` holds (checked after each task and signal) or a stop signal came.
  void run_until(const std::function<bool()>& ready);

  bool stop_requested() const;
  int signal() const;  // the stop signal that came, or 0

 private:
  void drain_tasks();
  void wait();

  std::mutex mutex_;
  std::deque<std::function<void()>> tasks_;
  bool stop_ = false;
  int wake_fd_ = -1;
};

}  // namespace mxcp::runtime
