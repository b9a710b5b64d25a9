// Objects of other people's classes: where their type comes from, and the plain Python objects that
// say the same. Types are known by the package that defines them, so nothing is imported.
//
// With the GIL held.
#pragma once

#include "python/py_ref.h"

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/value.h"

namespace mxcp::python {

// "Timestamp", and "pandas.Timestamp" (without the package for builtins).
std::string_view bare_name(const PyTypeObject* type);
std::string type_name(PyTypeObject* type);
// Whether a class anywhere in the type's ancestry comes from the package: "numpy", "enum"; with a
// name, whether that very class is there.
bool comes_from(PyTypeObject* type, std::string_view package, std::string_view name = {});
// pandas' NaT and NA: there is no value.
bool is_missing(const PyTypeObject* type);

// What to read in place of an object of numpy, pandas, polars, pyarrow or fractions.
struct PlainForm {
  // What the integers that were read are, or the texts where a time may be missing.
  enum class Times { kNone, kTexts, kDays, kMicros, kMonthSpans, kMicroSpans };

  bool known = false;          // false: it is of none of them, or has no plain form
  PyRef object;                // null: a Python exception is set, or there is a refusal
  std::string refusal;         // why it cannot be read, and what to do
  Times times = Times::kNone;  // for finish()
  PyRef field_names;           // also
  long dimensions = 0;         // also
};
// Times of numpy become texts with all their digits; `exact` (parameters): dates and timestamps.
PlainForm plain_form(PyObject* object, bool exact);
// A Timestamp or Timedelta of pandas with nanoseconds, which the types of Python that they are
// based on do not have: its ISO 8601 text; refused when `exact`. Not known: anything else.
PlainForm nanosecond_form(PyObject* object, bool exact);
// What numpy's plain objects do not say, in the value that was read from them: a missing time is
// null, an integer a moment or a span of time, and a record with named fields an object.
Status finish(const PlainForm& form, Value& value);

}  // namespace mxcp::python
