#include "python/library_types.h"

#include <utility>

#include "python/exceptions.h"

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

// numpy writes a missing time as this text.
void drop_not_a_time(Value& value) {
  if (const std::string* text = value.as_string()) {
    if (*text == "NaT") value = Value();
  } else if (Array* array = value.as_array()) {
    for (Value& item : *array) drop_not_a_time(item);
  }
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

PlainForm numpy_form(PyObject* object) {
  const PyRef dtype = find_attribute(object, "dtype");
  const std::string kind = dtype ? text_of(find_attribute(dtype.get(), "kind").get()) : "";
  const PyRef dimensions = find_attribute(object, "ndim");
  if (kind.empty() || !dimensions || !PyLong_Check(dimensions.get())) return {};
  const long count = PyLong_AsLong(dimensions.get());
  const char* const values = count == 0 ? "item" : "tolist";
  // datetime64 and timedelta64 in nanoseconds would come out as bare integers.
  if (kind == "M" || kind == "m") {
    const PyRef type = to_str(kind == "M" ? "str" : "timedelta64[us]");
    const PyRef made = type ? call_method(object, "astype", type.get()) : PyRef();
    PlainForm form = known_as(made ? call_method(made.get(), values) : PyRef());
    form.has_times = true;
    return form;
  }
  PlainForm form = known_as(call_method(object, values));
  if (form.object && kind == "V") form.field_names = find_attribute(dtype.get(), "names");
  form.dimensions = count;
  return form;
}

PlainForm pandas_form(PyObject* object) {
  if (find_attribute(object, "columns")) {
    const PyRef records = to_str("records");
    return known_as(records ? call_method(object, "to_dict", records.get()) : PyRef());
  }
  if (find_attribute(object, "tolist")) return known_as(call_method(object, "tolist"));
  if (const std::string name = bare_name(Py_TYPE(object)); name == "Period" || name == "Interval") {
    return known_as(PyRef::steal(PyObject_Str(object)));
  }
  return {};
}

}  // namespace

bool comes_from(PyTypeObject* type, std::string_view package) {
  PyObject* mro = type->tp_mro;
  if (mro == nullptr) return false;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(mro); ++i) {
    auto* ancestor = reinterpret_cast<PyTypeObject*>(PyTuple_GET_ITEM(mro, i));
    if (package_of(ancestor) == package) return true;
    if ((ancestor->tp_flags & Py_TPFLAGS_HEAPTYPE) != 0 &&
        package_of_heap_type(ancestor) == package) {
      return true;
    }
  }
  return false;
}

std::string bare_name(const PyTypeObject* type) {
  const std::string_view name = type->tp_name;
  return std::string(name.substr(name.rfind('.') + 1));
}

std::string type_name(PyTypeObject* type) {
  const PyRef module = find_attribute(reinterpret_cast<PyObject*>(type), "__module__");
  const std::string package = text_of(module.get());
  if (package.empty() || package == "builtins") return bare_name(type);
  return package + "." + bare_name(type);
}

PlainForm plain_form(PyObject* object) {
  PyTypeObject* type = Py_TYPE(object);
  if (comes_from(type, "fractions")) return known_as(PyRef::steal(PyNumber_Float(object)));
  if (comes_from(type, "numpy")) return numpy_form(object);
  if (comes_from(type, "pandas")) return pandas_form(object);
  if (comes_from(type, "polars")) {
    const bool frame = static_cast<bool>(find_attribute(object, "to_dicts"));
    return known_as(call_method(object, frame ? "to_dicts" : "to_list"));
  }
  if (comes_from(type, "pyarrow")) {
    const bool list = static_cast<bool>(find_attribute(object, "to_pylist"));
    return known_as(call_method(object, list ? "to_pylist" : "as_py"));
  }
  return {};
}

void finish(const PlainForm& form, Value& value) {
  if (form.has_times) drop_not_a_time(value);
  if (form.field_names && PyTuple_Check(form.field_names.get())) {
    name_fields(form.field_names.get(), form.dimensions, value);
  }
}

}  // namespace mxcp::python
