// db.execute: parameters are converted with the GIL held, everything that waits happens without it,
// rows become dicts with it again.
#include <fmt/format.h>

#include <optional>

#include "engine/vector_reader.h"
#include "python/arrow_stream.h"
#include "python/exceptions.h"
#include "python/from_python.h"
#include "python/query.h"
#include "python/rows.h"
#include "python/runtime_api.h"
#include "python/state.h"

namespace mxcp::python {
namespace {

bool parse_arguments(PyObject* const* args, Py_ssize_t count, PyObject* keywords, PyObject*& query,
                     PyObject*& parameters) {
  if (count > 2) {
    PyErr_Format(PyExc_TypeError, "execute() takes a query and its parameters, got %zd arguments",
                 count);
    return false;
  }
  if (count > 0) query = args[0];
  if (count > 1) parameters = args[1];
  const Py_ssize_t named = keywords != nullptr ? PyTuple_GET_SIZE(keywords) : 0;
  for (Py_ssize_t i = 0; i < named; ++i) {
    const std::string name = text_of(PyTuple_GET_ITEM(keywords, i));
    const bool known = name == "params" || name == "query" || name == "sql";
    PyObject*& slot = name == "params" ? parameters : query;
    if (!known || slot != nullptr) {
      PyErr_Format(PyExc_TypeError, "execute() got %s argument '%s'",
                   known ? "a second" : "an unexpected", name.c_str());
      return false;
    }
    slot = args[count + i];
  }
  // Half of a surrogate pair is no text that SQL can have: UnicodeEncodeError says where it is.
  if (query != nullptr && PyUnicode_Check(query)) return PyUnicode_AsUTF8(query) != nullptr;
  PyErr_SetString(PyExc_TypeError, "execute() needs the SQL text as its first argument");
  return false;
}

bool add_parameter(std::string name, PyObject* object, types::Arguments& out) {
  auto value = from_python(object, Purpose::kParameter);
  if (!value.ok()) {
    PyErr_SetString(PyExc_TypeError,
                    fmt::format("parameter '{}': {}", name, value.error().message).c_str());
    return false;
  }
  out.emplace_back(std::move(name), *std::move(value));
  return true;
}

// {name: value}, or [value ...] for `?` and $1.
bool read_parameters(PyObject* given, types::Arguments& out) {
  if (given == nullptr || given == Py_None) return true;
  if (PyDict_Check(given)) {
    PyObject *key = nullptr, *value = nullptr;
    for (Py_ssize_t at = 0; PyDict_Next(given, &at, &key, &value) != 0;) {
      const PyRef keep_key = PyRef::borrow(key), keep_value = PyRef::borrow(value);
      if (!PyUnicode_Check(key)) {
        PyErr_SetString(PyExc_TypeError, "the names of query parameters must be text");
        return false;
      }
      if (!add_parameter(text_of(key), value, out)) return false;
    }
    return true;
  }
  if (PyList_Check(given) || PyTuple_Check(given)) {
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(given); ++i) {
      const PyRef item = PyRef::borrow(PySequence_Fast_GET_ITEM(given, i));
      if (!add_parameter(std::to_string(i + 1), item.get(), out)) return false;
    }
    return true;
  }
  PyErr_Format(PyExc_TypeError,
               "query parameters must be a dict of names and values, or a list, not %s",
               Py_TYPE(given)->tp_name);
  return false;
}

// Every row as a dict; nothing when a Python exception is set, an Error when the query failed.
Result<PyRef> read_all(Query& query, void* chunk) {
  if (chunk == nullptr) return PyRef::steal(PyList_New(0));
  const engine::Api& api = query.rows().api();
  RowReader reader(query.rows().columns());
  while (chunk != nullptr) {
    if (!reader.add(api, chunk)) return PyRef();
    const GilRelease released;
    MXCP_TRY(chunk, query.next());
  }
  return reader.take();
}

PyObject* to_object(Result<PyRef> rows) {
  if (rows.ok()) return rows->release();
  raise_sql_error(rows.error());
  return nullptr;
}

PyObject* execute(PyObject* query, PyObject* given, std::shared_ptr<CancelToken> stop) {
  invoke::Services* const services = services_or_raise();
  if (services == nullptr) return nullptr;
  const std::string sql = text_of(query);
  types::Arguments parameters;
  if (!read_parameters(given, parameters)) return nullptr;
  Query running(current_call(), std::move(stop));
  Result<void*> first = nullptr;
  {
    const GilRelease released;
    const Status opened = running.open(*services);
    first = opened.ok() ? running.execute(sql, parameters) : Result<void*>(opened.error());
  }
  Result<PyRef> rows = first.ok() ? read_all(running, *first) : Result<PyRef>(first.error());
  {
    const GilRelease released;
    running.close();
  }
  return to_object(std::move(rows));
}

// --- capsules ------------------------------------------------------------------------------------

constexpr const char* kHeldName = "mxcp.query";
constexpr const char* kStopName = "mxcp.stop";

// A query that Python holds, and how far its rows were read. The reader's parts are Python objects.
struct Handle {
  std::shared_ptr<HeldQuery> held;
  std::optional<RowReader> reader;
  void* chunk = nullptr;
  std::size_t row = 0;  // of the chunk
};

std::shared_ptr<CancelToken>* stop_of(PyObject* capsule) {
  return static_cast<std::shared_ptr<CancelToken>*>(PyCapsule_GetPointer(capsule, kStopName));
}

Handle* handle_of(PyObject* capsule) {
  return static_cast<Handle*>(PyCapsule_GetPointer(capsule, kHeldName));
}

// The lock of a query, waited for without the GIL. A Python exception is set when it is not taken,
// or when the query is closed.
class Locked {
 public:
  enum class Want { kOpen, kAny };
  explicit Locked(HeldQuery& held, Want want = Want::kOpen) {
    {
      const GilRelease released;
      lock_.emplace(held);
    }
    if (!*lock_) {
      raise_runtime_error(Error{Code::kPython, HeldLock::kAtWork});
    } else if (want == Want::kOpen && !held.query.is_open()) {
      raise_runtime_error(Error{Code::kPython,
                                "the stream or transaction is closed: it was used up, or ended by "
                                "a reload"});
    } else {
      usable_ = true;
    }
  }
  explicit operator bool() const { return usable_; }

