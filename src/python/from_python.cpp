#include "python/from_python.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/json.h"
#include "python/datetimes.h"
#include "python/exceptions.h"
#include "python/library_types.h"

namespace mxcp::python {
namespace {

class Reader {
 public:
  Reader(Purpose purpose, const CancelToken* cancel, std::size_t max_items)
      : purpose_(purpose), cancel_(cancel), max_items_(max_items) {}

  // False when it failed: then error() says why. The path is put together while unwinding.
  bool read(PyObject* object, Value& out);

  Error error() && {
    const std::string where = path_.empty() ? "" : path_ + ": ";
    error_.message = where + error_.message;
    return std::move(error_);
  }

 private:
  bool read_slow(PyObject* object, Value& out);
  bool read_nested(PyObject* object, Value& out);
  bool read_dict(PyObject* dict, Value& out);
  bool read_mapping(PyObject* mapping, Value& out);
  bool read_sequence(PyObject* fast, Value& out);
  bool read_set(PyObject* set, Value& out);
  bool read_iterable(PyObject* object, Value& out);
  bool read_fields(PyObject* object, PyObject* names, Value& out);
  bool read_temporal(const Temporal& temporal, Value& out);
  bool read_text(PyObject* text, Value& out);
  bool read_int(PyObject* integer, Value& out);
  bool read_buffer(PyObject* object, Value& out);
  bool read_uuid(PyObject* object, Value& out);
  bool read_library_type(PyObject* object, Value& out, bool& known);
  bool read_plain(PlainForm form, Value& out);
  bool read_protocol(PyObject* object, Value& out, bool& known);
  bool read_result_of(PyRef made, Value& out);
  bool read_member(PyObject* key, PyObject* value, Object& out, bool& all_text,
                   std::unordered_set<std::string>& seen);
  bool key_text(PyObject* key, std::string& out, bool& plain);

  // Of the whole result, enough was taken.
  bool is_enough(std::size_t items) const { return items >= max_items_ && ancestors_.size() == 1; }

  const char* unknown() const {
    return purpose_ == Purpose::kParameter ? " is nothing that SQL knows"
                                           : " cannot be turned into JSON";
  }
  bool fail(std::string message) {
    error_ = {Code::kPython, std::move(message)};
    return false;
  }
  bool fail_raised() {
    error_ = take_exception();
    return false;
  }
  void prefix_key(std::string_view key) {
    const bool joined = !path_.empty() && path_.front() != '[';
    path_ = std::string(key) + (joined ? "." : "") + path_;
  }
  void prefix_index(std::size_t index) {
    const bool joined = !path_.empty() && path_.front() != '[';
    path_ = fmt::format("[{}]{}{}", index, joined ? "." : "", path_);
  }

