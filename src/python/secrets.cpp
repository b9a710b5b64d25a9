#include "python/secrets.h"

#include "python/exceptions.h"
#include "python/from_python.h"
#include "python/py_ref.h"
#include "python/to_python.h"

namespace mxcp::python {
namespace {

// Calls mxcp._secrets.<name>(*texts), which gives (value, None) or (None, "what is wrong").
Result<Value> ask(const char* name, const Array& texts) {
  if (Py_IsInitialized() == 0) {
    return Error{Code::kInternal, "there is no Python interpreter in this process"};
  }
  const GilAcquire gil;
  const PyRef helper = PyRef::steal(PyImport_ImportModule("mxcp._secrets"));
  const PyRef arguments = helper ? to_python(Value(texts)) : PyRef();
  const PyRef name_text = arguments ? to_str(name) : PyRef();
  const PyRef answer =
      name_text ? call_method(helper.get(), "ask", name_text.get(), arguments.get()) : PyRef();
  if (!answer) return take_exception();
  MXCP_TRY(Value pair, from_python(answer.get(), Purpose::kResult));
  Array* const both = pair.as_array();
  if (both == nullptr || both->size() != 2) {
    return Error{Code::kInternal, "mxcp._secrets gave no pair"};
  }
  if (const std::string* wrong = (*both)[1].as_string()) return Error{Code::kConfig, *wrong};
  return std::move((*both)[0]);
}

}  // namespace

Result<Object> read_vault(const fs::path& project, const std::string& address,
                          const std::string& token, const std::string& path) {
  MXCP_TRY(Value secret, ask("vault", {project.string(), address, token, path}));
  if (Object* object = secret.as_object()) return std::move(*object);
  return Error{Code::kConfig, "Vault gave no secret with keys"};
}

Result<std::string> read_onepassword(const std::string& reference, const std::string& token) {
  MXCP_TRY(Value value, ask("onepassword", {reference, token}));
  if (std::string* text = value.as_string()) return std::move(*text);
  return Error{Code::kConfig, "the command op gave no text"};
}

}  // namespace mxcp::python
