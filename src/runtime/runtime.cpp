#include "runtime/runtime.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/log.h"
#include "runtime/runtime_impl.h"

namespace mxcp::runtime {
namespace {

constexpr std::chrono::seconds kCloseLimit{5};
constexpr std::chrono::milliseconds kSlowAfter{100};
constexpr std::chrono::seconds kVerySlowAfter{1};
// A client that starts its server anew does not always wait for the end of the old one.
constexpr std::chrono::seconds kWaitForFile{5};

}  // namespace

WorkerPool::Options sql_pool(const RuntimeOptions& options) {
  WorkerPool::Options pool;
  pool.threads = options.sql_threads != 0
                     ? options.sql_threads
                     : std::max<std::size_t>(4, 2 * std::thread::hardware_concurrency());
  pool.max_queued = 4096;
  pool.name = "mxcp-sql";
  if (options.server) {
    pool.slow_after = kSlowAfter;
    pool.max_slow = kMaxSlow;
  }
  return pool;
}

WorkerPool::Options slow_sql_pool(const RuntimeOptions& options) {
  WorkerPool::Options pool = sql_pool(options);
  pool.name = "mxcp-sql-slow";
  pool.background = true;
  if (options.server) pool.slow_after = kVerySlowAfter;
  return pool;
}

engine::DatabaseOptions database_options(const project::Project& project,
                                         const RuntimeOptions& runtime) {
  const project::Profile& profile = project.profile();
  engine::DatabaseOptions options;
  options.path = profile.database;
  options.readonly = profile.readonly;
  options.readonly_by = profile.readonly_by;
  options.files = project.root();
  options.threads = profile.threads;
  if (runtime.server) {
    if (options.threads == 0) options.threads = 1;
    // One for each thread of both pools of SQL.
    options.max_connections = sql_pool(runtime).threads + slow_sql_pool(runtime).threads;
    options.extra_connections = 2 * kMaxSlow;
    options.wait_for_file = kWaitForFile;
    options.gentle_after = kSlowAfter;
  }
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

Runtime::Runtime(RuntimeOptions options, std::shared_ptr<const project::Project> project,
                 UserCode& user_code, MainLoop& main_loop)
    : impl_(std::make_unique<Impl>(*this, std::move(options), std::move(project), user_code,
                                   main_loop)) {}

Runtime::~Runtime() {
  impl_->gate.shut();
  if (impl_->open_thread.joinable()) impl_->open_thread.join();
}

// --- start ---------------------------------------------------------------------------------------

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
  if (!problems.empty()) {
    if (impl_->options.on_start_problems) impl_->options.on_start_problems(problems);
    return problems.front();
  }
  impl_->user_code.run_init_hooks();
  impl_->started = true;
  impl_->gate.open();
  return {};
}

void Runtime::Impl::start_server(
    LoadScope scope, const std::vector<std::shared_ptr<const project::Endpoint>>& endpoints) {
  start_watching();
  std::vector<Error> errors = user_code.load(current_project, scope, endpoints);
  user_code.run_init_hooks();
  main_loop.install_signal_handlers();  // libraries may have taken them during the imports
  Findings findings;
  findings.add_code(*current_project, std::move(errors), user_code);
  findings.add(open_and_check());
  if (!findings.empty() && options.on_start_problems &&
      !options.on_start_problems(findings.errors())) {
    return;
  }
  if (options.serve_broken) exchange_project(current_project, findings);
  complete_current();
  {
    const std::lock_guard lock(mutex);
    started = true;
  }
  gate.open();
  // Not before: a reload closes the gate.
  {
    const std::lock_guard lock(mutex);
    reload_thread = std::thread([this] { reload_loop(); });
  }
  // Clients may have seen what is left out now.
  if (!findings.empty() && on_reload) on_reload();
  if (options.on_start) options.on_start();
}

std::shared_ptr<const project::Project> Runtime::Impl::complete(
    std::shared_ptr<const project::Project> project) {
  if (!options.derive) return project;
  project = derived(std::move(project), nullptr);
  const auto opened = open_database();
  return opened.ok() ? derived(std::move(project), opened->get()) : project;
}

// After the init hooks, too.
void Runtime::Impl::complete_current() {
  std::shared_ptr<const project::Project> before;
  {
    const std::lock_guard lock(mutex);
    before = current_project;
  }
  auto after = complete(std::move(before));
  const std::lock_guard lock(mutex);
  current_project = std::move(after);
}

// After the init hooks, which may create tables.
std::vector<Problem> Runtime::Impl::open_and_check() {
  auto opened = open_database();
  if (!opened.ok()) return {{std::move(opened).error(), {}}};
  if (!options.check) return {};
  return options.check(*current_project, **opened);
}

// --- calls ---------------------------------------------------------------------------------------

void Runtime::call(invoke::Request request, invoke::Done done) {
  // A completion is no call of the endpoint.
  invoke::CallObserver* const observer =
      request.completes.empty() ? impl_->options.observer : nullptr;
  const auto pending =
      std::make_shared<Impl::Pending>(std::move(request), std::move(done), observer);
  const auto refuse = [impl = impl_.get(), pending](Error error) {
    invoke::Outcome outcome;
    outcome.error = std::move(error);
    impl->end(*pending, std::move(outcome));
  };
  const Gate::Call call{pending->request.cancel, pending->request.client};
  impl_->gate.enter(
      call,
      [impl = impl_.get(), pending, refuse, call](Gate::Pass pass) {
        auto project = impl->project();
        if (!Impl::runs_code(*project, pending->request)) {
          return impl->begin(pending, std::move(project), std::move(pass));
        }
        impl->code_gate.enter(
            call,
            [impl, pending, pass](Gate::Pass code_pass) {
              impl->begin_code(pending, pass, std::move(code_pass));
            },
            refuse);
      },
      refuse);
}

std::shared_ptr<const project::Project> Runtime::Impl::project() const {
  const std::lock_guard lock(mutex);
  return current_project;
}

bool Runtime::Impl::runs_code(const project::Project& project, const invoke::Request& request) {
  const auto endpoint = project.find(request.kind, request.id);
  return endpoint != nullptr && endpoint->language == project::Language::kPython;
}

// The passes are held until the work is over and the answer was handed over: a drain waits for
// both.
void Runtime::Impl::begin_code(const std::shared_ptr<Pending>& pending, Gate::Pass pass,
                               Gate::Pass code_pass) {
  struct Held {
    Gate::Pass pass, code_pass;
    std::shared_ptr<Generation> code;
  };
  const auto held = std::make_shared<Held>();
  held->pass = std::move(pass);
  held->code_pass = std::move(code_pass);
  std::shared_ptr<const project::Project> project;
  {
    const std::lock_guard lock(mutex);
    project = current_project;
    held->code = generation;
  }
  begin(pending, std::move(project), held);
}

void Runtime::Impl::begin(const std::shared_ptr<Pending>& pending,
                          std::shared_ptr<const project::Project> project,
                          std::shared_ptr<void> work) {
  active_calls.fetch_add(1, std::memory_order_relaxed);
  auto before = Pending::State::kWaiting;
  if (!pending->state.compare_exchange_strong(before, Pending::State::kRunning)) {
    active_calls.fetch_sub(1, std::memory_order_relaxed);
    return;  // given up meanwhile
  }
  std::shared_ptr<void>& own = pending->request.work;
  if (own.use_count() != 0) {
    using Both = std::pair<std::shared_ptr<void>, std::shared_ptr<void>>;
    work = std::make_shared<Both>(std::move(own), std::move(work));
  }
  own = std::move(work);
  invoke::invoke(std::move(project), runners, std::move(pending->request),
                 [this, pending](invoke::Outcome outcome) { end(*pending, std::move(outcome)); });
}

// A call that is given up while it runs has two ends, of which the first counts.
void Runtime::Impl::end(Pending& pending, invoke::Outcome outcome) {
  const auto before = pending.state.exchange(Pending::State::kEnded);
  if (before == Pending::State::kEnded) return;
  // Whoever has read an answer does not count it as running.
  if (before == Pending::State::kRunning) active_calls.fetch_sub(1, std::memory_order_relaxed);
  if (pending.observer != nullptr) pending.observer->call_ended(outcome);
  std::exchange(pending.done, nullptr)(std::move(outcome));
}

void Runtime::when_ready(std::shared_ptr<CancelToken> cancel, std::function<void(Status)> then) {
  struct Waiting {
    std::function<void(Status)> then;
    std::atomic<bool> told{false};
    void tell(Status status) {
      if (!told.exchange(true)) then(std::move(status));
    }
  };
  const auto waiting = std::make_shared<Waiting>();
  waiting->then = std::move(then);
  impl_->gate.enter(
      {std::move(cancel)}, [waiting](Gate::Pass) { waiting->tell({}); },
      [waiting](Error error) { waiting->tell(std::move(error)); });
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

// --- stop ----------------------------------------------------------------------------------------

void Runtime::stop(Instant deadline) {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->watch.reset();
  impl_->reload_wanted.notify_all();
  impl_->database_unblocked.notify_all();
  impl_->gate.shut();
  impl_->code_gate.shut();
  if (!impl_->gate.wait_idle(deadline)) {
    log::warning("runtime", "cancelling {} running call(s)", impl_->gate.running());
    impl_->gate.cancel_running(Code::kUnavailable);
    // What does not react would end with the same error.
    impl_->gate.refuse_running({Code::kUnavailable, "the server is shutting down"});
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

// --- services ------------------------------------------------------------------------------------

std::shared_ptr<const project::Project> Runtime::project() const {
  return impl_->project();
}

Result<std::shared_ptr<engine::Database>> Runtime::database() {
  return impl_->open_database();
}

Result<std::shared_ptr<engine::Database>> Runtime::Impl::open_database() {
  {
    std::unique_lock lock(mutex);
    if (database) [[likely]]
      return database;
    if (database_blocked && std::this_thread::get_id() == reload_thread.get_id()) {
      return Error{Code::kUnavailable,
                   "the database is closed while a reload payload runs",
                   {},
                   "open the file with duckdb.connect() inside the payload"};
    }
    // A thread of the user's own, in the middle of a reload: it waits as calls do.
    const bool free = database_unblocked.wait_for(lock, options.max_wait,
                                                  [this] { return !database_blocked || stopping; });
    if (!free) return Error{Code::kUnavailable, "the database is closed for a reload"};
    if (database) return database;
  }
  std::shared_ptr<const project::Project> project;
  {
    const std::lock_guard lock(mutex);
    project = current_project;
  }
  return open_for(*project);
}

Result<std::shared_ptr<engine::Database>> Runtime::Impl::open_for(const project::Project& project) {
  const std::lock_guard one(opening);
  {
    const std::lock_guard lock(mutex);
    if (database) return database;
  }
  engine::DatabaseOptions wanted = database_options(project, options);
  // A file that another process has is waited for once, whoever comes for it meanwhile or later.
  const Instant now = Clock::system().now();
  if (!wait_until) wait_until = now + wanted.wait_for_file;
  wanted.wait_for_file =
      std::chrono::ceil<std::chrono::milliseconds>(std::max(*wait_until - now, Duration::zero()));
  wanted.give_up = [loop = &main_loop] { return loop->is_stopping(); };
  MXCP_TRY(std::shared_ptr<engine::Database> opened, engine::Database::open(wanted));
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

Runtime::ReloadStatus Runtime::reload_status() const {
  const std::lock_guard lock(impl_->mutex);
  return {.started = impl_->started,
          .stopping = impl_->stopping,
          .in_progress = impl_->reload_running,
          .queued = impl_->reloads.size(),
          .active_calls = impl_->active_calls,
          .completed = impl_->reloads_completed,
          .failed = impl_->reloads_failed,
          .last_error = impl_->last_reload_error};
}

std::optional<engine::Database::Stats> Runtime::pool_stats() const {
  std::shared_ptr<engine::Database> database;
  {
    const std::lock_guard lock(impl_->mutex);
    database = impl_->database;
  }
  if (database == nullptr) return {};
  return database->stats();
}

void Runtime::on_reload(std::function<void()> callback) {
  impl_->on_reload = std::move(callback);
}

}  // namespace mxcp::runtime