  Purpose purpose_;
  const CancelToken* cancel_;
  std::size_t max_items_;
  std::vector<PyObject*> ancestors_;  // containers we are inside of
  Error error_;
  std::string path_;
};

bool Reader::read(PyObject* object, Value& out) {
  if (object == Py_None) {
    out = Value();
  } else if (PyUnicode_CheckExact(object)) {
    return read_text(object, out);
  } else if (PyBool_Check(object)) {
    out = object == Py_True;
  } else if (PyLong_CheckExact(object)) {
    return read_int(object, out);
  } else if (PyFloat_CheckExact(object)) {
    out = PyFloat_AS_DOUBLE(object);
  } else {
    return read_slow(object, out);
  }
  return true;
}

bool Reader::read_slow(PyObject* object, Value& out) {
  if (ancestors_.size() >= kMaxDepth) {
    return fail(fmt::format("nested more than {} levels deep", kMaxDepth));
  }
  if (std::find(ancestors_.begin(), ancestors_.end(), object) != ancestors_.end()) {
    return fail("goes in a circle: it contains itself, which JSON cannot say");
  }
  // User code (a property, a generator) may drop the last other reference to what we look at.
  const PyRef keep = PyRef::borrow(object);
  ancestors_.push_back(object);
  const bool ok = read_nested(object, out);
  ancestors_.pop_back();
  return ok;
}

bool Reader::read_nested(PyObject* object, Value& out) {
  if (PyDict_Check(object)) return read_dict(object, out);
  if (PyList_CheckExact(object)) return read_sequence(object, out);
  if (PyTuple_CheckExact(object)) return read_sequence(object, out);

  PyTypeObject* type = Py_TYPE(object);
  // NaT even claims to be a datetime.
  if (is_missing(type)) {
    out = Value();
    return true;
  }
  // Before the types that it may be mixed with: `class Color(str, Enum)`.
  if (comes_from(type, "enum")) {
    const PyRef value = find_attribute(object, "_value_");
    if (value) return read(value.get(), out);
  }
  if (PlainForm form = nanosecond_form(object, purpose_ == Purpose::kParameter); form.known) {
    return read_plain(std::move(form), out);
  }
  // A pandas.Timestamp is a datetime, a numpy.float64 a float: these know best what they are.
  if (const Temporal temporal = python::read_temporal(object);
      temporal.kind != Temporal::Kind::kNone) {
    return read_temporal(temporal, out);
  }
  if (PyFloat_Check(object)) {
    out = PyFloat_AS_DOUBLE(object);
    return true;
  }
  if (PyLong_Check(object)) return read_int(object, out);
  if (PyUnicode_Check(object)) return read_text(object, out);
  if (PyBytes_Check(object) || PyByteArray_Check(object) || PyMemoryView_Check(object)) {
    return read_buffer(object, out);
  }
  if (PyAnySet_Check(object)) return read_set(object, out);
  if (PyType_Check(object) || PyModule_Check(object) || PyCFunction_Check(object)) {
    return fail("a " + type_name(type) + unknown());
  }
  bool known = false;
  const bool ok = read_library_type(object, out, known);
  if (known) return ok;
  const bool done = read_protocol(object, out, known);
  if (known) return done;
  return fail("a value of type " + type_name(type) + unknown() +
              (purpose_ == Purpose::kParameter
                   ? "; give text, a number, bytes, a date or time, or a list or dict of these"
                   : "; return a dict, a list, text or a number"));
}

// What is no Unicode is shown in JSON by U+FFFD; stored in a database it would be another text.
bool Reader::read_text(PyObject* text, Value& out) {
  Py_ssize_t size = 0;
  if (const char* const utf8 = PyUnicode_AsUTF8AndSize(text, &size)) {
    out = std::string(utf8, static_cast<std::size_t>(size));
    return true;
  }
  if (purpose_ == Purpose::kParameter) {
    PyErr_Clear();
    return fail(
        "the text holds half of a surrogate pair, which is no character: it cannot be UTF-8");
  }
  PyErr_Clear();
  out = text_of(text);
  return true;
}

bool Reader::read_int(PyObject* integer, Value& out) {
  int overflow = 0;
  const long long small = PyLong_AsLongLongAndOverflow(integer, &overflow);
  if (overflow == 0) {
    if (small == -1 && PyErr_Occurred() != nullptr) return fail_raised();
    out = static_cast<std::int64_t>(small);
    return true;
  }
  // int's own repr, whatever a subclass makes of it.
  const PyRef digits = PyRef::steal(PyLong_Type.tp_repr(integer));
  if (!digits) return fail_raised();
  out = ExactNumber{text_of(digits.get())};
  return true;
}

bool Reader::read_buffer(PyObject* object, Value& out) {
  Py_buffer view;
  if (PyObject_GetBuffer(object, &view, PyBUF_FULL_RO) != 0) return fail_raised();
  Bytes bytes;
  bytes.data.resize(static_cast<std::size_t>(view.len));
  const int copied =
      view.len == 0 ? 0 : PyBuffer_ToContiguous(bytes.data.data(), &view, view.len, 'C');
  PyBuffer_Release(&view);
  if (copied != 0) return fail_raised();
  out = std::move(bytes);
  return true;
}

bool Reader::read_uuid(PyObject* object, Value& out) {
  const PyRef bytes = purpose_ == Purpose::kParameter ? find_attribute(object, "bytes") : PyRef();
  if (!bytes || !PyBytes_Check(bytes.get()) || PyBytes_GET_SIZE(bytes.get()) != 16) {
    return read_result_of(PyRef::steal(PyObject_Str(object)), out);
  }
  const auto half = [&](int from) {
    std::uint64_t number = 0;
    for (int i = from; i < from + 8; ++i) {
      number = number << 8 | static_cast<unsigned char>(PyBytes_AS_STRING(bytes.get())[i]);
    }
    return number;
  };
  out = Uuid{half(0), half(8)};
  return true;
}

bool Reader::read_temporal(const Temporal& temporal, Value& out) {
  switch (temporal.kind) {
    case Temporal::Kind::kDate: out = temporal.date; return true;
    case Temporal::Kind::kTime: out = temporal.time; return true;
    case Temporal::Kind::kTimestamp: out = temporal.timestamp; return true;
    case Temporal::Kind::kDelta: {
      const Interval interval{0, temporal.date.days, temporal.micros};
      out = purpose_ == Purpose::kParameter ? Value(interval) : Value(to_iso(interval));
      return true;
    }
    case Temporal::Kind::kNone:
    case Temporal::Kind::kError: break;
  }
  return fail_raised();
}

// As json.dumps writes keys; everything else by its own str().
bool Reader::key_text(PyObject* key, std::string& out, bool& plain) {
  plain = PyUnicode_CheckExact(key);
  if (plain) {
    out = text_of(key);
    return true;
  }
  if (key == Py_None || PyBool_Check(key)) {
    out = key == Py_None ? "null" : key == Py_True ? "true" : "false";
    return true;
  }
  PyRef named = PyRef::borrow(key);
  if (comes_from(Py_TYPE(key), "enum")) {
    if (PyRef value = find_attribute(key, "_value_")) named = std::move(value);
  }
  const PyRef text = PyRef::steal(PyObject_Str(named.get()));
  if (!text) return fail_raised();
  out = text_of(text.get());
  return true;
}

bool Reader::read_member(PyObject* key, PyObject* value, Object& out, bool& all_text,
                         std::unordered_set<std::string>& seen) {
  std::string name;
  bool plain = false;
  if (!key_text(key, name, plain)) return false;
  Value made;
  if (!read(value, made)) {
    prefix_key(name);
    return false;
  }
  // Two keys can only become the same text when one of them was none.
  if (!plain && all_text) {
    all_text = false;
    for (const auto& member : out) seen.insert(member.first);
  }
  if (all_text || seen.insert(name).second) {
    out.add(std::move(name), std::move(made));
  } else {
    out.set(std::move(name), std::move(made));
  }
  return true;
}

bool Reader::read_dict(PyObject* dict, Value& out) {
  Object object;
  object.reserve(static_cast<std::size_t>(PyDict_GET_SIZE(dict)));
  bool all_text = true;
  std::unordered_set<std::string> seen;
  Py_ssize_t position = 0;
  PyObject* key = nullptr;
  PyObject* value = nullptr;
  const Py_ssize_t size = PyDict_GET_SIZE(dict);
  while (PyDict_Next(dict, &position, &key, &value) != 0) {
    const PyRef keep_key = PyRef::borrow(key);
    const PyRef keep_value = PyRef::borrow(value);
    if (!read_member(key, value, object, all_text, seen)) return false;
    if (PyDict_GET_SIZE(dict) != size) return fail("the dict changed while it was read");
  }
  out = std::move(object);
  return true;
}

bool Reader::read_mapping(PyObject* mapping, Value& out) {
  const PyRef keys = call_method(mapping, "keys");
  const PyRef list = PyRef::steal(keys ? PySequence_List(keys.get()) : nullptr);
  if (!list) return fail_raised();
  Object object;
  bool all_text = true;
  std::unordered_set<std::string> seen;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list.get()); ++i) {
    const PyRef key = PyRef::borrow(PyList_GET_ITEM(list.get(), i));
    const PyRef value = PyRef::steal(PyObject_GetItem(mapping, key.get()));
    if (!value) return fail_raised();
    if (!read_member(key.get(), value.get(), object, all_text, seen)) return false;
  }
  out = std::move(object);
  return true;
}

