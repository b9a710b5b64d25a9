#include "base/deadlines.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

namespace mxcp {

struct Deadlines::Core {
  explicit Core(const Clock& time) : clock(time) {}

  void run() {
    std::unique_lock lock(mutex);
    while (!stopping) {
      if (waiting.empty()) {
        changed.wait(lock);
        continue;
      }
      const Duration left = waiting.begin()->first.first - clock.now();
      if (left > Duration::zero()) {
        changed.wait_for(lock, left);
        continue;
      }
      std::function<void()> callback = std::move(waiting.begin()->second);
      waiting.erase(waiting.begin());
      lock.unlock();
      callback();
      callback = nullptr;  // without the lock: what it holds may end an entry
      lock.lock();
    }
  }

  const Clock& clock;
  std::mutex mutex;
  std::condition_variable changed;
  std::map<Key, std::function<void()>> waiting;
  std::uint64_t next = 0;
  bool stopping = false;
  std::thread thread;
};

Deadlines::Deadlines(const Clock& clock) : core_(std::make_shared<Core>(clock)) {}

Deadlines::~Deadlines() {
  std::map<Key, std::function<void()>> dropped;  // destroyed without the lock
  {
    const std::lock_guard lock(core_->mutex);
    core_->stopping = true;
    dropped.swap(core_->waiting);
  }
  core_->changed.notify_one();
  if (!core_->thread.joinable()) return;
  if (core_->thread.get_id() == std::this_thread::get_id()) {
    core_->thread.detach();
  } else {
    core_->thread.join();
  }
}

void Deadlines::start() {
  const std::lock_guard lock(core_->mutex);
  if (!core_->thread.joinable()) core_->thread = std::thread([core = core_] { core->run(); });
}

Deadlines::Entry Deadlines::after(Duration duration, std::function<void()> callback) {
  Key key;
  {
    const std::lock_guard lock(core_->mutex);
    key = {core_->clock.now() + duration, core_->next++};
    core_->waiting.emplace(key, std::move(callback));
    if (!core_->thread.joinable()) {
      core_->thread = std::thread([core = core_] { core->run(); });
    } else if (core_->waiting.begin()->first != key) {
      return Entry(core_, key);  // the thread wakes up earlier anyway
    }
  }
  core_->changed.notify_one();
  return Entry(core_, key);
}

void Deadlines::clock_changed() {
  // With the lock, so that the thread does not go to sleep after it has looked at the old time.
  const std::lock_guard lock(core_->mutex);
  core_->changed.notify_one();
}

Deadlines::Entry& Deadlines::Entry::operator=(Entry&& other) noexcept {
  const Entry ended = std::move(*this);
  core_ = std::move(other.core_);
  key_ = other.key_;
  return *this;
}

Deadlines::Entry::~Entry() {
  const std::shared_ptr<Core> core = core_.lock();
  if (!core) return;
  std::map<Key, std::function<void()>>::node_type ended;  // destroyed without the lock
  const std::lock_guard lock(core->mutex);
  ended = core->waiting.extract(key_);
}

}  // namespace mxcp
