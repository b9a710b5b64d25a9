#include "python/plugins.h"

#include <fmt/format.h>

#include "python/exceptions.h"
#include "python/hooks.h"
#include "python/state.h"
#include "python/to_python.h"

namespace mxcp::python {
namespace {

Result<PyRef> create(const project::PluginSpec& spec, const project::UserConfig& user) {
  Object config;
  if (!spec.config.empty()) {
    const auto found = user.plugin_config.find(spec.config);
    if (found == user.plugin_config.end()) {
      std::vector<std::string> names;
      for (const auto& [name, value] : user.plugin_config) names.push_back(name);
      return Error{Code::kConfig,
                   fmt::format("the plugin configuration '{}' is not in the user configuration "
                               "(projects.<project>.profiles.<profile>.plugin.config)",
                               spec.config),
                   {},
                   suggest(spec.config, names)};
    }
    config = found->second;
  }
  const PyRef helper = PyRef::steal(PyImport_ImportModule("mxcp._plugins"));
  const PyRef module = helper ? to_str(spec.module) : PyRef();
  const PyRef settings = module ? to_python(config) : PyRef();
  PyRef plugin =
      settings ? call_method(helper.get(), "create", module.get(), settings.get()) : PyRef();
  if (!plugin) return take_exception();
  return plugin;
}

}  // namespace

std::vector<Error> create_plugins(const project::Project& project) {
  std::vector<Error> errors;
  PyRef plugins = PyRef::steal(PyDict_New());
  for (const project::PluginSpec& spec : project.site().plugins) {
    auto plugin = create(spec, project.user());
    const PyRef name = to_str(spec.name);
    if (plugin.ok() && plugins && name &&
        PyDict_SetItem(plugins.get(), name.get(), plugin->get()) == 0) {
      continue;
    }
    Error error = plugin.ok() ? take_exception() : std::move(plugin).error();
    errors.push_back(
        std::move(error).at(spec.place).in(fmt::format("plugin '{}'", spec.name)));
  }
  state().plugins = std::move(plugins);
  return errors;
}

void shut_down_plugins() {
  PyObject* plugins = state().plugins.get();
  if (plugins == nullptr) return;
  const PyRef instances = PyRef::steal(PyDict_Values(plugins));
  std::vector<PyRef> functions;
  for (Py_ssize_t i = 0; instances && i < PyList_GET_SIZE(instances.get()); ++i) {
    PyRef function = find_attribute(PyList_GET_ITEM(instances.get(), i), "shutdown");
    if (function && PyCallable_Check(function.get()) != 0) functions.push_back(std::move(function));
  }
  PyErr_Clear();
  run_hooks(std::move(functions), "the plugin's");
}

}  // namespace mxcp::python