// A list or a tuple. Its length is asked each time: user code may shrink it meanwhile.
bool Reader::read_sequence(PyObject* fast, Value& out) {
  Array array;
  const auto size = static_cast<std::size_t>(PySequence_Fast_GET_SIZE(fast));
  array.reserve(ancestors_.size() == 1 ? std::min(size, max_items_) : size);
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(fast); ++i) {
    if (is_enough(array.size())) break;
    const PyRef item = PyRef::borrow(PySequence_Fast_GET_ITEM(fast, i));
    if (array.size() >= kMaxIterated) return fail("the list has too many elements");
    if (!read(item.get(), array.emplace_back())) {
      prefix_index(static_cast<std::size_t>(i));
      return false;
    }
  }
  out = std::move(array);
  return true;
}

bool Reader::read_set(PyObject* set, Value& out) {
  const PyRef list = PyRef::steal(PySequence_List(set));
  if (!list) return fail_raised();
  if (PyList_Sort(list.get()) != 0) PyErr_Clear();  // not comparable: in its own order
  return read_sequence(list.get(), out);
}

bool Reader::read_iterable(PyObject* object, Value& out) {
  const PyRef iterator = PyRef::steal(PyObject_GetIter(object));
  if (!iterator) return fail_raised();
  Array array;
  while (!is_enough(array.size())) {
    const PyRef item = PyRef::steal(PyIter_Next(iterator.get()));
    if (!item) break;
    if (array.size() >= kMaxIterated) {
      return fail(fmt::format("the {} gave more than {} elements", type_name(Py_TYPE(object)),
                              kMaxIterated));
    }
    if (cancel_ != nullptr && array.size() % 256 == 255 && cancel_->cancelled()) {
      error_ = cancel_->error();
      return false;
    }
    if (!read(item.get(), array.emplace_back())) {
      prefix_index(array.size() - 1);
      return false;
    }
  }
  if (PyErr_Occurred() != nullptr) return fail_raised();
  out = std::move(array);
  return true;
}

