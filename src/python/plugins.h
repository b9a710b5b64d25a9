// Plugin instances of the site file. With the GIL held.
#pragma once

#include "python/py_ref.h"

#include <vector>

#include "base/error.h"
#include "engine/scalar_function.h"
#include "project/project.h"

namespace mxcp::python {

struct Plugins {
  engine::ScalarFunctions functions;  // their methods with @udf
  // Plugins that failed, with the place in the site file or in the plugin's own.
  std::vector<Error> errors;
};
// Makes every plugin of mxcp-site.yml and keeps it in state().plugins by its name. With `instances`
// false the classes are only looked at: their functions have names and types, and cannot run.
Plugins create_plugins(const project::Project& project, bool instances);

// Calls shutdown() of every plugin, in the order of the site file; failures are logged.
void shut_down_plugins();

}  // namespace mxcp::python
