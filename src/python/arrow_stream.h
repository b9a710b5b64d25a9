// A query's rows as an Arrow stream in a capsule, for whoever takes __arrow_c_stream__.
#pragma once

#include "python/py_ref.h"

#include <memory>

#include "python/query.h"

namespace mxcp::python {

// A capsule "arrow_array_stream" that keeps the query and reads its rows; with the GIL held, with
// the query's lock. Nothing when a Python exception is set.
PyRef arrow_capsule(std::shared_ptr<HeldQuery> held);

}  // namespace mxcp::python
