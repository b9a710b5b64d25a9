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

  // From now on the first SIGINT or SIGTERM stops the loop and a second one leaves the process at
  // once with status 128 + signal; SIGHUP calls on_hangup. One MainLoop per process may do this; it
  // may be called again, to take the signals back from libraries that replaced the handlers.
  void install_signal_handlers();

  // All called on the main thread, from within run() or run_until().
  std::function<void()> on_hangup;
  std::function<void()> on_other_signal;
  std::function<void(int signal)> on_stop_signal;

  // From any thread. A task posted when no loop runs waits for the next run.
  void post(std::function<void()> task);
  // From any thread: run() returns once the tasks posted so far are done.
  void stop();

  // Runs tasks and signals until stop() or a stop signal.
  void run();
  // Runs tasks and signals until `ready()` holds; it is asked after each of them, and whenever
  // wake() was called. Stop signals do not end it (they are reported by on_stop_signal).
  void run_until(const std::function<bool()>& ready);
  void wake();

  bool stop_requested() const;
  // The same, from any thread, also while the main thread is busy and has not seen the signal.
  bool is_stopping() const;
  // The stop signal that came, or 0.
  int signal() const;

 private:
  void handle_signals();
  void run_tasks();
  void wait();

  mutable std::mutex mutex_;
  std::deque<std::function<void()>> tasks_;
  bool stop_ = false;
  int signal_ = 0;
  int wake_fd_ = -1;
};

}  // namespace mxcp::runtime
