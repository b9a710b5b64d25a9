#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include "engine/arguments.h"
#include "engine/binding.h"
#include "engine/column_type.h"
#include "engine/lease_impl.h"
#include "engine/result_state.h"
#include "engine/sql_error.h"
#include "engine/typed_form.h"

namespace mxcp::engine {
namespace {

using types::Arguments;

constexpr std::chrono::microseconds kNoTaskPause{500};

std::vector<std::string> names_of(const PreparedSql& prepared) {
  std::vector<std::string> names;
  for (const auto& parameter : prepared.parameters) names.push_back(parameter.name);
  return names;
}

// Runs the tasks of a query one by one, as far as this is to be done here. A result that is
// produced while it is read goes on so then.
void run_tasks(ResultState& query) {
  const Api& api = query.api();
  while (true) {
    const c::PendingState state = api.pending_execute_task(query.pending.get());
    if (state == c::kPendingError || api.pending_execution_is_finished(state)) return;
    if (state == c::kPendingNoTasks) {
      // All are with DuckDB's own threads; execute_pending() can wait for them when nobody wants to
      // know. In a server these threads are few, if any.
      if (!query.progress) return;
      std::this_thread::sleep_for(kNoTaskPause);
    }
    query.between_tasks();
  }
}

struct Run {
  Connection& connection;
  std::string_view sql;
  const Arguments& arguments;
  const ExecuteOptions& options;
  const DatabaseOptions& database;

  const Api& api() const { return connection.api(); }

  struct Outcome {
    Result<ResultSet> result;
    bool started = true;  // false: DuckDB refused before anything ran
    bool readable = true;
  };

  Status bind(const PreparedSql& prepared) const;
  Outcome statement(PreparedSql& prepared, bool last) const;

  // The statement that was run last, in whatever form, and its result.
  struct Ran {
    Result<ResultSet> result;
    std::unique_ptr<PreparedSql> prepared;
  };
  // Runs one statement, in another form where it needs one.
  Ran adapt(std::unique_ptr<PreparedSql> prepared, const SqlPiece* piece, bool last) const;

