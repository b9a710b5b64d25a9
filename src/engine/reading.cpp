#include "engine/reading.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"
#include "engine/sql_text.h"

namespace mxcp::engine {
namespace {

template <std::size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Answer differently each time, or are marked so by DuckDB, but change nothing. The last ones are
// ours (user_functions.h).
constexpr std::array<std::string_view, 19> kHarmless = {"current_connection_id",
                                                        "current_query",
                                                        "current_query_id",
                                                        "current_transaction_id",
                                                        "currval",
                                                        "error",
                                                        "gen_random_uuid",
                                                        "random",
                                                        "stats",
                                                        "uuid",
                                                        "uuidv4",
                                                        "uuidv7",
                                                        "vector_type",
                                                        "get_username",
                                                        "get_user_email",
                                                        "get_user_provider",
                                                        "get_user_external_token",
                                                        "get_request_headers_json",
                                                        "get_request_header"};

// query() and query_table() are not among them: their text is anything.
constexpr std::array<std::string_view, 20> kReadingTables = {"generate_series",
                                                             "glob",
                                                             "histogram",
                                                             "histogram_values",
                                                             "icu_calendar_names",
                                                             "json_each",
                                                             "json_tree",
                                                             "pg_timezone_names",
                                                             "range",
                                                             "repeat",
                                                             "repeat_row",
                                                             "sniff_csv",
                                                             "summary",
                                                             "test_all_types",
                                                             "unnest",
                                                             "parquet_scan",
                                                             "iceberg_scan",
                                                             "delta_scan",
                                                             "sqlite_scan",
                                                             "postgres_scan"};
constexpr std::array<std::string_view, 4> kReadingPrefixes = {"duckdb_", "pragma_", "parquet_",
                                                              "read_"};

bool reads(std::string_view table_function) {
  return is_one_of(table_function, kReadingTables) ||
         std::any_of(kReadingPrefixes.begin(), kReadingPrefixes.end(),
                     [&](std::string_view prefix) { return table_function.starts_with(prefix); });
}

std::string text_of(const Value& row, std::string_view column) {
  const Value* const value = row.find(column);
  const std::string* const text = value == nullptr ? nullptr : value->as_string();
  return text == nullptr ? "" : *text;
}

bool is_true(const Value& row, std::string_view column) {
  const Value* const value = row.find(column);
  return value != nullptr && value->as_bool() != nullptr && *value->as_bool();
}

Result<Array> rows_of(Lease& lease, std::string_view sql) {
  MXCP_TRY(ResultSet rows, lease.execute(sql, {}));
  MXCP_TRY(ValueRows list, rows_to_values(rows, {}));
  return std::move(list.values);
}

}  // namespace

Result<Reading> Reading::load(Lease& lease) {
  Reading out;
  MXCP_TRY(const Array functions,
           rows_of(lease,
                   "SELECT DISTINCT lower(function_name) AS name, function_type AS kind, internal, "
                   "coalesce(has_side_effects, false) AS changes, macro_definition AS definition "
                   "FROM duckdb_functions()"));
  for (const Value& row : functions) {
    const std::string name = text_of(row, "name");
    const std::string kind = text_of(row, "kind");
    const bool own = is_true(row, "internal");
    if (kind == "macro" || kind == "table_macro") {
      if (!own) out.macros_.emplace(name, text_of(row, "definition"));
    } else if (kind == "table") {
      if (!own || !reads(name)) out.refused_.insert(name);
    } else if (kind != "pragma") {
      if ((!own || is_true(row, "changes")) && !is_one_of(name, kHarmless)) {
        out.refused_.insert(name);
      }
    }
  }
  MXCP_TRY(const Array views, rows_of(lease,
                                      "SELECT lower(view_name) AS name, sql FROM duckdb_views() "
                                      "WHERE NOT internal"));
  for (const Value& row : views) out.views_.emplace(text_of(row, "name"), text_of(row, "sql"));
  return out;
}

bool Reading::only_reads(std::string_view sql) const {
  if (!engine::only_reads(sql)) return false;
  std::vector<std::string> texts = {std::string(sql)};
  std::set<std::string> seen;  // names of macros and views
  while (!texts.empty()) {
    const std::string text = std::move(texts.back());
    texts.pop_back();
    // U&"\006Eextval" is a name that its text does not show.
    if (to_lower(text).find("u&\"") != std::string::npos) return false;
    const TextNames names = names_in(text);
    const auto look_through = [&](const auto& definitions, const std::string& name) {
      const auto [begin, end] = definitions.equal_range(name);
      if (begin == end || !seen.insert(name).second) return;
      for (auto it = begin; it != end; ++it) texts.push_back(it->second);
    };
    for (const std::string& name : names.called) {
      if (refused_.contains(name)) return false;
      look_through(macros_, name);
    }
    for (const std::string& name : names.all) look_through(views_, name);
  }
  return true;
}

}  // namespace mxcp::engine
