#include "python/cells.h"

#include <cstdint>
#include <cstring>
#include <string>

#include "python/datetimes.h"

namespace mxcp::python {
namespace {

using engine::TypeId;
using engine::VectorView;

bool is_ascii(const char* text, std::size_t size) {
  std::size_t i = 0;
  std::uint64_t bits = 0;
  for (; i + 8 <= size; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text + i, 8);
    bits |= word;
  }
  for (; i < size; ++i) bits |= static_cast<unsigned char>(text[i]);
  return (bits & 0x8080808080808080U) == 0;
}

PyObject* make_str(std::string_view text) {
  // Texts of one character exist once; the decoder knows them.
  if (text.size() > 1 && is_ascii(text.data(), text.size())) {
    PyObject* str = PyUnicode_New(static_cast<Py_ssize_t>(text.size()), 127);
    if (str != nullptr) std::memcpy(PyUnicode_1BYTE_DATA(str), text.data(), text.size());
    return str;
  }
  return PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace");
}

PyObject* text_of_cell(const VectorView& view, std::size_t row) {
  std::string text;
  view.append_text(row, text);
  return make_str(text);
}

PyObject* int_of_cell(const VectorView& view, std::size_t row) {
  std::string digits;
  view.append_text(row, digits);
  return PyLong_FromString(digits.c_str(), nullptr, 10);
}

// Dates and times outside of Python's range come out as text.
template <class T>
PyObject* made_or_text(const VectorView& view, std::size_t row, T value) {
  if (view.is_finite(row)) {
    if (PyRef made = to_python(value)) return made.release();
    if (PyErr_ExceptionMatches(PyExc_ValueError) == 0) return nullptr;
    PyErr_Clear();
  }
  return text_of_cell(view, row);
}

PyRef class_of(const char* module_name, const char* name) {
  const PyRef module = PyRef::steal(PyImport_ImportModule(module_name));
  return module ? PyRef::steal(PyObject_GetAttrString(module.get(), name)) : PyRef();
}

}  // namespace

struct CellReader::Readers {
  static const VectorView& view(const CellReader& cell) { return *cell.view_; }

