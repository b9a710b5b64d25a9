// Everything of the Python side that is one per process, because the interpreter is.
//
// All members are read and written with the GIL held, unless they say otherwise.
#pragma once

#include "python/py_ref.h"

#include <sys/types.h>

#include <atomic>
#include <memory>
#include <vector>

#include "base/worker_pool.h"
#include "invoke/call.h"

namespace mxcp::python {

class EventLoop;

struct State {
  // The runtime that answers mxcp.runtime; null outside of one. They are set by
  // PythonRuntime::connect and load, and cleared by its destructor.
  invoke::Services* services = nullptr;
  std::shared_ptr<const project::Project> project;
  EventLoop* loop = nullptr;
  // The process that `services` works in: a forked child has neither its threads nor its locks.
  pid_t process = 0;

  // In the order in which they were registered.
  std::vector<PyRef> init_hooks;
  std::vector<PyRef> shutdown_hooks;
  // Plugin name -> instance, a dict; null before the first load.
  PyRef plugins;

  // What load() and the hooks set in it (contextvars) is where every call begins.
  PyRef base_context;
  // The contextvar that carries the Call, as a capsule.
  PyRef call_variable;

  // Calls back into Python with the answers of clients; null outside of a runtime.
  std::atomic<WorkerPool*> answering{nullptr};  // any thread

  // While a reload payload runs the database is closed, and the file may be opened by anybody.
  std::atomic<int> payloads_running{0};  // any thread
};

State& state();

// The call that runs in the current context, or null: in hooks, at import, in threads of the
// user's.
std::shared_ptr<const invoke::Call> current_call();

// A copy of the base context, entered for as long as the object lives, with `call` as the current
// call (may be null). Check ok(); a Python exception is set when it is false.
class CallContext {
 public:
  explicit CallContext(const std::shared_ptr<const invoke::Call>& call);
  ~CallContext();
  CallContext(const CallContext&) = delete;
  CallContext& operator=(const CallContext&) = delete;
  bool ok() const { return entered_; }
  const PyRef& context() const { return context_; }

 private:
  PyRef context_;
  bool entered_ = false;
};

// Enters an existing context that nobody else is in.
class EnteredContext {
 public:
  explicit EnteredContext(PyRef context) : context_(std::move(context)) {
    entered_ = context_ && PyContext_Enter(context_.get()) == 0;
    if (!entered_) PyErr_Clear();
  }
  ~EnteredContext() {
    if (entered_) PyContext_Exit(context_.get());
  }
  EnteredContext(const EnteredContext&) = delete;
  EnteredContext& operator=(const EnteredContext&) = delete;

 private:
  PyRef context_;
  bool entered_ = false;
};

// The project that the current call, or else the runtime, works on; null outside of a runtime.
std::shared_ptr<const project::Project> current_project();

}  // namespace mxcp::python
