#include "python/hooks.h"

#include <future>

#include "base/log.h"
#include "python/event_loop.h"
#include "python/exceptions.h"
#include "python/state.h"

namespace mxcp::python {
bool is_awaitable(PyObject* object) {
  if (PyCoro_CheckExact(object)) return true;
  const PyAsyncMethods* methods = Py_TYPE(object)->tp_as_async;
  return methods != nullptr && methods->am_await != nullptr;
}

namespace {

Status wait_for(PyRef awaitable) {
  EventLoop* loop = state().loop;
  if (loop == nullptr) return Error{Code::kInternal, "there is no event loop"};
  const auto promise = std::make_shared<std::promise<Status>>();
  auto future = promise->get_future();
  Job job;
  job.discard_result = true;
  job.start = [owned = share(std::move(awaitable))] { return PyRef::borrow(owned.get()); };
  job.done = [promise](Result<Value> result) {
    promise->set_value(result.ok() ? Status() : Status(std::move(result).error()));
  };
  const GilRelease released;
  loop->submit(std::move(job));
  return future.get();
}

}  // namespace

Status call_and_wait(PyObject* function) {
  PyRef result = PyRef::steal(PyObject_CallNoArgs(function));
  if (!result) return take_exception();
  if (!is_awaitable(result.get())) return {};
  return wait_for(std::move(result));
}

// A copy: hooks may register others meanwhile.
// NOLINTNEXTLINE(performance-unnecessary-value-param)
void run_hooks(std::vector<PyRef> hooks, const std::string& what) {
  for (const PyRef& hook : hooks) {
    const Status done = call_and_wait(hook.get());
    if (done.ok()) continue;
    const PyRef qualified = find_attribute(hook.get(), "__qualname__");
    const std::string name = qualified ? text_of(qualified.get()) : "?";
    const GilRelease released;  // the log may have to wait for whoever reads stderr
    log::error("python", "{} '{}' failed: {}\n{}", what, name, done.error().message,
               done.error().detail);
  }
}

}  // namespace mxcp::python
