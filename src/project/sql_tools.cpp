#include "project/sql_tools.h"

#include <array>
#include <string_view>
#include <utility>

#include "base/log.h"

namespace mxcp::project {
namespace {

constexpr std::string_view kQuery = R"(
mxcp: 1
tool:
  name: execute_sql_query
  description: |-
    Runs one SQL query (DuckDB dialect) on the database and returns its rows. It can read tables and
    views; it cannot change data, read files or attach databases. Long results are cut; use LIMIT
    and OFFSET for more. list_tables and get_table_schema tell what there is.
  annotations: {title: Run a SQL query, readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false}
  parameters:
    - {name: sql, type: string, description: "One SELECT statement, without parameters", minLength: 1, maxLength: 100000}
  return: {type: array, items: {type: object}, description: "An item a row, by column name"}
  source: {code: the argument sql}
)";

constexpr std::string_view kTables = R"(
mxcp: 1
tool:
  name: list_tables
  description: |-
    Lists the tables and views of the database. Those outside the schema main have their schema in
    front of the name.
  annotations: {title: List tables, readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false}
  return:
    type: array
    items:
      type: object
      properties:
        name: {type: string}
        type: {type: string, description: BASE TABLE or VIEW}
      required: [name, type]
  source:
    code: |
      SELECT CASE WHEN table_schema = 'main' THEN table_name
                  ELSE table_schema || '.' || table_name END AS name,
             table_type AS type
      FROM information_schema.tables
      WHERE table_catalog = current_database()
      ORDER BY table_schema <> 'main', name
)";

constexpr std::string_view kSchema = R"(
mxcp: 1
tool:
  name: get_table_schema
  description: Lists the columns of a table or view, in their order.
  annotations: {title: Columns of a table, readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false}
  parameters:
    - {name: table_name, type: string, description: "As list_tables names it; also schema.table", minLength: 1, maxLength: 500}
  return:
    type: array
    items:
      type: object
      properties:
        name: {type: string}
        type: {type: string, description: "DuckDB's name of the type"}
        nullable: {type: boolean}
      required: [name, type, nullable]
  source:
    code: |
      WITH found AS (
        SELECT column_name, data_type, is_nullable, ordinal_position
        FROM information_schema.columns
        WHERE table_catalog = current_database()
          AND ((table_schema = 'main' AND lower(table_name) = lower($table_name))
               OR lower(table_schema || '.' || table_name) = lower($table_name)))
      SELECT column_name AS name, data_type AS type, is_nullable = 'YES' AS nullable
      FROM found
      WHERE (SELECT count(*) FROM found) > 0
         OR error('there is no table or view ''' || $table_name || '''; list_tables names them') IS NULL
      ORDER BY ordinal_position
)";

}  // namespace

std::vector<std::shared_ptr<const Endpoint>> built_in_sql_tools(const SqlToolsConfig& config) {
  std::vector<std::shared_ptr<const Endpoint>> tools;
  for (const std::string_view text : {kQuery, kTables, kSchema}) {
    const EndpointFile file = parse_endpoint(text, "built-in SQL tool");
    if (!file.endpoint) {
      for (const Error& error : file.errors) log::error("project", "{}", error.text());
      continue;
    }
    Endpoint tool = *file.endpoint;
    tool.free_sql = text.data() == kQuery.data();
    if (const auto limits = config.limits.find(tool.name); limits != config.limits.end()) {
      tool.limits = limits->second;
    }
    const auto own = config.descriptions.find(tool.name);
    if (own != config.descriptions.end()) tool.description = own->second;
    tools.push_back(std::make_shared<const Endpoint>(std::move(tool)));
  }
  return tools;
}

}  // namespace mxcp::project
