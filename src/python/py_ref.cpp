#include "python/py_ref.h"

namespace mxcp::python {

std::string text_of(PyObject* str) {
  if (str == nullptr || !PyUnicode_Check(str)) return {};
  Py_ssize_t size = 0;
  if (const char* text = PyUnicode_AsUTF8AndSize(str, &size)) {
    return {text, static_cast<std::size_t>(size)};
  }
  PyErr_Clear();
  const PyRef bytes = PyRef::steal(PyUnicode_AsEncodedString(str, "utf-8", "replace"));
  if (!bytes) {
    PyErr_Clear();
    return {};
  }
  return {PyBytes_AS_STRING(bytes.get()), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.get()))};
}

std::string str_of(PyObject* object) {
  const PyRef text = PyRef::steal(PyObject_Str(object));
  if (!text) PyErr_Clear();
  return text_of(text.get());
}

PyRef to_path(const std::string& path) {
  return PyRef::steal(
      PyUnicode_DecodeFSDefaultAndSize(path.data(), static_cast<Py_ssize_t>(path.size())));
}

}  // namespace mxcp::python
