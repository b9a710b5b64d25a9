// db.execute: parameters are converted with the GIL held, everything that waits happens without it,
// rows become dicts with it again.
#include <fmt/format.h>

#include <optional>

#include "engine/database.h"
#include "python/exceptions.h"
#include "python/from_python.h"
#include "python/rows.h"
#include "python/runtime_api.h"
#include "python/state.h"

namespace mxcp::python {
namespace {

// How long a query waits for a connection before it is refused.
constexpr std::chrono::seconds kLeaseLimit{60};

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
  if (query != nullptr && PyUnicode_Check(query)) return true;
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

// One query: the lease and the result live in here, and go without the GIL.
struct Query {
  std::shared_ptr<engine::Database> database;
  std::optional<engine::Lease> lease;
  std::optional<engine::ResultSet> rows;

  // Runs it and returns the first chunk. Without the GIL.
  Result<void*> run(invoke::Services& services, const std::string& sql,
                    const types::Arguments& parameters,
                    const std::shared_ptr<const invoke::Call>& call) {
    CancelToken* cancel = call != nullptr ? call->cancel.get() : nullptr;
    MXCP_TRY(database, services.database());
    MXCP_TRY(lease, database->lease(Clock::system().now() + kLeaseLimit, cancel));
    engine::ExecuteOptions options;
    options.cancel = cancel;
    options.caller = call != nullptr ? &call->caller : nullptr;
    options.call = call;
    MXCP_TRY(rows, lease->execute(sql, parameters, options));
    return next();
  }
  // The next chunk; at the end the connection goes back to the pool.
  Result<void*> next() {
    auto chunk = rows->next_chunk();
    if (!chunk.ok() || *chunk == nullptr) close();
    return chunk;
  }
  void close() {
    rows.reset();
    lease.reset();
    database.reset();
  }
};

// Every row as a dict; nothing when a Python exception is set, an Error when the query failed.
Result<PyRef> read_all(Query& query, void* chunk) {
  if (chunk == nullptr) return PyRef::steal(PyList_New(0));
  const engine::Api& api = query.rows->api();
  RowReader reader(query.rows->columns());
  while (chunk != nullptr) {
    if (!reader.add(api, chunk)) return PyRef();
    const GilRelease released;
    MXCP_TRY(chunk, query.next());
  }
  return reader.take();
}

}  // namespace

PyObject* db_execute(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  PyObject *query = nullptr, *given = nullptr;
  if (!parse_arguments(args, count, keywords, query, given)) return nullptr;
  invoke::Services* const services = services_or_raise();
  if (services == nullptr) return nullptr;
  const std::string sql = text_of(query);
  types::Arguments parameters;
  if (!read_parameters(given, parameters)) return nullptr;
  const std::shared_ptr<const invoke::Call> call = current_call();

  Query running;
  Result<void*> first = nullptr;
  {
    const GilRelease released;
    first = running.run(*services, sql, parameters, call);
  }
  Result<PyRef> rows = first.ok() ? read_all(running, *first) : Result<PyRef>(first.error());
  if (running.lease || running.database) {
    const GilRelease released;
    running.close();
  }
  if (rows.ok()) return rows->release();
  raise_sql_error(rows.error());
  return nullptr;
}

}  // namespace mxcp::python
