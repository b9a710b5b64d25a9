#include "python/runtime_api.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "python/event_loop.h"
#include "python/exceptions.h"
#include "python/from_python.h"
#include "python/hooks.h"
#include "python/library_types.h"
#include "python/own_schemas.h"
#include "python/state.h"
#include "python/to_python.h"

namespace mxcp::python {
namespace {

// --- configuration -------------------------------------------------------------------------------

std::shared_ptr<const project::Project> project_or_raise() {
  auto project = current_project();
  if (project == nullptr) raise_no_runtime();
  return project;
}

// get_secret(name[, key[, default]])
PyObject* get_secret(PyObject*, PyObject* args, PyObject* keywords) {
  static const char* const kNames[] = {"name", "key", "default", nullptr};
  const char* name = nullptr;
  PyObject* key = nullptr;
  PyObject* fallback = Py_None;
  if (PyArg_ParseTupleAndKeywords(args, keywords, "s|OO:get_secret", const_cast<char**>(kNames),
                                  &name, &key, &fallback) == 0) {
    return nullptr;
  }
  const auto project = project_or_raise();
  if (project == nullptr) return nullptr;
  const project::Secret* secret = project->user().secret(name);
  if (key == nullptr || key == Py_None) {
    if (secret == nullptr) return Py_NewRef(fallback);
    return to_python(secret->parameters).release();
  }
  if (!PyUnicode_Check(key)) {
    PyErr_SetString(PyExc_TypeError,
                    "get_secret() takes the name of a secret and the name of one "
                    "of its parameters");
    return nullptr;
  }
  const Value* value = secret != nullptr ? secret->parameters.find(text_of(key)) : nullptr;
  return value != nullptr ? to_python(*value).release() : Py_NewRef(fallback);
}

const Value* find_setting(const Object& site, const std::string& key) {
  if (const Value* whole = site.find(key)) return whole;
  const Object* at = &site;
  const Value* value = nullptr;
  for (const std::string& part : split(key, '.')) {
    value = at != nullptr ? at->find(part) : nullptr;
    if (value == nullptr) return nullptr;
    at = value->as_object();
  }
  return value;
}

// get_setting(key[, default])
PyObject* get_setting(PyObject*, PyObject* args, PyObject* keywords) {
  static const char* const kNames[] = {"key", "default", nullptr};
  const char* key = nullptr;
  PyObject* fallback = Py_None;
  if (PyArg_ParseTupleAndKeywords(args, keywords, "s|O:get_setting", const_cast<char**>(kNames),
                                  &key, &fallback) == 0) {
    return nullptr;
  }
  const auto project = project_or_raise();
  if (project == nullptr) return nullptr;
  const Value* value = find_setting(project->site().raw, key);
  return value != nullptr ? to_python(*value).release() : Py_NewRef(fallback);
}

PyObject* user_config(PyObject*, PyObject*) {
  const auto project = current_project();
  return project == nullptr ? Py_NewRef(Py_None) : to_python(project->user().raw).release();
}

PyObject* site_config(PyObject*, PyObject*) {
  const auto project = current_project();
  return project == nullptr ? Py_NewRef(Py_None) : to_python(project->site().raw).release();
}

// --- plugins -------------------------------------------------------------------------------------

PyObject* get_plugin(PyObject*, PyObject* name) {
  PyObject* plugins = state().plugins.get();
  PyObject* found = plugins != nullptr ? PyDict_GetItemWithError(plugins, name) : nullptr;
  if (found == nullptr && PyErr_Occurred() != nullptr) return nullptr;
  return Py_NewRef(found != nullptr ? found : Py_None);
}

PyObject* plugin_names(PyObject*, PyObject*) {
  PyObject* plugins = state().plugins.get();
  return plugins != nullptr ? PyDict_Keys(plugins) : PyList_New(0);
}

// --- the client ----------------------------------------------------------------------------------

// A message that is odd is better than a call that fails for it.
Value json_or_repr(PyObject* object) {
  if (auto value = from_python(object, Purpose::kResult); value.ok()) return *std::move(value);
  const PyRef text = PyRef::steal(PyObject_Repr(object));
  if (text) return text_of(text.get());
  PyErr_Clear();
  return "<" + type_name(Py_TYPE(object)) + ">";
}

// send_message(level, message, extra: dict)
PyObject* send_message(PyObject*, PyObject* args) {
  const char* level = nullptr;
  PyObject* message = nullptr;
  PyObject* extra = nullptr;
  if (PyArg_ParseTuple(args, "sOO!", &level, &message, &PyDict_Type, &extra) == 0) return nullptr;
  Value data = json_or_repr(message);
  if (PyDict_GET_SIZE(extra) > 0) {
    Object object{{"message", std::move(data)}};
    // A copy: turning values into JSON and repr() are user code.
    const PyRef fields = PyRef::steal(PyDict_Items(extra));
    if (!fields) return nullptr;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(fields.get()); ++i) {
      PyObject* const field = PyList_GET_ITEM(fields.get(), i);
      object.set(text_of(PyTuple_GET_ITEM(field, 0)), json_or_repr(PyTuple_GET_ITEM(field, 1)));
    }
    data = std::move(object);
  }
  const auto call = current_call();
  {
    const GilRelease released;
    if (call != nullptr && call->client != nullptr) {
      call->client->log(level, call->endpoint ? call->endpoint->name : "mxcp", data);
    } else if (log::enabled(log::level_of(level))) {
      log::write(log::level_of(level), "runtime.mcp", to_plain_text(data));
    }
  }
  Py_RETURN_NONE;
}

// send_progress(progress, total, message)
PyObject* send_progress(PyObject*, PyObject* args) {
  double progress = 0;
  PyObject* total = nullptr;
  PyObject* message = nullptr;
  if (PyArg_ParseTuple(args, "dOO", &progress, &total, &message) == 0) return nullptr;
  std::optional<double> of;
  if (total != Py_None) {
    of = PyFloat_AsDouble(total);
    if (PyErr_Occurred() != nullptr) return nullptr;
  }
  const std::string text = message != Py_None ? str_of(message) : "";
  const auto call = current_call();
  {
    const GilRelease released;
    if (call != nullptr && call->client != nullptr) {
      call->client->progress(progress, of, text);
    } else if (log::enabled(log::Level::kInfo)) {
      log::info("runtime.mcp", "progress {}{}{}{}", progress, of ? fmt::format("/{}", *of) : "",
                text.empty() ? "" : " ", text);
    }
  }
  Py_RETURN_NONE;
}

// --- hooks and reload ----------------------------------------------------------------------------

// register_hook(kind, function) -> function
PyObject* register_hook(PyObject*, PyObject* args) {
  const char* kind = nullptr;
  PyObject* function = nullptr;
  if (PyArg_ParseTuple(args, "sO", &kind, &function) == 0) return nullptr;
  if (PyCallable_Check(function) == 0) {
    PyErr_Format(PyExc_TypeError,
                 "on_%s decorates a function, not %R; write it without parentheses", kind,
                 function);
    return nullptr;
  }
  State& global = state();
  auto& hooks = std::string_view(kind) == "init" ? global.init_hooks : global.shutdown_hooks;
  hooks.push_back(PyRef::borrow(function));
  return Py_NewRef(function);
}

// The payload of a reload, on a thread of the runtime while the database is closed.
Status run_payload(const PyShared& payload, const std::string& description) {
  State& global = state();
  ++global.payloads_running;
  Status status;
  {
    const GilAcquire gil;
    status = call_and_wait(payload.get());
    const PyRef helper = PyRef::steal(PyImport_ImportModule("mxcp._imports"));
    if (!helper || !call_method(helper.get(), "close_payload_connections")) PyErr_Clear();
  }
  --global.payloads_running;
  if (!status.ok()) {
    log::error("python", "the payload of reload_duckdb{} failed: {}\n{}",
               description.empty() ? "" : " (" + description + ")", status.error().message,
               status.error().detail);
  }
  return status;
}

// request_reload(payload_func, description)
PyObject* request_reload(PyObject*, PyObject* args) {
  PyObject* payload = nullptr;
  PyObject* description = nullptr;
  if (PyArg_ParseTuple(args, "OO", &payload, &description) == 0) return nullptr;
  if (payload != Py_None && PyCallable_Check(payload) == 0) {
    PyErr_Format(PyExc_ValueError, "payload_func must be a function without parameters, got %R",
                 payload);
    return nullptr;
  }
  invoke::Services* const services = services_or_raise();
  if (services == nullptr) return nullptr;
  const std::string text = description == Py_None ? "" : str_of(description);
  std::function<Status()> closure;
  if (payload != Py_None) {
    closure = [owned = share(PyRef::borrow(payload)), text] { return run_payload(owned, text); };
  }
  Status queued;
  {
    const GilRelease released;
    queued = services->request_reload(std::move(closure), text);
  }
  if (queued.ok()) return Py_NewRef(Py_None);
  raise_runtime_error(queued.error());
  return nullptr;
}

// --- identity ------------------------------------------------------------------------------------

Value optional_text(const std::optional<std::string>& text) {
  return text ? Value(*text) : Value();
}

// user_context() -> dict or None
PyObject* user_context(PyObject*, PyObject*) {
  const auto call = current_call();
  if (call != nullptr) call->caller.looked_at.set();
  if (call == nullptr || !call->caller.user) return Py_NewRef(Py_None);
  const UserContext& user = *call->caller.user;
  Array capabilities(user.capabilities.begin(), user.capabilities.end());
  return to_python(Object{{"provider", user.provider},
                          {"user_id", user.user_id},
                          {"username", user.username},
                          {"email", optional_text(user.email)},
                          {"name", optional_text(user.name)},
                          {"avatar_url", optional_text(user.avatar_url)},
                          {"raw_profile", user.raw_profile},
                          {"external_token", optional_text(user.external_token)},
                          {"capabilities", std::move(capabilities)}})
      .release();
}

// execution_context() -> dict or None
PyObject* execution_context(PyObject*, PyObject*) {
  const auto call = current_call();
  if (call == nullptr) return Py_NewRef(Py_None);
  call->caller.looked_at.set();
  Object headers;
  for (const auto& [name, value] : call->caller.headers) headers.set(name, value);
  return to_python(Object{{"transport", call->caller.transport},
                          {"request_headers", std::move(headers)},
                          {"endpoint", call->endpoint ? call->endpoint->id() : ""}})
      .release();
}

// --- for python/mxcp/_imports.py -----------------------------------------------------------------

// The same file by device and inode; where one does not exist yet, by its path.
bool same_file(const std::string& a, const std::string& b) {
  struct stat first {
  }, second{};
  if (::stat(a.c_str(), &first) == 0 && ::stat(b.c_str(), &second) == 0) {
    return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
  }
  std::error_code ignored;
  return fs::weakly_canonical(fs::absolute(a, ignored), ignored) ==
         fs::weakly_canonical(fs::absolute(b, ignored), ignored);
}

// check_connect(database) -> whether it is the managed file (inside a reload payload)
PyObject* check_connect(PyObject*, PyObject* database) {
  if (state().project == nullptr) return Py_NewRef(Py_False);
  const PyRef path = PyRef::steal(PyOS_FSPath(database));
  if (!path) {
    PyErr_Clear();  // not a path: duckdb says what it wants
    return Py_NewRef(Py_False);
  }
  std::string text =
      PyBytes_Check(path.get()) ? PyBytes_AS_STRING(path.get()) : text_of(path.get());
  if (text.starts_with("file:")) text.erase(0, text.starts_with("file://") ? 7 : 5);
  if (text.empty() || text.starts_with(":memory:")) return Py_NewRef(Py_False);
  if (!same_file(text, state().project->profile().database.string())) return Py_NewRef(Py_False);
  if (state().payloads_running.load() > 0) return Py_NewRef(Py_True);
  raise_runtime_error(
      Error{Code::kPython,
            fmt::format("'{}' is the project's database, which mxcp has open: a second connection "
                        "to it in the same process would corrupt the file",
                        text),
            {},
            "query it with mxcp.runtime.db.execute(); to rewrite or replace the file use "
            "mxcp.runtime.reload_duckdb(payload_func=...), inside of whose payload "
            "duckdb.connect() is allowed"});
  return nullptr;
}

// The level of the log, as Python's logging counts them.
PyObject* log_threshold(PyObject*, PyObject*) {
  switch (log::level()) {
    case log::Level::kDebug: return PyLong_FromLong(10);
    case log::Level::kInfo: return PyLong_FromLong(20);
    case log::Level::kWarning: return PyLong_FromLong(30);
    case log::Level::kError: return PyLong_FromLong(40);
    case log::Level::kOff: break;
  }
  return PyLong_FromLong(1000);
}

// log_to_file(level, logger, message)
PyObject* log_to_file(PyObject*, PyObject* args) {
  int number = 0;
  PyObject *name = nullptr, *message = nullptr;
  if (PyArg_ParseTuple(args, "iOO", &number, &name, &message) == 0) return nullptr;
  const log::Level level = number < 20   ? log::Level::kDebug
                           : number < 30 ? log::Level::kInfo
                           : number < 40 ? log::Level::kWarning
                                         : log::Level::kError;
  const std::string logger = str_of(name), text = str_of(message);
  {
    const GilRelease released;
    log::write_to_file(level, logger, text);
  }
  return Py_NewRef(Py_None);
}

PyObject* log_warning(PyObject*, PyObject* text) {
  log::warning("python", "{}", str_of(text));
  return Py_NewRef(Py_None);
}

template <class Function>
PyCFunction as_method(Function* function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

PyMethodDef methods[] = {
    {"db_execute", as_method(db_execute), METH_FASTCALL | METH_KEYWORDS,
     "execute(query, params=None)\n--\n\n"
     "Runs SQL and returns its rows as dicts; of several statements those of the last one.\n\n"
     "params: {name: value} for $name, or [value ...] for ? and $1. DECIMAL comes as float,\n"
     "TIMESTAMPTZ as an aware datetime in UTC, NULL as None. Each call may get another\n"
     "connection, so that SET, temporary tables and BEGIN do not carry over: see transaction().\n\n"
     "Raises the classes of the duckdb package (duckdb.Error), TypeError for a parameter that SQL\n"
     "has no type for, RuntimeError outside of mxcp."},
    {"db_stop_token", db_stop_token, METH_NOARGS, nullptr},
    {"db_stop", db_stop, METH_O, nullptr},
    {"db_execute_with", as_method(db_execute_with), METH_FASTCALL, nullptr},
    {"db_hold", as_method(db_hold), METH_FASTCALL, nullptr},
    {"db_held_execute", as_method(db_held_execute), METH_FASTCALL | METH_KEYWORDS, nullptr},
    {"db_held_start", as_method(db_held_start), METH_FASTCALL | METH_KEYWORDS, nullptr},
    {"db_held_next", as_method(db_held_next), METH_FASTCALL, nullptr},
    {"db_held_close", db_held_close, METH_O, nullptr},
    {"db_held_arrow", db_held_arrow, METH_O, nullptr},
    {"get_secret", as_method(get_secret), METH_VARARGS | METH_KEYWORDS,
     "get_secret(name, key=None, default=None)\n--\n\nThe parameters of a secret, or one of them."},
    {"get_setting", as_method(get_setting), METH_VARARGS | METH_KEYWORDS,
     "get_setting(key, default=None)\n--\n\nA value of mxcp-site.yml; dots lead into mappings."},
    {"user_config", user_config, METH_NOARGS, nullptr},
    {"site_config", site_config, METH_NOARGS, nullptr},
    {"get_plugin", get_plugin, METH_O, nullptr},
    {"plugin_names", plugin_names, METH_NOARGS, nullptr},
    {"send_message", send_message, METH_VARARGS, nullptr},
    {"send_progress", send_progress, METH_VARARGS, nullptr},
    {"ask_client", ask_client, METH_VARARGS, nullptr},
    {"release_client", release_client, METH_O, nullptr},
    {"elicitation_complete", elicitation_complete, METH_O, nullptr},
    {"matches", matches, METH_VARARGS, "matches(pattern, text)\n--\n\nBy RE2, anywhere."},
    {"client_capabilities", client_capabilities, METH_NOARGS, nullptr},
    {"register_hook", register_hook, METH_VARARGS, nullptr},
    {"request_reload", request_reload, METH_VARARGS, nullptr},
    {"user_context", user_context, METH_NOARGS, nullptr},
    {"execution_context", execution_context, METH_NOARGS, nullptr},
    {"check_connect", check_connect, METH_O, nullptr},
    {"log_threshold", log_threshold, METH_NOARGS, nullptr},
    {"log_to_file", log_to_file, METH_VARARGS, nullptr},
    {"log_warning", log_warning, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

void raise_no_runtime() {
  PyErr_SetString(PyExc_RuntimeError,
                  "mxcp.runtime is not available here: it works in code that mxcp runs (endpoints, "
                  "hooks, plugins and the modules they import), not in a plain Python program");
}

invoke::Services* services_or_raise() {
  const State& global = state();
  if (global.services == nullptr) {
    raise_no_runtime();
    return nullptr;
  }
  if (::getpid() != global.process) {
    PyErr_SetString(
        PyExc_RuntimeError,
        "the database of mxcp cannot be used in a forked process; query it before, pass "
        "the rows on, or start the process with multiprocessing.get_context('spawn')");
    return nullptr;
  }
  return global.services;
}

bool add_runtime_functions(PyObject* module) {
  return PyModule_AddFunctions(module, methods) == 0;
}

}  // namespace mxcp::python