 private:
  std::optional<HeldLock> lock_;
  bool usable_ = false;
};

bool close_handle(Handle& handle) {
  const Locked lock(*handle.held, Locked::Want::kAny);
  if (!lock) return false;
  handle.reader.reset();
  handle.chunk = nullptr;
  const GilRelease released;
  handle.held->query.close();
  return true;
}

void destroy_handle(PyObject* capsule) {
  Handle* const handle = handle_of(capsule);
  // An Arrow stream may live on with the query; without one this is the end of it.
  handle->reader.reset();
  const GilRelease released;
  delete handle;
}

}  // namespace

PyObject* db_execute(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  PyObject *query = nullptr, *given = nullptr;
  if (!parse_arguments(args, count, keywords, query, given)) return nullptr;
  return execute(query, given, nullptr);
}

// --- db.aexecute ---------------------------------------------------------------------------------

PyObject* db_stop_token(PyObject*, PyObject*) {
  auto* const token = new std::shared_ptr<CancelToken>(std::make_shared<CancelToken>());
  return PyCapsule_New(token, kStopName, [](PyObject* capsule) { delete stop_of(capsule); });
}

PyObject* db_stop(PyObject*, PyObject* capsule) {
  const auto* const token = stop_of(capsule);
  if (token == nullptr) return nullptr;
  {
    const GilRelease released;
    (*token)->cancel();
  }
  return Py_NewRef(Py_None);
}

PyObject* db_execute_with(PyObject*, PyObject* const* args, Py_ssize_t count) {
  const auto* const token = count == 3 ? stop_of(args[0]) : nullptr;
  if (token == nullptr || !PyUnicode_Check(args[1])) {
    if (PyErr_Occurred() == nullptr) {
      PyErr_SetString(PyExc_TypeError, "the query must be the text of the SQL");
    }
    return nullptr;
  }
  return execute(args[1], args[2], *token);
}

// --- transactions, streams, Arrow ----------------------------------------------------------------

