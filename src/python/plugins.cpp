#include "python/plugins.h"

#include <fmt/format.h>

#include <map>

#include "base/rules.h"
#include "base/text.h"
#include "python/exceptions.h"
#include "python/hooks.h"
#include "python/modules.h"
#include "python/state.h"
#include "python/to_python.h"
#include "python/udf.h"

namespace mxcp::python {
namespace {

Result<Object> configuration(const project::PluginSpec& spec, const project::UserConfig& user) {
  if (spec.config.empty()) return Object();
  const auto found = user.plugin_config.find(spec.config);
  if (found != user.plugin_config.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [name, value] : user.plugin_config) names.push_back(name);
  return Error{Code::kConfig,
               fmt::format("the plugin configuration '{}' is not in the user configuration "
                           "(projects.<project>.profiles.<profile>.plugin.config)",
                           spec.config),
               {},
               suggest(spec.config, names)};
}

// DuckDB would take a function of another plugin for one more form of it: `x_a` of the plugin b and
// `x` of a_b are both x_a_b. `owners`: the plugin of each name so far.
Result<engine::ScalarFunctions> unique(engine::ScalarFunctions functions, const std::string& plugin,
                                       std::map<std::string, std::string>& owners) {
  for (const auto& function : functions) {
    const auto owner = owners.emplace(to_lower(function->name()), plugin).first;
    if (owner->second == plugin) continue;
    return Error{Code::kConfig,
                 fmt::format("its SQL function {} is also one of plugin '{}'", function->name(),
                             owner->second),
                 {},
                 "rename the method or the plugin"}
        .as(rules::kPluginFunction);
  }
  return functions;
}

// A file of the project that Python never looks at, since the standard library stands in front.
Status check_module_name(const project::PluginSpec& spec, const project::Paths& paths) {
  const std::string name = spec.module.substr(0, spec.module.find('.'));
  if (!is_standard_module(name)) return {};
  std::string hidden = "a file of the project";
  for (const fs::path& folder : {paths.plugins, paths.python}) {
    for (const fs::path& file : {folder / (name + ".py"), folder / name}) {
      std::error_code missing;
      if (fs::exists(file, missing)) hidden = "'" + display_user_path(file.string()) + "'";
    }
  }
  return Error{Code::kPython,
               fmt::format("the module name '{}' belongs to Python's standard library, which hides "
                           "{}",
                           name, hidden),
               {},
               "rename the file, and the module here"}
      .as(rules::kPythonModule);
}

// The plugin, into `made`, and its functions.
Result<engine::ScalarFunctions> create(const project::PluginSpec& spec,
                                       const project::Project& project, PyRef* made,
                                       std::vector<Error>& mistakes) {
  auto config = configuration(spec, project.user());
  if (!config.ok()) {
    Error error = std::move(config).error().as(rules::kPluginConfig);
    if (made != nullptr) return error;
    // Its functions are known all the same: no SQL that uses them is wrong for that.
    mistakes.push_back(std::move(error));
    config = Object();
  }
  MXCP_TRY(check_module_name(spec, project.site().paths));
  const PyRef helper = PyRef::steal(PyImport_ImportModule("mxcp._plugins"));
  const PyRef module = helper ? to_str(spec.module) : PyRef();
  const PyRef type = module ? call_method(helper.get(), "plugin_class", module.get()) : PyRef();
  if (!type) return take_exception();
  if (PyTuple_Check(type.get())) return mistake_of(type.get());
  if (made != nullptr) {
    const PyRef settings = to_python(*config);
    *made = PyRef::steal(settings ? PyObject_CallOneArg(type.get(), settings.get()) : nullptr);
    if (!*made) return take_exception();
  }
  return udf_functions(type.get(), made != nullptr ? made->get() : nullptr, spec.name, mistakes);
}

}  // namespace

Plugins create_plugins(const project::Project& project, bool instances) {
  Plugins out;
  PyRef plugins = PyRef::steal(PyDict_New());
  std::map<std::string, std::string> owners;
  for (const project::PluginSpec& spec : project.site().plugins) {
    PyRef plugin;
    std::vector<Error> mistakes;
    auto functions = create(spec, project, instances ? &plugin : nullptr, mistakes);
    if (functions.ok() && instances) {
      const PyRef name = to_str(spec.name);
      if (!plugins || !name || PyDict_SetItem(plugins.get(), name.get(), plugin.get()) != 0) {
        functions = take_exception();
      }
    }
    if (functions.ok()) functions = unique(*std::move(functions), spec.name, owners);
    if (functions.ok()) {
      out.functions.insert(out.functions.end(), functions->begin(), functions->end());
    } else {
      mistakes.push_back(std::move(functions).error().as(rules::kPlugin));
    }
    for (Error& mistake : mistakes) {
      out.errors.push_back(
          std::move(mistake).at(spec.place).in(fmt::format("plugin '{}'", spec.name)));
    }
  }
  state().plugins = std::move(plugins);
  return out;
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
