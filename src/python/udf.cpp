#include "python/udf.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "base/log.h"
#include "base/rules.h"
#include "invoke/call.h"
#include "python/cells.h"
#include "python/exceptions.h"
#include "python/query.h"
#include "python/state.h"

namespace mxcp::python {
namespace {

using engine::ColumnType;
using engine::TypeId;

constexpr std::size_t kCancelEvery = 64;

// --- types ---------------------------------------------------------------------------------------

TypeId simple_type(std::string_view name) {
  static constexpr std::pair<std::string_view, TypeId> kTypes[] = {
      {"VARCHAR", TypeId::kVarchar},   {"BIGINT", TypeId::kBigInt},
      {"DOUBLE", TypeId::kDouble},     {"BOOLEAN", TypeId::kBoolean},
      {"BLOB", TypeId::kBlob},         {"DATE", TypeId::kDate},
      {"TIME", TypeId::kTime},         {"UUID", TypeId::kUuid},
      {"INTERVAL", TypeId::kInterval}, {"TIMESTAMP", TypeId::kTimestamp}};
  for (const auto& [known, id] : kTypes) {
    if (known == name) return id;
  }
  return TypeId::kOther;
}

TypeId decimal_storage(int width) {
  if (width <= 4) return TypeId::kSmallInt;
  if (width <= 9) return TypeId::kInteger;
  return width <= 18 ? TypeId::kBigInt : TypeId::kHugeInt;
}

// What mxcp._plugins.functions says of a type.
ColumnType read_type(PyObject* description) {
  ColumnType type;
  const auto item = [&](Py_ssize_t i) { return PyTuple_GET_ITEM(description, i); };
  type.name = text_of(item(0));
  if (type.name == "DECIMAL") {
    type.id = TypeId::kDecimal;
    type.width = static_cast<std::uint8_t>(PyLong_AsLong(item(1)));
    type.scale = static_cast<std::uint8_t>(PyLong_AsLong(item(2)));
    type.internal = decimal_storage(type.width);
  } else if (type.name == "LIST" || type.name == "MAP") {
    type.id = type.name == "LIST" ? TypeId::kList : TypeId::kMap;
    for (Py_ssize_t i = 1; i < PyTuple_GET_SIZE(description); ++i) {
      type.children.push_back(read_type(item(i)));
    }
  } else if (type.name == "STRUCT") {
    type.id = TypeId::kStruct;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(item(1)); ++i) {
      PyObject* const member = PyTuple_GET_ITEM(item(1), i);
      type.names.push_back(text_of(PyTuple_GET_ITEM(member, 0)));
      type.children.push_back(read_type(PyTuple_GET_ITEM(member, 1)));
    }
  } else {
    type.id = simple_type(type.name);
  }
  return type;
}

// The most frequent results, without a detour.
bool write_plain(engine::VectorWriter& out, std::size_t row, PyObject* value) {
  if (PyLong_CheckExact(value) && out.id() == TypeId::kBigInt) {
    int overflow = 0;
    const long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow == 0) out.set<std::int64_t>(row, number);
    return overflow == 0;
  }
  if (PyFloat_CheckExact(value) && out.id() == TypeId::kDouble) {
    out.set<double>(row, PyFloat_AS_DOUBLE(value));
    return true;
  }
  return false;
}

// --- the function --------------------------------------------------------------------------------

class Udf final : public engine::ScalarFunction {
 public:
  Udf(std::string name, PyShared method, std::vector<ColumnType> parameters, ColumnType result)
      : name_(std::move(name)),
        method_(std::move(method)),
        parameters_(std::move(parameters)),
        result_(std::move(result)) {}

  const std::string& name() const override { return name_; }
  const std::vector<ColumnType>& parameters() const override { return parameters_; }
  const ColumnType& result() const override { return result_; }

  Status run(const engine::ChunkView& input, engine::VectorWriter& output,
             const std::shared_ptr<const void>& call) override {
    if (method_ == nullptr) return failure("the plugin is not running");
    const GilAcquire gil;
    return compute(input, output, std::static_pointer_cast<const invoke::Call>(call));
  }

 private:
  Status compute(const engine::ChunkView& input, engine::VectorWriter& output,
                 const std::shared_ptr<const invoke::Call>& call) const;
  Error failure(const std::string& what) const { return {Code::kPython, name_ + ": " + what}; }
  // Takes the current exception: "shout_text: ValueError: too loud (plugins/text.py:7)".
  Error raised() const;

  const std::string name_;
  const PyShared method_;
  const std::vector<ColumnType> parameters_;
  const ColumnType result_;
};