  Result<ResultSet> single(std::unique_ptr<PreparedSql> prepared, const SqlPiece* piece,
                           std::size_t capacity) const;
  Result<ResultSet> several(c::ExtractedStatements statements, c::Index count,
                            const std::vector<SqlPiece>& pieces) const;
};

Status Run::bind(const PreparedSql& prepared) const {
  for (std::size_t i = 0; i < prepared.parameters.size(); ++i) {
    const auto& [name, type] = prepared.parameters[i];
    const Value* value = find_argument(arguments, name);
    if (value == nullptr) return check_names({name}, arguments, true);
    MXCP_TRY(bind_parameter(api(), prepared.handle.get(), i + 1, name, *value, type));
  }
  return {};
}

Run::Outcome Run::statement(PreparedSql& prepared, bool last) const {
  if (Status bound = bind(prepared); !bound.ok()) return {std::move(bound).error(), true, true};
  if (prepared.uses_identity && options.caller != nullptr) options.caller->looked_at.set();
  auto state = std::make_unique<ResultState>(connection, options.cancel, sql, prepared);
  // A large result is produced while it is read; point queries are not slower this way.
  const bool stream =
      last && prepared.type == c::kStatementSelect && api().pending_prepared_streaming != nullptr;
  if (options.progress) {
    connection.enable_progress();
    state->progress = options.progress;
  }
  const auto make = stream ? api().pending_prepared_streaming : api().pending_prepared;
  const c::State planned = make(prepared.handle.get(), state->pending.out());
  api().clear_bindings(prepared.handle.get());  // a cached statement keeps no large value
  if (planned != c::kSuccess) {
    return {state->error(api().pending_error(state->pending.get()), c::kErrorInvalid), false, true};
  }

  state->pace = Pace(database.gentle_after);
  state->begin();
  if (options.cancel != nullptr && options.cancel->cancelled()) return {options.cancel->error()};
  connection.before(prepared);
  if (options.progress || database.gentle_after.count() > 0) run_tasks(*state);
  const c::State done = api().execute_pending(state->pending.get(), state->result.out());
  state->pending.reset();
  connection.after(prepared);
  if (done != c::kSuccess) {
    c::Result* const failed = state->result.get();
    return {state->error(api().result_error(failed), api().result_error_type(failed))};
  }
  state->read_columns();
  const bool readable = state->readable;
  return {ResultState::make(std::move(state)), true, readable};
}

// The same SELECT with casts around the columns that cannot be read.
RunText with_casts(RunText inner, const std::vector<Column>& columns) {
  std::string head = "SELECT ";
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string column = '#' + std::to_string(i + 1);
    if (i > 0) head += ", ";
    head += is_readable(columns[i].type)
                ? column
                : "CAST(" + column + " AS " + readable_cast(columns[i].type) + ")";
    head += " AS " + quote_sql(columns[i].name, '"');
  }
  head += " FROM (";
  inner.shift += static_cast<std::ptrdiff_t>(head.size());
  for (auto& insertion : inner.insertions) insertion.at += head.size();
  // The text may end in a comment.
  inner.text = head + inner.text + "\n)";
  return inner;
}

Error unreadable(const std::vector<Column>& columns) {
  const auto column = std::find_if(columns.begin(), columns.end(),
                                   [](const Column& c) { return !is_readable(c.type); });
  const std::string& type = column->type.name;
  return {Code::kSql,
          "a result cannot be read: column '" + column->name + "' has " +
              (type.empty() ? "a type that DuckDB's C API does not name" : "the type " + type),
          {},
          "cast it, for example to VARCHAR or JSON"};
}

// DuckDB (1.4 and 2.0) infers the type of a parameter from one of its places; when the value has
// that very type it runs the plan it has, in which the other places may still have no type.
// format('{}', $x) beside name = $x then ends in an internal error, after which the database
// refuses everything. So each place becomes a parameter of its own. Where DuckDB does not take that
// (the places must be the same for GROUP BY), the statement runs as it stands.
Run::Ran Run::adapt(std::unique_ptr<PreparedSql> prepared, const SqlPiece* piece, bool last) const {
  std::optional<Outcome> outcome;
  std::optional<RunText> text;
  if (piece != nullptr && piece->repeats_parameter()) {
    RunText distinct = with_distinct_parameters(sql, *piece);
    if (Result<std::unique_ptr<PreparedSql>> made =
            connection.prepare_instead(sql, distinct, *piece);
        made.ok()) {
      (*made)->set_distinct();
      outcome = statement(**made, last);
      if (outcome->started) {
        prepared = *std::move(made);
        text = std::move(distinct);
      } else {
        outcome.reset();
      }
    }
  }
  if (!outcome) outcome = statement(*prepared, last);
  if (outcome->readable || !last) return {std::move(outcome->result), std::move(prepared)};

  const std::vector<Column> columns = outcome->result->columns();
  const bool distinct = prepared->distinct;
  outcome->result = unreadable(columns);  // ends the first result
  if (piece == nullptr || prepared->type != c::kStatementSelect) {
    return {unreadable(columns), nullptr};
  }
  if (!text) text = as_it_stands(sql, *piece);
  Result<std::unique_ptr<PreparedSql>> wrapped =
      connection.prepare_instead(sql, with_casts(*std::move(text), columns), *piece);
  if (!wrapped.ok()) return {unreadable(columns), nullptr};
  if (distinct) (*wrapped)->set_distinct();
  Outcome second = statement(**wrapped, last);
  if (second.result.ok() && !second.readable) return {unreadable(columns), nullptr};
  return {std::move(second.result), *std::move(wrapped)};
}

Result<ResultSet> Run::single(std::unique_ptr<PreparedSql> prepared, const SqlPiece* piece,
                              std::size_t capacity) const {
  Ran ran = adapt(std::move(prepared), piece, true);
  if (!ran.result.ok() || ran.prepared->changes_session || ran.prepared->uses_function) {
    return std::move(ran.result);
  }
  TypedForm::note_columns(*ran.prepared, ran.result->columns());
  switch (ran.prepared->type) {
    case c::kStatementSelect:
    case c::kStatementInsert:
    case c::kStatementUpdate:
    case c::kStatementDelete: connection.cache(sql, std::move(ran.prepared), capacity); break;
    default: break;  // not run often: not worth a place
  }
  return std::move(ran.result);
}

Result<ResultSet> Run::several(c::ExtractedStatements statements, c::Index count,
                               const std::vector<SqlPiece>& pieces) const {
  // Before anything runs: a statement that depends on an earlier one cannot be prepared yet.
  MXCP_TRY(check_names(parameter_names(pieces), arguments, options.allow_unused));
  const bool one_to_one = pieces.size() == count;
  for (c::Index i = 0;; ++i) {
    const SqlPiece* const piece = one_to_one ? &pieces[i] : nullptr;
    MXCP_TRY(std::unique_ptr<PreparedSql> prepared, connection.prepare(statements, i, piece, sql));
    const bool last = i + 1 == count;
    Ran ran = adapt(std::move(prepared), piece, last);
    if (last || !ran.result.ok()) return std::move(ran.result);
  }
}

// What a function that is bound may see of the caller, while one source is run.
class CallerScope {
 public:
  CallerScope(Connection& connection, const ExecuteOptions& options) : connection_(connection) {
    connection_.set_caller(options.caller, options.call, true);
  }
  CallerScope(const CallerScope&) = delete;
  CallerScope& operator=(const CallerScope&) = delete;
  ~CallerScope() { connection_.set_caller(nullptr); }

