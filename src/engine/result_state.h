// The inside of a ResultSet, filled by Lease::execute.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/pace.h"
#include "engine/connection.h"
#include "engine/database.h"
#include "engine/handle.h"
#include "engine/result_set.h"

namespace mxcp::engine {

struct ResultState {
  ResultState(Connection& of, CancelToken* token, std::string_view text,
              const PreparedSql& prepared)
      : connection(of),
        cancel(token),
        sql(text),
        run(prepared.run),
        distinct(prepared.distinct),
        statement(prepared.type),
        pending(of.api()),
        result(of.api()),
        chunk(of.api()) {}
  ~ResultState() { abandon(); }

  const Api& api() const { return connection.api(); }
  // The pending result exists: from now on the query can be interrupted.
  void begin();
  // Nothing runs any more; an interrupt is not for this query.
  void finish();
  // Gives everything of DuckDB back except the chunk that is being looked at.
  void abandon();
  // DuckDB's error as ours; an interrupted query ends with the reason of its cancellation.
  Error error(const char* text, c::ErrorType type);
  // Between two tasks of the query: tells how far it is, when somebody listens and it is time to,
  // and leaves a moment to others when it runs for long.
  void between_tasks();
  // Reads the columns, and whether all of them can be read from vectors.
  void read_columns();

  Connection& connection;
  CancelToken* cancel;
  std::string sql;  // for the place of an error
  RunText run;      // see sql_error
  bool distinct;    // texts of DuckDB have its names of parameters
  c::StatementType statement;
  PendingHandle pending;
  ResultHandle result;
  ChunkHandle chunk;
  std::vector<Column> columns;
  bool readable = true;
  bool done = false;
  bool abandoned = false;

  Pace pace;
  ProgressFn progress;
  double last_progress = 0;
  Instant next_progress = {};

  std::optional<Connection::Running> running;
  std::optional<CancelToken::Registration> registration;

  static ResultSet make(std::unique_ptr<ResultState> state) { return ResultSet(std::move(state)); }
};

}  // namespace mxcp::engine
