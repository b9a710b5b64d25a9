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
// Tasks on their way to the GIL at a time.
constexpr std::size_t kMostBeforeGil = 1;
// A function that computes for long gives the GIL up every 5 ms (sys.getswitchinterval). If only
// two others could begin then, it would slow them down a hundred times: beside it everybody comes.
constexpr std::chrono::milliseconds kLongWait{4};
constexpr std::chrono::milliseconds kCrowdedFor{100};
// A task is quick that takes no longer, with the writing of its answer.
constexpr std::chrono::microseconds kQuick{200};
// How long others wait behind one that should be quick.
constexpr std::chrono::milliseconds kPatience{1};

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

  Queue(WorkerPool& threads, Deadlines& the_deadlines) : pool(threads), deadlines(&the_deadlines) {}

  bool submit(Task given) {
    const auto task = std::make_shared<Task>(std::move(given));
    const std::lock_guard lock(mutex);
    if (waiting.size() >= kMaxQueued) return false;
    if (waiting.empty() && has_room()) return start(task);
    waiting.push_back(task);
    watch_quick();
    return true;
  }

  // One that was on its way has arrived, with the GIL or at its end. The next ones begin; where the
  // pool takes nothing any more, one of them is returned.
  SharedTask next() {
    std::vector<SharedTask> begun;  // perhaps over already, when it is let go
    const std::lock_guard lock(mutex);
    --before_gil;
    if (start_waiting(begun)) return nullptr;
    return take_first();
  }

  // One that was on its way has arrived and is quick: the next one waits for its end. 0 when it
  // shall not.
  std::uint64_t begin_quick() {
    const std::lock_guard lock(mutex);
    const Instant now = Clock::system().now();
    if (quick_running != 0 || now < crowded_until) return 0;
    --before_gil;
    quick_running = ++last_quick;
    quick_since = now;
    watch_quick();
    return quick_running;
  }

  // What the thread does next.
  SharedTask end_quick(std::uint64_t which) {
    const std::lock_guard lock(mutex);
    if (quick_running != which) return nullptr;
    quick_running = 0;
    return waiting.empty() ? nullptr : take_first();
  }

  // Whether what should be quick is.
  void replace_if_late() {
    std::vector<SharedTask> begun;
    const std::lock_guard lock(mutex);
    watching = false;
    if (quick_running == 0 || waiting.empty()) return;
    if (Clock::system().now() - quick_since < kPatience) return watch_quick();
    const std::uint64_t ended = std::exchange(quick_running, 0);
    if (start_waiting(begun)) return;
    // It goes on as before where there are no more threads.
    quick_running = ended;
    watch_quick();
  }

  void run(SharedTask task) {
    while (task != nullptr) {
      ++busy;
      Turn turn(*this);
      (*task)(turn);
      turn.pass();
      --busy;
      task = turn.quick_running_ != 0 ? end_quick(turn.quick_running_) : std::move(turn.next_task_);
    }
  }

  void crowd(Instant until) {
    const std::lock_guard lock(mutex);
    crowded_until = until;
  }

  // The functions below are called with the lock held.
  bool has_room() const {
    return (before_gil < kMostBeforeGil && quick_running == 0) ||
           Clock::system().now() < crowded_until;
  }
  bool start(const SharedTask& task) {
    const bool taken = pool.submit([self = shared_from_this(), task]() mutable {
      const std::shared_ptr<Queue> queue = std::move(self);
      queue->run(std::move(task));
    });
    if (taken) ++before_gil;
    return taken;
  }
  // As many as there is room for. False when the pool takes nothing any more.
  bool start_waiting(std::vector<SharedTask>& begun) {
    while (!waiting.empty() && has_room()) {
      if (!start(waiting.front())) return false;
      begun.push_back(std::move(waiting.front()));
      waiting.pop_front();
    }
    return true;
  }
  // To be run by the thread that asks.
  SharedTask take_first() {
    SharedTask first = std::move(waiting.front());
    waiting.pop_front();
    ++before_gil;
    return first;
  }
  void watch_quick() {
    if (quick_running == 0 || waiting.empty() || deadlines == nullptr ||
        std::exchange(watching, true))
      return;
    watch_entry = deadlines->after(kPatience, [weak = weak_from_this()] {
      if (const auto queue = weak.lock()) queue->replace_if_late();
    });
  }

  WorkerPool& pool;
  std::mutex mutex;
  Deadlines* deadlines;  // null at the end
  bool watching = false;
  Deadlines::Entry watch_entry;
  std::deque<SharedTask> waiting;
  std::size_t before_gil = 0;
  std::uint64_t quick_running =
      0;  // the running quick task after which the next one comes; 0: none
  std::uint64_t last_quick = 0;
  Instant quick_since{};
  Instant crowded_until{};
  std::atomic<std::uint64_t> entered{0};  // how many have got the GIL
  std::atomic<int> busy{0};               // inside of a task
};

void Workers::Turn::pass() {
  if (Queue* const queue = std::exchange(queue_, nullptr)) next_task_ = queue->next();
}

Workers::Turn::Wait Workers::Turn::begin_waiting() const {
  return {Clock::system().now(), queue_ == nullptr ? 0 : queue_->entered.load()};
}

void Workers::Turn::end_waiting(const Wait& wait, bool quick) {
  entered_ = Clock::system().now();
  releases_ = gil_releases();
  if (queue_ == nullptr) return;
  // Nobody else came either: somebody computes.
  if (queue_->entered.fetch_add(1) == wait.entered && entered_ - wait.since >= kLongWait) {
    queue_->crowd(entered_ + kCrowdedFor);
  }
  if (quick) quick_running_ = queue_->begin_quick();
  if (quick_running_ == 0) return pass();
  queue_ = nullptr;
}

bool Workers::Turn::was_quick() const {
  return entered_ != Instant() && releases_ == gil_releases() &&
         Clock::system().now() - entered_ <= kQuick;
}

Workers::Workers(std::size_t threads)
    : pool_(std::make_unique<WorkerPool>(WorkerPool::Options{.threads = threads,
                                                             .max_queued = kMaxQueued,
                                                             .name = "mxcp-python",
                                                             .around = with_thread_state})),
      deadlines_(std::make_unique<Deadlines>()) {
  queue_ = std::make_shared<Queue>(*pool_, *deadlines_);
}

Workers::~Workers() {
  {
    const std::lock_guard lock(queue_->mutex);
    queue_->deadlines = nullptr;
  }
  deadlines_.reset();
  if (queue_->busy > 0) pool_.release();
}

bool Workers::submit(Task task) {
  return queue_->submit(std::move(task));
}

}  // namespace mxcp::python
