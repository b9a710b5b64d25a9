#include "python/runner.h"

#include <optional>
#include <utility>
#include <vector>

#include "python/exceptions.h"
#include "python/from_python.h"
#include "python/hooks.h"
#include "python/modules.h"
#include "python/state.h"
#include "python/to_python.h"

namespace mxcp::python {
namespace {

// Calls the function with the arguments as keywords. With the GIL held, in the call's context.
PyRef call_function(const Function& function, const types::Arguments& arguments) {
  std::vector<PyRef> values;
  std::vector<PyObject*> raw;
  values.reserve(arguments.size());
  raw.reserve(arguments.size() + 1);
  for (const auto& [name, value] : arguments) {
    values.push_back(to_python(value));
    if (!values.back()) return {};
    raw.push_back(values.back().get());
  }
  PyRef names = PyRef::borrow(function.keyword_names.get());
  // With a schema of the author's own there may be more than it names.
  if (PyTuple_GET_SIZE(names.get()) != static_cast<Py_ssize_t>(arguments.size())) {
    names = PyRef::steal(PyTuple_New(static_cast<Py_ssize_t>(arguments.size())));
    if (!names) return {};
    Py_ssize_t at = 0;
    for (const auto& [name, value] : arguments) {
      PyRef text = to_str(name);
      if (!text) return {};
      PyTuple_SET_ITEM(names.get(), at++, text.release());
    }
  }
  return PyRef::steal(PyObject_Vectorcall(function.callable.get(), raw.data(), 0, names.get()));
}

const CancelToken* token_of(const invoke::Call& call) {
  return call.cancel.get();
}

bool cancelled(const invoke::Call& call) {
  return call.cancel && call.cancel->cancelled();
}

// `definition`: where the function stands, for errors that no line of it raised (wrong arguments, a
// result that is no JSON).
Result<invoke::RawResult> to_raw(Result<Value> value, const Place& definition = {}) {
  if (!value.ok()) {
    Error error = std::move(value).error();
    if (error.code == Code::kPython) error = std::move(error).at(definition);
    return error;
  }
  invoke::RawResult raw;
  raw.value = *std::move(value);
  raw.place = definition;
  return raw;
}

}  // namespace

// --- endpoints -----------------------------------------------------------------------------------

void PythonRunner::run(std::shared_ptr<const invoke::Call> call, invoke::RunnerDone done) {
  if (Py_IsInitialized() == 0) {
    done(Error{Code::kInternal, "there is no Python interpreter in this process"});
    return;
  }
  const auto function = functions_.find(*call->endpoint);
  if (function != nullptr && !function->error && function->kind != Function::Kind::kSync) {
    run_on_loop(call, function, std::move(done));
    return;
  }
  const auto shared = std::make_shared<invoke::RunnerDone>(std::move(done));
  const auto task = [this, call, shared](Workers::Turn& turn) {
    run_on_worker(turn, call, std::move(*shared));
  };
  if (workers_.submit(task)) return;
  (*shared)(Error{Code::kOverloaded, "too many Python calls are waiting for a free thread"});
}

void PythonRunner::run_on_worker(Workers::Turn& turn,
                                 const std::shared_ptr<const invoke::Call>& call,
                                 invoke::RunnerDone done) {
  if (cancelled(*call)) {
    done(call->cancel->error());
    return;
  }
  call->stage.set(invoke::Stage::kCode);
  std::optional<Result<Value>> result;
  std::shared_ptr<const Function> function = functions_.find(*call->endpoint);
  PyShared awaitable, context;  // what a plain function returned
  {
    const Workers::Entered gil(turn, function != nullptr && function->quick);
    if (function == nullptr && state().project != nullptr) {
      function = functions_.resolve(call->endpoint, modules_);
    }
    if (function == nullptr) {
      result = Error{Code::kUnavailable, "the project's Python code is not loaded"};
    } else if (function->error) {
      result = *function->error;
    } else if (function->kind == Function::Kind::kSync) {
      const CallContext entered(call);
      PyRef value = entered.ok() ? call_function(*function, call->arguments) : PyRef();
      if (!value) {
        result = take_exception();
      } else if (is_awaitable(value.get())) {
        awaitable = share(std::move(value));
        context = share(entered.context());
      } else {
        result = from_python(value.get(), Purpose::kResult, token_of(*call), wanted_items(*call));
      }
    }
  }
  if (result) {
    // What it returned or raised after its query was interrupted is of no interest.
    if (cancelled(*call)) result = call->cancel->error();
    done(to_raw(*std::move(result), function ? function->place : Place()));
    if (function != nullptr) function->quick = turn.was_quick();
  } else if (awaitable == nullptr) {
    run_on_loop(call, function, std::move(done));  // a coroutine function, only now looked up
  } else {
    Job job;
    job.call = call;
    job.start = [awaitable = std::move(awaitable)] { return PyRef::borrow(awaitable.get()); };
    job.context = std::move(context);
    job.done = [function, done = std::move(done)](Result<Value> value) {
      done(to_raw(std::move(value), function->place));
    };
    loop_.submit(std::move(job));
  }
}

void PythonRunner::run_on_loop(const std::shared_ptr<const invoke::Call>& call,
                               const std::shared_ptr<const Function>& function,
                               invoke::RunnerDone done) {
  Job job;
  job.call = call;
  call->stage.set(invoke::Stage::kCode);
  job.generator = function->kind == Function::Kind::kAsyncGenerator;
  job.start = [call, function] { return call_function(*function, call->arguments); };
  job.done = [function, done = std::move(done)](Result<Value> value) {
    done(to_raw(std::move(value), function->place));
  };
  loop_.submit(std::move(job));
}

// --- prompts -------------------------------------------------------------------------------------

namespace {

bool has_template_syntax(const std::string& text) {
  return text.find("{{") != std::string::npos || text.find("{%") != std::string::npos ||
         text.find("{#") != std::string::npos;
}

Result<std::string> render(const project::PromptMessage& message, PyObject* arguments) {
  const PyRef helper = PyRef::steal(PyImport_ImportModule("mxcp._prompts"));
  if (!helper) {
    Error error = take_exception();
    return std::move(error).in("prompts with placeholders need jinja2").at(message.place);
  }
  const PyRef text = to_str(message.prompt);
  const PyRef rendered =
      text ? call_method(helper.get(), "render", text.get(), arguments) : PyRef();
  if (!rendered) {
    Error error = take_exception();
    error.place = message.place;
    return error;
  }
  return text_of(rendered.get());
}

Result<Value> render_all(const invoke::Call& call) {
  Array messages;
  for (const project::PromptMessage& message : call.endpoint->messages) {
    std::string text;
    if (has_template_syntax(message.prompt)) {
      const GilAcquire gil;
      Object given;
      for (const auto& [name, value] : call.arguments) given.set(name, value);
      const PyRef arguments = to_python(given);
      if (!arguments) return take_exception();
      MXCP_TRY(text, render(message, arguments.get()));
    } else {
      text = message.prompt;
      if (text.ends_with('\n')) text.pop_back();  // as Jinja does
    }
    messages.push_back(Object{{"prompt", std::move(text)},
                              {"role", message.role ? Value(*message.role) : Value()},
                              {"type", message.type ? Value(*message.type) : Value()}});
  }
  return Value(std::move(messages));
}

}  // namespace

void PromptRunner::run(std::shared_ptr<const invoke::Call> call, invoke::RunnerDone done) {
  bool rendered = false;
  for (const project::PromptMessage& message : call->endpoint->messages) {
    rendered = rendered || has_template_syntax(message.prompt);
  }
  if (!rendered) {
    done(to_raw(render_all(*call)));
    return;
  }
  if (Py_IsInitialized() == 0) {
    done(Error{Code::kInternal, "there is no Python interpreter in this process"});
    return;
  }
  const auto shared = std::make_shared<invoke::RunnerDone>(std::move(done));
  const auto work = [call, shared](Workers::Turn& turn) {
    call->stage.set(invoke::Stage::kCode);
    if (cancelled(*call)) return (*shared)(call->cancel->error());
    Result<Value> messages = [&] {
      const Workers::Entered gil(turn);
      return render_all(*call);
    }();
    (*shared)(to_raw(std::move(messages)));
  };
  if (workers_.submit(work)) return;
  (*shared)(Error{Code::kOverloaded, "too many calls are waiting for a free thread"});
}

}  // namespace mxcp::python
