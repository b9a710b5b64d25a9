#include "python/python_runtime.h"

#include <unistd.h>

#include <algorithm>
#include <functional>
#include <optional>
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
  return std::max<std::size_t>(128, 4 * std::thread::hardware_concurrency());
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

// What a stage() has put aside, and what is not in use yet.
struct Staged {
  std::shared_ptr<const project::Project> old_project;
  std::vector<PyRef> old_init_hooks;
  std::vector<PyRef> old_shutdown_hooks;
  PyRef old_plugins;
  Modules::Aside old_modules;
  PyRef base_context;  // of the new code
};

struct PythonRuntime::Impl {
  explicit Impl(PythonOptions given)
      : options(given),
        workers(thread_count(given)),
        runner(workers, loop, functions, modules),
        prompts(workers),
        schemas(workers) {}

  Result<PyRef> prepare(std::shared_ptr<const project::Project> project);
  std::vector<Error> load(const std::shared_ptr<const project::Project>& project,
                          runtime::LoadScope scope, const std::vector<EndpointPointer>& endpoints,
                          PyRef& base_context);
  std::vector<Error> make_plugins(const project::Project& project, bool instances);
  std::vector<Error> import_all(const std::vector<fs::path>& files,
                                const std::vector<EndpointPointer>& endpoints, bool hooks_only);

  PythonOptions options;
  invoke::Services* services = nullptr;
  bool used = false;             // the interpreter was touched; main thread
  bool shutdown_done = false;    // the shutdown hooks of this load have run; main thread
  std::optional<Staged> staged;  // main thread; its members with the GIL
  Modules modules;               // with the GIL
  EventLoop loop;
  Functions functions;
  WorkerPool answering{{.threads = 1, .max_queued = 65536, .name = "mxcp-answers"}};
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
  global.answering = nullptr;
  global.loop = nullptr;
  global.project = nullptr;
  global.base_context = PyRef();
}

void PythonRuntime::connect(invoke::Services& services) {
  impl_->services = &services;
}

// --- load ----------------------------------------------------------------------------------------

