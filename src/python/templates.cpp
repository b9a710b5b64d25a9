#include "python/exceptions.h"
#include "python/py_ref.h"
#include "python/python_runtime.h"

namespace mxcp::python {
namespace {

// What a function of mxcp._prompts answers; nullptr when it or its import fails, which is then
// the call's to report. With the GIL held.
template <class... Texts>
PyRef ask(const char* function, const Texts&... texts) {
  const PyRef helper = PyRef::steal(PyImport_ImportModule("mxcp._prompts"));
  PyRef answer = helper ? call_method(helper.get(), function, to_str(texts).get()...) : PyRef();
  if (!answer) PyErr_Clear();
  return answer;
}

}  // namespace

std::optional<TemplateError> template_problem(const std::string& text) {
  if (Py_IsInitialized() == 0) return {};
  const GilAcquire gil;
  const PyRef answer = ask("problem", text);
  if (!answer || !PyTuple_Check(answer.get()) || PyTuple_GET_SIZE(answer.get()) != 2) return {};
  const long line = PyLong_AsLong(PyTuple_GET_ITEM(answer.get(), 0));
  if (line == -1) PyErr_Clear();
  return TemplateError{text_of(PyTuple_GET_ITEM(answer.get(), 1)), static_cast<int>(line)};
}

bool jinja_has(const std::string& what, const std::string& name) {
  if (Py_IsInitialized() == 0) return false;
  const GilAcquire gil;
  const PyRef answer = ask("has", what, name);
  return answer.get() == Py_True;
}

}  // namespace mxcp::python
