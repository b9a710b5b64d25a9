// Plugin instances of the site file. With the GIL held.
#pragma once

#include "python/py_ref.h"

#include <vector>

#include "base/error.h"
#include "project/project.h"

namespace mxcp::python {

// Makes every plugin of mxcp-site.yml and keeps it in state().plugins by its name. Those that fail
// are in the result, with the place in the site file or in the plugin's own.
std::vector<Error> create_plugins(const project::Project& project);

// Calls shutdown() of every plugin, in the order of the site file; failures are logged.
void shut_down_plugins();

}  // namespace mxcp::python
