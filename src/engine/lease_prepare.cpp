// Lease::prepare and has_cast: what is known about a source without running it.
#include <algorithm>
#include <optional>

#include "engine/arguments.h"
#include "engine/binding.h"
#include "engine/column_type.h"
#include "engine/lease_impl.h"
#include "engine/result_state.h"
#include "engine/sql_error.h"
#include "engine/vector_reader.h"

namespace mxcp::engine {
namespace {

using types::Arguments;

bool makes_things(const SqlPiece& piece) {
  static constexpr std::string_view kMakers[] = {"CREATE", "ALTER", "ATTACH", "USE",  "SET",
                                                 "LOAD",   "DROP",  "IMPORT", "CALL", "COPY"};
  return !piece.words.empty() &&
         std::find(std::begin(kMakers), std::end(kMakers), piece.words[0]) != std::end(kMakers);
}

StatementInfo describe(const Api& api, const PreparedSql& prepared, const SqlPiece* piece) {
  StatementInfo info;
  const c::PreparedStatement handle = prepared.handle.get();
  for (std::size_t i = 0; i < prepared.parameters.size(); ++i) {
    const TypeHandle type(api, api.param_logical_type(handle, i + 1));
    info.parameters.push_back({prepared.parameters[i].name, read_type(api, type.get()).name});
  }
  for (c::Index i = 0, n = api.prepared_statement_column_count(handle); i < n; ++i) {
    const TypeHandle type(api, api.prepared_statement_column_logical_type(handle, i));
    const char* const name = api.prepared_statement_column_name(handle, i);
    info.columns.push_back({name == nullptr ? "" : name, read_type(api, type.get())});
    api.free(const_cast<char*>(name));
  }
  // DuckDB's placeholder for a result that depends on the types of its parameters.
  if (info.columns.size() == 1 && info.columns[0].type.name.empty()) info.columns.clear();
  make_names_unique(info.columns);
  info.read_only = is_read_only(prepared.type, piece);
  if (piece != nullptr) info.offset = piece->begin;
  return info;
}

// Plans one statement for the values of a call, in the form in which a call runs it. A SELECT is
// described, which binds it and answers with its columns; anything else is explained, which plans
// it. Neither runs it: values are NULLs of their types, so that no value is computed with.
class Planner {
 public:
  Planner(Connection& connection, std::string_view sql, const SqlPiece& piece,
          const Arguments& examples)
      : connection_(connection), sql_(sql), piece_(piece), examples_(examples) {}

  // Into `info`: the columns of a SELECT, or why DuckDB refuses.
  void plan(const PreparedSql& plain, StatementInfo& info) const {
    const bool select = plain.type == c::kStatementSelect;
    if (!select && !changes_rows(plain.type)) return;
    if (!says_more(plain, info)) return;
    const std::string_view verb = select ? "DESCRIBE " : "EXPLAIN ";
    Result<std::vector<Column>> planned = Error{Code::kSql, ""};
    if (piece_.repeats_parameter()) {
      planned = run(verb, with_distinct_parameters(sql_, piece_), true, select);
    }
    if (!planned.ok()) planned = run(verb, as_it_stands(sql_, piece_), false, select);
    if (!planned.ok()) {
      info.columns.clear();
      info.refused = std::move(planned).error();
    } else if (select) {
      forget_integers(*planned, info.columns);
      info.columns = *std::move(planned);
    }
  }

 private:
  // DuckDB 1.x says INTEGER of what comes out as NULL, whatever its type is, and all values are
  // NULL here. So what it says counts only where it said the same without values.
  void forget_integers(std::vector<Column>& planned, const std::vector<Column>& plain) const {
    if (!std::string_view(connection_.api().library_version()).starts_with("v1.")) return;
    for (std::size_t i = 0; i < planned.size(); ++i) {
      const bool sure =
          plain.size() == planned.size() && plain[i].type.name == planned[i].type.name;
      if (!sure && planned[i].type.name.find("INTEGER") != std::string::npos) planned[i].type = {};
    }
  }

  static bool changes_rows(c::StatementType type) {
    return type == c::kStatementInsert || type == c::kStatementUpdate ||
           type == c::kStatementDelete;
  }

  const Value& example(std::string_view name) const {
    static const Value kNull;
    const Value* const found = find_argument(examples_, name);
    return found == nullptr ? kNull : *found;
  }

  // Not where DuckDB inferred the types that the values have, as for most statements: it runs the
  // plan that it has then.
  bool says_more(const PreparedSql& plain, const StatementInfo& info) const {
    if (examples_.empty() || plain.parameters.empty()) return false;
    if (info.columns.empty() || piece_.repeats_parameter()) return true;
    for (std::size_t i = 0; i < plain.parameters.size(); ++i) {
      const PreparedSql::Parameter& parameter = plain.parameters[i];
      const std::string bound =
          bound_type_name(connection_.api(), example(parameter.name), parameter.type);
      if (bound != info.parameters[i].type) return true;
    }
    return false;
  }

