// Runtime: keeps one project running - start, calls, reload, stop.
//
//     Runtime runtime(options, project, user_code, main_loop);
//     runtime.start(...);                  // returns at once in a server; calls wait for the start
//     runtime.call(request, done);
//     runtime.stop(deadline);
//
// Every call passes the gate. While the gate is closed (starting, reloading) calls wait in a bounded
// queue, up to `max_wait`, and then run; nothing is answered from a half-open state.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/worker_pool.h"
#include "invoke/pipeline.h"
#include "invoke/sql_runner.h"
#include "runtime/main_loop.h"
#include "runtime/user_code.h"

namespace mxcp::runtime {

struct RuntimeOptions {
  bool server = false;            // serve: reloads are possible, threads=1 in DuckDB
  bool allow_errors = false;      // --ignore-errors
  std::size_t sql_threads = 0;    // 0: max(4, 2 x cores)
  std::chrono::seconds max_wait{300};     // a call waits this long for a reload
  std::chrono::seconds drain_limit{90};   // a reload waits this long for running calls
  std::size_t max_waiting = 4096;
  project::LoadOptions load;      // how to read the project again on reload
};

class Runtime final : public invoke::Services {
 public:
  Runtime(RuntimeOptions options, std::shared_ptr<const project::Project> project,
          UserCode& user_code, MainLoop& main_loop);
  ~Runtime() override;

  // Imports user code and runs the init hooks (on the main thread), then opens the gate. In a
  // server this is posted to the main loop; otherwise it happens before returning. The database is
  // opened by whoever needs it first, or ahead of need when `open_database`.
  Status start(LoadScope scope, std::vector<std::shared_ptr<const project::Endpoint>> endpoints,
               bool open_database);

  void call(invoke::Request request, invoke::Done done);
  invoke::Outcome call_and_wait(invoke::Request request);

  // Refuses new calls, waits for the running ones (cancelling them at the deadline), runs the
  // shutdown hooks, closes the database. On the main thread.
  void stop(Instant deadline);

  // Services, for user code.
  std::shared_ptr<const project::Project> project() const override;
  Result<std::shared_ptr<engine::Database>> database() override;
  Status request_reload(std::function<Status()> payload, std::string description) override;

  struct ReloadStatus {
    bool in_progress = false;
    std::size_t queued = 0;
    std::size_t active_calls = 0;
    std::uint64_t completed = 0;
    std::string last_error;
  };
  ReloadStatus reload_status() const;
  // Called after every reload (mcp/ sends list_changed from it).
  void on_reload(std::function<void()> callback);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mxcp::runtime
