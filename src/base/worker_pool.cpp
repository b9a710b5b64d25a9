#include "base/worker_pool.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <system_error>
#include <utility>

namespace mxcp {
namespace {

// A tenth of the processor time of another thread, where both want it.
constexpr int kSlowNice = 10;

#ifdef __linux__
// Linux has a priority for each thread; a thread cannot raise its own again.
int this_thread() {
  return static_cast<int>(::syscall(SYS_gettid));
}
void lower_priority(int thread) {
  const auto id = static_cast<id_t>(thread);
  ::setpriority(PRIO_PROCESS, id, ::getpriority(PRIO_PROCESS, id) + kSlowNice);
}
#else
int this_thread() {
  return 0;
}
void lower_priority(int) {}
#endif

}  // namespace

struct WorkerPool::Worker {
  int thread = 0;
  bool busy = false;
  bool replaced = false;
  Instant began{};  // its task
};

WorkerPool::WorkerPool(Options options) : options_(std::move(options)) {}

WorkerPool::~WorkerPool() {
  stop();
}

bool WorkerPool::submit(std::function<void()> task) {
  bool wake_watcher = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= options_.max_queued) return false;
    queue_.push_back(std::move(task));
    if (queue_.size() > idle_ && threads_.size() < options_.threads + replaced_) start_thread();
    // The system gives no thread (ulimit -u, pids.max), and there is none to come free.
    if (threads_.empty()) {
      queue_.pop_back();
      return false;
    }
    if (options_.slow_after.count() > 0 && !watching_) {
      watching_ = true;
      wake_watcher = watcher_.joinable();
      if (!wake_watcher) start_watcher();
    }
  }
  wake_.notify_one();
  if (wake_watcher) watch_.notify_one();
  return true;
}

void WorkerPool::stop() {
  std::vector<std::size_t> threads;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    threads.swap(threads_);
    threads.insert(threads.end(), ended_.begin(), ended_.end());
    ended_.clear();
  }
  wake_.notify_all();
  watch_.notify_all();
  for (const std::size_t thread : threads) ::pthread_join(thread, nullptr);
  if (watcher_.joinable()) watcher_.join();
}

// std::thread cannot choose a stack size.
bool WorkerPool::start_thread() {
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
  const bool started = ::pthread_create(&thread, &attributes, body, this) == 0;
  ::pthread_attr_destroy(&attributes);
  if (started) threads_.push_back(thread);
  return started;
}

// Without it long tasks are not replaced; the next task tries again.
void WorkerPool::start_watcher() {
  try {
    watcher_ = std::thread([this] {
      std::unique_lock own(mutex_);
      watch_for_slow(own);
    });
  } catch (const std::system_error&) {
    watching_ = false;
  }
}

void WorkerPool::work() {
  const bool watched = options_.slow_after.count() > 0;
  Worker self;
  self.thread = this_thread();
  if (options_.background) lower_priority(self.thread);
  std::unique_lock lock(mutex_);
  workers_.push_back(&self);
  while (!self.replaced) {
    ++idle_;
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    --idle_;
    if (queue_.empty()) break;
    {
      const std::function<void()> task = std::move(queue_.front());
      queue_.pop_front();
      if (watched) self.began = Clock::system().now();
      self.busy = true;
      lock.unlock();
      task();
    }
    lock.lock();
    self.busy = false;
    // Nobody takes its place, and somebody waits.
    if (self.replaced && !queue_.empty() && threads_.size() <= replaced_ && !start_thread()) {
      self.replaced = false;
      --replaced_;
    }
  }
  workers_.erase(std::find(workers_.begin(), workers_.end(), &self));
  if (self.replaced) retire();
}

// --- slow tasks ---------------------------------------------------------------------------------

void WorkerPool::watch_for_slow(std::unique_lock<std::mutex>& lock) {
  while (!stopping_) {
    const auto can_become_slow = [](const Worker* one) { return one->busy && !one->replaced; };
    watching_ = !queue_.empty() || std::any_of(workers_.begin(), workers_.end(), can_become_slow);
    if (watching_) {
      watch_.wait_for(lock, Duration(options_.slow_after) / 2, [this] { return stopping_; });
      replace_slow();
    } else {
      watch_.wait(lock, [this] { return stopping_ || watching_; });
    }
    join_ended(lock);
  }
}

void WorkerPool::replace_slow() {
  const Instant since = Clock::system().now() - options_.slow_after;
  for (Worker* const worker : workers_) {
    if (!worker->busy || worker->replaced || worker->began > since) continue;
    if (stopping_ || replaced_ >= options_.max_slow) return;
    // When nobody waits submit() starts it.
    if (!queue_.empty() && idle_ == 0 && !start_thread()) return;
    worker->replaced = true;
    ++replaced_;
    if (!options_.background) lower_priority(worker->thread);
  }
}

void WorkerPool::retire() {
  --replaced_;
  const auto handle = std::find(threads_.begin(), threads_.end(), ::pthread_self());
  if (handle == threads_.end()) return;  // stop() joins it
  ended_.push_back(*handle);
  threads_.erase(handle);
}

void WorkerPool::join_ended(std::unique_lock<std::mutex>& lock) {
  std::vector<std::size_t> ended;
  ended.swap(ended_);
  if (ended.empty()) return;
  lock.unlock();
  for (const std::size_t thread : ended) ::pthread_join(thread, nullptr);
  lock.lock();
}

}  // namespace mxcp
