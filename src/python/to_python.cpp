#include "python/to_python.h"

#include "base/json.h"
#include "python/datetimes.h"

namespace mxcp::python {
namespace {

PyRef from_digits(const std::string& text) {
  if (text.find_first_of(".eE") == std::string::npos) {
    PyRef integer = PyRef::steal(PyLong_FromString(text.c_str(), nullptr, 10));
    if (integer) return integer;
    PyErr_Clear();  // more digits than sys.set_int_max_str_digits allows
  }
  const PyRef str = to_str(text);
  return str ? PyRef::steal(PyFloat_FromString(str.get())) : PyRef();
}

PyRef from_array(const Array& array) {
  PyRef list = PyRef::steal(PyList_New(static_cast<Py_ssize_t>(array.size())));
  if (!list) return {};
  Py_ssize_t i = 0;
  for (const Value& item : array) {
    PyRef made = to_python(item);
    if (!made) return {};
    PyList_SET_ITEM(list.get(), i++, made.release());
  }
  return list;
}

PyRef from_kind(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull: return PyRef::borrow(Py_None);
    case Value::Kind::kBool: return PyRef::borrow(*value.as_bool() ? Py_True : Py_False);
    case Value::Kind::kInt: return PyRef::steal(PyLong_FromLongLong(*value.as_int()));
    case Value::Kind::kDouble: return PyRef::steal(PyFloat_FromDouble(*value.as_double()));
    case Value::Kind::kNumber: return from_digits(value.as_number()->text);
    case Value::Kind::kString: return to_str(*value.as_string());
    case Value::Kind::kDate: return to_python(*value.as_date());
    case Value::Kind::kTime: return to_python(*value.as_time());
    case Value::Kind::kTimestamp: return to_python(*value.as_timestamp());
    case Value::Kind::kBytes: {
      const std::string& data = value.as_bytes()->data;
      return PyRef::steal(
          PyBytes_FromStringAndSize(data.data(), static_cast<Py_ssize_t>(data.size())));
    }
    case Value::Kind::kArray: return from_array(*value.as_array());
    case Value::Kind::kObject: return to_python(*value.as_object());
    case Value::Kind::kInterval:
    case Value::Kind::kUuid: return to_str(to_plain_text(value));
    case Value::Kind::kRaw: {
      auto parsed = parse_json(value.as_raw()->text);
      if (parsed.ok()) return to_python(*parsed);
      PyErr_SetString(PyExc_ValueError, parsed.error().message.c_str());
      return {};
    }
  }
  Py_UNREACHABLE();
}

}  // namespace

PyRef to_python(const Value& value) {
  const bool nested = value.is_array() || value.is_object();
  if (!nested) return from_kind(value);
  if (Py_EnterRecursiveCall(" while converting a value") != 0) return {};
  PyRef made = from_kind(value);
  Py_LeaveRecursiveCall();
  return made;
}

PyRef to_python(const Object& object) {
  PyRef dict = PyRef::steal(PyDict_New());
  if (!dict) return {};
  for (const auto& [key, value] : object) {
    const PyRef name = to_str(key);
    const PyRef made = name ? to_python(value) : PyRef();
    if (!made || PyDict_SetItem(dict.get(), name.get(), made.get()) != 0) return {};
  }
  return dict;
}

}  // namespace mxcp::python
