// Lifecycle hooks, plugins' shutdown, reload payloads: functions without parameters that the
// runtime calls. With the GIL held.
#pragma once

#include "python/py_ref.h"

#include <string>
#include <vector>

#include "base/error.h"

namespace mxcp::python {

// Calls it and, when the result is awaitable, awaits that on the event loop; waits for the end
// without the GIL. Not on the loop's own thread.
Status call_and_wait(PyObject* function);

// One after the other; one that fails is logged with its traceback, and the next one runs. A copy:
// a hook may register further ones (which do not run any more).
void run_hooks(std::vector<PyRef> hooks, const std::string& what);

// Whether `await object` can work.
bool is_awaitable(PyObject* object);

}  // namespace mxcp::python
