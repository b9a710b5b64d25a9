#include "engine/free_query.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "engine/sql_names.h"
#include "engine/sql_text.h"

namespace mxcp::engine {
namespace {

// Table functions that read nothing but the database and their arguments. Not those that take the
// name of a table as text, which may be that of a file (query_table, histogram). Sorted.
constexpr std::array<std::string_view, 28> kTableFunctions = {
    "duckdb_columns",
    "duckdb_constraints",
    "duckdb_databases",
    "duckdb_dependencies",
    "duckdb_functions",
    "duckdb_indexes",
    "duckdb_keywords",
    "duckdb_schemas",
    "duckdb_sequences",
    "duckdb_table_sample",
    "duckdb_tables",
    "duckdb_types",
    "duckdb_views",
    "generate_series",
    "json_each",
    "json_tree",
    "pg_timezone_names",
    "pragma_collations",
    "pragma_database_size",
    "pragma_show",
    "pragma_storage_info",
    "pragma_table_info",
    "pragma_version",
    "range",
    "repeat",
    "repeat_row",
    "summary",
    "unnest",
};

// Operators of a plan that read the database's tables, or what the plan itself makes. Sorted.
constexpr std::array<std::string_view, 10> kOwnScans = {
    "chunk_scan",      "column_data_scan", "cte_scan",        "delim_scan",   "dummy_scan",
    "expression_scan", "index_scan",       "positional_scan", "rec_cte_scan", "seq_scan",
};

// Scalar functions that change something, tell settings (which may be keys), bind SQL that nobody
// looked at, or only hold a worker.
// The last three are ours, and give away what the client proves its identity with.
constexpr std::array<std::string_view, 13> kRefusedFunctions = {
    "current_setting",
    "getenv",
    "getvariable",
    "json_serialize_plan",
    "nextval",
    "pg_sleep",
    "setseed",
    "setval",
    "sleep_ms",
    "write_log",
    "get_request_header",
    "get_request_headers_json",
    "get_user_external_token",
};

constexpr const char* kAllowed =
    "one SELECT on the tables and views of this database is allowed here";

Error refused(std::string message, std::string hint = kAllowed) {
  return {Code::kSql, std::move(message), {}, std::move(hint)};
}

const std::string* text_member(const Value& node, std::string_view key) {
  const Value* const member = node.find(key);
  return member == nullptr ? nullptr : member->as_string();
}

std::string joined(const std::vector<std::string>& path) {
  std::string out;
  for (const std::string& part : path) out += (out.empty() ? "" : ".") + part;
  return out;
}

// One statement that is checked and run.
class FreeQuery {
 public:
  FreeQuery(Lease& lease, const std::string& sql, const ExecuteOptions& options)
      : lease_(lease), sql_(sql), options_(options) {}

  // Nothing of it has run when this is an error.
  Status check();
  // What was checked, and nothing else.
  std::string runnable() const { return explains_ ? "EXPLAIN " + select_ : sql_; }

 private:
  using Rows = Result<Array>;
  // All rows of a query of ours, as objects.
  Rows ask(std::string_view sql, const types::Arguments& arguments = {});
  Result<Value> syntax_tree(const std::string& sql);

  Status read_statement();
  // What a macro does is held to the same rules as what is written out.
  Status look_through_macros();
  Status check_functions() const;
  Status check_tables();
  Status check_plan();
  // The functions that the plan of a statement reads with, lower case.
  Result<std::set<std::string>> scans_of(const std::string& sql);

