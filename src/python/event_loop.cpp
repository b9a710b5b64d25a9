#include "python/event_loop.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/log.h"
#include "python/exceptions.h"
#include "python/from_python.h"
#include "python/modules.h"
#include "python/query.h"
#include "python/state.h"

namespace mxcp::python {
namespace {

constexpr std::size_t kStackBytes = 8 << 20;
constexpr int kCleanupSeconds = 3;
constexpr const char* kJobName = "mxcp.job";
constexpr const char* kCoreName = "mxcp.loop";

// A job on its way. Owned by the queue, then by the capsule in the coroutine that drives it.
struct Running {
  explicit Running(Job given) : job(std::move(given)) {}
  ~Running() { finish(Error{Code::kUnavailable, "the event loop has ended"}); }

  // Without the GIL.
  void finish(Result<Value> result) {
    if (finished.exchange(true)) return;
    registration.reset();
    if (job.call && job.call->cancel && job.call->cancel->cancelled()) {
      result = job.call->cancel->error();
    }
    job.done(std::move(result));
    job.done = nullptr;
  }

  Job job;
  std::atomic<bool> finished{false};
  std::optional<CancelToken::Registration> registration;
  PyRef task;  // with the GIL; empty once finished
};

std::shared_ptr<Running>* running_in(PyObject* capsule) {
  return static_cast<std::shared_ptr<Running>*>(PyCapsule_GetPointer(capsule, kJobName));
}

// finish(job, value, exception), called by the driving coroutine.
PyObject* finish_job(PyObject*, PyObject* const* args, Py_ssize_t count) {
  if (count != 3) {
    PyErr_SetString(PyExc_TypeError, "finish(job, value, error)");
    return nullptr;
  }
  std::shared_ptr<Running>* held = running_in(args[0]);
  if (held == nullptr) return nullptr;
  const std::shared_ptr<Running> running = *held;
  const auto& call = running->job.call;
  Result<Value> result = Value();
  if (args[2] != Py_None) {
    result = to_error(args[2]);
  } else if (!running->job.discard_result) {
    result = from_python(args[1], Purpose::kResult, call ? call->cancel.get() : nullptr,
                         call ? wanted_items(*call) : kAllItems);
  }
  running->task = PyRef();
  {
    const GilRelease released;
    running->finish(std::move(result));
  }
  Py_RETURN_NONE;
}
PyMethodDef kFinishMethod = {
    "finish", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(finish_job)),
    METH_FASTCALL, nullptr};

void drop_job(PyObject* capsule) {
  auto* held = running_in(capsule);
  if (held == nullptr) {
    PyErr_Clear();
    return;
  }
  (*held)->task = PyRef();
  const GilRelease released;  // ~Running may call done
  delete held;
}

}  // namespace

struct EventLoop::Core : std::enable_shared_from_this<Core> {
  struct Item {
    std::shared_ptr<Running> start;
    std::weak_ptr<Running> cancel;
  };

  Core() : wake_fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~Core() { ::close(wake_fd); }

  // False when the loop takes nothing any more; the item is untouched then.
  bool push(Item&& item) {
    {
      const std::lock_guard lock(mutex);
      if (stopping || ended) return false;
      queue.push_back(std::move(item));
      if (std::exchange(signalled, true)) return true;
    }
    wake();
    return true;
  }
  void wake() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_fd, &one, sizeof one);
  }

  static void* thread_main(void* argument);
  void run();
  void take_no_more();
  void fail_queue(const Error& error);
  static PyObject* drain_callback(PyObject* self, PyObject*);
  void drain();
  void begin(std::shared_ptr<Running> running);
  PyRef drive(const Job& job, PyObject* capsule, PyObject* awaitable);
  void note(const std::shared_ptr<Running>& running);
  void end_begun();

  const int wake_fd;
  std::mutex mutex;  // never held while Python runs
  std::deque<Item> queue;
  bool signalled = false;
  bool stopping = false;
  bool ended = false;
  std::atomic<bool> over{false};  // takes nothing any more: for EventLoop::core, without the mutex
  std::optional<Error> broken;    // the loop could not start
  std::condition_variable end;
  pthread_t thread{};

  // Those with a task, some of them over already. On the loop's thread.
  std::vector<std::weak_ptr<Running>> begun;
  std::size_t sweep_at = 64;  // looks for those that are over when there are so many

  PyObject* loop = nullptr;  // borrowed from run(), with the GIL
  PyObject* helper = nullptr;
  PyObject* finish = nullptr;
};

