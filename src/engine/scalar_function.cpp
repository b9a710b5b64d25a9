#include "engine/scalar_function.h"

#include <utility>

#include "engine/column_type.h"
#include "engine/connection.h"
#include "engine/handle.h"
#include "engine/instance.h"
#include "engine/library.h"

namespace mxcp::engine {
namespace {

// Belongs to DuckDB's catalogue.
struct Registered {
  Instance* instance;
  std::shared_ptr<ScalarFunction> function;
};

// One use of the function in one statement.
struct Bound {
  bool runs = false;  // false while a statement is only described
  std::shared_ptr<const void> call;
};

void destroy_registered(void* data) {
  delete static_cast<Registered*>(data);
}
void destroy_bound(void* data) {
  delete static_cast<Bound*>(data);
}
void* copy_bound(void* data) {
  return new Bound(*static_cast<const Bound*>(data));
}

void bind(c::BindInfo info) {
  // A C callback gets no state of ours, so the table of functions comes from the library.
  const Api& api = Library::loaded();
  const auto& registered = *static_cast<Registered*>(api.scalar_function_bind_get_extra_info(info));
  ContextHandle context(api);
  api.scalar_function_get_client_context(info, context.out());
  auto bound = std::make_unique<Bound>();
  Connection* const connection =
      registered.instance->find(api.client_context_get_connection_id(context.get()));
  if (connection != nullptr) {
    connection->mark_function();
    bound->runs = connection->is_executing();
    bound->call = connection->call();
  } else {
    bound->runs = true;
  }
  api.scalar_function_set_bind_data(info, bound.release(), destroy_bound);
  api.scalar_function_set_bind_data_copy(info, copy_bound);
}

void execute(c::FunctionInfo info, c::DataChunk input, c::Vector output) {
  const Api& api = Library::loaded();
  const auto& registered = *static_cast<Registered*>(api.scalar_function_get_extra_info(info));
  const auto& bound = *static_cast<const Bound*>(api.scalar_function_get_bind_data(info));
  if (!bound.runs) {
    // DuckDB tries to compute constants while it prepares, and lets it be when that fails.
    api.scalar_function_set_error(info, "not while a statement is only prepared");
    return;
  }
  ScalarFunction& function = *registered.function;
  VectorWriter writer(api, output, function.result());
  const Status done = function.run(ChunkView(api, input), writer, bound.call);
  if (!done.ok()) api.scalar_function_set_error(info, done.error().message.c_str());
}

FunctionHandle make_function(Instance& instance, std::shared_ptr<ScalarFunction> function) {
  const Api& api = instance.api();
  FunctionHandle handle(api, api.create_scalar_function());
  api.scalar_function_set_name(handle.get(), function->name().c_str());
  for (const ColumnType& parameter : function->parameters()) {
    const TypeHandle type = make_type(api, parameter);
    api.scalar_function_add_parameter(handle.get(), type.get());
  }
  const TypeHandle result = make_type(api, function->result());
  api.scalar_function_set_return_type(handle.get(), result.get());
  api.scalar_function_set_special_handling(handle.get());
  api.scalar_function_set_extra_info(handle.get(), new Registered{&instance, std::move(function)},
                                     destroy_registered);
  api.scalar_function_set_bind(handle.get(), bind);
  api.scalar_function_set_function(handle.get(), execute);
  return handle;
}

}  // namespace

Status register_scalar_functions(Instance& instance, c::Connection connection,
                                 const ScalarFunctions& forms) {
  const Api& api = instance.api();
  const std::string& name = forms.front()->name();
  const FunctionSetHandle set(api, api.create_scalar_function_set(name.c_str()));
  bool added = true;
  for (const auto& form : forms) {
    const FunctionHandle handle = make_function(instance, form);
    added = added && api.add_scalar_function_to_set(set.get(), handle.get()) == c::kSuccess;
  }
  if (added && api.register_scalar_function_set(connection, set.get()) == c::kSuccess) return {};
  return Error{Code::kDatabase, "DuckDB refuses to register the function " + name};
}

}  // namespace mxcp::engine
