#include "runtime/runtime.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "base/log.h"
#include "base/worker_pool.h"
#include "invoke/sql_runner.h"
#include "runtime/gate.h"

namespace mxcp::runtime {
namespace {

constexpr std::chrono::seconds kCloseLimit{5};
constexpr std::chrono::seconds kCancelLimit{2};

std::size_t sql_threads(const RuntimeOptions& options) {
  if (options.sql_threads != 0) return options.sql_threads;
  return std::max<std::size_t>(4, 2 * std::thread::hardware_concurrency());
}

engine::DatabaseOptions database_options(const project::Project& project, bool server) {
  const project::Profile& profile = project.profile();
  engine::DatabaseOptions options;
  options.path = profile.database;
  options.readonly = profile.readonly;
  options.threads = profile.threads;
  if (options.threads == 0 && server) options.threads = 1;
  for (const auto& secret : project.user().secrets) {
    if (!secret.parameters.empty()) {
      options.secrets.push_back({secret.name, secret.type, secret.parameters});
    }
  }
  for (const auto& extension : project.site().extensions) {
    options.extensions.push_back({extension.name, extension.repo});
  }
  return options;
}

}  // namespace

struct Runtime::Impl {
  Impl(Runtime& owner, RuntimeOptions given, std::shared_ptr<const project::Project> first,
       UserCode& code, MainLoop& loop)
      : options(std::move(given)),
        user_code(code),
        main_loop(loop),
        current_project(std::move(first)),
        gate({options.max_wait, options.max_waiting}),
        sql_workers({.threads = sql_threads(options), .max_queued = 4096, .name = "mxcp-sql"}),
        sql_runner(owner, sql_workers),
        runners{&sql_runner, &code.runner(), &code.prompt_runner()} {}

  struct Reload {
    std::function<Status()> payload;
    std::string description;
  };

  // --- start ---
  void start_server(LoadScope scope,
                    const std::vector<std::shared_ptr<const project::Endpoint>>& endpoints);
  std::vector<Error> open_and_check();

  // --- database ---
  Result<std::shared_ptr<engine::Database>> open_database();
  void close_database();

  // --- reload, on its own thread ---
  void reload_loop();
  std::string reload(const Reload& request);
  void restart(std::vector<std::string>& problems);
  void on_main(std::function<void()> task);

  RuntimeOptions options;
  UserCode& user_code;
  MainLoop& main_loop;

  mutable std::mutex mutex;  // guards everything up to the blank line
  std::shared_ptr<const project::Project> current_project;
  std::shared_ptr<engine::Database> database;
  bool database_blocked = false;  // between the closing of a reload and the end of its payload
  std::condition_variable database_unblocked;
  std::deque<Reload> reloads;
  std::condition_variable reload_wanted;
  bool reload_running = false;
  bool stopping = false;
  bool started = false;
  std::uint64_t reloads_completed = 0;
  std::string last_reload_error;

