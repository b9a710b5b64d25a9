#include "python/own_schemas.h"

#include "python/exceptions.h"
#include "python/from_python.h"
#include "python/python_runtime.h"
#include "python/to_python.h"
#include "types/matches.h"

namespace mxcp::python {
namespace {

// With the GIL held.
Result<Value> ask(const char* function, std::initializer_list<std::string_view> texts) {
  const PyRef answer = call_helper("_schemas", function, texts);
  if (!answer) return take_exception();
  return from_python(answer.get(), Purpose::kResult);
}

Result<invoke::SchemaChecker::Violations> violations(Workers::Turn& turn, const std::string& schema,
                                                     const std::string& json) {
  if (Py_IsInitialized() == 0) {
    return Error{Code::kInternal, "there is no Python interpreter in this process"};
  }
  const Workers::Entered gil(turn);
  MXCP_TRY(const Value found, ask("violations", {schema, json}));
  invoke::SchemaChecker::Violations out;
  const Array* const items = found.as_array();
  if (items == nullptr) return Error{Code::kInternal, "mxcp._schemas gave no list"};
  for (const Value& item : *items) {
    const Array* const parts = item.as_array();
    if (parts == nullptr || parts->size() != 3) continue;
    const auto text = [&](std::size_t i) {
      const std::string* const value = (*parts)[i].as_string();
      return value == nullptr ? std::string() : *value;
    };
    out.push_back({text(0), text(1), text(2)});
  }
  return out;
}

}  // namespace

void OwnSchemas::check(std::shared_ptr<const std::string> schema, std::string json, Done done) {
  const auto shared = std::make_shared<Done>(std::move(done));
  const auto task = [schema = std::move(schema), json = std::move(json),
                     shared](Workers::Turn& turn) { (*shared)(violations(turn, *schema, json)); };
  if (workers_.submit(task)) return;
  (*shared)(Error{Code::kOverloaded, "too many Python calls are waiting for a free thread"});
}

std::string check_schema(const std::string& schema) {
  if (Py_IsInitialized() == 0) return "";
  const GilAcquire gil;
  const auto answer = ask("problem", {schema});
  if (!answer.ok()) return answer.error().message;
  const std::string* const text = answer->as_string();
  return text == nullptr ? "" : *text;
}

PyObject* matches(PyObject*, PyObject* args) {
  const char* pattern = nullptr;
  const char* text = nullptr;
  Py_ssize_t pattern_size = 0, text_size = 0;
  if (PyArg_ParseTuple(args, "s#s#", &pattern, &pattern_size, &text, &text_size) == 0) {
    return nullptr;
  }
  const auto found = types::matches({pattern, static_cast<std::size_t>(pattern_size)},
                                    {text, static_cast<std::size_t>(text_size)});
  if (!found.ok()) {
    PyErr_SetString(PyExc_ValueError, found.error().message.c_str());
    return nullptr;
  }
  return PyBool_FromLong(*found ? 1 : 0);
}

}  // namespace mxcp::python