// The names of the fields of a dataclass: its ClassVars and InitVars are among them only in form.
PyRef dataclass_names(PyObject* fields) {
  PyRef names = PyRef::steal(PyList_New(0));
  const PyRef items = PyRef::steal(names ? PyMapping_Items(fields) : nullptr);
  if (!items) return {};
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items.get()); ++i) {
    PyObject* const item = PyList_GET_ITEM(items.get(), i);
    const PyRef kind = find_attribute(PyTuple_GET_ITEM(item, 1), "_field_type");
    const PyRef name = kind ? find_attribute(kind.get(), "name") : PyRef();
    if (name && text_of(name.get()) != "_FIELD") continue;
    if (PyList_Append(names.get(), PyTuple_GET_ITEM(item, 0)) != 0) return {};
  }
  return names;
}

// The attributes of `object` that an iterable of names lists.
bool Reader::read_fields(PyObject* object, PyObject* names, Value& out) {
  const PyRef list = PyRef::steal(PySequence_List(names));
  if (!list) return fail_raised();
  Object made;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list.get()); ++i) {
    PyRef name = PyRef::borrow(PyList_GET_ITEM(list.get(), i));
    if (!PyUnicode_Check(name.get())) name = find_attribute(name.get(), "name");  // attrs
    const PyRef value = PyRef::steal(name ? PyObject_GetAttr(object, name.get()) : nullptr);
    if (!value) {
      // A field that is declared and was never set (init=False) is left out.
      if (PyErr_Occurred() != nullptr && !PyErr_ExceptionMatches(PyExc_AttributeError)) {
        return fail_raised();
      }
      PyErr_Clear();
      continue;
    }
    std::string key = text_of(name.get());
    Value member;
    if (!read(value.get(), member)) {
      prefix_key(key);
      return false;
    }
    made.set(std::move(key), std::move(member));
  }
  out = std::move(made);
  return true;
}

// JSON has durations as texts.
void write_spans(Value& value) {
  if (const Interval* const interval = value.as_interval()) {
    value = to_iso(*interval);
  } else if (Array* const array = value.as_array()) {
    for (Value& item : *array) write_spans(item);
  }
}

bool Reader::read_result_of(PyRef made, Value& out) {
  if (!made) return fail_raised();
  return read(made.get(), out);
}

