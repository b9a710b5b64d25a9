#include "python/python_runtime.h"

#include <unistd.h>

#include <algorithm>
#include <set>
#include <thread>
#include <utility>

#include "base/log.h"
#include "python/event_loop.h"
#include "python/exceptions.h"
#include "python/functions.h"
#include "python/hooks.h"
#include "python/interpreter.h"
#include "python/modules.h"
#include "python/own_schemas.h"
#include "python/plugins.h"
#include "python/py_ref.h"
#include "python/query.h"
#include "python/runner.h"
#include "python/state.h"
#include "python/syntax.h"

namespace mxcp::python {
namespace {

using EndpointPointer = std::shared_ptr<const project::Endpoint>;

constexpr std::chrono::seconds kLoopLimit{5};

std::size_t thread_count(const PythonOptions& options) {
  if (options.threads != 0) return options.threads;
  return std::max<std::size_t>(32, 4 * std::thread::hardware_concurrency());
}

// `print` shows up when it happens, also when stdout is a file or a pipe.
void buffer_lines() {
  PyObject* stdout_object = PySys_GetObject("stdout");  // borrowed
  const PyRef reconfigure =
      stdout_object != nullptr ? find_attribute(stdout_object, "reconfigure") : PyRef();
  const PyRef none = PyRef::steal(reconfigure ? PyTuple_New(0) : nullptr);
  const PyRef options =
      PyRef::steal(none ? Py_BuildValue("{s:O}", "line_buffering", Py_True) : nullptr);
  const PyRef done =
      PyRef::steal(options ? PyObject_Call(reconfigure.get(), none.get(), options.get()) : nullptr);
  if (!done) PyErr_Clear();
}

bool is_python(const project::Endpoint& endpoint) {
  return endpoint.language == project::Language::kPython;
}

// A module that cannot be imported fails all that import it, with the same error.
void add_once(const Error& error, std::vector<Error>& errors) {
  const bool known = std::any_of(errors.begin(), errors.end(), [&](const Error& other) {
    return other.message == error.message && other.place == error.place;
  });
  if (!known) errors.push_back(error);
}

}  // namespace

// All that one load leaves behind.
struct Loaded {
  std::shared_ptr<const project::Project> project;
  std::vector<PyRef> init_hooks;
  std::vector<PyRef> shutdown_hooks;
  PyRef plugins;
  PyRef base_context;
  Modules::Aside modules;
  Functions::Table functions;
};

struct PythonRuntime::Impl {
  explicit Impl(PythonOptions given)
      : options(given),
        workers(thread_count(given)),
        runner(workers, loop, functions, modules),
        prompts(workers),
        schemas(workers) {}

  Status prepare(std::shared_ptr<const project::Project> project);
  std::vector<Error> import_all(const std::vector<fs::path>& files,
                                const std::vector<EndpointPointer>& endpoints, bool hooks_only);
  // With the GIL held.
  Loaded take_loaded();
  void put_loaded(Loaded loaded);