 private:
  Connection& connection_;
};

}  // namespace

Lease::Lease(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Lease::Lease(Lease&&) noexcept = default;
Lease& Lease::operator=(Lease&&) noexcept = default;
Lease::~Lease() = default;

Result<ResultSet> Lease::execute(std::string_view sql, const types::Arguments& parameters,
                                 const ExecuteOptions& options) {
  Connection& connection = *impl_->connection;
  if (options.cancel != nullptr && options.cancel->cancelled()) return options.cancel->error();
  connection.abandon_active();
  const CallerScope caller(connection, options);
  const DatabaseOptions& database = impl_->pool->options();
  const Run run{connection, sql, parameters, options, database};
  const std::size_t capacity = database.statements_per_connection;
  if (PreparedSql* prepared = connection.cached(sql)) {
    MXCP_TRY(check_names(names_of(*prepared), parameters, options.allow_unused));
    if (const TypedForm typed(connection, sql, *prepared, parameters, capacity); typed.get()) {
      Run::Outcome outcome = run.statement(*typed.get(), true);
      if (outcome.readable && (outcome.result.ok() || outcome.started)) {
        return std::move(outcome.result);
      }
      typed.refuse();
    }
    Run::Outcome outcome = run.statement(*prepared, true);
    if (outcome.readable && (outcome.result.ok() || outcome.started)) {
      return std::move(outcome.result);
    }
    // The statement no longer fits the catalogue (a table was replaced): once more, prepared anew.
    // Nothing has run, or it was a SELECT.
    connection.forget(sql);
  }
  ExtractedHandle statements(connection.api());
  MXCP_TRY(const c::Index count, connection.extract(sql, statements));
  const std::vector<SqlPiece> pieces = split_sql(sql);
  if (count > 1) return run.several(statements.get(), count, pieces);

  const SqlPiece* const piece = pieces.size() == 1 ? &pieces[0] : nullptr;
  MXCP_TRY(std::unique_ptr<PreparedSql> prepared,
           connection.prepare(statements.get(), 0, piece, sql));
  MXCP_TRY(check_names(names_of(*prepared), parameters, options.allow_unused));
  return run.single(std::move(prepared), piece, capacity);
}

}  // namespace mxcp::engine