  static PyObject* boolean(const CellReader& cell, std::size_t row) {
    return Py_NewRef(view(cell).get_bool(row) ? Py_True : Py_False);
  }
  template <class T>
  static PyObject* integer(const CellReader& cell, std::size_t row) {
    return PyLong_FromLongLong(view(cell).at<T>(row));
  }
  static PyObject* ubigint(const CellReader& cell, std::size_t row) {
    return PyLong_FromUnsignedLongLong(view(cell).get_uint(row));
  }
  static PyObject* hugeint(const CellReader& cell, std::size_t row) {
    const __int128 value = view(cell).get_hugeint(row);
    if (value >= INT64_MIN && value <= INT64_MAX) {
      return PyLong_FromLongLong(static_cast<long long>(value));
    }
    return int_of_cell(view(cell), row);
  }
  static PyObject* digits(const CellReader& cell, std::size_t row) {
    return int_of_cell(view(cell), row);
  }
  static PyObject* real(const CellReader& cell, std::size_t row) {
    return PyFloat_FromDouble(view(cell).at<double>(row));
  }
  static PyObject* any_real(const CellReader& cell, std::size_t row) {
    return PyFloat_FromDouble(view(cell).get_double(row));
  }
  static PyObject* varchar(const CellReader& cell, std::size_t row) {
    return make_str(view(cell).at<engine::c::String>(row).view());
  }
  static PyObject* label(const CellReader& cell, std::size_t row) {
    std::size_t index = 0;
    switch (cell.type_->internal) {
      case TypeId::kUTinyInt: index = view(cell).at<std::uint8_t>(row); break;
      case TypeId::kUSmallInt: index = view(cell).at<std::uint16_t>(row); break;
      default: index = view(cell).at<std::uint32_t>(row); break;
    }
    return index < cell.names_.size() ? Py_NewRef(cell.names_[index].get()) : Py_NewRef(Py_None);
  }
  static PyObject* blob(const CellReader& cell, std::size_t row) {
    const auto bytes = view(cell).get_string(row);
    return PyBytes_FromStringAndSize(bytes.data(), static_cast<Py_ssize_t>(bytes.size()));
  }
  static PyObject* text(const CellReader& cell, std::size_t row) {
    return text_of_cell(view(cell), row);
  }
  static PyObject* called_with_text(const CellReader& cell, std::size_t row) {
    const PyRef text = PyRef::steal(text_of_cell(view(cell), row));
    return text ? PyObject_CallOneArg(cell.class_.get(), text.get()) : nullptr;
  }
  static PyObject* date(const CellReader& cell, std::size_t row) {
    return made_or_text(view(cell), row, view(cell).get_date(row));
  }
  static PyObject* time(const CellReader& cell, std::size_t row) {
    return made_or_text(view(cell), row, view(cell).get_time(row));
  }
  static PyObject* timestamp(const CellReader& cell, std::size_t row) {
    return made_or_text(view(cell), row, view(cell).get_timestamp(row));
  }
  static PyObject* interval(const CellReader& cell, std::size_t row) {
    const auto value = view(cell).get_interval(row);
    PyRef made = to_timedelta(value.months * std::int64_t{30} + value.days, value.micros);
    if (made || PyErr_ExceptionMatches(PyExc_OverflowError) == 0) return made.release();
    PyErr_Clear();
    return text_of_cell(view(cell), row);
  }
  static PyObject* list(const CellReader& cell, std::size_t row) {
    const auto entry = view(cell).get_list(row);
    PyRef list = PyRef::steal(PyList_New(static_cast<Py_ssize_t>(entry.length)));
    for (std::size_t i = 0; list && i < entry.length; ++i) {
      PyObject* item = cell.children_[0].read(entry.offset + i);
      if (item == nullptr) return nullptr;
      PyList_SET_ITEM(list.get(), static_cast<Py_ssize_t>(i), item);
    }
    return list.release();
  }
  static PyObject* map(const CellReader& cell, std::size_t row) {
    const auto entry = view(cell).get_list(row);
    PyRef dict = PyRef::steal(PyDict_New());
    for (std::size_t i = 0; dict && i < entry.length; ++i) {
      PyRef key = PyRef::steal(cell.children_[0].read(entry.offset + i));
      const PyRef value = PyRef::steal(key ? cell.children_[1].read(entry.offset + i) : nullptr);
      if (!value) return nullptr;
      if (PyDict_SetItem(dict.get(), key.get(), value.get()) == 0) continue;
      // A list or a struct as a key is not hashable in Python.
      if (PyErr_ExceptionMatches(PyExc_TypeError) == 0) return nullptr;
      PyErr_Clear();
      key = PyRef::steal(PyObject_Str(key.get()));
      if (!key || PyDict_SetItem(dict.get(), key.get(), value.get()) != 0) return nullptr;
    }
    return dict.release();
  }
  static PyObject* structure(const CellReader& cell, std::size_t row) {
    PyRef dict = PyRef::steal(PyDict_New());
    for (std::size_t i = 0; dict && i < cell.children_.size(); ++i) {
      const PyRef value = PyRef::steal(cell.children_[i].read(row));
      if (!value || PyDict_SetItem(dict.get(), cell.names_[i].get(), value.get()) != 0) {
        return nullptr;
      }
    }
    return dict.release();
  }
  // row(1, 2) has members without names.
  static PyObject* tuple(const CellReader& cell, std::size_t row) {
    PyRef tuple = PyRef::steal(PyTuple_New(static_cast<Py_ssize_t>(cell.children_.size())));
    for (std::size_t i = 0; tuple && i < cell.children_.size(); ++i) {
      PyObject* item = cell.children_[i].read(row);
      if (item == nullptr) return nullptr;
      PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), item);
    }
    return tuple.release();
  }
  static PyObject* member(const CellReader& cell, std::size_t row) {
    const std::size_t tag = view(cell).get_union_tag(row);
    return tag < cell.children_.size() ? cell.children_[tag].read(row) : Py_NewRef(Py_None);
  }

  static Read choose(TypeId id) {
    switch (id) {
      case TypeId::kBoolean: return boolean;
      case TypeId::kTinyInt: return integer<std::int8_t>;
      case TypeId::kSmallInt: return integer<std::int16_t>;
      case TypeId::kInteger: return integer<std::int32_t>;
      case TypeId::kBigInt: return integer<std::int64_t>;
      case TypeId::kUTinyInt: return integer<std::uint8_t>;
      case TypeId::kUSmallInt: return integer<std::uint16_t>;
      case TypeId::kUInteger: return integer<std::uint32_t>;
      case TypeId::kUBigInt: return ubigint;
      case TypeId::kHugeInt: return hugeint;
      case TypeId::kUHugeInt:
      case TypeId::kBigNum: return digits;
      case TypeId::kDouble: return real;
      case TypeId::kFloat:
      case TypeId::kDecimal: return any_real;
      case TypeId::kVarchar: return varchar;
      case TypeId::kEnum: return label;
      case TypeId::kBlob: return blob;
      case TypeId::kUuid: return called_with_text;
      case TypeId::kDate: return date;
      case TypeId::kTime:
      case TypeId::kTimeNs:
      case TypeId::kTimeTz: return time;
      case TypeId::kTimestamp:
      case TypeId::kTimestampS:
      case TypeId::kTimestampMs:
      case TypeId::kTimestampNs:
      case TypeId::kTimestampTz:
      case TypeId::kTimestampTzNs: return timestamp;
      case TypeId::kInterval: return interval;
      case TypeId::kList:
      case TypeId::kArray: return list;
      case TypeId::kMap: return map;
      case TypeId::kStruct: return structure;
      case TypeId::kUnion: return member;
      case TypeId::kSqlNull:
      case TypeId::kBit:
      case TypeId::kOther: break;
    }
    return text;
  }
};

CellReader::CellReader(const engine::ColumnType& type, Decimals decimals)
    : type_(&type), read_(Readers::choose(type.id)) {
  if (type.id == TypeId::kUuid) {
    class_ = class_of("uuid", "UUID");
    ok_ = static_cast<bool>(class_);
  } else if (type.id == TypeId::kDecimal && decimals == Decimals::kDecimal) {
    read_ = Readers::called_with_text;
    class_ = class_of("decimal", "Decimal");
    ok_ = static_cast<bool>(class_);
  }
  if (engine::is_unnamed(type)) {
    read_ = Readers::tuple;
  } else if (type.id == TypeId::kStruct || type.id == TypeId::kEnum) {
    for (const std::string& name : type.names) {
      names_.push_back(to_str(name));
      ok_ = ok_ && names_.back();
    }
  }
  children_.reserve(type.children.size());
  for (const engine::ColumnType& child : type.children) {
    children_.emplace_back(child, decimals);
    ok_ = ok_ && children_.back().ok_;
  }
}

void CellReader::bind(const VectorView& view) {
  view_ = view;
  for (std::size_t i = 0; i < children_.size(); ++i) children_[i].bind(view.child(i));
}

}  // namespace mxcp::python
