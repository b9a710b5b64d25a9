#include "engine/free_query.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/json.h"
#include "base/text.h"

namespace mxcp::engine {
namespace {

// Table functions that read nothing but the database and their arguments. Sorted.
constexpr std::array<std::string_view, 30> kTableFunctions = {
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
    "histogram",
    "histogram_values",
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

// Scalar functions that change something, tell settings (which may be keys) or only hold a worker.
constexpr std::array<std::string_view, 7> kRefusedFunctions = {
    "current_setting", "getenv", "nextval", "setseed", "setval", "sleep_ms", "write_log",
};

constexpr const char* kAllowed =
    "one SELECT on the tables and views of this database is allowed here";

// What a statement refers to, by its syntax tree.
struct References {
  std::set<std::string> tables;           // also names of common table expressions
  std::set<std::string> named_queries;    // WITH name AS ...
  std::set<std::string> table_functions;  // lower case
  std::set<std::string> functions;        // lower case
};

const std::string* text_member(const Value& node, std::string_view key) {
  const Value* const member = node.find(key);
  return member == nullptr ? nullptr : member->as_string();
}

// The tree is as deep as the parser of JSON allows.
void collect(const Value& node, References& found) {
  if (const Array* const items = node.as_array()) {
    for (const Value& item : *items) collect(item, found);
    return;
  }
  const Object* const object = node.as_object();
  if (object == nullptr) return;
  const std::string* const type = text_member(node, "type");
  if (type != nullptr && *type == "TABLE_FUNCTION") {
    const Value* const function = node.find("function");
    const std::string* const name =
        function == nullptr ? nullptr : text_member(*function, "function_name");
    found.table_functions.insert(name == nullptr ? "?" : to_lower(*name));
    // Its arguments, but not itself as a scalar function.
    if (function != nullptr && function->as_object() != nullptr) {
      for (const auto& [key, value] : *function->as_object()) collect(value, found);
    }
    return;
  }
  if (type != nullptr && (*type == "BASE_TABLE" || *type == "SHOW_REF")) {
    if (const auto* const name = text_member(node, "table_name"); name && !name->empty()) {
      found.tables.insert(*name);
    }
  }
  if (const auto* const name = text_member(node, "function_name")) {
    found.functions.insert(to_lower(*name));
  }
  for (const auto& [key, value] : *object) {
    if (key == "cte_map") {
      const Value* const map = value.find("map");
      if (map != nullptr && map->as_array() != nullptr) {
        for (const Value& entry : *map->as_array()) {
          if (const auto* const name = text_member(entry, "key")) {
            found.named_queries.insert(to_lower(*name));
          }
        }
      }
    }
    collect(value, found);
  }
}

Error refused(std::string message) {
  return {Code::kSql, std::move(message), {}, kAllowed};
}

// The first cell of the first row of a query of ours; null when there is no row.
Result<Value> ask(Lease& lease, std::string_view sql, const std::string& argument,
                  const ExecuteOptions& options) {
  ExecuteOptions quiet;
  quiet.cancel = options.cancel;
  MXCP_TRY(ResultSet rows, lease.execute(sql, {{"x", argument}}, quiet));
  MXCP_TRY(const ValueRows found, rows_to_values(rows, {.max_rows = 1}));
  if (found.values.empty() || found.values.front().as_object() == nullptr) return Value();
  const Object& row = *found.values.front().as_object();
  return row.begin() == row.end() ? Value() : row.begin()->second;
}

Result<References> references_of(Lease& lease, const std::string& sql,
                                 const ExecuteOptions& options) {
  MXCP_TRY(const Value text, ask(lease, "SELECT json_serialize_sql($x::VARCHAR)", sql, options));
  if (text.as_string() == nullptr) return refused("the statement cannot be read");
  // Deeper than any query that makes sense.
  auto tree = parse_json(*text.as_string(), {.max_depth = 400});
  if (!tree.ok()) return refused("the statement is nested too deeply");
  if (const Value* const failed = tree->find("error");
      failed && failed->as_bool() && *failed->as_bool()) {
    const std::string* const type = text_member(*tree, "error_type");
    if (type != nullptr && *type == "parser") {
      const std::string* const message = text_member(*tree, "error_message");
      return Error{Code::kSql, "Parser Error: " + (message == nullptr ? "" : *message)};
    }
    return refused("this statement does more than read");
  }
  const Value* const statements = tree->find("statements");
  const Array* const list = statements == nullptr ? nullptr : statements->as_array();
  if (list == nullptr || list->size() != 1) return refused("this is more than one statement");
  References found;
  collect(*list, found);
  return found;
}

Status check_tables(Lease& lease, const References& found, const ExecuteOptions& options) {
  for (const std::string& table : found.tables) {
    if (found.named_queries.contains(to_lower(table))) continue;
    MXCP_TRY(const Value known,
             ask(lease,
                 "SELECT 1 FROM duckdb_tables() WHERE lower(table_name) = lower($x) UNION ALL "
                 "SELECT 1 FROM duckdb_views() WHERE lower(view_name) = lower($x) LIMIT 1",
                 table, options));
    if (!known.is_null()) continue;
    return Error{Code::kNotFound,
                 "there is no table or view '" + shorten(table, 80) + "'",
                 {},
                 "list_tables names them; files cannot be read here"};
  }
  return {};
}

Status check_functions(Lease& lease, const References& found, const ExecuteOptions& options) {
  for (const std::string& name : found.table_functions) {
    if (std::binary_search(kTableFunctions.begin(), kTableFunctions.end(), name)) continue;
    // A macro of the project's own, that is: of its author.
    MXCP_TRY(const Value macro,
             ask(lease,
                 "SELECT 1 FROM duckdb_functions() WHERE lower(function_name) = $x AND "
                 "function_type = 'table_macro' AND NOT internal LIMIT 1",
                 name, options));
    if (macro.is_null())
      return refused("the table function '" + shorten(name, 80) + "' is refused");
  }
  for (const std::string_view name : kRefusedFunctions) {
    if (found.functions.contains(std::string(name))) {
      return refused("the function '" + std::string(name) + "' is refused");
    }
  }
  return {};
}

}  // namespace

Result<RowsRead> run_free_query(Lease& lease, const std::string& sql, std::string& out,
                                const RowLimits& limits, const ExecuteOptions& options) {
  static_assert(std::is_sorted(kTableFunctions.begin(), kTableFunctions.end()));
  MXCP_TRY(const References found, references_of(lease, sql, options));
  MXCP_TRY(check_functions(lease, found, options));
  MXCP_TRY(check_tables(lease, found, options));
  ExecuteOptions quiet;
  quiet.cancel = options.cancel;
  MXCP_TRY(const ResultSet begun, lease.execute("BEGIN TRANSACTION READ ONLY", {}, quiet));
  auto run = [&]() -> Result<RowsRead> {
    MXCP_TRY(ResultSet rows, lease.execute(sql, {}, options));
    return rows_to_json(rows, out, limits);
  };
  auto result = run();
  // When it fails, the lease rolls back as it ends.
  (void)lease.execute("ROLLBACK", {}, {});
  return result;
}

}  // namespace mxcp::engine
