#include "python/py_ref.h"

namespace mxcp::python {
namespace {

// UTF-8 cannot say a lone surrogate: it becomes U+FFFD.
std::string without_surrogates(PyObject* str) {
  std::string text;
  const Py_ssize_t length = PyUnicode_GetLength(str);
  for (Py_ssize_t i = 0; i < length; ++i) {
    Py_UCS4 c = PyUnicode_ReadChar(str, i);
    if (c >= 0xd800 && c <= 0xdfff) c = 0xfffd;
    if (c < 0x80) {
      text += static_cast<char>(c);
      continue;
    }
    if (c < 0x800) {
      text += static_cast<char>(0xc0 | c >> 6);
    } else {
      if (c < 0x10000) {
        text += static_cast<char>(0xe0 | c >> 12);
      } else {
        text += static_cast<char>(0xf0 | c >> 18);
        text += static_cast<char>(0x80 | (c >> 12 & 0x3f));
      }
      text += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    }
    text += static_cast<char>(0x80 | (c & 0x3f));
  }
  return text;
}

}  // namespace

std::string text_of(PyObject* str) {
  if (str == nullptr || !PyUnicode_Check(str)) return {};
  Py_ssize_t size = 0;
  if (const char* text = PyUnicode_AsUTF8AndSize(str, &size)) {
    return {text, static_cast<std::size_t>(size)};
  }
  PyErr_Clear();
  return without_surrogates(str);
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

PyRef call_helper(const char* module, const char* function,
                  std::initializer_list<std::string_view> texts) {
  const std::string name = std::string("mxcp.") + module;
  const PyRef helper = PyRef::steal(PyImport_ImportModule(name.c_str()));
  const PyRef called =
      PyRef::steal(helper ? PyObject_GetAttrString(helper.get(), function) : nullptr);
  const PyRef arguments =
      PyRef::steal(called ? PyTuple_New(static_cast<Py_ssize_t>(texts.size())) : nullptr);
  if (!arguments) return {};
  Py_ssize_t at = 0;
  for (const std::string_view text : texts) {
    PyRef item = to_str(text);
    if (!item) return {};
    PyTuple_SET_ITEM(arguments.get(), at++, item.release());
  }
  return PyRef::steal(PyObject_CallObject(called.get(), arguments.get()));
}

}  // namespace mxcp::python