// With the GIL held. The context in which the modules are imported, and calls begin later.
Result<PyRef> PythonRuntime::Impl::prepare(std::shared_ptr<const project::Project> project) {
  State& global = state();
  global.services = services;
  global.answering = &answering;
  global.loop = &loop;
  global.process = ::getpid();
  global.project = std::move(project);
  if (!std::exchange(used, true)) buffer_lines();
  PyRef context = PyRef::steal(PyContext_CopyCurrent());
  if (!context) return take_exception();
  if (!global.base_context) global.base_context = PyRef::borrow(context.get());
  MXCP_TRY(modules.install(*global.project));
  return context;
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

// With the GIL held.
std::vector<Error> PythonRuntime::Impl::make_plugins(const project::Project& project,
                                                     bool instances) {
  Plugins plugins = create_plugins(project, instances);
  if (plugins.functions.empty() || services == nullptr) return std::move(plugins.errors);
  const GilRelease released;
  if (Status set = services->set_functions(std::move(plugins.functions)); !set.ok()) {
    plugins.errors.push_back(std::move(set).error().in("the SQL functions of plugins"));
  }
  return std::move(plugins.errors);
}

std::vector<Error> PythonRuntime::Impl::load(const std::shared_ptr<const project::Project>& project,
                                             runtime::LoadScope scope,
                                             const std::vector<EndpointPointer>& endpoints,
                                             PyRef& base_context) {
  const bool all = scope == runtime::LoadScope::kAll;
  const bool with_modules = all || scope == runtime::LoadScope::kEndpoint;
  const fs::path& folder = project->site().paths.python;
  const std::vector<fs::path> files = all            ? Modules::source_files(folder)
                                      : with_modules ? Modules::possible_hook_files(folder)
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
  auto ready = prepare(project);
  if (!ready.ok()) return {std::move(ready).error()};
  base_context = *std::move(ready);
  const EnteredContext context(PyRef::borrow(base_context.get()));
  std::vector<Error> errors = make_plugins(*project, scope != runtime::LoadScope::kDeclarations);
  for (Error& error : import_all(files, python_endpoints, !all)) {
    errors.push_back(std::move(error));
  }
  return errors;
}

std::vector<Error> PythonRuntime::load(std::shared_ptr<const project::Project> project,
                                       runtime::LoadScope scope,
                                       const std::vector<EndpointPointer>& endpoints) {
  impl_->shutdown_done = false;
  PyRef context;
  std::vector<Error> errors = impl_->load(project, scope, endpoints, context);
  if (context) {
    const GilAcquire gil;
    state().base_context = std::move(context);
  }
  return errors;
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
    run_hooks(impl_->staged ? impl_->staged->old_shutdown_hooks : state().shutdown_hooks,
              "the on_shutdown hook");
    if (!impl_->staged) shut_down_plugins();
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

// --- changed code --------------------------------------------------------------------------------

// Calls go on meanwhile: what they need (the functions that were looked up, the base context) is
// not touched before commit(). The new functions stand beside the old ones in the same table, since
// they belong to other endpoints.
std::vector<Error> PythonRuntime::stage(std::shared_ptr<const project::Project> project) {
  Impl& impl = *impl_;
  Staged& staged = impl.staged.emplace();
  if (impl.used) {
    const GilAcquire gil;
    State& global = state();
    staged.old_project = global.project;
    staged.old_init_hooks = std::exchange(global.init_hooks, {});
    staged.old_shutdown_hooks = std::exchange(global.shutdown_hooks, {});
    staged.old_plugins = std::exchange(global.plugins, PyRef());
    staged.old_modules = impl.modules.set_aside();
  }
  std::vector<Error> errors = impl.load(project, runtime::LoadScope::kAll, {}, staged.base_context);
  if (impl.used) {
    // Nothing of Python is left: the project is another one all the same.
    const GilAcquire gil;
    state().project = std::move(project);
  }
  return errors;
}

bool PythonRuntime::staged_has_hooks() const {
  if (!impl_->staged || !impl_->used) return false;
  const GilAcquire gil;
  return !impl_->staged->old_shutdown_hooks.empty() || !state().init_hooks.empty();
}

std::function<void()> PythonRuntime::commit() {
  Impl& impl = *impl_;
  if (!impl.staged || !impl.used) {
    impl.staged.reset();
    return [] {};
  }
  const auto old = std::make_shared<Staged>(*std::move(impl.staged));
  impl.staged.reset();
  impl.shutdown_done = false;
  {
    const GilAcquire gil;
    State& global = state();
    if (old->base_context) std::swap(old->base_context, global.base_context);
  }
  // What the old modules left running on the loop must not meet the new ones: they have another.
  return [&impl, old, stop_loop = impl.loop.detach()] {
    stop_loop(kLoopLimit);
    const GilAcquire gil;
    impl.functions.keep({state().project, impl.staged ? impl.staged->old_project : nullptr});
    *old = {};
    // Modules are cycles: without this the old ones would pile up reload by reload.
    PyGC_Collect();
  };
}

void PythonRuntime::discard() {
  Impl& impl = *impl_;
  if (!impl.used) {
    impl.staged.reset();
    return;
  }
  const GilAcquire gil;
  State& global = state();
  if (impl.staged) {
    Staged staged = *std::move(impl.staged);
    impl.staged.reset();
    global.project = std::move(staged.old_project);
    global.init_hooks = std::move(staged.old_init_hooks);
    global.shutdown_hooks = std::move(staged.old_shutdown_hooks);
    global.plugins = std::move(staged.old_plugins);
    impl.modules.put_back(std::move(staged.old_modules));
    impl.functions.keep({global.project});
  }
  if (!std::exchange(impl.shutdown_done, false) || !global.project) return;
  // Who was told to shut down cannot be asked again.
  const EnteredContext context(global.base_context);
  for (const Error& error : impl.make_plugins(*global.project, true)) {
    const GilRelease released;
    log::error("python", "{}", error.text());
  }
}

void PythonRuntime::adopt(std::shared_ptr<const project::Project> project) {
  if (!impl_->used) return;
  const GilAcquire gil;
  impl_->functions.keep({project});
  // Now, and not by the first call: that might meet modules which are only staged.
  for (const auto& endpoint : project->endpoints()) {
    if (is_python(*endpoint) && impl_->functions.find(*endpoint) == nullptr) {
      impl_->functions.resolve(endpoint, impl_->modules);
    }
  }
  state().project = std::move(project);
}

std::optional<Error> PythonRuntime::problem_of(const project::Endpoint& endpoint) const {
  if (!is_python(endpoint)) return {};
  const auto function = impl_->functions.find(endpoint);
  return function == nullptr ? std::nullopt : function->error;
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