// hold(stop=None): a connection for transactions and streams, as a capsule. `stop`, a stop token,
// ends whatever is done with it.
PyObject* db_hold(PyObject*, PyObject* const* args, Py_ssize_t count) {
  invoke::Services* const services = services_or_raise();
  if (services == nullptr) return nullptr;
  const auto* const stop = count > 0 ? stop_of(args[0]) : nullptr;
  if (count > 0 && stop == nullptr) return nullptr;
  auto handle = std::make_unique<Handle>();
  handle->held = hold_query(current_call(), stop == nullptr ? nullptr : *stop);
  Status opened;
  {
    const GilRelease released;
    opened = handle->held->query.open(*services);
  }
  if (!opened.ok()) {
    raise_sql_error(opened.error());
    const GilRelease released;
    handle.reset();
    return nullptr;
  }
  return PyCapsule_New(handle.release(), kHeldName, destroy_handle);
}

// held_execute(handle, query, params): the rows.
PyObject* db_held_execute(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  Handle* const handle = count > 0 ? handle_of(args[0]) : nullptr;
  PyObject *query = nullptr, *given = nullptr;
  if (handle == nullptr || !parse_arguments(args + 1, count - 1, keywords, query, given)) {
    return nullptr;
  }
  const std::string sql = text_of(query);
  types::Arguments parameters;
  if (!read_parameters(given, parameters)) return nullptr;
  const Locked lock(*handle->held);
  if (!lock) return nullptr;
  Query& running = handle->held->query;
  Result<void*> first = nullptr;
  {
    const GilRelease released;
    first = running.execute(sql, parameters);
  }
  return to_object(first.ok() ? read_all(running, *first) : Result<PyRef>(first.error()));
}

// held_start(handle, query, params): runs it; the rows come with held_next or held_arrow.
PyObject* db_held_start(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  Handle* const handle = count > 0 ? handle_of(args[0]) : nullptr;
  PyObject *query = nullptr, *given = nullptr;
  if (handle == nullptr || !parse_arguments(args + 1, count - 1, keywords, query, given)) {
    return nullptr;
  }
  const std::string sql = text_of(query);
  types::Arguments parameters;
  if (!read_parameters(given, parameters)) return nullptr;
  const Locked lock(*handle->held);
  if (!lock) return nullptr;
  Query& running = handle->held->query;
  Status started;
  {
    const GilRelease released;
    started = running.start(sql, parameters);
  }
  if (started.ok()) return Py_NewRef(Py_None);
  raise_sql_error(started.error());
  return nullptr;
}

// held_next(handle, size): the next rows, at most `size`; an empty list at the end.
PyObject* db_held_next(PyObject*, PyObject* const* args, Py_ssize_t count) {
  Handle* const handle = count == 2 ? handle_of(args[0]) : nullptr;
  if (handle == nullptr) return nullptr;
  const Py_ssize_t size = PyNumber_AsSsize_t(args[1], PyExc_OverflowError);
  if (size == -1 && PyErr_Occurred() != nullptr) return nullptr;
  const Locked lock(*handle->held);
  if (!lock) return nullptr;
  Query& running = handle->held->query;
  if (!handle->reader) handle->reader.emplace(running.rows().columns());
  RowReader& reader = *handle->reader;
  const engine::Api& api = running.rows().api();
  while (reader.size() < static_cast<std::size_t>(size)) {
    if (handle->chunk == nullptr) {
      Result<void*> next = nullptr;
      {
        const GilRelease released;
        next = running.next();
      }
      if (!next.ok()) {
        raise_sql_error(next.error());
        return nullptr;
      }
      if (*next == nullptr) break;
      if (engine::ChunkView(api, *next).rows() == 0) continue;
      handle->chunk = *next;
      handle->row = 0;
    }
    const std::size_t wanted = static_cast<std::size_t>(size) - reader.size();
    const std::size_t read = reader.add(api, handle->chunk, handle->row, wanted);
    if (read == 0) return nullptr;
    handle->row += read;
    if (handle->row == engine::ChunkView(api, handle->chunk).rows()) handle->chunk = nullptr;
  }
  return reader.take().release();
}

PyObject* db_held_close(PyObject*, PyObject* capsule) {
  Handle* const handle = handle_of(capsule);
  if (handle == nullptr) return nullptr;
  return close_handle(*handle) ? Py_NewRef(Py_None) : nullptr;
}

PyObject* db_held_arrow(PyObject*, PyObject* capsule) {
  Handle* const handle = handle_of(capsule);
  if (handle == nullptr) return nullptr;
  const Locked lock(*handle->held);
  if (!lock) return nullptr;
  return arrow_capsule(handle->held).release();
}

}  // namespace mxcp::python