  Result<std::vector<Column>> run(std::string_view verb, RunText text, bool distinct,
                                  bool select) const {
    text.text.insert(0, verb);
    text.shift += static_cast<std::ptrdiff_t>(verb.size());
    for (auto& insertion : text.insertions) insertion.at += verb.size();
    MXCP_TRY(const std::unique_ptr<PreparedSql> prepared,
             connection_.prepare_instead(sql_, text, piece_));
    if (distinct) prepared->set_distinct();
    const Api& api = connection_.api();
    const c::PreparedStatement handle = prepared->handle.get();
    for (std::size_t i = 0; i < prepared->parameters.size(); ++i) {
      const auto& [name, type] = prepared->parameters[i];
      MXCP_TRY(bind_null_like(api, handle, i + 1, name, example(name), type));
    }
    auto state = std::make_unique<ResultState>(connection_, nullptr, sql_, *prepared);
    if (api.pending_prepared(handle, state->pending.out()) != c::kSuccess) {
      return state->error(api.pending_error(state->pending.get()), c::kErrorInvalid);
    }
    if (!select) return std::vector<Column>{};
    state->begin();
    const c::State done = api.execute_pending(state->pending.get(), state->result.out());
    state->pending.reset();
    if (done != c::kSuccess) {
      c::Result* const failed = state->result.get();
      return state->error(api.result_error(failed), api.result_error_type(failed));
    }
    state->read_columns();
    return read(ResultState::make(std::move(state)), distinct);
  }

  // The answer to DESCRIBE: names and the texts of types.
  Result<std::vector<Column>> read(ResultSet rows, bool distinct) const {
    std::vector<Column> columns;
    std::vector<std::string> types;
    while (true) {
      MXCP_TRY(void* const chunk, rows.next_chunk());
      if (chunk == nullptr) break;
      const ChunkView view(connection_.api(), chunk);
      const VectorView names = view.column(0, rows.columns()[0].type);
      const VectorView texts = view.column(1, rows.columns()[1].type);
      for (std::size_t row = 0; row < view.rows(); ++row) {
        std::string name(names.get_string(row));
        columns.push_back({distinct ? with_plain_parameters(name) : std::move(name), {}});
        types.emplace_back(texts.get_string(row));
      }
    }
    if (!read_types(types, columns)) {
      for (std::size_t i = 0; i < columns.size(); ++i) {
        std::vector<Column> one(1);
        if (read_types({types[i]}, one)) columns[i].type = std::move(one[0].type);
      }
    }
    make_names_unique(columns);
    return columns;
  }

  // False: DuckDB cannot read one of its own names; that type stays unknown.
  bool read_types(const std::vector<std::string>& types, std::vector<Column>& columns) const {
    std::string nulls = "SELECT ";
    for (const std::string& type : types) {
      if (&type != &types.front()) nulls += ", ";
      nulls += "CAST(NULL AS " + type + ")";
    }
    const Api& api = connection_.api();
    RunText text;
    text.text = std::move(nulls);
    const auto prepared = connection_.prepare_instead(text.text, text, piece_);
    if (!prepared.ok()) return false;
    const c::PreparedStatement handle = (*prepared)->handle.get();
    if (api.prepared_statement_column_count(handle) != columns.size()) return false;
    for (c::Index i = 0; i < columns.size(); ++i) {
      const TypeHandle type(api, api.prepared_statement_column_logical_type(handle, i));
      columns[i].type = read_type(api, type.get());
    }
    return true;
  }

  Connection& connection_;
  std::string_view sql_;
  const SqlPiece& piece_;
  const Arguments& examples_;
};

}  // namespace

Result<std::vector<StatementInfo>> Lease::prepare(std::string_view sql, const Arguments& examples) {
  Connection& connection = *impl_->connection;
  connection.abandon_active();
  ExtractedHandle statements(connection.api());
  MXCP_TRY(const c::Index count, connection.extract(sql, statements));
  const std::vector<SqlPiece> pieces = split_sql(sql);
  const bool one_to_one = pieces.size() == count;
  std::vector<StatementInfo> out;
  bool made_things = !one_to_one;  // a statement that DuckDB took apart makes a type for the rest
  for (c::Index i = 0; i < count; ++i) {
    const SqlPiece* const piece = one_to_one ? &pieces[i] : nullptr;
    Result<std::unique_ptr<PreparedSql>> prepared =
        connection.prepare(statements.get(), i, piece, sql);
    if (prepared.ok()) {
      out.push_back(describe(connection.api(), **prepared, piece));
      if (piece != nullptr) Planner(connection, sql, *piece, examples).plan(**prepared, out.back());
    } else if (i > 0 && made_things) {
      // It may need what an earlier statement makes.
      StatementInfo info;
      for (const std::string& name : piece ? piece->parameters : parameter_names(pieces)) {
        info.parameters.push_back({name, ""});
      }
      if (piece != nullptr) info.offset = piece->begin;
      info.read_only =
          piece != nullptr && !piece->words.empty() &&
          (piece->words[0] == "SELECT" || piece->words[0] == "FROM" || piece->words[0] == "VALUES");
      out.push_back(std::move(info));
    } else {
      return std::move(prepared).error();
    }
    made_things = made_things || (piece != nullptr && makes_things(*piece));
  }
  return out;
}

bool Lease::has_cast(const Value& example, const std::string& type) {
  const auto done = [&]() -> Status {
    MXCP_TRY(ResultSet rows, execute("SELECT CAST($x AS " + type + ")", {{"x", example}}));
    MXCP_TRY(void* const chunk, rows.next_chunk());
    (void)chunk;
    return {};
  }();
  // What DuckDB says of two types, whatever the value is.
  return done.ok() || done.error().message.find("Unimplemented type for cast") == std::string::npos;
}

}  // namespace mxcp::engine
