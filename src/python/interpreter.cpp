#include "python/interpreter.h"

#include <atomic>
#include <string_view>

#include "base/log.h"
#include "python/exceptions.h"
#include "python/py_ref.h"

namespace mxcp::python {
namespace {

constexpr double kThreadsLimit = 5;  // seconds

bool is_imported(const char* name) {
  const PyRef key = PyRef::steal(PyUnicode_InternFromString(name));
  const PyRef module = PyRef::steal(key ? PyImport_GetModule(key.get()) : nullptr);
  PyErr_Clear();
  return static_cast<bool>(module);
}

void flush(const char* name) {
  PyObject* stream = PySys_GetObject(name);  // borrowed
  if (stream == nullptr || stream == Py_None) return;
  if (!call_method(stream, "flush")) PyErr_Clear();
}

}  // namespace

std::string python_version() {
  const std::string_view text = Py_GetVersion();
  return std::string(text.substr(0, text.find(' ')));
}

std::string python_program() {
  const GilAcquire gil;
  PyObject* const path = PySys_GetObject("executable");  // borrowed
  const char* const text =
      path != nullptr && PyUnicode_Check(path) ? PyUnicode_AsUTF8(path) : nullptr;
  if (text == nullptr) PyErr_Clear();
  return text != nullptr ? text : "python3";
}

void finish_interpreter() {
  static std::atomic<bool> finished{false};
  if (Py_IsInitialized() == 0 || finished.exchange(true)) return;
  const GilAcquire gil;
  if (is_imported("mxcp._imports")) {
    const PyRef helper = PyRef::steal(PyImport_ImportModule("mxcp._imports"));
    const PyRef limit = PyRef::steal(PyFloat_FromDouble(kThreadsLimit));
    if (!helper || !limit || !call_method(helper.get(), "finish", limit.get())) {
      const Error error = take_exception();
      log::error("python", "while leaving: {}\n{}", error.message, error.detail);
    }
  } else if (is_imported("atexit")) {
    const PyRef atexit = PyRef::steal(PyImport_ImportModule("atexit"));
    if (!atexit || !call_method(atexit.get(), "_run_exitfuncs")) PyErr_Clear();
  }
  flush("stdout");
  flush("stderr");
}

}  // namespace mxcp::python
