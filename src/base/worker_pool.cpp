#include "base/worker_pool.h"

#include <pthread.h>

#include <algorithm>
#include <memory>

namespace mxcp {

WorkerPool::WorkerPool(Options options) : options_(std::move(options)) {}

WorkerPool::~WorkerPool() {
  stop();
}

bool WorkerPool::submit(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= options_.max_queued) return false;
    queue_.push_back(std::move(task));
    if (queue_.size() > idle_ && threads_.size() < options_.threads) start_thread();
  }
  wake_.notify_one();
  return true;
}

void WorkerPool::stop() {
  std::vector<std::size_t> threads;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    threads.swap(threads_);
  }
  wake_.notify_all();
  for (const std::size_t thread : threads) ::pthread_join(thread, nullptr);
}

// With the lock held. std::thread cannot choose a stack size.
void WorkerPool::start_thread() {
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, options_.stack_bytes);
  pthread_t thread{};
  const auto body = [](void* self) -> void* {
    auto* pool = static_cast<WorkerPool*>(self);
    ::pthread_setname_np(::pthread_self(), pool->options_.name);
    if (pool->options_.around) {
      pool->options_.around([pool] { pool->work(); });
    } else {
      pool->work();
    }
    return nullptr;
  };
  if (::pthread_create(&thread, &attributes, body, this) == 0) threads_.push_back(thread);
  ::pthread_attr_destroy(&attributes);
}

void WorkerPool::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    --idle_;
    if (queue_.empty()) return;
    {
      const std::function<void()> task = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      task();
    }
    lock.lock();
  }
}

}  // namespace mxcp
