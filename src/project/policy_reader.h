// Reading `policies:` of an endpoint file; private to project/.
#pragma once

#include "project/endpoint.h"
#include "project/fields.h"

namespace mxcp::project {

// `policies: {input: [...], output: [...]}`, after the parameters and the return type: conditions
// are compiled against the names they may use. `parameters_known`: false when the parameters have
// problems of their own; conditions are then not looked into.
void read_policies(Problems& problems, Fields& endpoint_fields, bool parameters_known,
                   Endpoint& endpoint);

}  // namespace mxcp::project
