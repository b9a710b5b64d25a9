#include "python/py_ref.h"
#include "python/python_runtime.h"

namespace mxcp::python {
std::optional<TemplateError> template_problem(const std::string& text) {
  if (Py_IsInitialized() == 0) return {};
  const GilAcquire gil;
  const PyRef answer = call_helper("_prompts", "problem", {text});
  if (!answer) PyErr_Clear();  // the call's to report
  if (!answer || !PyTuple_Check(answer.get()) || PyTuple_GET_SIZE(answer.get()) != 2) return {};
  const long line = PyLong_AsLong(PyTuple_GET_ITEM(answer.get(), 0));
  if (line == -1) PyErr_Clear();
  return TemplateError{text_of(PyTuple_GET_ITEM(answer.get(), 1)), static_cast<int>(line)};
}

bool jinja_has(const std::string& what, const std::string& name) {
  if (Py_IsInitialized() == 0) return false;
  const GilAcquire gil;
  const PyRef answer = call_helper("_prompts", "has", {what, name});
  if (!answer) PyErr_Clear();
  return answer.get() == Py_True;
}

}  // namespace mxcp::python
