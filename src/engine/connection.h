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
  std::ptrdiff_t shift = 0;    // see sql_error: a SELECT that was wrapped
};

// A SELECT, or an EXPLAIN that does not run what it explains.
bool is_read_only(c::StatementType type, const SqlPiece* piece);

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
  PreparedSql* cached(std::string_view sql);
  PreparedSql& cache(std::string_view sql, std::unique_ptr<PreparedSql> prepared,
                     std::size_t capacity);
  void forget(std::string_view sql);
  // Prepares statement `index` of an extracted source. `piece` is its text where that is known.
  // Errors: kSql; the place is inside `sql`.
  Result<std::unique_ptr<PreparedSql>> prepare(c::ExtractedStatements statements, c::Index index,
                                               const SqlPiece* piece, std::string_view sql,
                                               std::ptrdiff_t shift = 0);

  // --- the caller, for user_functions

  void set_caller(const Caller* caller) { caller_ = caller; }
  // Called while a statement is bound: its value depends on the caller.
  const Caller* bind_identity();
  std::string identity() const;

  // --- session

  // Notes what a statement that was run may have done.
  void note(const PreparedSql& prepared);
  // Before the next caller: rolls back, forgets the caller. False when the connection must be
  // closed instead, because its session was changed.
  bool reset();
  // Switches DuckDB's progress on; it stays on for this connection.
  void enable_progress();

 private:
  Connection(Instance& instance, c::Connection connection);
  void run(const char* sql);

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
  bool dirty_ = false;
  bool transaction_ = false;
  bool progress_ = false;
};

}  // namespace mxcp::engine