namespace {
PyMethodDef drain_method;  // filled when first needed, under the GIL
}

EventLoop::~EventLoop() {
  stop(std::chrono::seconds(kCleanupSeconds + 2));
}

std::shared_ptr<EventLoop::Core> EventLoop::core() {
  const std::lock_guard lock(mutex_);
  // A tool may have called loop.stop().
  if (core_ != nullptr && !core_->over) return core_;
  auto made = std::make_shared<Core>();
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, kStackBytes);
  ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  auto* argument = new std::shared_ptr<Core>(made);
  if (::pthread_create(&made->thread, &attributes, &Core::thread_main, argument) != 0) {
    delete argument;
    made->broken = Error{Code::kInternal, "cannot start the thread of the event loop"};
    made->ended = made->over = true;
  }
  ::pthread_attr_destroy(&attributes);
  core_ = made;
  return made;
}

void EventLoop::start() {
  (void)core();
}

void EventLoop::submit(Job job) {
  const std::shared_ptr<Core> target = core();
  auto running = std::make_shared<Running>(std::move(job));
  if (const auto& call = running->job.call; call && call->cancel) {
    running->registration.emplace(call->cancel.get(), [target = std::weak_ptr<Core>(target),
                                                       job = std::weak_ptr<Running>(running)] {
      if (const auto core = target.lock()) core->push({nullptr, job});
    });
  }
  Core::Item item{std::move(running), {}};
  if (target->push(std::move(item))) return;
  std::unique_lock lock(target->mutex);
  Error refused = target->broken.value_or(Error{Code::kUnavailable, "the event loop has ended"});
  lock.unlock();
  item.start->finish(std::move(refused));
}

std::function<void(std::chrono::seconds limit)> EventLoop::detach() {
  std::shared_ptr<Core> detached;
  {
    const std::lock_guard lock(mutex_);
    detached = std::exchange(core_, nullptr);
  }
  return [detached](std::chrono::seconds limit) {
    if (detached == nullptr) return;
    std::unique_lock lock(detached->mutex);
    detached->stopping = true;
    detached->wake();
    if (!detached->end.wait_for(lock, limit, [&] { return detached->ended; })) {
      log::warning("python", "a coroutine blocks the event loop; it is left behind");
    }
  };
}

// --- the loop's thread ---------------------------------------------------------------------------

void* EventLoop::Core::thread_main(void* argument) {
  ::pthread_setname_np(::pthread_self(), "mxcp-loop");
  const std::unique_ptr<std::shared_ptr<Core>> held(static_cast<std::shared_ptr<Core>*>(argument));
  Core& core = **held;
  core.run();
  core.fail_queue(core.broken.value_or(Error{Code::kUnavailable, "the event loop has ended"}));
  return nullptr;
}

void EventLoop::Core::run() {
  const GilAcquire gil;
  const NestedQueries nested(NestedQueries::Inside::kEventLoop);
  adopt_thread("mxcp-loop");
  if (drain_method.ml_name == nullptr) {
    drain_method = {"drain", &Core::drain_callback, METH_NOARGS, nullptr};
  }
  auto* self = new std::shared_ptr<Core>(shared_from_this());
  const PyRef capsule = PyRef::steal(PyCapsule_New(self, kCoreName, [](PyObject* dropped) {
    delete static_cast<std::shared_ptr<Core>*>(PyCapsule_GetPointer(dropped, kCoreName));
  }));
  if (!capsule) delete self;
  const PyRef module = PyRef::steal(capsule ? PyImport_ImportModule("mxcp._loop") : nullptr);
  const PyRef drain =
      PyRef::steal(module ? PyCFunction_New(&drain_method, capsule.get()) : nullptr);
  const PyRef finisher = PyRef::steal(drain ? PyCFunction_New(&kFinishMethod, nullptr) : nullptr);
  const PyRef fd = PyRef::steal(finisher ? PyLong_FromLong(wake_fd) : nullptr);
  const PyRef made = fd ? call_method(module.get(), "create", fd.get(), drain.get()) : PyRef();
  const PyRef seconds = PyRef::steal(made ? PyLong_FromLong(kCleanupSeconds) : nullptr);
  if (!seconds) {
    Error error = take_exception();
    const std::lock_guard lock(mutex);
    broken = std::move(error).in("the event loop cannot start");
    return;
  }
  loop = made.get();
  helper = module.get();
  finish = finisher.get();
  const PyRef ran = call_method(module.get(), "run", made.get());
  take_no_more();
  if (!ran || !call_method(module.get(), "end", made.get(), fd.get(), seconds.get())) {
    const Error error = take_exception();
    log::error("python", "the event loop ended: {}\n{}", error.message, error.detail);
  }
  loop = helper = finish = nullptr;
  end_begun();
}

