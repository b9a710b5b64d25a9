#include "python/library_types.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include "base/calendar.h"
#include "engine/result_set.h"

namespace mxcp::python {
namespace {

// "pandas" for pandas.core.frame.DataFrame, "" for builtins.
std::string_view package_of(const PyTypeObject* type) {
  const std::string_view name = type->tp_name;
  const auto dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}

// Heap types have only their bare name in tp_name; their module is an attribute.
std::string package_of_heap_type(PyTypeObject* type) {
  const PyRef module = find_attribute(reinterpret_cast<PyObject*>(type), "__module__");
  const std::string name = text_of(module.get());
  return name.substr(0, name.find('.'));
}

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;

Status read_times(PlainForm::Times times, Value& value) {
  using Times = PlainForm::Times;
  if (Array* array = value.as_array()) {
    for (Value& item : *array) MXCP_TRY(read_times(times, item));
    return {};
  }
  if (const std::string* text = value.as_string()) {
    if (*text == "NaT") value = Value();  // as numpy writes a missing one
    return {};
  }
  const std::int64_t* const given = value.as_int();
  if (given == nullptr) return {};
  const std::int64_t number = *given;
  constexpr std::int64_t kMissing = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (number == kMissing) {
    value = Value();
    return {};
  }
  const bool narrow = times == Times::kDays || times == Times::kMonthSpans;
  if (narrow && (number >= kMost || number <= -kMost)) {
    return Error{Code::kPython, "the numpy time is outside of what DATE and INTERVAL hold"};
  }
  switch (times) {
    case Times::kDays: value = Date{static_cast<std::int32_t>(number)}; break;
    case Times::kMicros: value = Timestamp{number}; break;
    case Times::kMonthSpans: value = Interval{static_cast<std::int32_t>(number), 0, 0}; break;
    case Times::kMicroSpans: {
      // As timedelta has it: whole days, and the rest of one.
      const auto [days, rest] = floor_split(number, kMicrosPerDay);
      value = Interval{0, static_cast<std::int32_t>(days), rest};
      break;
    }
    case Times::kNone:
    case Times::kTexts: break;
  }
  return {};
}

// The records of a numpy array with named fields: lists become objects.
void name_fields(PyObject* names, long dimensions, Value& value) {
  Array* const array = value.as_array();
  if (array == nullptr) return;
  if (dimensions > 0) {
    for (Value& item : *array) name_fields(names, dimensions - 1, item);
    return;
  }
  Object object;
  for (std::size_t i = 0; i < array->size(); ++i) {
    object.add(text_of(PyTuple_GET_ITEM(names, static_cast<Py_ssize_t>(i))),
               std::move((*array)[i]));
  }
  value = std::move(object);
}

PlainForm known_as(PyRef object) {
  PlainForm form;
  form.known = true;
  form.object = std::move(object);
  return form;
}

PyRef call(const PyRef& object, const char* method) {
  return object ? call_method(object.get(), method) : PyRef();
}

PyRef cast(PyObject* array, const char* type) {
  const PyRef name = to_str(type);
  return name ? call_method(array, "astype", name.get()) : PyRef();
}
PyRef cast(const PyRef& array, const char* type) {
  return array ? cast(array.get(), type) : PyRef();
}

bool same_bytes(const PyRef& one, const PyRef& other) {
  const PyRef a = call(one, "tobytes"), b = call(other, "tobytes");
  return a && b && PyObject_RichCompareBool(a.get(), b.get(), Py_EQ) == 1;
}

// datetime64 and timedelta64 of any unit, in the integers of one that DuckDB has. `values`: the
// method that gives plain objects.
PlainForm numpy_times(PyObject* object, PyObject* dtype, bool moments, const char* values) {
  using Times = PlainForm::Times;
  const std::string text = text_of(find_attribute(dtype, "str").get());  // "<M8[25s]"
  std::string unit = text.substr(std::min(text.find('['), text.size()));
  unit.erase(0, std::min(unit.find_first_not_of("[0123456789"), unit.size()));
  const bool months = unit == "Y]" || unit == "M]";
  const bool dates = moments && (months || unit == "W]" || unit == "D]");
  PlainForm form;
  form.known = true;
  form.times = dates     ? Times::kDays
               : moments ? Times::kMicros
               : months  ? Times::kMonthSpans
                         : Times::kMicroSpans;
  const PyRef made = cast(object, dates     ? "datetime64[D]"
                                  : moments ? "datetime64[us]"
                                  : months  ? "timedelta64[M]"
                                            : "timedelta64[us]");
  const PyRef back = made ? call_method(made.get(), "astype", dtype) : PyRef();
  if (!back) return form;
  // Finer than a microsecond, or beyond what 64 bits hold.
  if (!same_bytes(back, PyRef::borrow(object))) {
    PyErr_Clear();
    form.refusal = std::string("a numpy ") + (moments ? "datetime64" : "timedelta64") +
                   " that is not exact in " +
                   (dates    ? "days"
                    : months ? "months"
                             : "microseconds, which is what TIMESTAMP and INTERVAL hold") +
                   "; round it first, for example with .astype('" +
                   (moments ? "datetime64" : "timedelta64") + "[us]')";
    return form;
  }
  form.object = call(cast(made, "int64"), values);
  return form;
}

PlainForm numpy_form(PyObject* object, bool exact) {
  const PyRef dtype = find_attribute(object, "dtype");
  const std::string kind = dtype ? text_of(find_attribute(dtype.get(), "kind").get()) : "";
  const PyRef dimensions = find_attribute(object, "ndim");
  if (kind.empty() || !dimensions || !PyLong_Check(dimensions.get())) return {};
  const long count = PyLong_AsLong(dimensions.get());
  const char* const values = count == 0 ? "item" : "tolist";
  if (kind == "M" && !exact) {
    PlainForm form = known_as(call(cast(object, "str"), values));
    form.times = PlainForm::Times::kTexts;
    return form;
  }
  if (kind == "M" || kind == "m") return numpy_times(object, dtype.get(), kind == "M", values);
  // Their items are themselves: Python has no such numbers.
  const PyRef size = find_attribute(dtype.get(), "itemsize");
  if (kind == "f" && size && PyLong_AsLong(size.get()) > 8) {
    return known_as(call(cast(object, "float64"), values));
  }
  if (kind == "c") return {};
  PlainForm form = known_as(call_method(object, values));
  if (form.object && kind == "V") form.field_names = find_attribute(dtype.get(), "names");
  form.dimensions = count;
  return form;
}

PlainForm refused(std::string why) {
  PlainForm form;
  form.known = true;
  form.refusal = std::move(why);
  return form;
}

// The names of columns as texts of which no two are the same (id, id_1), or nothing when they are
// that already. A Python exception may be set.
PyRef unique_names(const PyRef& labels) {
  const PyRef list = PyRef::steal(labels ? PySequence_List(labels.get()) : nullptr);
  if (!list) return {};
  std::vector<engine::Column> columns;
  std::set<std::string> seen;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list.get()); ++i) {
    PyObject* const label = PyList_GET_ITEM(list.get(), i);
    columns.push_back({PyUnicode_Check(label) ? text_of(label) : str_of(label), {}});
    seen.insert(columns.back().name);
  }
  if (seen.size() == columns.size()) return {};
  engine::make_names_unique(columns);
  PyRef names = PyRef::steal(PyList_New(0));
  for (const engine::Column& column : columns) {
    const PyRef name = to_str(column.name);
    if (!names || !name || PyList_Append(names.get(), name.get()) != 0) return {};
  }
  return names;
}

