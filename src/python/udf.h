// Methods of plugins as SQL functions. With the GIL held.
#pragma once

#include "python/py_ref.h"

#include <string>
#include <vector>

#include "base/error.h"
#include "engine/scalar_function.h"

namespace mxcp::python {

// The methods of a plugin that are marked with @udf, as functions named <method>_<plugin_name>.
// Without an instance (nullptr) their names and types are known, and calling them is an error.
// `mistakes`: those that cannot be SQL functions, each with its place.
Result<engine::ScalarFunctions> udf_functions(PyObject* plugin_class, PyObject* instance,
                                              const std::string& plugin_name,
                                              std::vector<Error>& mistakes);

// What mxcp._plugins says of a mistake: (message, file, line).
Error mistake_of(PyObject* described);

// Writes what a function returned into row `row`; what does not fit is an error that says what was
// expected: "expected int, got str". Decimals are rounded to the scale, half away from zero.
Status write_cell(engine::VectorWriter& out, std::size_t row, PyObject* value);

}  // namespace mxcp::python
