#include "runtime/main_loop.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <utility>

#include "runtime/end_watch.h"

namespace mxcp::runtime {
namespace {

// What a signal handler may touch: lock-free atomics and the descriptor that wakes the loop.
std::atomic<int> stop_signal{0};
std::atomic<bool> hangup{false};
std::atomic<int> signal_wake_fd{-1};

void wake_descriptor(int fd) {
  const std::uint64_t one = 1;
  const int saved = errno;
  if (fd >= 0) [[maybe_unused]]
    const auto n = ::write(fd, &one, sizeof one);
  errno = saved;
}

void on_signal(int signal) {
  if (signal == SIGHUP) {
    hangup.store(true);
  } else if (stop_signal.exchange(signal) != 0) {
    ::_exit(128 + signal);  // asked twice: leave now
  } else {
    EndWatch::notice();
  }
  wake_descriptor(signal_wake_fd.load());
}

}  // namespace

MainLoop::MainLoop() : wake_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

MainLoop::~MainLoop() {
  int mine = wake_fd_;
  // The next loop of this process, if there is one, starts without the signals of this one.
  if (signal_wake_fd.compare_exchange_strong(mine, -1)) stop_signal.store(0);
  ::close(wake_fd_);
}

void MainLoop::install_signal_handlers() {
  signal_wake_fd.store(wake_fd_);
  struct sigaction action {};
  action.sa_handler = on_signal;
  ::sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signal, &action, nullptr);
}

void MainLoop::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  wake();
}

void MainLoop::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  EndWatch::notice();
  wake();
}

void MainLoop::wake() {
  wake_descriptor(wake_fd_);
}

void MainLoop::run() {
  while (true) {
    handle_signals();
    run_tasks();
    if (stop_requested()) return;
    wait();
  }
}

void MainLoop::run_until(const std::function<bool()>& ready) {
  while (true) {
    handle_signals();
    run_tasks();
    if (ready()) return;
    wait();
  }
}

bool MainLoop::stop_requested() const {
  const std::lock_guard lock(mutex_);
  return stop_;
}

bool MainLoop::is_stopping() const {
  if (signal_wake_fd.load() == wake_fd_ && stop_signal.load() != 0) return true;
  return stop_requested();
}

int MainLoop::signal() const {
  const std::lock_guard lock(mutex_);
  return signal_;
}

void MainLoop::handle_signals() {
  if (hangup.exchange(false) && on_hangup) on_hangup();
  const int signal = signal_wake_fd.load() == wake_fd_ ? stop_signal.load() : 0;
  if (signal == 0) return;
  {
    const std::lock_guard lock(mutex_);
    if (signal_ != 0) return;
    signal_ = signal;
    stop_ = true;
  }
  if (on_stop_signal) on_stop_signal(signal);
}

void MainLoop::run_tasks() {
  while (true) {
    std::function<void()> task;
    {
      const std::lock_guard lock(mutex_);
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
    handle_signals();
  }
}

void MainLoop::wait() {
  struct pollfd descriptor {
    wake_fd_, POLLIN, 0
  };
  if (::poll(&descriptor, 1, -1) < 0 && errno == EINTR && on_other_signal) on_other_signal();
  std::uint64_t count = 0;
  [[maybe_unused]] const auto n = ::read(wake_fd_, &count, sizeof count);
}

}  // namespace mxcp::runtime
