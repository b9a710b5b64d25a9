// WorkerPool: a fixed number of threads behind one bounded queue.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace mxcp {

class WorkerPool {
 public:
  struct Options {
    std::size_t threads = 4;  // started when first needed
    std::size_t max_queued = 1024;
    std::size_t stack_bytes = 8 << 20;
    const char* name = "mxcp-worker";
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
  void work();
  void start_thread();

  Options options_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  std::vector<std::size_t> threads_;  // pthread handles
  std::size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace mxcp
