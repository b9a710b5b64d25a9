// Reading `limits:`; private to project/.
#pragma once

#include "project/endpoint.h"
#include "project/fields.h"
#include "project/limits.h"

namespace mxcp::project {

// The keys of an endpoint's `limits:` replace what is in `limits`.
void read_endpoint_limits(Problems& problems, Fields& endpoint, EndpointKind kind, Limits& limits);
// Those of mxcp-site.yml.
void read_site_limits(Problems& problems, Fields& top, Limits& limits, ServerLimits& server);
// `tasks:` of mxcp-site.yml; what it does not name stays.
void read_task_limits(Problems& problems, Fields& top, TaskLimits& limits);
// Those of a built-in SQL tool in mxcp-site.yml.
void read_sql_tool_limits(Problems& problems, Fields& tool, Limits& limits);

}  // namespace mxcp::project