  std::mutex opening;  // one thread opens the database, the others wait for it
  engine::ScalarFunctions functions;  // guarded by `opening`
  std::function<void()> on_reload;
  std::thread reload_thread;
  std::thread open_thread;
  Gate gate;
  WorkerPool sql_workers;
  invoke::SqlRunner sql_runner;
  invoke::Runners runners;
};

Runtime::Runtime(RuntimeOptions options, std::shared_ptr<const project::Project> project,
                 UserCode& user_code, MainLoop& main_loop)
    : impl_(std::make_unique<Impl>(*this, std::move(options), std::move(project), user_code,
                                   main_loop)) {}

Runtime::~Runtime() {
  impl_->gate.shut();
  if (impl_->open_thread.joinable()) impl_->open_thread.join();
}

// --- start ----------------------------------------------------------------------------------------

Status Runtime::start(LoadScope scope,
                      const std::vector<std::shared_ptr<const project::Endpoint>>& endpoints) {
  if (impl_->options.server) {
    // The database opens (30-60 ms) while the main thread imports; who needs it first waits for it.
    impl_->open_thread = std::thread([impl = impl_.get()] { (void)impl->open_database(); });
    impl_->main_loop.post(
        [impl = impl_.get(), scope, endpoints] { impl->start_server(scope, endpoints); });
    return {};
  }
  const auto problems = impl_->user_code.load(project(), scope, endpoints);
  if (!problems.empty()) return problems.front();
  impl_->user_code.run_init_hooks();
  impl_->started = true;
  impl_->gate.open();
  return {};
}

void Runtime::Impl::start_server(
    LoadScope scope, const std::vector<std::shared_ptr<const project::Endpoint>>& endpoints) {
  std::vector<Error> problems = user_code.load(current_project, scope, endpoints);
  user_code.run_init_hooks();
  main_loop.install_signal_handlers();  // libraries may have taken them during the imports
  for (Error& problem : open_and_check()) problems.push_back(std::move(problem));
  if (!problems.empty() && options.on_start_problems && !options.on_start_problems(problems)) {
    return;
  }
  {
    const std::lock_guard lock(mutex);
    started = true;
    reload_thread = std::thread([this] { reload_loop(); });
  }
  gate.open();
}

// After the init hooks, which may create tables.
std::vector<Error> Runtime::Impl::open_and_check() {
  auto opened = open_database();
  if (!opened.ok()) return {std::move(opened).error()};
  if (!options.check) return {};
  return options.check(*current_project, **opened);
}

// --- calls ----------------------------------------------------------------------------------------

void Runtime::call(invoke::Request request, invoke::Done done) {
  // The pass is held until the answer was handed over: a drain waits for that, too.
  struct Pending {
    invoke::Request request;
    invoke::Done done;
  };
  auto pending = std::make_shared<Pending>(Pending{std::move(request), std::move(done)});
  const auto cancel = pending->request.cancel;
  impl_->gate.enter(
      cancel,
      [this, pending](Gate::Pass pass) {
        invoke::invoke(project(), impl_->runners, std::move(pending->request),
                       [pending, pass](invoke::Outcome outcome) mutable {
                         pending->done(std::move(outcome));
                         // What the call held goes before it stops counting as running.
                         pending.reset();
                         pass.reset();
                       });
      },
      [pending](Error error) {
        invoke::Outcome outcome;
        outcome.error = std::move(error);
        pending->done(std::move(outcome));
      });
}

invoke::Outcome Runtime::call_and_wait(invoke::Request request) {
  std::mutex mutex;
  std::optional<invoke::Outcome> result;
  call(std::move(request), [&](invoke::Outcome outcome) {
    // Under the lock: the waiting thread may leave as soon as it sees the result.
    const std::lock_guard lock(mutex);
    result = std::move(outcome);
    impl_->main_loop.wake();
  });
  impl_->main_loop.run_until([&] {
    const std::lock_guard lock(mutex);
    return result.has_value();
  });
  return *std::move(result);
}

// --- stop -----------------------------------------------------------------------------------------

void Runtime::stop(Instant deadline) {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->reload_wanted.notify_all();
  impl_->database_unblocked.notify_all();
  impl_->gate.shut();
  if (!impl_->gate.wait_idle(deadline)) {
    log::warning("runtime", "cancelling {} running call(s)", impl_->gate.running());
    impl_->gate.cancel_running(Code::kUnavailable);
    if (!impl_->gate.wait_idle(Clock::system().now() + kCancelLimit)) {
      log::warning("runtime", "leaving with {} call(s) still running", impl_->gate.running());
    }
  }
  if (impl_->open_thread.joinable()) impl_->open_thread.join();
  if (impl_->reload_thread.joinable()) {
    // A reload under way needs the main thread for its imports and hooks.
    std::atomic<bool> finished{false};
    std::thread joiner([&] {
      impl_->reload_thread.join();
      finished = true;
      impl_->main_loop.wake();
    });
    impl_->main_loop.run_until([&] { return finished.load(); });
    joiner.join();
  }
  impl_->user_code.run_shutdown_hooks();
  impl_->close_database();
}

// --- services -------------------------------------------------------------------------------------

std::shared_ptr<const project::Project> Runtime::project() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->current_project;
}

Result<std::shared_ptr<engine::Database>> Runtime::database() { return impl_->open_database(); }

Result<std::shared_ptr<engine::Database>> Runtime::Impl::open_database() {
  {
    std::unique_lock lock(mutex);
    if (database) [[likely]] return database;
    if (database_blocked && std::this_thread::get_id() == reload_thread.get_id()) {
      return Error{Code::kUnavailable, "the database is closed while a reload payload runs", {},
                   "open the file with duckdb.connect() inside the payload"};
    }
    // A thread of the user's own, in the middle of a reload: it waits as calls do.
    const bool free = database_unblocked.wait_for(
        lock, options.max_wait, [this] { return !database_blocked || stopping; });
    if (!free) return Error{Code::kUnavailable, "the database is closed for a reload"};
    if (database) return database;
  }
  const std::lock_guard one(opening);
  std::shared_ptr<const project::Project> project;
  {
    const std::lock_guard lock(mutex);
    if (database) return database;
    project = current_project;
  }
  MXCP_TRY(std::shared_ptr<engine::Database> opened,
           engine::Database::open(database_options(*project, options.server)));
  MXCP_TRY(opened->add_functions(functions));
  const std::lock_guard lock(mutex);
  database = opened;
  return opened;
}

Status Runtime::set_functions(engine::ScalarFunctions functions) {
  const std::lock_guard one(impl_->opening);
  std::shared_ptr<engine::Database> open;
  {
    const std::lock_guard lock(impl_->mutex);
    open = impl_->database;
  }
  if (open) MXCP_TRY(open->add_functions(functions));
  impl_->functions = std::move(functions);
  return {};
}