// A list of dicts would keep one of two columns of a name.
PlainForm pandas_frame_form(PyObject* frame) {
  PyRef renamed = PyRef::borrow(frame);
  const PyRef names = unique_names(call(find_attribute(frame, "columns"), "tolist"));
  if (names) {
    const PyRef method = PyRef::steal(PyObject_GetAttrString(frame, "set_axis"));
    const PyRef arguments = PyRef::steal(PyTuple_Pack(1, names.get()));
    const PyRef options = PyRef::steal(Py_BuildValue("{s:i}", "axis", 1));
    if (!method || !arguments || !options) return known_as({});
    renamed = PyRef::steal(PyObject_Call(method.get(), arguments.get(), options.get()));
  }
  const PyRef records = to_str("records");
  if (PyErr_Occurred() != nullptr || !renamed || !records) return known_as({});
  return known_as(call_method(renamed.get(), "to_dict", records.get()));
}

PlainForm arrow_form(PyObject* object) {
  const bool list = static_cast<bool>(find_attribute(object, "to_pylist"));
  if (!list) {
    if (!find_attribute(object, "as_py")) return {};
    return known_as(call_method(object, "as_py"));
  }
  PyRef renamed = PyRef::borrow(object);
  const PyRef columns =
      find_attribute(object, "rename_columns") ? find_attribute(object, "column_names") : PyRef();
  if (const PyRef names = columns ? unique_names(columns) : PyRef()) {
    renamed = call_method(object, "rename_columns", names.get());
  }
  if (PyErr_Occurred() != nullptr || !renamed) return known_as({});
  return known_as(call_method(renamed.get(), "to_pylist"));
}

