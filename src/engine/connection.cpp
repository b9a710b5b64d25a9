#include "engine/connection.h"

#include <algorithm>

#include "engine/column_type.h"
#include "engine/result_state.h"
#include "engine/sql_error.h"
#include "engine/user_functions.h"

namespace mxcp::engine {
namespace {

// Statement types that 1.4 does not have yet.
constexpr int kStatementCopyDatabase = 28;
constexpr int kStatementUpdateExtensions = 29;
constexpr int kStatementMergeInto = 30;

// Leaves something behind that belongs to this connection only.
bool changes_session(c::StatementType type, const SqlPiece* piece) {
  switch (static_cast<int>(type)) {
    case c::kStatementSelect:
    case c::kStatementInsert:
    case c::kStatementUpdate:
    case c::kStatementDelete:
    case kStatementMergeInto: return piece == nullptr || piece->sets_seed;
    case c::kStatementExplain: return !is_read_only(type, piece);
    case c::kStatementAlter:
    case c::kStatementTransaction:
    case c::kStatementCopy:
    case c::kStatementAnalyze:
    case c::kStatementDrop:
    case c::kStatementExport:
    case c::kStatementVacuum:
    case c::kStatementCall:
    case kStatementCopyDatabase:
    case kStatementUpdateExtensions: return false;
    case c::kStatementCreate:
    case c::kStatementCreateFunction:
      // Without its text it is a part of a statement that DuckDB took apart: 1.4 makes a temporary
      // ENUM for PIVOT.
      return piece == nullptr || creates_temporary(*piece);
    default: return true;  // SET, USE, ATTACH, LOAD, PRAGMA, PREPARE, PIVOT (as MULTI) ...
  }
}

// Changes what statements mean that were prepared before, also on other connections.
bool changes_meaning(c::StatementType type) {
  switch (static_cast<int>(type)) {
    case c::kStatementSelect:
    case c::kStatementInsert:
    case c::kStatementUpdate:
    case c::kStatementDelete:
    case c::kStatementExplain:
    case c::kStatementTransaction:
    case c::kStatementCopy:
    case c::kStatementAnalyze:
    case c::kStatementPrepare:
    case c::kStatementExport:
    case c::kStatementMulti:
    case kStatementMergeInto: return false;
    default: return true;
  }
}

}  // namespace

bool is_read_only(c::StatementType type, const SqlPiece* piece) {
  if (type == c::kStatementSelect) return true;
  // EXPLAIN (FORMAT json, ANALYZE): its options are no leading words.
  return type == c::kStatementExplain && piece != nullptr && piece->words.size() > 1 &&
         std::find(piece->words.begin(), piece->words.end(), "ANALYZE") == piece->words.end();
}

void PreparedSql::set_distinct() {
  distinct = true;
  for (Parameter& parameter : parameters) parameter.name = plain_parameter_name(parameter.name);
}

Result<std::unique_ptr<Connection>> Connection::open(Instance& instance) {
  MXCP_TRY(const c::Connection connection, instance.connect());
  return std::unique_ptr<Connection>(new Connection(instance, connection));
}

Connection::Connection(Instance& instance, c::Connection connection)
    : instance_(instance), connection_(connection), generation_(instance.generation()) {
  ContextHandle context(api());
  api().connection_get_client_context(connection_, context.out());
  id_ = api().client_context_get_connection_id(context.get());
  instance_.enter(id_, this);
}

Connection::~Connection() {
  abandon_active();
  by_sql_.clear();
  entries_.clear();
  instance_.leave(id_);
  api().disconnect(&connection_);
}

void Connection::interrupt() {
  const std::lock_guard lock(mutex_);
  if (running_) api().interrupt(connection_);
}

Connection::Running::Running(Connection& connection) : connection_(connection) {
  const std::lock_guard lock(connection_.mutex_);
  connection_.running_ = true;
}

Connection::Running::~Running() {
  const std::lock_guard lock(connection_.mutex_);
  connection_.running_ = false;
}

PreparedSql* Connection::cached(std::string_view sql) {
  if (const std::uint64_t now = instance_.generation(); now != generation_) {
    by_sql_.clear();
    entries_.clear();
    generation_ = now;
    return nullptr;
  }
  return find_cached(sql);
}

PreparedSql* Connection::find_cached(std::string_view sql) {
  const auto it = by_sql_.find(sql);
  if (it == by_sql_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, it->second);
  PreparedSql& prepared = *it->second->prepared;
  if (prepared.uses_identity && prepared.identity != identity()) {
    forget(sql);
    return nullptr;
  }
  return &prepared;
}

PreparedSql& Connection::cache(std::string_view sql, std::unique_ptr<PreparedSql> prepared,
                               std::size_t capacity) {
  forget(sql);
  while (!entries_.empty() && entries_.size() >= std::max<std::size_t>(capacity, 1)) {
    by_sql_.erase(entries_.back().sql);
    entries_.pop_back();
  }
  entries_.push_front({std::string(sql), std::move(prepared)});
  by_sql_.emplace(entries_.front().sql, entries_.begin());
  return *entries_.front().prepared;
}

void Connection::forget(std::string_view sql) {
  const auto it = by_sql_.find(sql);
  if (it == by_sql_.end()) return;
  const auto entry = it->second;
  by_sql_.erase(it);
  entries_.erase(entry);
}

Result<c::Index> Connection::extract(std::string_view sql, ExtractedHandle& out) {
  if (const std::size_t zero = sql.find('\0'); zero != std::string_view::npos) {
    const LineColumn at = line_column(sql, zero);
    return Error{Code::kSql, "the SQL contains a NUL character", {"", at.line, at.column}};
  }
  const std::string text(sql);
  const c::Index count = api().extract_statements(connection_, text.c_str(), out.out());
  if (count > 0) return count;
  const char* const reason = api().extract_statements_error(out.get());
  if (reason != nullptr) return sql_error(reason, sql);
  return Error{Code::kSql, "the SQL is empty: there is no statement in it"};
}

Result<std::unique_ptr<PreparedSql>> Connection::prepare(c::ExtractedStatements statements,
                                                         c::Index index, const SqlPiece* piece,
                                                         std::string_view sql, const RunText& run) {
  auto prepared = std::make_unique<PreparedSql>(api());
  identity_seen_ = false;
  function_seen_ = false;
  const c::State state =
      api().prepare_extracted_statement(connection_, statements, index, prepared->handle.out());
  const c::PreparedStatement handle = prepared->handle.get();
  if (state != c::kSuccess) {
    Error error = sql_error(api().prepare_error(handle), sql, run);
    if (is_database_failure(error)) set_suspect();
    return error;
  }

  prepared->run.shift = run.shift;
  prepared->run.insertions = run.insertions;
  prepared->type = api().prepared_statement_type(handle);
  prepared->changes_session = changes_session(prepared->type, piece);
  const c::Index count = api().nparams(handle);
  prepared->parameters.reserve(count);
  for (c::Index i = 1; i <= count; ++i) {
    const char* const name = api().parameter_name(handle, i);
    const TypeHandle type(api(), api().param_logical_type(handle, i));
    prepared->parameters.push_back({name == nullptr ? "" : name, read_type(api(), type.get()).id});
    api().free(const_cast<char*>(name));
  }
  prepared->uses_identity = identity_seen_;
  if (identity_seen_) prepared->identity = identity();
  prepared->uses_function = function_seen_;
  return prepared;
}

Result<std::unique_ptr<PreparedSql>> Connection::prepare_instead(std::string_view sql,
                                                                 const RunText& text,
                                                                 const SqlPiece& piece) {
  ExtractedHandle statements(api());
  if (api().extract_statements(connection_, text.text.c_str(), statements.out()) != 1) {
    return sql_error(api().extract_statements_error(statements.get()), sql, text);
  }
  return prepare(statements.get(), 0, &piece, sql, text);
}

std::string Connection::identity() const {
  return identity_of(caller_);
}

const Caller* Connection::bind_identity() {
  identity_seen_ = true;
  return caller_;
}

void Connection::abandon_active() {
  if (active_ != nullptr) active_->abandon();
}

void Connection::before(const PreparedSql& prepared) {
  dirty_ = dirty_ || prepared.changes_session;
  transaction_ = transaction_ || prepared.type == c::kStatementTransaction;
}

void Connection::after(const PreparedSql& prepared) {
  if (changes_meaning(prepared.type)) {
    instance_.next_generation();
    transaction_ddl_ = transaction_;
  } else if (prepared.type == c::kStatementTransaction && transaction_ddl_) {
    // DuckDB itself does not notice, for instance, that a view was replaced by a COMMIT.
    instance_.next_generation();
    transaction_ddl_ = false;
  }
}

bool Connection::reset() {
  set_caller(nullptr);
  abandon_active();
  if (suspect_ && !run("SELECT 1")) instance_.set_invalid();
  if (dirty_ || suspect_) return false;
  // Without an open transaction this is an error that nobody sees.
  if (transaction_) run("ROLLBACK");
  transaction_ = transaction_ddl_ = false;
  return true;
}

void Connection::enable_progress() {
  if (progress_) return;
  run("SET enable_progress_bar=true");
  run("SET enable_progress_bar_print=false");
  run("SET progress_bar_time=0");
  progress_ = true;
}

bool Connection::run(const char* sql) {
  ResultHandle result(api());
  return api().query(connection_, sql, result.out()) == c::kSuccess;
}

}  // namespace mxcp::engine
