// Connection: one DuckDB connection with its prepared statements and the state of its session.
//
// Used by one thread at a time (its Lease); only interrupt() may come from elsewhere.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/user_context.h"
#include "engine/handle.h"
#include "engine/instance.h"
#include "engine/result_set.h"
#include "engine/sql_text.h"

namespace mxcp::engine {

struct PreparedSql {
  explicit PreparedSql(const Api& api) : handle(api) {}

  struct Parameter {
    std::string name;
    TypeId type;  // what DuckDB inferred, kOther when it could not
  };
  StatementHandle handle;
  c::StatementType type = c::kStatementInvalid;
  std::vector<Parameter> parameters;  // in the order of their index, which counts from 1
  bool changes_session = false;
  bool uses_identity = false;  // calls get_username() or one of its friends
  std::string identity;        // of whom, then
  bool uses_function = false;  // calls a ScalarFunction: the statement is for one call only
  // Gives the parameters of with_distinct_parameters the names that they have in the source.
  void set_distinct();

  RunText run;            // what was prepared instead of the source; its text is not kept
  bool distinct = false;  // it is with_distinct_parameters

  // For TypedForm, where DuckDB could not infer the types of all parameters: the columns of the
  // first result, and the types that the statement cannot be prepared with.
  std::vector<Column> columns;
  std::vector<std::string> refused_types;
};

// A SELECT, or an EXPLAIN that does not run what it explains.
bool is_read_only(c::StatementType type, const SqlPiece* piece);

struct ResultState;

class Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(Instance& instance);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  Instance& instance() const { return instance_; }
  const Api& api() const { return instance_.api(); }
  c::Connection get() const { return connection_; }

  // --- interrupt: an interrupt of an idle connection is lost, a late one would hit the next query

  // Stops the running query, if there is one. From any thread.
  void interrupt();
  // From the moment that the pending result exists until its result is consumed.
  class Running {
   public:
    explicit Running(Connection& connection);
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running();

   private:
    Connection& connection_;
  };

  // --- prepared statements

  // The cached statement of this text, or nullptr. `identity` is that of the current caller.
  // Drops all of them when the catalogue changed since the last call.
  PreparedSql* cached(std::string_view sql);
  // The same without a look at the catalogue: what cached() gave before stays valid.
  PreparedSql* find_cached(std::string_view sql);
  PreparedSql& cache(std::string_view sql, std::unique_ptr<PreparedSql> prepared,
                     std::size_t capacity);
  void forget(std::string_view sql);
  // Takes a source apart into its statements, of which there is at least one. Errors: kSql.
  Result<c::Index> extract(std::string_view sql, ExtractedHandle& out);
  // Prepares statement `index` of an extracted source. `piece` is its text where that is known.
  // Errors: kSql; the place is inside `sql`.
  Result<std::unique_ptr<PreparedSql>> prepare(c::ExtractedStatements statements, c::Index index,
                                               const SqlPiece* piece, std::string_view sql,
                                               const RunText& run = {});
  // Prepares `text` in place of the statement `piece` of `sql`.
  Result<std::unique_ptr<PreparedSql>> prepare_instead(std::string_view sql, const RunText& text,
                                                       const SqlPiece& piece);

  // --- the caller, for user_functions and scalar_function

  // While a source runs: who called, and what its functions get. Without a caller afterwards.
  void set_caller(const Caller* caller, std::shared_ptr<const void> call = {},
                  bool executing = false) {
    caller_ = caller;
    call_ = std::move(call);
    executing_ = executing;
  }
  // Called while a statement is bound: it uses a ScalarFunction.
  void mark_function() { function_seen_ = true; }
  bool is_executing() const { return executing_; }
  const std::shared_ptr<const void>& call() const { return call_; }
  // Called while a statement is bound: its value depends on the caller.
  const Caller* bind_identity();
  std::string identity() const;

  // --- session

  // The result that is still being read. There is at most one: another statement ends it.
  void set_active(ResultState* result) { active_ = result; }
  void end_active(const ResultState* result) {
    if (active_ == result) active_ = nullptr;
  }
  void abandon_active();

  // What a statement may do to the session, before it runs; what it may have done to the catalogue,
  // after.
  void before(const PreparedSql& prepared);
  void after(const PreparedSql& prepared);
  // DuckDB reported an internal or fatal error: see Instance::invalid.
  void set_suspect() { suspect_ = true; }
  // Before the next caller: rolls back, forgets the caller. False when the connection must be
  // closed instead, because its session was changed.
  bool reset();
  // Switches DuckDB's progress on; it stays on for this connection.
  void enable_progress();

 private:
  Connection(Instance& instance, c::Connection connection);
  bool run(const char* sql);

  struct Entry {
    std::string sql;
    std::unique_ptr<PreparedSql> prepared;
  };

  Instance& instance_;
  c::Connection connection_;
  c::Index id_ = 0;
  std::mutex mutex_;
  bool running_ = false;

  std::list<Entry> entries_;  // the most recently used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_sql_;  // keys: Entry::sql
  std::uint64_t generation_ = 0;

  const Caller* caller_ = nullptr;
  bool identity_seen_ = false;
  std::shared_ptr<const void> call_;
  bool executing_ = false;
  bool function_seen_ = false;
  ResultState* active_ = nullptr;
  bool dirty_ = false;
  bool transaction_ = false;      // maybe one is open
  bool transaction_ddl_ = false;  // and changed the catalogue
  bool suspect_ = false;
  bool progress_ = false;
};

}  // namespace mxcp::engine