void EventLoop::Core::note(const std::shared_ptr<Running>& running) {
  if (begun.size() >= sweep_at) {
    std::erase_if(begun, [](const auto& one) { return one.expired(); });
    sweep_at = std::max<std::size_t>(64, 2 * begun.size());
  }
  begun.push_back(running);
}

// Coroutines that did not end although they were cancelled: nobody runs them any more, and each
// keeps its job alive, which keeps its task. With the GIL.
void EventLoop::Core::end_begun() {
  for (const auto& one : std::exchange(begun, {})) {
    const std::shared_ptr<Running> left = one.lock();
    if (left == nullptr) continue;
    left->task = PyRef();
    const GilRelease released;
    left->finish(Error{Code::kUnavailable, "the event loop has ended"});
  }
}

void EventLoop::Core::take_no_more() {
  bool asked = false;
  {
    const std::lock_guard lock(mutex);
    asked = stopping || broken;
    stopping = true;
    over = true;
  }
  if (!asked) log::warning("python", "user code stopped the event loop; another one takes over");
}

void EventLoop::Core::fail_queue(const Error& error) {
  take_no_more();
  std::deque<Item> left;
  {
    const std::lock_guard lock(mutex);
    left.swap(queue);
  }
  for (const Item& item : left) {
    if (item.start) item.start->finish(error);
  }
  left.clear();
  const std::lock_guard lock(mutex);
  ended = true;
  end.notify_all();
}

PyObject* EventLoop::Core::drain_callback(PyObject* self, PyObject*) {
  auto* core = static_cast<std::shared_ptr<Core>*>(PyCapsule_GetPointer(self, kCoreName));
  if (core == nullptr) return nullptr;
  (*core)->drain();
  Py_RETURN_NONE;
}

void EventLoop::Core::drain() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto read = ::read(wake_fd, &count, sizeof count);
  std::deque<Item> items;
  bool stop_now = false;
  {
    const std::lock_guard lock(mutex);
    items.swap(queue);
    signalled = false;
    stop_now = stopping;
  }
  for (Item& item : items) {
    if (item.start) {
      begin(std::move(item.start));
    } else if (const auto running = item.cancel.lock(); running && running->task) {
      if (!call_method(running->task.get(), "cancel")) PyErr_Clear();
    }
  }
  if (stop_now && !call_method(loop, "stop")) PyErr_Clear();
}

// The coroutine that awaits what the job started, and hands over what comes of it.
PyRef EventLoop::Core::drive(const Job& job, PyObject* capsule, PyObject* awaitable) {
  if (!job.generator) return call_method(helper, "drive", capsule, finish, awaitable);
  const PyRef wanted =
      PyRef::steal(PyLong_FromSize_t(job.call ? wanted_items(*job.call) : kAllItems));
  const PyRef most = PyRef::steal(wanted ? PyLong_FromSize_t(kMaxIterated) : nullptr);
  if (!most) return {};
  return call_method(helper, "drive_generator", capsule, finish, awaitable, wanted.get(),
                     most.get());
}

void EventLoop::Core::begin(std::shared_ptr<Running> running) {
  const Job& job = running->job;
  std::optional<Error> error;
  if (job.call && job.call->cancel && job.call->cancel->cancelled()) {
    error = job.call->cancel->error();
  } else {
    std::optional<CallContext> fresh;
    std::optional<EnteredContext> given;
    if (job.context) {
      given.emplace(PyRef::borrow(job.context.get()));
    } else {
      fresh.emplace(job.call);
    }
    const PyRef awaitable = !fresh || fresh->ok() ? job.start() : PyRef();
    PyRef capsule;
    if (awaitable) {
      auto* held = new std::shared_ptr<Running>(running);
      capsule = PyRef::steal(PyCapsule_New(held, kJobName, drop_job));
      if (!capsule) delete held;
    }
    const PyRef coroutine = capsule ? drive(job, capsule.get(), awaitable.get()) : PyRef();
    // The task copies the context that is current here.
    PyRef task = coroutine ? call_method(loop, "create_task", coroutine.get()) : PyRef();
    if (task) {
      running->task = std::move(task);
      note(running);
    } else {
      error = take_exception();
    }
  }
  if (!error) return;
  const GilRelease released;
  running->finish(*std::move(error));
  running.reset();
}

}  // namespace mxcp::python