  PythonOptions options;
  invoke::Services* services = nullptr;
  bool used = false;           // the interpreter was touched; main thread
  bool shutdown_done = false;  // the shutdown hooks of this load have run; main thread
  Modules modules;             // with the GIL
  EventLoop loop;
  Functions functions;
  Workers workers;  // after what their threads use
  PythonRunner runner;
  PromptRunner prompts;
  OwnSchemas schemas;
};

PythonRuntime::PythonRuntime(PythonOptions options) : impl_(std::make_unique<Impl>(options)) {}

PythonRuntime::~PythonRuntime() {
  impl_->loop.stop(kLoopLimit);
  if (!impl_->used) return;
  unload();
  const GilAcquire gil;
  State& global = state();
  global.services = nullptr;
  global.loop = nullptr;
  global.project = nullptr;
  global.base_context = PyRef();
}

void PythonRuntime::connect(invoke::Services& services) {
  impl_->services = &services;
}

// --- load
// -----------------------------------------------------------------------------------------

// With the GIL held.
Status PythonRuntime::Impl::prepare(std::shared_ptr<const project::Project> project) {
  State& global = state();
  global.services = services;
  global.loop = &loop;
  global.process = ::getpid();
  global.project = std::move(project);
  if (!std::exchange(used, true)) buffer_lines();
  global.base_context = PyRef::steal(PyContext_CopyCurrent());
  if (!global.base_context) return take_exception();
  return modules.install(*global.project);
}

std::vector<Error> PythonRuntime::Impl::import_all(const std::vector<fs::path>& files,
                                                   const std::vector<EndpointPointer>& endpoints,
                                                   bool hooks_only) {
  // In the order of their paths, whoever asks for them: hooks run in the order of their imports.
  std::set<fs::path> wanted, needed;
  for (const fs::path& file : files) {
    if (hooks_only) {
      const auto text = read_file(file);
      const auto syntax =
          text.ok() ? read_syntax(*text, file.string()) : Result<ModuleSyntax>(text.error());
      if (!syntax.ok() || !syntax->registers_hooks) continue;
    }
    wanted.insert(file.lexically_normal());
  }
  for (const auto& endpoint : endpoints) {
    if (!endpoint->source.is_file) continue;
    wanted.insert(endpoint->source.path.lexically_normal());
    needed.insert(endpoint->source.path.lexically_normal());
  }
  std::vector<Error> errors;
  for (const fs::path& file : wanted) {
    const auto module = modules.load(file);
    if (module.ok()) continue;
    if (hooks_only && !needed.contains(file)) {
      // Not what was asked for: another tool must not fail because of it.
      log::warning("python", "the hooks of {} cannot run: {}", display_user_path(file.string()),
                   module.error().text());
      log::debug("python", "{}", module.error().detail);
    } else {
      add_once(module.error(), errors);
    }
  }
  for (const auto& endpoint : endpoints) {
    const auto function = functions.resolve(endpoint, modules);
    if (!function->error) {
      if (options.server && function->kind != Function::Kind::kSync) loop.start();
      continue;
    }
    add_once(*function->error, errors);
  }
  if (!hooks_only) {
    for (const std::string& warning : modules.shadow_warnings(files)) {
      log::warning("python", "{}", warning);
    }
  }
  return errors;
}

std::vector<Error> PythonRuntime::load(std::shared_ptr<const project::Project> project,
                                       runtime::LoadScope scope,
                                       const std::vector<EndpointPointer>& endpoints) {
  Impl& impl = *impl_;
  impl.shutdown_done = false;
  const bool all = scope == runtime::LoadScope::kAll;
  const bool modules = all || scope == runtime::LoadScope::kEndpoint;
  const fs::path& folder = project->site().paths.python;
  const std::vector<fs::path> files = all       ? Modules::source_files(folder)
                                      : modules ? Modules::possible_hook_files(folder)
                                                : std::vector<fs::path>();
  std::vector<EndpointPointer> python_endpoints;
  const auto add = [&](const std::vector<EndpointPointer>& given) {
    for (const auto& endpoint : given) {
      if (is_python(*endpoint) && std::find(python_endpoints.begin(), python_endpoints.end(),
                                            endpoint) == python_endpoints.end()) {
        python_endpoints.push_back(endpoint);
      }
    }
  };
  add(endpoints);
  if (all) add(project->endpoints());
  if (files.empty() && python_endpoints.empty() && project->site().plugins.empty()) return {};
  if (Py_IsInitialized() == 0) {
    return {Error{Code::kInternal, "there is no Python interpreter in this process"}};
  }

  const GilAcquire gil;
  if (auto ready = impl.prepare(project); !ready.ok()) return {std::move(ready).error()};
  const EnteredContext context(state().base_context);
  Plugins plugins = create_plugins(*project, scope != runtime::LoadScope::kDeclarations);
  std::vector<Error> errors = std::move(plugins.errors);
  if (!plugins.functions.empty() && impl.services != nullptr) {
    const GilRelease released;
    if (Status set = impl.services->set_functions(std::move(plugins.functions)); !set.ok()) {
      errors.push_back(std::move(set).error().in("the SQL functions of plugins"));
    }
  }
  for (Error& error : impl.import_all(files, python_endpoints, !all)) {
    errors.push_back(std::move(error));
  }
  return errors;
}

Loaded PythonRuntime::Impl::take_loaded() {
  State& global = state();
  return {std::exchange(global.project, nullptr),
          std::exchange(global.init_hooks, {}),
          std::exchange(global.shutdown_hooks, {}),
          std::exchange(global.plugins, PyRef()),
          std::exchange(global.base_context, PyRef()),
          modules.set_aside(),
          functions.exchange({})};
}

void PythonRuntime::Impl::put_loaded(Loaded loaded) {
  State& global = state();
  global.project = std::move(loaded.project);
  global.init_hooks = std::move(loaded.init_hooks);
  global.shutdown_hooks = std::move(loaded.shutdown_hooks);
  global.plugins = std::move(loaded.plugins);
  global.base_context = std::move(loaded.base_context);
  modules.put_back(std::move(loaded.modules));
  functions.exchange(std::move(loaded.functions));
  shutdown_done = false;
}

void PythonRuntime::run_init_hooks() {
  if (!impl_->used) return;
  const GilAcquire gil;
  const EnteredContext context(state().base_context);
  run_hooks(state().init_hooks, "the on_init hook");
}

void PythonRuntime::run_shutdown_hooks() {
  if (!impl_->used || std::exchange(impl_->shutdown_done, true)) return;
  {
    const GilAcquire gil;
    const EnteredContext context(state().base_context);
    run_hooks(state().shutdown_hooks, "the on_shutdown hook");
    shut_down_plugins();
  }
  close_held_queries();
}

void PythonRuntime::unload() {
  if (!impl_->used) return;
  // What the old modules left running on the loop must not meet the new ones.
  impl_->loop.stop(kLoopLimit);
  const GilAcquire gil;
  State& global = state();
  global.init_hooks.clear();
  global.shutdown_hooks.clear();
  global.plugins = PyRef();
  impl_->functions.clear();
  impl_->modules.forget();
  // Modules are cycles: without this the old ones would pile up reload by reload.
  PyGC_Collect();
}

std::vector<Error> PythonRuntime::replace(std::shared_ptr<const project::Project> project) {
  Impl& impl = *impl_;
  if (!impl.used) return load(std::move(project), runtime::LoadScope::kAll, {});
  Loaded old;
  {
    const GilAcquire gil;
    old = impl.take_loaded();
  }
  std::vector<Error> errors = load(std::move(project), runtime::LoadScope::kAll, {});
  const GilAcquire gil;
  if (!errors.empty()) {
    const Loaded failed = impl.take_loaded();
    impl.put_loaded(std::move(old));
    return errors;
  }
  {
    const EnteredContext context(old.base_context);
    run_hooks(old.shutdown_hooks, "the on_shutdown hook");
  }
  {
    // What the old modules left running on the loop must not meet the new ones.
    const GilRelease released;
    impl.loop.stop(kLoopLimit);
  }
  old = {};
  PyGC_Collect();
  return {};
}

void PythonRuntime::adopt(std::shared_ptr<const project::Project> project) {
  if (!impl_->used) return;
  const GilAcquire gil;
  impl_->functions.keep(*project);
  state().project = std::move(project);
}

void PythonRuntime::finish() {
  impl_->loop.stop(kLoopLimit);
  finish_interpreter();
}

invoke::Runner& PythonRuntime::runner() {
  return impl_->runner;
}
invoke::SchemaChecker* PythonRuntime::schema_checker() {
  return &impl_->schemas;
}

invoke::Runner& PythonRuntime::prompt_runner() {
  return impl_->prompts;
}

void PythonRuntime::check_signals() {
  if (Py_IsInitialized() == 0) return;
  const GilAcquire gil;
  if (PyErr_CheckSignals() == 0) return;
  const Error error = take_exception();
  log::error("python", "a signal handler failed: {}\n{}", error.message, error.detail);
}

}  // namespace mxcp::python
