// What a SQL function of a plugin returned, into DuckDB's vector.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "python/datetimes.h"
#include "python/exceptions.h"
#include "python/library_types.h"
#include "python/udf.h"

namespace mxcp::python {
namespace {

using engine::TypeId;
using engine::VectorWriter;

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;

Error expected(const char* what, PyObject* value) {
  return {Code::kPython, fmt::format("expected {}, got {}", what, Py_TYPE(value)->tp_name)};
}

engine::c::HugeInt split(__int128 value) {
  return {static_cast<std::uint64_t>(value), static_cast<std::int64_t>(value >> 64)};
}

Status write_int(VectorWriter& out, std::size_t row, PyObject* value) {
  PyRef integer;
  if (PyFloat_Check(value)) {
    const double real = PyFloat_AS_DOUBLE(value);
    if (real != std::floor(real) || std::isinf(real)) return expected("int", value);
    integer = PyRef::steal(PyLong_FromDouble(real));
  } else if (PyLong_Check(value) || PyIndex_Check(value) != 0) {
    integer = PyRef::steal(PyNumber_Index(value));
  } else {
    return expected("int", value);
  }
  if (!integer) return take_exception();
  int overflow = 0;
  const long long number = PyLong_AsLongLongAndOverflow(integer.get(), &overflow);
  if (overflow != 0) {
    return Error{Code::kPython, "the int " + str_of(integer.get()) + " does not fit BIGINT"};
  }
  out.set<std::int64_t>(row, number);
  return {};
}

Status write_bool(VectorWriter& out, std::size_t row, PyObject* value) {
  const std::string_view type = Py_TYPE(value)->tp_name;
  if (!PyBool_Check(value) && type != "numpy.bool" && type != "numpy.bool_") {
    return expected("bool", value);
  }
  out.set<std::uint8_t>(row, PyObject_IsTrue(value) == 1 ? 1 : 0);
  return {};
}

Status write_double(VectorWriter& out, std::size_t row, PyObject* value) {
  const double real = PyFloat_AsDouble(value);
  if (real == -1 && PyErr_Occurred() != nullptr) {
    if (PyErr_ExceptionMatches(PyExc_TypeError) == 0) return take_exception();
    PyErr_Clear();
    return expected("float", value);
  }
  out.set<double>(row, real);
  return {};
}

// The number of a text like -12.5E+3 times 10^scale, rounded half away from zero. False when it is
// no number, or too large.
bool parse_decimal(std::string_view text, int scale, int width, __int128& out) {
  const bool negative = !text.empty() && text[0] == '-';
  if (negative || (!text.empty() && text[0] == '+')) text.remove_prefix(1);
  std::string digits;
  int point = -1, exponent = 0;
  std::size_t i = 0;
  for (; i < text.size() && text[i] != 'e' && text[i] != 'E'; ++i) {
    if (text[i] == '.' && point < 0) {
      point = static_cast<int>(digits.size());
    } else if (text[i] >= '0' && text[i] <= '9') {
      digits += text[i];
    } else {
      return false;
    }
  }
  if (digits.empty()) return false;
  if (i < text.size()) {
    const std::string power(text.substr(i + 1));
    if (power.empty() || power.size() > 6) return false;
    exponent = std::atoi(power.c_str());
  }
  if (point < 0) point = static_cast<int>(digits.size());
  // How many of the digits stand in front of the point of the result.
  const long kept = static_cast<long>(point) + exponent + scale;
  __int128 number = 0;
  __int128 limit = 1;
  for (int n = 0; n < width; ++n) limit *= 10;
  for (long at = 0; at < kept; ++at) {
    number =
        number * 10 +
        (at < static_cast<long>(digits.size()) ? digits[static_cast<std::size_t>(at)] - '0' : 0);
    if (number >= limit) return false;
  }
  if (kept >= 0 && kept < static_cast<long>(digits.size()) &&
      digits[static_cast<std::size_t>(kept)] >= '5') {
    ++number;
  }
  if (number >= limit) return false;
  out = negative ? -number : number;
  return true;
}

Status write_decimal(VectorWriter& out, std::size_t row, PyObject* value) {
  const engine::ColumnType& type = out.type();
  if (PyUnicode_Check(value) || PyBool_Check(value) || PyNumber_Check(value) == 0) {
    return expected("Decimal", value);
  }
  const std::string text = str_of(value);
  __int128 number = 0;
  if (!parse_decimal(text, type.scale, type.width, number)) {
    return Error{Code::kPython,
                 fmt::format("{} does not fit DECIMAL({},{})", text, type.width, type.scale)};
  }
  switch (type.internal) {
    case TypeId::kSmallInt: out.set(row, static_cast<std::int16_t>(number)); break;
    case TypeId::kInteger: out.set(row, static_cast<std::int32_t>(number)); break;
    case TypeId::kBigInt: out.set(row, static_cast<std::int64_t>(number)); break;
    default: out.set(row, split(number)); break;
  }
  return {};
}

Status write_text(VectorWriter& out, std::size_t row, PyObject* value) {
  if (!PyUnicode_Check(value)) return expected("str", value);
  Py_ssize_t size = 0;
  if (const char* const text = PyUnicode_AsUTF8AndSize(value, &size)) {
    out.set_text(row, {text, static_cast<std::size_t>(size)});
    return {};
  }
  PyErr_Clear();
  out.set_text(row, text_of(value));
  return {};
}

Status write_bytes(VectorWriter& out, std::size_t row, PyObject* value) {
  Py_buffer view;
  if (PyUnicode_Check(value) || PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) != 0) {
    PyErr_Clear();
    return expected("bytes", value);
  }
  out.set_text(row, {static_cast<const char*>(view.buf), static_cast<std::size_t>(view.len)});
  PyBuffer_Release(&view);
  return {};
}

Status write_uuid(VectorWriter& out, std::size_t row, PyObject* value) {
  std::uint64_t half[2] = {0, 0};
  int digits = 0;
  for (const char c : str_of(value)) {
    if (c == '-') continue;
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0 || digits == 32) return expected("UUID", value);
    half[digits / 16] = half[digits / 16] << 4 | static_cast<std::uint64_t>(digit);
    ++digits;
  }
  if (digits != 32) return expected("UUID", value);
  // DuckDB turns the first bit over, so that UUIDs sort like their text.
  out.set(row, engine::c::HugeInt{half[1],
                                  static_cast<std::int64_t>(half[0] ^ (std::uint64_t{1} << 63))});
  return {};
}

