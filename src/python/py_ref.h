// The few RAII types around the CPython API. Everything under src/python uses them; nothing else in
// the program includes Python.h (beside bindings/).
//
// Who holds the GIL is said by the types in scope: GilAcquire where a thread of ours enters Python,
// GilRelease around everything that can wait. A PyRef is only made, copied and destroyed with the
// GIL held. A PyShared is the form for C++ objects that live longer than a GIL scope: it may be
// copied and dropped anywhere, and takes the GIL for the last release.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace mxcp::python {

class GilAcquire {
 public:
  GilAcquire() : state_(PyGILState_Ensure()) {}
  ~GilAcquire() { PyGILState_Release(state_); }
  GilAcquire(const GilAcquire&) = delete;
  GilAcquire& operator=(const GilAcquire&) = delete;

 private:
  PyGILState_STATE state_;
};

// How often this thread has left the GIL by way of GilRelease.
inline std::uint64_t& gil_releases() {
  static thread_local std::uint64_t count = 0;
  return count;
}

class GilRelease {
 public:
  GilRelease() : state_(PyEval_SaveThread()) { ++gil_releases(); }
  ~GilRelease() { PyEval_RestoreThread(state_); }
  GilRelease(const GilRelease&) = delete;
  GilRelease& operator=(const GilRelease&) = delete;

 private:
  PyThreadState* state_;
};

// An owned reference, or nothing (usually: a Python exception is set).
class PyRef {
 public:
  PyRef() = default;
  static PyRef steal(PyObject* object) { return PyRef(object); }
  static PyRef borrow(PyObject* object) { return PyRef(Py_XNewRef(object)); }
  PyRef(const PyRef& other) : object_(Py_XNewRef(other.object_)) {}
  PyRef(PyRef&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  PyRef& operator=(PyRef other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~PyRef() { Py_XDECREF(object_); }

  PyObject* get() const { return object_; }
  PyObject* release() { return std::exchange(object_, nullptr); }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  explicit PyRef(PyObject* object) : object_(object) {}
  PyObject* object_ = nullptr;
};

using PyShared = std::shared_ptr<PyObject>;

// With the GIL held. The result may be copied and destroyed on any thread, with or without it.
inline PyShared share(PyRef object) {
  return PyShared(object.release(), [](PyObject* last) {
    const GilAcquire gil;
    Py_XDECREF(last);
  });
}

inline PyRef to_str(std::string_view text) {
  return PyRef::steal(
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
}

// An attribute, or nothing without an exception.
inline PyRef find_attribute(PyObject* object, const char* name) {
  PyRef found = PyRef::steal(PyObject_GetAttrString(object, name));
  if (!found) PyErr_Clear();
  return found;
}

// The UTF-8 of a str; what UTF-8 cannot say (lone surrogates) becomes U+FFFD. Of any other object
// "".
std::string text_of(PyObject* str);
// str(object); "" when that raises.
std::string str_of(PyObject* object);
// A file name: as the file system has it.
PyRef to_path(const std::string& path);

// Calls object.name(args...) with borrowed arguments.
template <class... Args>
PyRef call_method(PyObject* object, const char* name, Args*... args) {
  const PyRef key = PyRef::steal(PyUnicode_InternFromString(name));
  if (!key) return {};
  return PyRef::steal(PyObject_CallMethodObjArgs(object, key.get(), args..., nullptr));
}

// mxcp.<module>.<function>(*texts), of the package's own modules: call_helper("_schemas",
// "problem", {text}). Nothing, with a Python exception, when it or its import fails.
PyRef call_helper(const char* module, const char* function,
                  std::initializer_list<std::string_view> texts);

}  // namespace mxcp::python