  Lease& lease_;
  const std::string& sql_;
  const ExecuteOptions& options_;
  std::string select_;  // without a leading EXPLAIN
  bool explains_ = false;
  SqlNames names_;
  std::set<std::string> macros_;                 // lower case, those it calls
  std::vector<std::vector<std::string>> found_;  // database, schema and name of its own tables
};

FreeQuery::Rows FreeQuery::ask(std::string_view sql, const types::Arguments& arguments) {
  ExecuteOptions quiet;
  quiet.cancel = options_.cancel;
  quiet.caller = options_.caller;
  quiet.call = options_.call;
  MXCP_TRY(ResultSet rows, lease_.execute(sql, arguments, quiet));
  MXCP_TRY(ValueRows found, rows_to_values(rows));
  return std::move(found.values);
}

Result<Value> FreeQuery::syntax_tree(const std::string& sql) {
  MXCP_TRY(const Array rows, ask("SELECT json_serialize_sql($x::VARCHAR) AS tree", {{"x", sql}}));
  const std::string* const text = rows.empty() ? nullptr : text_member(rows.front(), "tree");
  if (text == nullptr) return refused("the statement cannot be read");
  // Deeper than any query that makes sense.
  auto tree = parse_json(*text, {.max_depth = 400});
  if (!tree.ok()) return refused("the statement is nested too deeply");
  return tree;
}

Status FreeQuery::read_statement() {
  const std::vector<SqlPiece> pieces = split_sql(sql_);
  if (pieces.empty()) return refused("there is no statement in it");
  if (pieces.size() > 1) return refused("this is more than one statement");
  const std::vector<std::string>& words = pieces.front().words;
  const std::string first = words.empty() ? "" : words.front();
  select_ = sql_;
  if (first == "EXPLAIN") {
    explains_ = true;
    // Blanks instead of it keep the places of errors.
    select_.replace(pieces.front().begin, first.size(), first.size(), ' ');
  }
  MXCP_TRY(const Value tree, syntax_tree(select_));
  if (const Value* const failed = tree.find("error");
      failed && failed->as_bool() && *failed->as_bool()) {
    const std::string* const type = text_member(tree, "error_type");
    if (type != nullptr && *type == "parser") {
      const std::string* const message = text_member(tree, "error_message");
      return Error{Code::kSql, "Parser Error: " + (message == nullptr ? "" : *message)};
    }
    if (first == "PIVOT") {
      return refused("PIVOT needs the values of its columns here",
                     "write them out: PIVOT t ON kind IN ('a', 'b') USING count(*)");
    }
    return refused("this statement does more than read");
  }
  const Value* const statements = tree.find("statements");
  const Array* const list = statements == nullptr ? nullptr : statements->as_array();
  if (list == nullptr || list->size() != 1) return refused("this is more than one statement");
  if (collect_names(list->front(), names_)) return {};
  return refused("the statement refers to something in a way that is not known here");
}

Status FreeQuery::look_through_macros() {
  if (names_.functions.empty() && names_.table_functions.empty()) return {};
  MXCP_TRY(
      const Array macros,
      ask("SELECT lower(function_name) AS name, function_type AS type, macro_definition AS body "
          "FROM duckdb_functions() WHERE function_type IN ('macro', 'table_macro')"));
  std::set<std::string> seen;
  for (bool grown = true; grown;) {
    grown = false;
    for (const Value& macro : macros) {
      const std::string* const name = text_member(macro, "name");
      const std::string* const type = text_member(macro, "type");
      const std::string* const body = text_member(macro, "body");
      if (name == nullptr || type == nullptr) continue;
      if (!names_.functions.contains(*name) && !names_.table_functions.contains(*name)) continue;
      macros_.insert(*name);
      if (!seen.insert(*type + ':' + *name + ':' + (body == nullptr ? "" : *body)).second) continue;
      grown = true;
      Result<Value> tree = body == nullptr
                               ? Result<Value>(Value())
                               : syntax_tree(*type == "macro" ? "SELECT (" + *body + "\n)" : *body);
      const Value* const list = tree.ok() ? tree->find("statements") : nullptr;
      if (list == nullptr || list->as_array() == nullptr || list->as_array()->size() != 1 ||
          !collect_names(list->as_array()->front(), names_)) {
        return refused("the macro '" + shorten(*name, 80) +
                       "' is refused: what it does is not known");
      }
    }
  }
  return {};
}

Status FreeQuery::check_functions() const {
  const auto fail = [&](const std::string& what, const std::string& name) {
    const std::string in =
        macros_.empty() ? "" : "macros that the statement uses are looked through";
    return refused("the " + what + " '" + shorten(name, 80) + "' is refused",
                   in.empty() ? kAllowed : in);
  };
  for (const std::string& name : names_.table_functions) {
    if (std::binary_search(kTableFunctions.begin(), kTableFunctions.end(), name)) continue;
    if (!macros_.contains(name)) return fail("table function", name);
  }
  for (const std::string_view name : kRefusedFunctions) {
    if (names_.functions.contains(std::string(name))) return fail("function", std::string(name));
  }
  return {};
}

// Where DuckDB looks for a name, so that it finds this one and tries no file of that name.
Status FreeQuery::check_tables() {
  constexpr const char* kFind =
      "SELECT database_name AS d, schema_name AS s, name AS n, internal FROM ("
      "SELECT database_name, schema_name, table_name AS name, internal FROM duckdb_tables() "
      "UNION ALL SELECT database_name, schema_name, view_name, internal FROM duckdb_views()) "
      "WHERE lower(name) = lower($n) AND CASE $parts "
      "WHEN 1 THEN (database_name = current_database() AND schema_name = current_schema()) "
      "OR database_name = 'temp' "
      "OR (database_name = 'system' AND schema_name IN ('main', 'pg_catalog')) "
      "WHEN 2 THEN (lower(schema_name) = lower($s) "
      "AND database_name IN (current_database(), 'system', 'temp')) "
      "OR (lower(database_name) = lower($s) AND schema_name = 'main') "
      "WHEN 3 THEN lower(schema_name) = lower($s) AND lower(database_name) = lower($d) "
      "ELSE false END";
  for (const std::vector<std::string>& path : names_.tables) {
    const std::size_t parts = path.size();
    MXCP_TRY(const Array rows, ask(kFind, {{"n", path.back()},
                                           {"s", parts > 1 ? path[parts - 2] : ""},
                                           {"d", parts > 2 ? path[parts - 3] : ""},
                                           {"parts", static_cast<std::int64_t>(parts)}}));
    for (const Value& row : rows) {
      const Value* const internal = row.find("internal");
      if (internal == nullptr || internal->as_bool() == nullptr || *internal->as_bool()) continue;
      found_.push_back({*text_member(row, "d"), *text_member(row, "s"), *text_member(row, "n")});
    }
    if (!rows.empty()) continue;
    return Error{Code::kNotFound,
                 "there is no table or view '" + shorten(joined(path), 80) + "'",
                 {},
                 "list_tables names them; files cannot be read here"};
  }
  return {};
}

void collect_scans(const Value& node, std::set<std::string>& scans) {
  if (const Array* const items = node.as_array()) {
    for (const Value& item : *items) collect_scans(item, scans);
  }
  if (node.as_object() == nullptr) return;
  const Value* const extra = node.find("extra_info");
  const std::string* const function = extra == nullptr ? nullptr : text_member(*extra, "Function");
  const std::string* const name = text_member(node, "name");
  const std::string as = to_lower(trim(function != nullptr ? *function
                                       : name != nullptr   ? *name
                                                           : ""));
  // A function may show itself as something else; then it has a table or the name of a scan.
  const bool scans_something = function != nullptr || as.ends_with("_scan") ||
                               (extra != nullptr && extra->find("Table") != nullptr);
  if (scans_something && !std::binary_search(kOwnScans.begin(), kOwnScans.end(), as)) {
    scans.insert(as);
  }
  if (const Value* const children = node.find("children")) collect_scans(*children, scans);
}

Result<std::set<std::string>> FreeQuery::scans_of(const std::string& sql) {
  std::set<std::string> scans;
  MXCP_TRY(const Array rows, ask("EXPLAIN (FORMAT json)\n" + sql));
  for (const Value& row : rows) {
    const std::string* const text = text_member(row, "explain_value");
    auto plan = text == nullptr ? Result<Value>(Value()) : parse_json(*text, {.max_depth = 4000});
    if (!plan.ok() || plan->is_null()) return refused("the plan of the statement cannot be read");
    collect_scans(*plan, scans);
  }
  return scans;
}

// The last word has what DuckDB is about to run: whatever reads, other than the tables of the
// database, is one of the functions above or stands in a view of the project's own.
Status FreeQuery::check_plan() {
  auto scans = scans_of(select_);
  if (!scans.ok()) {
    // The same error, at its place in the text.
    MXCP_TRY(const auto prepared, lease_.prepare(sql_));
    return std::move(scans).error();
  }
  std::optional<std::set<std::string>> known;
  for (const std::string& name : *scans) {
    if (std::binary_search(kTableFunctions.begin(), kTableFunctions.end(), name)) continue;
    if (!known) {
      known.emplace();
      for (const std::vector<std::string>& path : found_) {
        std::string quoted;
        for (const std::string& part : path) {
          quoted += (quoted.empty() ? "" : ".") + quote_sql(part, '"');
        }
        MXCP_TRY(const auto own, scans_of("FROM " + quoted));
        known->insert(own.begin(), own.end());
      }
    }
    if (!known->contains(name)) {
      return refused("the statement would read with '" + shorten(name, 80) + "'");
    }
  }
  return {};
}

Status FreeQuery::check() {
  MXCP_TRY(read_statement());
  MXCP_TRY(look_through_macros());
  MXCP_TRY(check_functions());
  MXCP_TRY(check_tables());
  return check_plan();
}

}  // namespace

Result<RowsRead> run_free_query(Lease& lease, const std::string& sql, std::string& out,
                                const RowLimits& limits, const ExecuteOptions& options) {
  static_assert(std::is_sorted(kTableFunctions.begin(), kTableFunctions.end()));
  static_assert(std::is_sorted(kOwnScans.begin(), kOwnScans.end()));
  ExecuteOptions quiet;
  quiet.cancel = options.cancel;
  // What is checked and what is run see the same catalogue.
  MXCP_TRY(const ResultSet begun, lease.execute("BEGIN TRANSACTION READ ONLY", {}, quiet));
  auto run = [&]() -> Result<RowsRead> {
    FreeQuery query(lease, sql, options);
    MXCP_TRY(query.check());
    MXCP_TRY(ResultSet rows, lease.execute(query.runnable(), {}, options));
    return rows_to_json(rows, out, limits);
  };
  auto result = run();
  // When it fails, the lease rolls back as it ends.
  (void)lease.execute("ROLLBACK", {}, {});
  return result;
}

}  // namespace mxcp::engine
