#include "engine/user_functions.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "engine/connection.h"
#include "engine/handle.h"
#include "engine/instance.h"
#include "engine/library.h"

namespace mxcp::engine {
namespace {

using Text = std::optional<std::string>;
using Headers = std::vector<std::pair<std::string, std::string>>;

const UserContext* user_of(const Caller* caller) {
  return caller != nullptr && caller->user ? &*caller->user : nullptr;
}

Text username(const Caller* caller) {
  const UserContext* user = user_of(caller);
  return user && !user->username.empty() ? Text(user->username) : Text();
}
Text email(const Caller* caller) {
  const UserContext* user = user_of(caller);
  return user ? user->email : Text();
}
Text provider(const Caller* caller) {
  const UserContext* user = user_of(caller);
  return user && !user->provider.empty() ? Text(user->provider) : Text();
}
Text external_token(const Caller* caller) {
  const UserContext* user = user_of(caller);
  return user ? user->external_token : Text();
}
Text headers_json(const Caller* caller) {
  if (caller == nullptr || caller->headers.empty()) return {};
  Object object;
  for (const auto& [name, value] : caller->headers) object.set(name, value);
  return to_json(Value(std::move(object)));
}

// One function, alive as long as the database.
struct Function {
  Instance* instance;
  const char* name;
  Text (*value)(const Caller*);  // nullptr: get_request_header
};

// What a bound call of a function knows.
struct Bound {
  Text value;
  Headers headers;
};

void destroy_bound(void* data) {
  delete static_cast<Bound*>(data);
}
void* copy_bound(void* data) {
  return new Bound(*static_cast<const Bound*>(data));
}
void destroy_function(void* data) {
  delete static_cast<Function*>(data);
}

// DuckDB stores what it is given as VARCHAR: invalid UTF-8 must not get in.
std::string clean(const std::string& text) {
  if (is_valid_utf8(text)) return text;
  std::string quoted;
  append_json_string(quoted, text);
  const Result<Value> repaired = parse_json(quoted);
  return repaired.ok() && repaired->is_string() ? *repaired->as_string() : std::string();
}

void bind(c::BindInfo info) {
  // A C callback gets no state of ours, so the table of functions comes from the library.
  const Api& api = Library::loaded();
  const auto& function = *static_cast<Function*>(api.scalar_function_bind_get_extra_info(info));
  ContextHandle context(api);
  api.scalar_function_get_client_context(info, context.out());
  Connection* const connection =
      function.instance->find(api.client_context_get_connection_id(context.get()));
  const Caller* const caller = connection ? connection->bind_identity() : nullptr;

  auto bound = std::make_unique<Bound>();
  if (function.value != nullptr) {
    bound->value = function.value(caller);
    if (bound->value) bound->value = clean(*bound->value);
  } else if (caller != nullptr) {
    for (const auto& [name, value] : caller->headers)
      bound->headers.emplace_back(name, clean(value));
  }
  api.scalar_function_set_bind_data(info, bound.release(), destroy_bound);
  api.scalar_function_set_bind_data_copy(info, copy_bound);
}

void set_null(const Api& api, c::Vector output, c::Index row) {
  api.vector_ensure_validity_writable(output);
  api.validity_set_row_invalid(api.vector_get_validity(output), row);
}

void constant(c::FunctionInfo info, c::DataChunk input, c::Vector output) {
  const Api& api = Library::loaded();
  const auto& bound = *static_cast<const Bound*>(api.scalar_function_get_bind_data(info));
  for (c::Index row = 0, n = api.data_chunk_get_size(input); row < n; ++row) {
    if (bound.value) {
      api.vector_assign_string_element_len(output, row, bound.value->data(), bound.value->size());
    } else {
      set_null(api, output, row);
    }
  }
}

void header(c::FunctionInfo info, c::DataChunk input, c::Vector output) {
  const Api& api = Library::loaded();
  const auto& bound = *static_cast<const Bound*>(api.scalar_function_get_bind_data(info));
  const c::Vector names = api.data_chunk_get_vector(input, 0);
  const auto* const data = static_cast<const c::String*>(api.vector_get_data(names));
  const std::uint64_t* const validity = api.vector_get_validity(names);
  for (c::Index row = 0, n = api.data_chunk_get_size(input); row < n; ++row) {
    const std::string* found = nullptr;
    if (validity == nullptr || (validity[row / 64] >> (row % 64) & 1) != 0) {
      const std::string wanted = to_lower(data[row].view());
      for (const auto& [name, value] : bound.headers) {
        if (name == wanted) found = &value;
      }
    }
    if (found != nullptr) {
      api.vector_assign_string_element_len(output, row, found->data(), found->size());
    } else {
      set_null(api, output, row);
    }
  }
}

Status add(Instance& instance, c::Connection connection, const Function& function) {
  const Api& api = instance.api();
  const FunctionHandle handle(api, api.create_scalar_function());
  const TypeHandle varchar(api, api.create_logical_type(c::kTypeVarchar));
  api.scalar_function_set_name(handle.get(), function.name);
  if (function.value == nullptr) {
    api.scalar_function_add_parameter(handle.get(), varchar.get());
    // A NULL name is ours to answer, too.
    api.scalar_function_set_special_handling(handle.get());
  }
  api.scalar_function_set_return_type(handle.get(), varchar.get());
  api.scalar_function_set_extra_info(handle.get(), new Function(function), destroy_function);
  api.scalar_function_set_bind(handle.get(), bind);
  api.scalar_function_set_function(handle.get(), function.value != nullptr ? constant : header);
  if (api.register_scalar_function(connection, handle.get()) == c::kSuccess) return {};
  return Error{Code::kDatabase,
               "DuckDB refuses to register the function " + std::string(function.name)};
}

void append_field(std::string& out, const Text& text) {
  // Lengths instead of separators: no value can imitate another.
  out += text ? std::to_string(text->size()) + ':' + *text : "-";
}

}  // namespace

Status register_user_functions(Instance& instance, c::Connection connection) {
  const Function functions[] = {
      {&instance, "get_username", username},
      {&instance, "get_user_email", email},
      {&instance, "get_user_provider", provider},
      {&instance, "get_user_external_token", external_token},
      {&instance, "get_request_headers_json", headers_json},
      {&instance, "get_request_header", nullptr},
  };
  for (const Function& function : functions) MXCP_TRY(add(instance, connection, function));
  return {};
}

std::string identity_of(const Caller* caller) {
  std::string out;
  for (const auto value : {username, email, provider, external_token}) {
    append_field(out, value(caller));
  }
  if (caller != nullptr) {
    for (const auto& [name, value] : caller->headers) {
      append_field(out, name);
      append_field(out, value);
    }
  }
  return out;
}

}  // namespace mxcp::engine
