// What mxcp-site.yml and the user's config file share; private to project/.
#pragma once

#include "base/yaml.h"
#include "project/fields.h"

namespace mxcp::project {

// `mxcp:` must be the integer 1 when present. A string is how files of the format before the first
// release began: the error says how to migrate.
void check_config_version(Problems& problems, Fields& top);

}  // namespace mxcp::project