Error Udf::raised() const {
  const PyRef exception = fetch_exception();
  const Error error = to_error(exception.get());
  log::debug("python", "{}", error.detail);
  const std::string type = exception ? Py_TYPE(exception.get())->tp_name : "";
  std::string what = error.message.starts_with(type) ? error.message : type + ": " + error.message;
  if (error.place.known()) what += fmt::format(" ({}:{})", error.place.file, error.place.line);
  return failure(what);
}

Status Udf::compute(const engine::ChunkView& input, engine::VectorWriter& output,
                    const std::shared_ptr<const invoke::Call>& call) const {
  const CallContext context(call);
  if (!context.ok()) return raised();
  const NestedQueries nested(NestedQueries::Inside::kFunction);
  std::vector<CellReader> cells;
  cells.reserve(parameters_.size());
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    cells.emplace_back(parameters_[i], Decimals::kDecimal);
    if (!cells.back().ok()) return raised();
    cells.back().bind(input.column(i, parameters_[i]));
  }
  // A bound method is its function with one argument more.
  PyObject* function = method_.get();
  std::vector<PyObject*> arguments(cells.size() + 1);
  PyObject* const* first = arguments.data() + 1;
  std::size_t count = cells.size() | PY_VECTORCALL_ARGUMENTS_OFFSET;
  if (PyMethod_Check(function)) {
    arguments[0] = PyMethod_GET_SELF(function);
    function = PyMethod_GET_FUNCTION(function);
    first = arguments.data();
    count = arguments.size();
  }
  for (std::size_t row = 0; row < input.rows(); ++row) {
    if (row % kCancelEvery == 0 && call && call->cancel && call->cancel->cancelled()) {
      return call->cancel->error();
    }
    std::size_t made = 0;
    for (; made < cells.size(); ++made) {
      arguments[made + 1] = cells[made].read(row);
      if (arguments[made + 1] == nullptr) break;
    }
    PyRef result;
    if (made == cells.size()) {
      result = PyRef::steal(PyObject_Vectorcall(function, first, count, nullptr));
    }
    for (std::size_t i = 0; i < made; ++i) Py_DECREF(arguments[i + 1]);
    if (!result) return raised();
    if (write_plain(output, row, result.get())) continue;
    if (Status written = write_cell(output, row, result.get()); !written.ok()) {
      return failure("its result: " + written.error().message);
    }
  }
  return {};
}

}  // namespace

Error mistake_of(PyObject* described) {
  Error error{Code::kPython, text_of(PyTuple_GET_ITEM(described, 0))};
  const std::string file = text_of(PyTuple_GET_ITEM(described, 1));
  if (file.empty()) return error;
  const long line = PyLong_AsLong(PyTuple_GET_ITEM(described, 2));
  return std::move(error).at({display_user_path(file), static_cast<int>(line), 0});
}

Result<engine::ScalarFunctions> udf_functions(PyObject* plugin_class, PyObject* instance,
                                              const std::string& plugin_name,
                                              std::vector<Error>& mistakes) {
  const PyRef helper = PyRef::steal(PyImport_ImportModule("mxcp._plugins"));
  const PyRef suffix = helper ? to_str(plugin_name) : PyRef();
  const PyRef answer = suffix ? call_method(helper.get(), "functions", plugin_class,
                                            instance != nullptr ? instance : Py_None, suffix.get())
                              : PyRef();
  if (!answer) return take_exception();
  PyObject* const found = PyTuple_GET_ITEM(answer.get(), 0);
  PyObject* const wrong = PyTuple_GET_ITEM(answer.get(), 1);
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(wrong); ++i) {
    mistakes.push_back(mistake_of(PyList_GET_ITEM(wrong, i)).as(rules::kPluginFunction));
  }
  engine::ScalarFunctions functions;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(found); ++i) {
    PyObject* const entry = PyList_GET_ITEM(found, i);
    PyObject* const method = PyTuple_GET_ITEM(entry, 1);
    PyObject* const types = PyTuple_GET_ITEM(entry, 2);
    std::vector<ColumnType> parameters;
    for (Py_ssize_t at = 0; at < PyList_GET_SIZE(types); ++at) {
      parameters.push_back(read_type(PyList_GET_ITEM(types, at)));
    }
    functions.push_back(
        std::make_shared<Udf>(text_of(PyTuple_GET_ITEM(entry, 0)),
                              method == Py_None ? PyShared() : share(PyRef::borrow(method)),
                              std::move(parameters), read_type(PyTuple_GET_ITEM(entry, 3))));
  }
  return functions;
}

}  // namespace mxcp::python
