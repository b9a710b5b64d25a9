// Value -> Python object: arguments of calls, configuration, plugin settings.
//
// Integers of any size become int, other numbers float, dates and times datetime's types, bytes
// bytes, objects dict in their order. The result is fresh: user code may change it. With the GIL
// held.
#pragma once

#include "python/py_ref.h"

#include "base/value.h"

namespace mxcp::python {

// nullptr with a Python exception set: out of memory, a date that Python cannot hold.
PyRef to_python(const Value& value);
PyRef to_python(const Object& object);

}  // namespace mxcp::python