void Runtime::Impl::close_database() {
  std::shared_ptr<engine::Database> closing;
  {
    const std::lock_guard lock(mutex);
    closing = std::move(database);
    database = nullptr;
  }
  if (closing) closing->close(Clock::system().now() + kCloseLimit);
  closing.reset();
  // They are the modules' that are loaded now; load() brings new ones.
  const std::lock_guard one(opening);
  functions.clear();
}

Status Runtime::request_reload(std::function<Status()> payload, std::string description) {
  if (!impl_->options.server) {
    return Error{Code::kUnavailable, "reload_duckdb() works only while a server is running",
                 {}, "start it with 'mxcp serve'"};
  }
  {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->started || impl_->stopping) {
      log::warning("runtime", "a reload was asked for {} the server runs, and is ignored",
                   impl_->stopping ? "after" : "before");
      return {};
    }
    impl_->reloads.push_back({std::move(payload), std::move(description)});
  }
  impl_->reload_wanted.notify_all();
  return {};
}

// --- reload ---------------------------------------------------------------------------------------

void Runtime::Impl::reload_loop() {
  std::unique_lock lock(mutex);
  while (true) {
    reload_wanted.wait(lock, [this] { return stopping || !reloads.empty(); });
    if (stopping) return;
    const Reload request = std::move(reloads.front());
    reloads.pop_front();
    reload_running = true;
    lock.unlock();
    std::string error = reload(request);
    lock.lock();
    reload_running = false;
    last_reload_error = std::move(error);
    ++reloads_completed;
    lock.unlock();
    if (on_reload) on_reload();
    lock.lock();
  }
}

// The six steps. Returns what went wrong, or "".
std::string Runtime::Impl::reload(const Reload& request) {
  log::info("runtime", "reload begins: {}", request.description);
  std::vector<std::string> problems;

  // Drain: the call that asked for this reload is answered first, like every other.
  gate.close();
  if (!gate.wait_idle(Clock::system().now() + options.drain_limit)) {
    log::warning("runtime", "reload: cancelling {} call(s) that did not finish", gate.running());
    gate.cancel_running(Code::kUnavailable);
    gate.wait_idle(Clock::system().now() + kCancelLimit);
  }

  // Close. From here to the end of the payload nobody opens the database again.
  on_main([this] { user_code.run_shutdown_hooks(); });
  {
    const std::lock_guard lock(mutex);
    database_blocked = true;
  }
  close_database();

  // The payload has the file to itself.
  if (request.payload) {
    if (auto done = request.payload(); !done.ok()) {
      problems.push_back("the reload payload failed: " + done.error().text());
    }
  }

  restart(problems);
  gate.open();
  std::string summary;
  for (const std::string& problem : problems) {
    log::error("runtime", "reload: {}", problem);
    summary += (summary.empty() ? "" : "; ") + problem;
  }
  log::info("runtime", "reload ends: {}", request.description);
  return summary;
}

// Fresh configuration, fresh modules, an open database, init hooks.
void Runtime::Impl::restart(std::vector<std::string>& problems) {
  auto fresh = project::Project::load(options.load);
  {
    const std::lock_guard lock(mutex);
    if (fresh.ok()) {
      current_project = *fresh;
    } else {
      problems.push_back("the project could not be read again, the old one stays: " +
                         fresh.error().text());
    }
    database_blocked = false;
  }
  database_unblocked.notify_all();
  if (auto opened = open_database(); !opened.ok()) problems.push_back(opened.error().text());
  on_main([&] {
    user_code.unload();
    for (const Error& error : user_code.load(current_project, LoadScope::kAll, {})) {
      problems.push_back(error.text());
    }
    user_code.run_init_hooks();
    main_loop.install_signal_handlers();
  });
}

// Runs a task on the main thread and waits for it.
void Runtime::Impl::on_main(std::function<void()> task) {
  struct State {
    std::mutex mutex;
    std::condition_variable done;
    bool finished = false;
  };
  const auto state = std::make_shared<State>();
  main_loop.post([state, task = std::move(task)] {
    task();
    const std::lock_guard lock(state->mutex);
    state->finished = true;
    state->done.notify_all();
  });
  // The main loop runs until stop() has joined this thread, so the task is never forgotten.
  std::unique_lock lock(state->mutex);
  state->done.wait(lock, [&] { return state->finished; });
}

Runtime::ReloadStatus Runtime::reload_status() const {
  const std::lock_guard lock(impl_->mutex);
  return {impl_->started, impl_->stopping, impl_->reload_running, impl_->reloads.size(), impl_->gate.running(),
          impl_->reloads_completed, impl_->last_reload_error};
}

void Runtime::on_reload(std::function<void()> callback) {
  impl_->on_reload = std::move(callback);
}

}  // namespace mxcp::runtime
