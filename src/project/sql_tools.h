// The built-in SQL tools: endpoints like those that a project writes itself, with their YAML in the
// program (mxcp-features 6.7).
#pragma once

#include <memory>
#include <vector>

#include "project/endpoint.h"
#include "project/site_config.h"

namespace mxcp::project {

// execute_sql_query, list_tables and get_table_schema, with the descriptions of the site file.
std::vector<std::shared_ptr<const Endpoint>> built_in_sql_tools(const SqlToolsConfig& config);

}  // namespace mxcp::project
