// Python's datetime types, whose C API is a macro with a static pointer per source file: it lives
// in datetimes.cpp alone. With the GIL held.
#pragma once

#include "python/py_ref.h"

#include <optional>

#include "base/value.h"

namespace mxcp::python {

// nullptr with a Python exception when Python's year range (1 to 9999) does not hold the date.
PyRef to_python(Date date);
PyRef to_python(Time time);
PyRef to_python(Timestamp timestamp);
// Microseconds of any size; nullptr with OverflowError past what timedelta holds.
PyRef to_timedelta(std::int64_t days, std::int64_t micros);

// What a datetime object holds.
struct Temporal {
  enum class Kind { kNone, kDate, kTime, kTimestamp, kDelta, kError } kind = Kind::kNone;
  Date date = {};
  Time time = {};
  Timestamp timestamp = {};
  std::int64_t micros = 0;  // kDelta; its days are in `date`
};
// kNone when `object` is none of datetime's types (cheap: their module is not imported for this);
// kError with a Python exception set when its tzinfo raises.
Temporal read_temporal(PyObject* object);

}  // namespace mxcp::python