Status write_temporal(VectorWriter& out, std::size_t row, PyObject* value) {
  const Temporal temporal = read_temporal(value);
  using Kind = Temporal::Kind;
  if (temporal.kind == Kind::kError) return take_exception();
  switch (out.id()) {
    case TypeId::kDate:
      if (temporal.kind != Kind::kDate) return expected("date", value);
      out.set<std::int32_t>(row, temporal.date.days);
      return {};
    case TypeId::kTime:
      if (temporal.kind != Kind::kTime) return expected("time", value);
      out.set<std::int64_t>(row, temporal.time.micros);
      return {};
    case TypeId::kInterval:
      if (temporal.kind != Kind::kDelta) return expected("timedelta", value);
      out.set(row, engine::c::Interval{0, temporal.date.days, temporal.micros});
      return {};
    default: break;
  }
  if (temporal.kind == Kind::kDate) {
    out.set<std::int64_t>(row, temporal.date.days * kMicrosPerDay);
    return {};
  }
  if (temporal.kind != Kind::kTimestamp) return expected("datetime", value);
  out.set<std::int64_t>(row, temporal.timestamp.micros);  // of an aware one: in UTC
  return {};
}

Status write_list(VectorWriter& out, std::size_t row, PyObject* value) {
  if (PyUnicode_Check(value) || PyBytes_Check(value) || PyDict_Check(value)) {
    return expected("list", value);
  }
  const PyRef items = PyRef::steal(PySequence_Fast(value, ""));
  if (!items) {
    if (PyErr_ExceptionMatches(PyExc_TypeError) == 0) return take_exception();
    PyErr_Clear();
    return expected("list", value);
  }
  const auto count = static_cast<std::size_t>(PySequence_Fast_GET_SIZE(items.get()));
  const std::size_t first = out.begin_list(row, count);
  for (std::size_t i = 0; i < count; ++i) {
    // User code (numpy's) may run meanwhile: the list may have become shorter.
    if (static_cast<Py_ssize_t>(i) >= PySequence_Fast_GET_SIZE(items.get())) {
      return Error{Code::kPython, "the list changed while it was read"};
    }
    const PyRef item =
        PyRef::borrow(PySequence_Fast_GET_ITEM(items.get(), static_cast<Py_ssize_t>(i)));
    if (Status done = write_cell(out.child(0), first + i, item.get()); !done.ok()) {
      return std::move(done).error().in(fmt::format("[{}]", i));
    }
  }
  return {};
}

