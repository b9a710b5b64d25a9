// mcp.elicit() and its like: questions of user code to the client, or to whoever sits before it.
#include <atomic>
#include <memory>
#include <utility>

#include "base/json.h"
#include "python/from_python.h"
#include "python/runtime_api.h"
#include "python/state.h"
#include "python/to_python.h"

namespace mxcp::python {
namespace {

// callback(answers, error, stopped): from whatever thread has the answers.
void call_back(const PyShared& callback, Result<Object> answers) {
  const GilAcquire gil;
  const bool stopped = !answers.ok() && answers.error().code == Code::kCancelled;
  PyRef found = answers.ok() ? to_python(*std::move(answers)) : PyRef::borrow(Py_None);
  const PyRef error = answers.ok() ? PyRef::borrow(Py_None) : to_str(answers.error().text());
  const PyRef done = found && error
                         ? PyRef::steal(PyObject_CallFunction(callback.get(), "OOi", found.get(),
                                                              error.get(), stopped ? 1 : 0))
                         : PyRef();
  // The loop it belonged to is closed: nobody waits any more.
  if (!done) PyErr_Clear();
}

// Who waits for answers: for the client's, or until the call is cancelled.
struct Asked {
  PyShared callback;
  std::atomic<bool> over{false};
};

// Answers come on the threads that read, which must not wait for the GIL: a thread of its own takes
// them. The callback is taken, so that its last reference goes there, too.
void hand_over(const std::shared_ptr<Asked>& asked, Result<Object> answers) {
  if (asked->over.exchange(true)) return;
  struct Held {
    PyShared callback;
    Result<Object> answers;
  };
  const auto held =
      std::make_shared<Held>(Held{std::exchange(asked->callback, nullptr), std::move(answers)});
  const auto task = [held] {
    call_back(held->callback, std::move(held->answers));
    held->callback = nullptr;
  };
  WorkerPool* const answering = state().answering.load();
  if (answering == nullptr || !answering->submit(task)) task();
}

// Tells who waits that the call is cancelled, as long as it is kept.
struct Stop {
  Stop(std::shared_ptr<const invoke::Call> of, const std::shared_ptr<Asked>& asked)
      : call(std::move(of)), registration(call->cancel.get(), [asked, token = call->cancel.get()] {
          hand_over(asked, Error{Code::kCancelled, token->error().message});
        }) {}
  std::shared_ptr<const invoke::Call> call;
  CancelToken::Registration registration;
};

constexpr const char* kStopName = "mxcp.asked";

void end_stop(PyObject* capsule) {
  auto* const stop = static_cast<Stop*>(PyCapsule_GetPointer(capsule, kStopName));
  const GilRelease released;  // it waits for a cancellation under way
  delete stop;
}

}  // namespace

// ask_client({key: {"method": ..., "params": {...}}}, callback): an object that is to be kept as
// long as somebody waits.
PyObject* ask_client(PyObject*, PyObject* args) {
  PyObject* asked = nullptr;
  PyObject* callback = nullptr;
  if (PyArg_ParseTuple(args, "O!O", &PyDict_Type, &asked, &callback) == 0) return nullptr;
  const auto call = current_call();
  if (call == nullptr || call->client == nullptr) {
    PyErr_SetString(PyExc_RuntimeError,
                    "there is no client to ask: this works in a call that an MCP client made");
    return nullptr;
  }
  auto given = from_python(asked, Purpose::kResult);
  if (!given.ok()) {
    PyErr_SetString(PyExc_TypeError, given.error().message.c_str());
    return nullptr;
  }
  std::vector<invoke::ClientChannel::Question> questions;
  for (auto& [key, value] : *given->as_object()) {
    const Value* const method = value.find("method");
    const Value* const params = value.find("params");
    if (method == nullptr || !method->is_string() || params == nullptr || !params->is_object()) {
      PyErr_SetString(PyExc_TypeError, "a question is a dict with 'method' and 'params'");
      return nullptr;
    }
    questions.push_back({key, *method->as_string(), *params->as_object()});
  }
  const auto waiting = std::make_shared<Asked>();
  waiting->callback = share(PyRef::borrow(callback));
  std::unique_ptr<Stop> stop;
  {
    const GilRelease released;
    if (call->cancel != nullptr) stop = std::make_unique<Stop>(call, waiting);
    call->client->ask(std::move(questions), [waiting](Result<Object> answers) {
      hand_over(waiting, std::move(answers));
    });
  }
  if (stop == nullptr) Py_RETURN_NONE;
  PyObject* const capsule = PyCapsule_New(stop.get(), kStopName, end_stop);
  if (capsule != nullptr) (void)stop.release();
  return capsule;
}

// The client shall fetch the rest itself, after so many seconds.
PyObject* release_client(PyObject*, PyObject* seconds) {
  const double retry = PyFloat_AsDouble(seconds);
  if (PyErr_Occurred() != nullptr) return nullptr;
  if (!(retry > 0 && retry <= 3600)) {
    PyErr_SetString(PyExc_ValueError, "retry is a number of seconds, at most 3600");
    return nullptr;
  }
  const auto call = current_call();
  if (call != nullptr && call->client != nullptr) {
    const GilRelease released;
    call->client->release(std::chrono::milliseconds(static_cast<std::int64_t>(retry * 1000)));
  }
  Py_RETURN_NONE;
}

// The user is done at the URL of that elicitation.
PyObject* elicitation_complete(PyObject*, PyObject* id) {
  Py_ssize_t size = 0;
  const char* const text = PyUnicode_AsUTF8AndSize(id, &size);
  if (text == nullptr) return nullptr;
  const std::string copy(text, static_cast<std::size_t>(size));
  const auto call = current_call();
  if (call != nullptr && call->client != nullptr) {
    const GilRelease released;
    call->client->elicitation_complete(copy);
  }
  Py_RETURN_NONE;
}

// What the client of this call declared; {} without one.
PyObject* client_capabilities(PyObject*, PyObject*) {
  const auto call = current_call();
  if (call == nullptr || call->client == nullptr) return PyDict_New();
  return to_python(call->client->capabilities()).release();
}

}  // namespace mxcp::python