bool Reader::read_library_type(PyObject* object, Value& out, bool& known) {
  PyTypeObject* type = Py_TYPE(object);
  known = true;
  if (comes_from(type, "decimal", "Decimal")) {
    const std::string text = str_of(object);
    if (text.find_first_not_of("+-0123456789.eE") == std::string::npos && !text.empty()) {
      out = ExactNumber{text, purpose_ == Purpose::kParameter};
    } else {
      // NaN, Infinity: SQL has them, JSON has not.
      out = purpose_ == Purpose::kParameter ? Value(PyFloat_AsDouble(object)) : Value();
      if (PyErr_Occurred() != nullptr) return fail_raised();
    }
    return true;
  }
  if (comes_from(type, "uuid")) return read_uuid(object, out);
  PlainForm form = plain_form(object, purpose_ == Purpose::kParameter);
  known = form.known;
  return known && read_plain(std::move(form), out);
}

bool Reader::read_plain(PlainForm form, Value& out) {
  if (!form.refusal.empty()) return fail(std::move(form.refusal));
  if (!read_result_of(std::move(form.object), out)) return false;
  if (Status finished = finish(form, out); !finished.ok()) {
    return fail(std::move(finished).error().message);
  }
  if (purpose_ == Purpose::kResult) write_spans(out);
  return true;
}

// What an object offers, whoever made it.
bool Reader::read_protocol(PyObject* object, Value& out, bool& known) {
  auto* type = reinterpret_cast<PyObject*>(Py_TYPE(object));
  known = true;
  if (PyCoro_CheckExact(object) || find_attribute(type, "__await__")) {
    return fail("a coroutine that was not awaited; write `await` before the call");
  }
  if (find_attribute(type, "__aiter__")) {
    // db.stream() says by itself what to do with it.
    const std::string advice = text_of(find_attribute(type, "_not_data").get());
    if (!advice.empty()) return fail(advice);
    return fail("an async generator inside of the result; collect it with `async for` first");
  }
  if (find_attribute(type, "__pydantic_fields__") ||
      find_attribute(type, "__pydantic_validator__")) {
    if (find_attribute(object, "model_dump")) {
      return read_result_of(call_method(object, "model_dump"), out);
    }
  }
  if (const PyRef fields = find_attribute(type, "__dataclass_fields__")) {
    const PyRef names = dataclass_names(fields.get());
    return names ? read_fields(object, names.get(), out) : fail_raised();
  }
  if (const PyRef fields = find_attribute(type, "__attrs_attrs__")) {
    return read_fields(object, fields.get(), out);
  }
  if (find_attribute(type, "__fields__") && find_attribute(object, "dict")) {  // pydantic 1
    return read_result_of(call_method(object, "dict"), out);
  }
  if (find_attribute(type, "__fspath__")) {
    const PyRef path = PyRef::steal(PyOS_FSPath(object));
    const PyRef text = path && PyBytes_Check(path.get())
                           ? PyRef::steal(PyUnicode_DecodeFSDefault(PyBytes_AS_STRING(path.get())))
                           : path;
    return read_result_of(text, out);
  }
  if (PyMapping_Check(object) != 0) {
    const PyRef keys = find_attribute(object, "keys");
    if (keys && PyCallable_Check(keys.get()) != 0) return read_mapping(object, out);
  }
  // Lists, tuples and their subclasses, generators, dict views, deque, range, array.array ...
  if (PyList_Check(object) || PyTuple_Check(object)) return read_sequence(object, out);
  if (Py_TYPE(object)->tp_iter != nullptr || PySequence_Check(object) != 0) {
    return read_iterable(object, out);
  }
  if (PyIndex_Check(object) != 0) return read_result_of(PyRef::steal(PyNumber_Index(object)), out);
  known = false;
  return false;
}

}  // namespace

std::size_t wanted_items(const invoke::Call& call) {
  const project::Endpoint& endpoint = *call.endpoint;
  const auto& declared = endpoint.return_type;
  if (endpoint.kind == project::EndpointKind::kPrompt) return kAllItems;
  if (!endpoint.limits.max_rows || (declared && declared->spec().kind != types::Kind::kArray)) {
    return kAllItems;
  }
  // Data and content blocks alike are cut there.
  return static_cast<std::size_t>(endpoint.limits.max_rows->value) + 1;
}

Result<Value> from_python(PyObject* object, Purpose purpose, const CancelToken* cancel,
                          std::size_t max_items) {
  Reader reader(purpose, cancel, max_items);
  Value value;
  if (reader.read(object, value)) return value;
  return std::move(reader).error();
}

}  // namespace mxcp::python
