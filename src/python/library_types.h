// Objects of other people's classes: where their type comes from, and the plain Python objects that
// say the same. Types are known by the package that defines them, so nothing is imported.
//
// With the GIL held.
#pragma once

#include "python/py_ref.h"

#include <string>
#include <string_view>

#include "base/value.h"

namespace mxcp::python {

// "Timestamp", and "pandas.Timestamp" (without the package for builtins).
std::string bare_name(const PyTypeObject* type);
std::string type_name(PyTypeObject* type);
// Whether a class anywhere in the type's ancestry comes from the package: "numpy", "enum".
bool comes_from(PyTypeObject* type, std::string_view package);

// What to read in place of an object of numpy, pandas, polars, pyarrow or fractions.
struct PlainForm {
  bool known = false;      // false: it is of none of them
  PyRef object;            // null: a Python exception is set
  bool has_times = false;  // for finish()
  PyRef field_names;       // also
  long dimensions = 0;     // also
};
PlainForm plain_form(PyObject* object);
// What numpy's plain objects do not say, in the value that was read from them: a missing time is
// null, and a record with named fields an object.
void finish(const PlainForm& form, Value& value);

}  // namespace mxcp::python