PlainForm polars_form(PyObject* object) {
  for (const char* const method : {"to_dicts", "to_list"}) {
    if (find_attribute(object, method)) return known_as(call_method(object, method));
  }
  if (find_attribute(object, "collect")) {
    return refused("a " + type_name(Py_TYPE(object)) +
                   " has no rows yet; call its .collect() first");
  }
  return {};
}

PlainForm pandas_form(PyObject* object) {
  if (find_attribute(object, "ngroups")) {
    return refused("a " + type_name(Py_TYPE(object)) +
                   " has no rows yet; aggregate it first, for example with .sum()");
  }
  if (find_attribute(object, "columns") && find_attribute(object, "to_dict")) {
    return pandas_frame_form(object);
  }
  if (find_attribute(object, "tolist")) return known_as(call_method(object, "tolist"));
  if (const auto name = bare_name(Py_TYPE(object)); name == "Period" || name == "Interval") {
    return known_as(PyRef::steal(PyObject_Str(object)));
  }
  return {};
}

}  // namespace

bool comes_from(PyTypeObject* type, std::string_view package, std::string_view name) {
  PyObject* mro = type->tp_mro;
  if (mro == nullptr) return false;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(mro); ++i) {
    auto* ancestor = reinterpret_cast<PyTypeObject*>(PyTuple_GET_ITEM(mro, i));
    if (!name.empty() && bare_name(ancestor) != name) continue;
    if (package_of(ancestor) == package) return true;
    if ((ancestor->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0 &&
        package_of_heap_type(ancestor) == package) {
      return true;
    }
  }
  return false;
}

std::string_view bare_name(const PyTypeObject* type) {
  const std::string_view name = type->tp_name;
  return name.substr(name.rfind('.') + 1);
}

std::string type_name(PyTypeObject* type) {
  const PyRef module = find_attribute(reinterpret_cast<PyObject*>(type), "__module__");
  const std::string package = text_of(module.get());
  std::string name(bare_name(type));
  return package.empty() || package == "builtins" ? name : package + "." + name;
}

bool is_missing(const PyTypeObject* type) {
  const std::string_view name = bare_name(type);
  return name == "NaTType" || name == "NAType";
}

PlainForm nanosecond_form(PyObject* object, bool exact) {
  PyTypeObject* const type = Py_TYPE(object);
  const std::string_view name = bare_name(type);
  const bool moment = name == "Timestamp";
  if ((!moment && name != "Timedelta") || !comes_from(type, "pandas")) return {};
  const PyRef nanos = find_attribute(object, moment ? "nanosecond" : "nanoseconds");
  if (!nanos || PyObject_IsTrue(nanos.get()) != 1) return {};
  if (!exact) return known_as(call_method(object, "isoformat"));
  return refused("a pandas " + std::string(name) +
                 " that is not exact in microseconds, which is what TIMESTAMP and INTERVAL hold; "
                 "round it first, for example with .round('us')");
}

PlainForm plain_form(PyObject* object, bool exact) {
  PyTypeObject* type = Py_TYPE(object);
  if (comes_from(type, "fractions")) return known_as(PyRef::steal(PyNumber_Float(object)));
  if (comes_from(type, "numpy")) {
    if (bare_name(type) == "MaskedConstant") return known_as(PyRef::borrow(Py_None));
    return numpy_form(object, exact);
  }
  if (comes_from(type, "pandas")) return pandas_form(object);
  if (comes_from(type, "polars")) return polars_form(object);
  if (comes_from(type, "pyarrow")) return arrow_form(object);
  return {};
}

Status finish(const PlainForm& form, Value& value) {
  if (form.times != PlainForm::Times::kNone) MXCP_TRY(read_times(form.times, value));
  if (form.field_names && PyTuple_Check(form.field_names.get())) {
    name_fields(form.field_names.get(), form.dimensions, value);
  }
  return {};
}

}  // namespace mxcp::python
