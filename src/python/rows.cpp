#include "python/rows.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "engine/vector_reader.h"
#include "python/datetimes.h"

namespace mxcp::python {
namespace {

using engine::TypeId;
using engine::VectorView;

constexpr std::int64_t kMicrosPerDay = 86'400'000'000;

// A column of the current chunk, with the views of its children made once.
struct Cells {
  Cells(const VectorView& given) : view(given) {
    const TypeId id = view.id();
    const std::size_t count = id == TypeId::kMap ? 2
                              : id == TypeId::kList || id == TypeId::kArray
                                  ? 1
                                  : view.type().children.size();
    for (std::size_t i = 0; i < count; ++i) children.emplace_back(view.child(i));
    if (id == TypeId::kStruct) {
      for (const std::string& name : view.type().names) keys.push_back(to_str(name));
    }
  }
  VectorView view;
  std::vector<Cells> children;
  std::vector<PyRef> keys;  // kStruct
};

PyRef text_of_cell(const VectorView& view, std::size_t row) {
  std::string text;
  view.append_text(row, text);
  return to_str(text);
}

// Dates outside of Python's range come out as text.
template <class T>
PyRef date_or_text(const VectorView& view, std::size_t row, T value) {
  if (view.is_finite(row)) {
    if (PyRef made = to_python(value)) return made;
    if (PyErr_ExceptionMatches(PyExc_ValueError) == 0) return {};
    PyErr_Clear();
  }
  return text_of_cell(view, row);
}

PyRef from_int128(const VectorView& view, std::size_t row) {
  const __int128 value = view.get_hugeint(row);
  if (value >= INT64_MIN && value <= INT64_MAX) {
    return PyRef::steal(PyLong_FromLongLong(static_cast<long long>(value)));
  }
  std::string digits;
  view.append_text(row, digits);
  return PyRef::steal(PyLong_FromString(digits.c_str(), nullptr, 10));
}

PyRef from_interval(const VectorView& view, std::size_t row) {
  const auto interval = view.get_interval(row);
  PyRef made = to_timedelta(interval.months * std::int64_t{30} + interval.days, interval.micros);
  if (made || PyErr_ExceptionMatches(PyExc_OverflowError) == 0) return made;
  PyErr_Clear();
  return text_of_cell(view, row);
}

PyRef uuid_type() {
  const PyRef module = PyRef::steal(PyImport_ImportModule("uuid"));
  return module ? PyRef::steal(PyObject_GetAttrString(module.get(), "UUID")) : PyRef();
}

PyRef from_uuid(const VectorView& view, std::size_t row) {
  const PyRef type = uuid_type();
  const PyRef text = type ? text_of_cell(view, row) : PyRef();
  return text ? PyRef::steal(PyObject_CallOneArg(type.get(), text.get())) : PyRef();
}

PyRef read_cell(const Cells& cells, std::size_t row);

PyRef read_list(const Cells& cells, std::size_t row) {
  const auto entry = cells.view.get_list(row);
  PyRef list = PyRef::steal(PyList_New(static_cast<Py_ssize_t>(entry.length)));
  for (std::size_t i = 0; list && i < entry.length; ++i) {
    PyRef item = read_cell(cells.children[0], entry.offset + i);
    if (!item) return {};
    PyList_SET_ITEM(list.get(), static_cast<Py_ssize_t>(i), item.release());
  }
  return list;
}

PyRef read_map(const Cells& cells, std::size_t row) {
  const auto entry = cells.view.get_list(row);
  PyRef dict = PyRef::steal(PyDict_New());
  for (std::size_t i = 0; dict && i < entry.length; ++i) {
    PyRef key = read_cell(cells.children[0], entry.offset + i);
    const PyRef value = key ? read_cell(cells.children[1], entry.offset + i) : PyRef();
    if (!value) return {};
    if (PyDict_SetItem(dict.get(), key.get(), value.get()) == 0) continue;
    // A list or a struct as a key is not hashable in Python.
    if (PyErr_ExceptionMatches(PyExc_TypeError) == 0) return {};
    PyErr_Clear();
    key = PyRef::steal(PyObject_Str(key.get()));
    if (!key || PyDict_SetItem(dict.get(), key.get(), value.get()) != 0) return {};
  }
  return dict;
}

PyRef read_struct(const Cells& cells, std::size_t row) {
  PyRef dict = PyRef::steal(PyDict_New());
  for (std::size_t i = 0; dict && i < cells.children.size(); ++i) {
    const PyRef value = read_cell(cells.children[i], row);
    if (!value || PyDict_SetItem(dict.get(), cells.keys[i].get(), value.get()) != 0) return {};
  }
  return dict;
}

PyRef read_cell(const Cells& cells, std::size_t row) {
  const VectorView& view = cells.view;
  if (view.is_null(row)) return PyRef::borrow(Py_None);
  switch (view.id()) {
    case TypeId::kBoolean: return PyRef::borrow(view.get_bool(row) ? Py_True : Py_False);
    case TypeId::kTinyInt:
    case TypeId::kSmallInt:
    case TypeId::kInteger:
    case TypeId::kBigInt:
    case TypeId::kUTinyInt:
    case TypeId::kUSmallInt:
    case TypeId::kUInteger: return PyRef::steal(PyLong_FromLongLong(view.get_int(row)));
    case TypeId::kUBigInt: return PyRef::steal(PyLong_FromUnsignedLongLong(view.get_uint(row)));
    case TypeId::kHugeInt: return from_int128(view, row);
    case TypeId::kUHugeInt:
    case TypeId::kBigNum: {
      std::string digits;
      view.append_text(row, digits);
      return PyRef::steal(PyLong_FromString(digits.c_str(), nullptr, 10));
    }
    case TypeId::kFloat:
    case TypeId::kDouble:
    case TypeId::kDecimal: return PyRef::steal(PyFloat_FromDouble(view.get_double(row)));
    case TypeId::kVarchar:
    case TypeId::kEnum: return to_str(view.get_string(row));
    case TypeId::kBlob: {
      const auto bytes = view.get_string(row);
      return PyRef::steal(
          PyBytes_FromStringAndSize(bytes.data(), static_cast<Py_ssize_t>(bytes.size())));
    }
    case TypeId::kUuid: return from_uuid(view, row);
    case TypeId::kDate: return date_or_text(view, row, view.get_date(row));
    case TypeId::kTime:
    case TypeId::kTimeNs:
    case TypeId::kTimeTz: return to_python(view.get_time(row));
    case TypeId::kTimestamp:
    case TypeId::kTimestampS:
    case TypeId::kTimestampMs:
    case TypeId::kTimestampNs:
    case TypeId::kTimestampTz:
    case TypeId::kTimestampTzNs: return date_or_text(view, row, view.get_timestamp(row));
    case TypeId::kInterval: return from_interval(view, row);
    case TypeId::kList:
    case TypeId::kArray: return read_list(cells, row);
    case TypeId::kMap: return read_map(cells, row);
    case TypeId::kStruct: return read_struct(cells, row);
    case TypeId::kUnion: {
      const std::size_t tag = view.get_union_tag(row);
      return tag < cells.children.size() ? read_cell(cells.children[tag], row)
                                         : PyRef::borrow(Py_None);
    }
    case TypeId::kSqlNull: return PyRef::borrow(Py_None);
    case TypeId::kBit:
    case TypeId::kOther: break;
  }
  return text_of_cell(view, row);
}

}  // namespace

RowReader::RowReader(const std::vector<engine::Column>& columns)
    : columns_(columns), list_(PyRef::steal(PyList_New(0))) {
  names_.reserve(columns.size());
  for (const auto& column : columns) names_.push_back(to_str(column.name));
}

bool RowReader::add(const engine::Api& api, void* chunk) {
  if (!list_) return false;
  for (const PyRef& name : names_) {
    if (!name) return false;
  }
  const engine::ChunkView view(api, chunk);
  std::vector<Cells> cells;
  cells.reserve(columns_.size());
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    cells.emplace_back(view.column(i, columns_[i].type));
  }
  for (std::size_t row = 0; row < view.rows(); ++row) {
    const PyRef dict = PyRef::steal(PyDict_New());
    if (!dict) return false;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const PyRef value = read_cell(cells[i], row);
      if (!value || PyDict_SetItem(dict.get(), names_[i].get(), value.get()) != 0) return false;
    }
    if (PyList_Append(list_.get(), dict.get()) != 0) return false;
  }
  return true;
}

}  // namespace mxcp::python
