// Runtime: keeps one project running - start, calls, reload, stop.
//
//     Runtime runtime(options, project, user_code, main_loop);
//     MXCP_TRY(runtime.start(LoadScope::kAll, {}));   // in a server: begins; calls wait for it
//     runtime.call(request, done);
//     runtime.stop(deadline);
//
// Every call passes the gate. While the gate is closed (starting, reloading) calls wait in a
// bounded queue, up to `max_wait`, and then run; nothing is answered from a half-open state.
//
// A reload drains the running calls, runs the shutdown hooks, closes the database, runs its
// payload, reads the project again, reopens the database, imports the user's modules afresh beside
// the old ones, checks all of it, runs the init hooks and opens the gate. When something is wrong
// with the project the old one goes on with its old modules. Whatever fails on the way is logged
// and kept in reload_status(); the gate opens all the same, calls that need what is missing get an
// error that says so, and another reload can mend it.
//
// A server also watches the files that define it (Watch). When they change, the project is read and
// checked beside the one in use; what is invalid is logged and the old one goes on. Changed YAML
// and SQL take its place at once, while running calls end on the old. Changed Python is imported
// beside the old while calls go on, and takes its place at once, too; only where hooks have to run
// between the two, calls of Python wait for those that run. Changed configuration, and changed
// Python where plugins give SQL functions, is a whole reload.
//
// Threads: start() and stop() on the main thread; everything else from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "invoke/pipeline.h"
#include "runtime/findings.h"
#include "runtime/main_loop.h"
#include "runtime/user_code.h"

namespace mxcp::runtime {

struct RuntimeOptions {
  bool server = false;          // serve: reloads are possible, DuckDB runs one thread per query
  std::size_t sql_threads = 0;  // 0: max(4, 2 x cores)
  std::chrono::milliseconds max_wait{300'000};    // a call waits this long for a start or reload
  std::chrono::milliseconds drain_limit{90'000};  // a reload waits this long for running calls
  // ... and so long when all of them wait for people: all others wait for the reload.
  std::chrono::milliseconds ask_limit{5'000};
  std::size_t max_waiting = 4096;
  project::LoadOptions load;  // how a reload reads the project again
  bool watch = false;         // server only: take up changed files
  bool serve_broken = false;  // leave broken endpoints out: see Findings

  // What else must hold before the first call is let in, asked after the init hooks with the
  // database open (e.g. that the SQL of every endpoint prepares). Server only; may be empty.
  std::function<std::vector<Problem>(const project::Project&, engine::Database&)> check;
  // Server only, may be empty: the project with what its SQL says about it (see Project::
  // with_endpoints). Asked as soon as a project was read, with no database, and again when the
  // database is open and the init hooks have run; calls are let in after that.
  std::function<std::shared_ptr<const project::Project>(std::shared_ptr<const project::Project>,
                                                        engine::Database*)>
      derive;
  // Problems found while starting. In a server, when it returns false the gate stays closed (the
  // server is about to leave); with --ignore-errors it reports and returns true.
  std::function<bool(const std::vector<Error>&)> on_start_problems;
  // Server only, on the main thread: the start is over, calls are let in. May be empty.
  std::function<void()> on_start;
  invoke::CallObserver* observer = nullptr;  // may be null; must outlive the runtime
};

class Runtime final : public invoke::Services {
 public:
  Runtime(RuntimeOptions options, std::shared_ptr<const project::Project> project,
          UserCode& user_code, MainLoop& main_loop);
  ~Runtime() override;

  // Imports user code and runs the init hooks on the main thread, then opens the gate. A server
  // returns at once (the work is posted to the main loop, and the database is opened meanwhile);
  // otherwise all of it happens before returning, the first import error is returned, and the
  // database is opened only by whoever needs it.
  Status start(LoadScope scope,
               const std::vector<std::shared_ptr<const project::Endpoint>>& endpoints);

  void call(invoke::Request request, invoke::Done done);
  // Runs `then` when the project is complete, that is: when calls are let in. At once, or from
  // another thread; with an error when that does not come.
  void when_ready(std::shared_ptr<CancelToken> cancel, std::function<void(Status)> then);
  // Waits for the outcome, on the main thread, with the main loop running.
  invoke::Outcome call_and_wait(invoke::Request request);

  // Refuses new calls, waits for the running ones, runs the shutdown hooks, closes the database. At
  // the deadline what still runs is cancelled and has its outcome at once, also what cannot be
  // stopped (a Python function); that has a moment more to end.
  void stop(Instant deadline);

  // Services, for user code.
  std::shared_ptr<const project::Project> project() const override;
  Result<std::shared_ptr<engine::Database>> database() override;
  Status set_functions(engine::ScalarFunctions functions) override;
  Status request_reload(std::function<Status()> payload, std::string description) override;

  struct ReloadStatus {
    bool started = false;  // calls have been let in
    bool stopping = false;
    bool in_progress = false;
    std::size_t queued = 0;
    std::size_t active_calls = 0;  // whose outcome is not known yet
    std::uint64_t completed = 0;
    std::uint64_t failed = 0;  // of the completed ones
    std::string last_error;    // of the last reload; "" when it went well
  };
  ReloadStatus reload_status() const;
  // Of the database's pool; nothing while there is no open database.
  std::optional<engine::Database::Stats> pool_stats() const;
  // Called after every reload, from the reload thread; not when a change was refused and everything
  // is as it was. Set before start().
  void on_reload(std::function<void()> callback);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mxcp::runtime
