#include "python/workers.h"

#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include "python/modules.h"

namespace mxcp::python {
namespace {

constexpr std::size_t kMaxQueued = 4096;
// Tasks on their way to the GIL, of which one is always the next.
constexpr std::size_t kComing = 1;
// A function that computes for long gives the GIL up every 5 ms (sys.getswitchinterval). If only
// two others could begin then, it would slow them down a hundred times: beside it everybody comes.
constexpr std::chrono::milliseconds kLongWait{4};
constexpr std::chrono::milliseconds kCrowdedFor{100};

// Attaches a thread state to the thread for its whole life: threading.local and the like persist.
void with_thread_state(const std::function<void()>& body) {
  const PyGILState_STATE own = PyGILState_Ensure();
  adopt_thread("mxcp-python");
  PyThreadState* const saved = PyEval_SaveThread();
  body();
  PyEval_RestoreThread(saved);
  PyGILState_Release(own);
}

}  // namespace

// Shared with the pool's threads, which may outlive the Workers.
//
// What a task holds may need the GIL when it is destroyed. So that never happens under the lock,
// which is taken with the GIL held.
struct Workers::Queue : std::enable_shared_from_this<Queue> {
  using SharedTask = std::shared_ptr<Task>;

  explicit Queue(WorkerPool& threads) : pool(threads) {}

  bool submit(Task given) {
    const auto task = std::make_shared<Task>(std::move(given));
    const std::lock_guard lock(mutex);
    if (waiting.size() >= kMaxQueued) return false;
    if (waiting.empty() && has_room()) return start(task);
    waiting.push_back(task);
    return true;
  }

  // One that was on its way has arrived, with the GIL or at its end. The next ones begin; where the
  // pool takes nothing any more, one of them is returned.
  SharedTask next() {
    std::vector<SharedTask> begun;  // perhaps over already, when it is let go
    const std::lock_guard lock(mutex);
    --coming;
    while (!waiting.empty() && has_room()) {
      begun.push_back(std::move(waiting.front()));
      waiting.pop_front();
      if (start(begun.back())) continue;
      ++coming;
      return std::move(begun.back());
    }
    return nullptr;
  }

  void run(SharedTask task) {
    while (task != nullptr) {
      ++busy;
      Turn turn(*this);
      (*task)(turn);
      turn.pass();
      --busy;
      task = std::move(turn.left_);
    }
  }

  void crowd(Instant until) {
    const std::lock_guard lock(mutex);
    crowded_until = until;
  }

  // The functions below are called with the lock held.
  bool has_room() const { return coming < kComing || Clock::system().now() < crowded_until; }
  bool start(const SharedTask& task) {
    const bool taken = pool.submit([self = shared_from_this(), task]() mutable {
      const std::shared_ptr<Queue> queue = std::move(self);
      queue->run(std::move(task));
    });
    if (taken) ++coming;
    return taken;
  }

  WorkerPool& pool;
  std::mutex mutex;
  std::deque<SharedTask> waiting;
  std::size_t coming = 0;
  Instant crowded_until{};
  std::atomic<std::uint64_t> entered{0};  // how many have got the GIL
  std::atomic<int> busy{0};               // inside of a task
};

void Workers::Turn::pass() {
  if (Queue* const queue = std::exchange(queue_, nullptr)) left_ = queue->next();
}

Workers::Turn::Wait Workers::Turn::begin_waiting() const {
  return {Clock::system().now(), queue_ == nullptr ? 0 : queue_->entered.load()};
}

void Workers::Turn::end_waiting(const Wait& wait) {
  if (queue_ == nullptr) return;
  // Nobody else came either: somebody computes.
  if (queue_->entered.fetch_add(1) == wait.entered) {
    const Instant now = Clock::system().now();
    if (now - wait.since >= kLongWait) queue_->crowd(now + kCrowdedFor);
  }
  pass();
}

Workers::Workers(std::size_t threads)
    : pool_(std::make_unique<WorkerPool>(WorkerPool::Options{.threads = threads,
                                                             .max_queued = kMaxQueued,
                                                             .name = "mxcp-python",
                                                             .around = with_thread_state})),
      queue_(std::make_shared<Queue>(*pool_)) {}

Workers::~Workers() {
  if (queue_->busy > 0) pool_.release();
}

bool Workers::submit(Task task) {
  return queue_->submit(std::move(task));
}

}  // namespace mxcp::python
