#include "python/secrets.h"

#include "python/exceptions.h"
#include "python/from_python.h"
#include "python/py_ref.h"

namespace mxcp::python {
namespace {

// mxcp._secrets.ask gives (value, None) or (None, "what is wrong").
Result<Value> ask(std::initializer_list<std::string_view> texts) {
  if (Py_IsInitialized() == 0) {
    return Error{Code::kInternal, "there is no Python interpreter in this process"};
  }
  const GilAcquire gil;
  const PyRef answer = call_helper("_secrets", "ask", texts);
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
  MXCP_TRY(Value secret, ask({"vault", project.string(), address, token, path}));
  if (Object* object = secret.as_object()) return std::move(*object);
  return Error{Code::kConfig, "Vault gave no secret with keys"};
}

Result<std::string> read_onepassword(const std::string& reference, const std::string& token) {
  MXCP_TRY(Value value, ask({"onepassword", reference, token}));
  if (std::string* text = value.as_string()) return std::move(*text);
  return Error{Code::kConfig, "the command op gave no text"};
}

}  // namespace mxcp::python
