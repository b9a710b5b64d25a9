// Database: one DuckDB instance and its bounded pool of connections.
//
// Opened when first needed, one per process. Connections are made lazily, up to `max_connections`;
// each keeps its own prepared statements (LRU). A Lease is the exclusive use of one connection; it
// goes back to the pool when it is destroyed: an open transaction is rolled back, and a connection
// whose session state was changed (SET of a local setting, USE, variables, temporary objects,
// setseed) is closed instead of being given to the next caller. What DuckDB keeps for the whole
// instance stays: attached databases, global settings, loaded extensions, secrets.
//
// Threads: everything here may be called from any thread. Nothing here takes Python's GIL; callers
// must not hold it. No file of the database is ever opened by us while DuckDB has it (closing such
// a descriptor would drop DuckDB's POSIX lock).
//
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/user_context.h"
#include "engine/result_set.h"
#include "types/parameters.h"

namespace mxcp::engine {

class ScalarFunction;  // scalar_function.h
using ScalarFunctions = std::vector<std::shared_ptr<ScalarFunction>>;

struct SecretOptions {
  std::string name;
  std::string type;
  Object parameters;
};

struct ExtensionOptions {
  std::string name;
  std::string repo;
};

struct DatabaseOptions {
  fs::path path = {};  // absolute; the parent folder is created
  bool readonly = false;
  std::string readonly_by = {};  // what says so, for messages
  // Another process that has the file may be about to let it go: waits so long for it.
  std::chrono::milliseconds wait_for_file{0};
  std::function<bool()> give_up = {};  // ends that wait; may be empty
  // Where files that SQL reads by a relative path are, besides the current folder; "" is nowhere.
  fs::path files = {};
  // DuckDB's worker threads. 0: DuckDB's own default, one per core, right for a single command. A
  // server, whose parallelism is across calls, uses 1: a point query does not pay for waking the
  // scheduler (measured p50, threads 1 / 2: 0.16 / 0.44 ms on 1.4, 0.60 / 0.72 ms on 2.0).
  int threads = 0;
  std::size_t max_connections = 0;  // 0: max(4, 2 x cores)
  // Who has waited for so long, since long queries have all of them, gets one of these.
  std::size_t extra_connections = 0;
  std::chrono::milliseconds extra_after{100};
  std::size_t statements_per_connection = 64;
  // A query that runs for so long leaves moments to others from then on (base/pace.h). 0: never.
  std::chrono::milliseconds gentle_after{0};
  std::vector<SecretOptions> secrets = {};  // created once per instance; an unknown type is skipped
  std::vector<ExtensionOptions> extensions = {};  // LOAD, and INSTALL only if that fails
};

// What is known about one statement of a source without running it.
struct StatementInfo {
  struct Parameter {
    std::string name;
    std::string type;  // DuckDB's name, "" when it could not be inferred
  };
  std::vector<Parameter> parameters;
  std::vector<Column> columns;  // of the result, when known
  bool read_only = false;       // a SELECT-like statement that changes nothing
  std::size_t offset = 0;       // where it begins in the source text
  // DuckDB takes the statement as it stands, but does not plan it for the examples: why.
  std::optional<Error> refused;
};

using ProgressFn = std::function<void(double percent)>;  // strictly increasing, in (0, 100)

struct ExecuteOptions {
  CancelToken* cancel = nullptr;   // interrupts the running query
  ProgressFn progress = {};        // costs a little: only when somebody listens
  const Caller* caller = nullptr;  // identity for get_username() and friends
  // What every ScalarFunction of the statement gets; kept as long as the statement runs.
  std::shared_ptr<const void> call = {};
  // Names that no statement of the source uses are an error, unless this is set.
  bool allow_unused = false;
};

// True when an error of execute() or prepare() only says that a table, view, function or other
// entry does not exist (yet).
bool is_missing_object(const Error& error);

class Lease {
 public:
  Lease(Lease&&) noexcept;
  Lease& operator=(Lease&&) noexcept;
  ~Lease();

  // Runs every statement of `sql`, binding to each only the names it uses ($name), and returns the
  // result of the last one. The ResultSet must be consumed before the next execute() and before the
  // lease ends; a SELECT is still running until then. Parameter types: see binding.h.
  // Errors: kSql with the place inside `sql` (line, column in characters; no file) where DuckDB
  // gave one, also for a name that is missing or not used; kCancelled/kTimeout when stopped.
  Result<ResultSet> execute(std::string_view sql, const types::Arguments& parameters,
                            const ExecuteOptions& options = {});

  // Parses and prepares without running. One entry per statement. A statement that depends on an
  // earlier one of the same source (CREATE then SELECT) is reported as far as it can be known.
  // `examples` are values like those of a call, null for what may be anything: DuckDB then plans
  // each statement for NULLs of the types that these are bound as, in the place of what it infers
  // from the text alone (which may be nothing, as in $x IS NULL, and another type in coalesce($x,
  // 1)). The columns are those of such a call. The names of columns are unique, as in a result.
  Result<std::vector<StatementInfo>> prepare(std::string_view sql,
                                             const types::Arguments& examples = {});
  // Whether values like `example` can be cast to a type of SQL at all, perhaps not every one.
  bool has_cast(const Value& example, const std::string& type);

 private:
  friend class Database;
  struct Impl;
  explicit Lease(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class Database {
 public:
  // Errors: kDatabase. The message names the file and what is wrong with it: locked (by which
  // process, from DuckDB's text and /proc), not a database, written by a newer DuckDB, no
  // permission, directory missing, read-only and absent.
  static Result<std::unique_ptr<Database>> open(DatabaseOptions options);

  // Waits for every lease to come back (interrupting running queries from `deadline` on), then
  // closes. True once the file is closed and its lock is released; false when a lease did not come
  // back within 30 seconds after the deadline: the file stays open until it does.
  bool close(Instant deadline);
  ~Database();

  // Waits for a free connection. Errors: kOverloaded at the deadline, kUnavailable when closing.
  // A caller that has a lease already says `nested`: it gets one at once, beyond max_connections
  // (up to 16 times as many), since waiting for others that wait like itself would never end.
  Result<Lease> lease(Instant deadline, CancelToken* cancel = nullptr, bool nested = false);

  // Adds SQL functions, for every connection that there is and will be. None of them may have the
  // name of a function that SQL has already.
  Status add_functions(const ScalarFunctions& functions);

  // The same file, by device and inode.
  bool is_managed(const fs::path& path) const;
  const DatabaseOptions& options() const;
  std::string version() const;  // DuckDB's, e.g. "v1.4.4"

  struct Stats {
    std::size_t connections = 0, in_use = 0, waiting = 0;
  };
  Stats stats() const;

 private:
  friend class Lease;
  struct Impl;
  explicit Database(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace mxcp::engine
