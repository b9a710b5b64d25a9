// WorkerPool: a number of threads behind one bounded queue.
//
// With `slow_after` long tasks leave room for the others: a thread whose task already runs for so
// long finishes it at a lower priority and ends, and another one may take its place (a thread that
// gave up priority cannot have it back). That is decided by a thread of the pool's own, started
// when first needed.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"

namespace mxcp {

class WorkerPool {
 public:
  struct Options {
    std::size_t threads = 4;  // started when first needed
    std::size_t max_queued = 1024;
    std::size_t stack_bytes = 8 << 20;
    const char* name = "mxcp-worker";
    std::chrono::milliseconds slow_after{0};  // 0: no thread is replaced
    std::size_t max_slow = 28;                // threads that are replaced at a time
    bool background = false;                  // all of its threads have the lower priority
    // Run once on each thread, around its whole life (python/ attaches a thread state here).
    std::function<void(const std::function<void()>& body)> around = nullptr;
  };
  explicit WorkerPool(Options options);
  // Finishes what is queued, then joins.
  ~WorkerPool();

  // False when the queue is full or the pool is stopping: the task was not taken.
  bool submit(std::function<void()> task);
  // Refuses new tasks and waits for the queued ones.
  void stop();

 private:
  struct Worker;
  // The functions below are called with the lock held.
  bool start_thread();  // false when the system gives none
  void start_watcher();
  void watch_for_slow(std::unique_lock<std::mutex>& lock);
  void replace_slow();
  void retire();

  void work();
  void join_ended(std::unique_lock<std::mutex>& lock);

  Options options_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  std::vector<std::size_t> threads_;  // pthread handles, replaced ones too
  std::vector<std::size_t> ended_;    // replaced threads that are to be joined
  std::vector<Worker*> workers_;
  std::size_t replaced_ = 0;
  std::size_t idle_ = 0;
  bool stopping_ = false;
  bool watching_ = false;  // the watcher looks again soon
  std::condition_variable watch_;
  std::thread watcher_;
};

}  // namespace mxcp