Status write_map(VectorWriter& out, std::size_t row, PyObject* value) {
  if (!PyDict_Check(value)) return expected("dict", value);
  const PyRef items = PyRef::steal(PyDict_Items(value));
  if (!items) return take_exception();
  const auto count = static_cast<std::size_t>(PyList_GET_SIZE(items.get()));
  const std::size_t first = out.begin_list(row, count);
  for (std::size_t i = 0; i < count; ++i) {
    PyObject* const item = PyList_GET_ITEM(items.get(), static_cast<Py_ssize_t>(i));
    PyObject* const key = PyTuple_GET_ITEM(item, 0);
    if (key == Py_None) return Error{Code::kPython, "None is no key of a MAP"};
    if (Status done = write_cell(out.child(0), first + i, key); !done.ok()) {
      return std::move(done).error().in("key " + str_of(key));
    }
    if (Status done = write_cell(out.child(1), first + i, PyTuple_GET_ITEM(item, 1)); !done.ok()) {
      return std::move(done).error().in(str_of(key));
    }
  }
  return {};
}

// A dict, or any object with these attributes.
Status write_struct(VectorWriter& out, std::size_t row, PyObject* value) {
  const engine::ColumnType& type = out.type();
  const bool is_dict = PyDict_Check(value);
  std::size_t found = 0;
  for (std::size_t i = 0; i < type.names.size(); ++i) {
    PyRef member;
    if (is_dict) {
      const PyRef key = to_str(type.names[i]);
      member = PyRef::borrow(key ? PyDict_GetItemWithError(value, key.get()) : nullptr);
      if (!member && PyErr_Occurred() != nullptr) return take_exception();
    } else {
      member = find_attribute(value, type.names[i].c_str());
      if (!member) return expected("dict", value);
    }
    found += member ? 1 : 0;
    if (!member) {
      out.child(i).set_null(row);
      continue;
    }
    if (Status done = write_cell(out.child(i), row, member.get()); !done.ok()) {
      return std::move(done).error().in(type.names[i]);
    }
  }
  if (!is_dict || static_cast<Py_ssize_t>(found) == PyDict_GET_SIZE(value)) return {};
  PyObject *key = nullptr, *member = nullptr;
  for (Py_ssize_t at = 0; PyDict_Next(value, &at, &key, &member) != 0;) {
    const std::string name = PyUnicode_Check(key) ? text_of(key) : str_of(key);
    if (std::find(type.names.begin(), type.names.end(), name) == type.names.end()) {
      return Error{Code::kPython, "the dict has the key '" + name + "', which its class has not"};
    }
  }
  return {};
}

Status write_value(VectorWriter& out, std::size_t row, PyObject* value) {
  switch (out.id()) {
    case TypeId::kBoolean: return write_bool(out, row, value);
    case TypeId::kBigInt: return write_int(out, row, value);
    case TypeId::kDouble: return write_double(out, row, value);
    case TypeId::kDecimal: return write_decimal(out, row, value);
    case TypeId::kVarchar: return write_text(out, row, value);
    case TypeId::kBlob: return write_bytes(out, row, value);
    case TypeId::kUuid: return write_uuid(out, row, value);
    case TypeId::kDate:
    case TypeId::kTime:
    case TypeId::kTimestamp:
    case TypeId::kInterval: return write_temporal(out, row, value);
    case TypeId::kList: return write_list(out, row, value);
    case TypeId::kMap: return write_map(out, row, value);
    case TypeId::kStruct: return write_struct(out, row, value);
    default: return Error{Code::kInternal, "a type that functions cannot have"};
  }
}

}  // namespace

Status write_cell(VectorWriter& out, std::size_t row, PyObject* value) {
  Status done = value == Py_None ? Status() : write_value(out, row, value);
  if (value == Py_None || (!done.ok() && is_missing(Py_TYPE(value)))) {
    out.set_null(row);
    return {};
  }
  return done;
}

}  // namespace mxcp::python
