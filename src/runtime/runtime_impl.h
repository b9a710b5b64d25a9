// The inside of Runtime, shared by runtime.cpp (start, calls, stop, the database) and reload.cpp.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/worker_pool.h"
#include "engine/database.h"
#include "invoke/sql_runner.h"
#include "runtime/gate.h"
#include "runtime/runtime.h"
#include "runtime/watch.h"

namespace mxcp::runtime {

// After its limit a reload or stop cancels the running calls, and waits this much longer for them.
constexpr std::chrono::seconds kCancelLimit{2};

// Reloads that wait for their turn.
constexpr std::size_t kMaxReloads = 64;

// Long statements in a server: so many beside the others, see WorkerPool and DatabaseOptions.
constexpr std::size_t kMaxSlow = 28;
WorkerPool::Options sql_pool(const RuntimeOptions& options);
// Of endpoints that are known to take long, see SqlRunner.
WorkerPool::Options slow_sql_pool(const RuntimeOptions& options);

// How the project wants its database opened.
engine::DatabaseOptions database_options(const project::Project& project,
                                         const RuntimeOptions& runtime);

// The Python code that a call runs on. What it leaves behind is ended on the main thread after its
// last call, once it is no longer the current one.
struct Generation {
  explicit Generation(MainLoop& main_loop) : loop(main_loop) {}
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;
  ~Generation() {
    if (retire) loop.post(std::move(retire));
  }
  MainLoop& loop;
  std::function<void()> retire;
  std::shared_ptr<Generation> successor;  // is not ended before this one
};

struct Runtime::Impl {
  Impl(Runtime& owner, RuntimeOptions given, std::shared_ptr<const project::Project> first,
       UserCode& code, MainLoop& loop)
      : options(std::move(given)),
        user_code(code),
        main_loop(loop),
        current_project(derived(std::move(first), nullptr)),
        generation(std::make_shared<Generation>(loop)),
        gate({options.max_wait, options.max_waiting}),
        code_gate({options.max_wait, options.max_waiting}),
        sql_workers(sql_pool(options)),
        slow_sql_workers(slow_sql_pool(options)),
        sql_runner(owner, sql_workers, slow_sql_workers),
        runners{&sql_runner,           &code.runner(), &code.prompt_runner(),
                code.schema_checker(), &deadlines,     options.server ? &limiter : nullptr} {
    code_gate.open();
    if (options.server) deadlines.start();
  }

  struct Reload {
    std::function<Status()> payload;
    std::string description;
    std::optional<Watch::Changes> changes;  // then only what these files define is read again
  };

  // --- what SQL says about its tools ---
  std::shared_ptr<const project::Project> derived(std::shared_ptr<const project::Project> project,
                                                  engine::Database* with) const {
    if (!options.server || !options.derive) return project;
    return options.derive(std::move(project), with);
  }
  // All of it, as far as the database can be opened.
  std::shared_ptr<const project::Project> complete(std::shared_ptr<const project::Project> project);
  void complete_current();

  // --- start ---
  void start_server(LoadScope scope,
                    const std::vector<std::shared_ptr<const project::Endpoint>>& endpoints);
  std::vector<Problem> open_and_check();

  // --- calls ---
  struct Pending {
    Pending(invoke::Request given, invoke::Done then, invoke::CallObserver* hears)
        : request(std::move(given)), done(std::move(then)), observer(hears) {}

    invoke::Request request;
    invoke::Done done;
    invoke::CallObserver* observer;
    enum class State { kWaiting, kRunning, kEnded };
    std::atomic<State> state{State::kWaiting};
  };
  std::shared_ptr<const project::Project> project() const;
  static bool runs_code(const project::Project& project, const invoke::Request& request);
  // `work` is held until the work is over.
  void begin(const std::shared_ptr<Pending>& pending,
             std::shared_ptr<const project::Project> project, std::shared_ptr<void> work);
  void begin_code(const std::shared_ptr<Pending>& pending, Gate::Pass pass, Gate::Pass code_pass);
  // Its outcome is known, or it is given up.
  void end(Pending& pending, invoke::Outcome outcome);

  // --- database ---
  Result<std::shared_ptr<engine::Database>> open_database();
  // The same, as `project` wants it, without looking whether it is blocked.
  Result<std::shared_ptr<engine::Database>> open_for(const project::Project& project);
  void close_database();
  void unblock_database();

  // --- reload, on its own thread ---
  struct Reloaded {
    std::string problem;  // what went wrong, or ""
    bool changed = true;  // false when everything is as it was
  };
  void reload_loop();
  Reloaded reload(const Reload& request);
  // Closes the gate and waits for what runs in it.
  void drain(Gate& which);
  bool is_stopping() const;
  void restart(std::vector<std::string>& problems);
  struct Taken {
    std::vector<Error> refused;
    bool to_check = false;  // after the init hooks: its SQL may need what they do
  };
  Taken take_over(const std::shared_ptr<const project::Project>& fresh);
  void on_main(std::function<void()> task);

  // --- changed definitions, on the same thread ---
  void start_watching();
  void files_changed(Watch::Changes changes);
  Reloaded refresh(const Watch::Changes& changes);
  Findings findings_of(const project::Project& project);
  std::vector<Error> refusing(const Findings& findings);
  // `next`: the code of that project; receives the code before it.
  void exchange_project(std::shared_ptr<const project::Project> project, const Findings& findings,
                        std::shared_ptr<Generation>* next = nullptr);
  std::vector<Error> replace_code(std::shared_ptr<const project::Project> fresh, Findings findings);

  RuntimeOptions options;
  UserCode& user_code;
  MainLoop& main_loop;

  mutable std::mutex mutex;  // guards everything up to the blank line
  std::shared_ptr<const project::Project> current_project;
  std::shared_ptr<Generation> generation;
  std::set<std::string> accepted;  // problems that are served with, see Findings::general
  std::shared_ptr<engine::Database> database;
  bool database_blocked = false;  // between the closing of a reload and the end of its payload
  std::condition_variable database_unblocked;
  std::deque<Reload> reloads;
  std::condition_variable reload_wanted;
  bool reload_running = false;
  bool stopping = false;
  bool started = false;
  std::uint64_t reloads_completed = 0;
  std::uint64_t reloads_failed = 0;
  std::string last_reload_error;

  std::mutex opening;                 // one thread opens the database, the others wait for it
  engine::ScalarFunctions functions;  // guarded by `opening`
  std::optional<Instant> wait_until;  // for a file that another process has; the same
  std::function<void()> on_reload;
  Watch::Changes not_taken_up;  // what was refused is part of the next change; reload thread
  std::thread reload_thread;
  std::thread open_thread;
  std::unique_ptr<Watch> watch;
  Gate gate;
  Gate code_gate;  // behind the other: calls of Python functions
  // Calls whose outcome is not known yet. The gate counts longer, until the caller has it.
  std::atomic<std::size_t> active_calls{0};
  Deadlines deadlines;
  invoke::Limiter limiter;  // of a server only: tests call an endpoint as often as they like
  WorkerPool sql_workers;
  WorkerPool slow_sql_workers;
  invoke::SqlRunner sql_runner;
  invoke::Runners runners;
};

}  // namespace mxcp::runtime
