#include "python/exceptions.h"

#include <fmt/format.h>
#include <frameobject.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "python/library_types.h"

namespace mxcp::python {
namespace {

// The project's root as it was given and with links resolved; guarded by the GIL.
struct Root {
  std::string given, real;
};
Root& user_root() {
  static Root* const instance = new Root;
  return *instance;
}

bool inside(const std::string& file, const std::string& root) {
  return !root.empty() && file.size() > root.size() && file.compare(0, root.size(), root) == 0 &&
         file[root.size()] == '/';
}

// Whether a frame belongs to the machinery that runs user code, not to the user's code.
bool is_machinery(const std::string& file) {
  static constexpr std::array<std::string_view, 9> kOurs = {
      "/mxcp/_client.py",  "/mxcp/_environment.py", "/mxcp/_imports.py",
      "/mxcp/_loop.py",    "/mxcp/_plugins.py",     "/mxcp/_prompts.py",
      "/mxcp/_schemas.py", "/mxcp/_secrets.py",     "/mxcp/runtime/__init__.py"};
  if (file.starts_with("<frozen importlib")) return true;
  for (const std::string_view name : kOurs) {
    if (file.ends_with(name)) return true;
  }
  return false;
}

struct Frame {
  std::string file;
  int line = 0;
};

Frame frame_of(PyObject* traceback) {
  auto* entry = reinterpret_cast<PyTracebackObject*>(traceback);
  Frame frame;
  // tb_lineno is computed when asked for as an attribute only, from 3.12 on.
  const PyRef line = find_attribute(traceback, "tb_lineno");
  if (line && PyLong_Check(line.get())) frame.line = static_cast<int>(PyLong_AsLong(line.get()));
  PyErr_Clear();
  const PyRef code = PyRef::steal(reinterpret_cast<PyObject*>(PyFrame_GetCode(entry->tb_frame)));
  const PyRef name = find_attribute(code.get(), "co_filename");
  frame.file = text_of(name.get());
  return frame;
}

PyObject* next_of(PyObject* traceback) {
  return reinterpret_cast<PyObject*>(reinterpret_cast<PyTracebackObject*>(traceback)->tb_next);
}

// The traceback from the first frame of user code on: how it was called is no news.
PyObject* without_machinery(PyObject* traceback) {
  PyObject* first = traceback;
  while (first != nullptr && is_machinery(frame_of(first).file)) first = next_of(first);
  return first != nullptr ? first : traceback;
}

Place innermost_user_place(PyObject* traceback) {
  Place place;
  int frames = 0;
  for (PyObject* at = traceback; at != nullptr && frames < 100'000; at = next_of(at), ++frames) {
    // The file first: a deep recursion has thousands of frames, and most repeat.
    Frame frame = frame_of(at);
    if (is_user_file(frame.file)) place = {display_user_path(frame.file), frame.line, 0};
  }
  return place;
}

std::string format_traceback(PyObject* exception, PyObject* traceback) {
  const PyRef module = PyRef::steal(PyImport_ImportModule("traceback"));
  PyRef lines;
  if (module) {
    lines = call_method(module.get(), "format_exception",
                        reinterpret_cast<PyObject*>(Py_TYPE(exception)), exception,
                        traceback != nullptr ? traceback : Py_None);
  }
  const PyRef empty = to_str("");
  const PyRef text =
      PyRef::steal(lines && empty ? PyUnicode_Join(empty.get(), lines.get()) : nullptr);
  if (!text) {
    PyErr_Clear();
    return {};
  }
  return std::string(trim(text_of(text.get())));
}

bool is_a(PyObject* exception, PyObject* type) {
  return PyObject_TypeCheck(exception, reinterpret_cast<PyTypeObject*>(type)) != 0;
}

// str(e) says nothing without the type's name for these.
bool needs_type_name(PyObject* exception) {
  return is_a(exception, PyExc_KeyError) || !is_a(exception, PyExc_Exception);
}

std::string message_of(PyObject* exception) {
  const std::string name(bare_name(Py_TYPE(exception)));
  std::string message = str_of(exception);
  if (trim(message).empty()) return name;
  return needs_type_name(exception) ? name + ": " + message : message;
}

bool is_group([[maybe_unused]] PyObject* exception) {
#if PY_VERSION_HEX >= 0x030b0000
  return is_a(exception, PyExc_BaseExceptionGroup);
#else
  return false;
#endif
}

// The exceptions in a group and in the groups within, in their order.
void collect_leaves(PyObject* exception, std::vector<PyRef>& leaves, int depth = 0) {
  constexpr int kMaxNested = 50;
  if (!is_group(exception) || depth == kMaxNested) {
    leaves.push_back(PyRef::borrow(exception));
    return;
  }
  const PyRef members = find_attribute(exception, "exceptions");
  if (!members || !PyTuple_Check(members.get())) return;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(members.get()); ++i) {
    collect_leaves(PyTuple_GET_ITEM(members.get(), i), leaves, depth + 1);
  }
}

// "order 17 is not there (ValueError); ...", behind what the group says of itself.
std::string message_of_group(PyObject* group, const std::vector<PyRef>& leaves) {
  constexpr std::size_t kShown = 3;
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < std::min(leaves.size(), kShown); ++i) {
    const std::string name(bare_name(Py_TYPE(leaves[i].get())));
    const std::string text = str_of(leaves[i].get());
    parts.push_back(trim(text).empty() ? name : text + " (" + name + ")");
  }
  if (leaves.size() > kShown) parts.push_back(fmt::format("{} more", leaves.size() - kShown));
  const PyRef own = find_attribute(group, "message");
  const std::string about = own && PyUnicode_Check(own.get()) ? text_of(own.get()) : "";
  const bool says_nothing = trim(about).empty() || about == "unhandled errors in a TaskGroup";
  return (says_nothing ? "" : about + ": ") + join(parts, "; ");
}

int int_attribute(PyObject* object, const char* name) {
  const PyRef value = find_attribute(object, name);
  if (!value || !PyLong_Check(value.get())) return 0;
  const long number = PyLong_AsLong(value.get());
  PyErr_Clear();
  return static_cast<int>(number);
}

// Distribution names that differ from the name of the module.
std::string distribution_of(const std::string& module) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kNames = {{
      {"yaml", "pyyaml"},
      {"cv2", "opencv-python"},
      {"sklearn", "scikit-learn"},
      {"PIL", "pillow"},
      {"bs4", "beautifulsoup4"},
      {"dotenv", "python-dotenv"},
      {"jwt", "PyJWT"},
      {"dateutil", "python-dateutil"},
      {"google", "google-api-python-client"},
      {"psycopg2", "psycopg2-binary"},
  }};
  for (const auto& [from, to] : kNames) {
    if (module == from) return std::string(to);
  }
  return module;
}

std::string interpreter() {
  PyObject* executable = PySys_GetObject("executable");  // borrowed
  const std::string path = executable != nullptr ? text_of(executable) : "";
  return path.empty() ? "python" : path;
}

std::string hint_for(PyObject* exception) {
  if (is_a(exception, PyExc_ModuleNotFoundError)) {
    const PyRef name = find_attribute(exception, "name");
    std::string module = text_of(name.get());
    module.resize(std::min(module.find('.'), module.size()));
    if (module.empty()) return {};
    if (module == "jinja2") {
      return fmt::format("install it with: {} -m pip install jinja2", interpreter());
    }
    return fmt::format(
        "install the package with '{} -m pip install {}', or, if it is a module of "
        "yours, put it under python/ (a plugin: under plugins/)",
        interpreter(), distribution_of(module));
  }
  if (is_a(exception, PyExc_RecursionError)) {
    return "a function calls itself without end, or a structure contains itself";
  }
  return {};
}

}  // namespace

PyRef fetch_exception() {
#if PY_VERSION_HEX >= 0x030c0000
  return PyRef::steal(PyErr_GetRaisedException());
#else
  PyObject *type = nullptr, *value = nullptr, *traceback = nullptr;
  PyErr_Fetch(&type, &value, &traceback);
  if (type == nullptr) return {};
  PyErr_NormalizeException(&type, &value, &traceback);
  if (value != nullptr && traceback != nullptr) PyException_SetTraceback(value, traceback);
  Py_XDECREF(type);
  Py_XDECREF(traceback);
  return PyRef::steal(value);
#endif
}

Error take_exception() {
  const PyRef exception = fetch_exception();
  if (!exception) return {Code::kInternal, "a Python function failed without an exception"};
  return to_error(exception.get());
}

Error to_error(PyObject* exception) {
  Error error{Code::kPython, message_of(exception)};
  const PyRef traceback = PyRef::steal(PyException_GetTraceback(exception));
  PyObject* users = without_machinery(traceback.get());
  if (is_a(exception, PyExc_SyntaxError)) {
    const PyRef message = find_attribute(exception, "msg");
    if (message && PyUnicode_Check(message.get())) error.message = text_of(message.get());
    const PyRef file = find_attribute(exception, "filename");
    error.place = {display_user_path(text_of(file.get())), int_attribute(exception, "lineno"),
                   int_attribute(exception, "offset")};
  } else {
    error.place = innermost_user_place(users);
  }
  error.hint = hint_for(exception);
  std::vector<PyRef> leaves;
  if (is_group(exception)) collect_leaves(exception, leaves);
  if (!leaves.empty()) {
    error.message = message_of_group(exception, leaves);
    // Where the first of them was raised, rather than where the group was.
    const PyRef inner = PyRef::steal(PyException_GetTraceback(leaves.front().get()));
    if (const Place place = innermost_user_place(inner.get()); place.known()) error.place = place;
    error.hint = hint_for(leaves.front().get());
  }
  error.detail = format_traceback(exception, users);
  PyErr_Clear();
  return error;
}

Error take_import_error(const std::string& module_file) {
  Error error = take_exception();
  if (!error.place.known()) error.place = {display_user_path(module_file), 0, 0};
  return error;
}

void raise_runtime_error(const Error& error) {
  std::string text = error.message;
  if (!error.hint.empty()) text += " (" + error.hint + ")";
  const PyRef message = to_str(text);
  if (message) PyErr_SetObject(PyExc_RuntimeError, message.get());
}

namespace {

// "Out of Range" -> "OutofRangeException"; two of DuckDB's types have another name in Python.
std::string class_for(std::string type) {
  std::erase(type, ' ');
  if (type == "TransactionContext") type = "Transaction";
  if (type == "MismatchType") type = "TypeMismatch";
  return type + "Exception";
}

// The class of that name in upper or lower case ("Not implemented", "FATAL", "Out of Range"), or
// duckdb.Error, as the package raises for types that have no class.
PyRef exception_class(PyObject* module, const std::string& name) {
  if (PyRef found = find_attribute(module, name.c_str())) {
    if (PyExceptionClass_Check(found.get())) return found;
  }
  const std::string wanted = to_lower(name);
  PyObject* const members = PyModule_Check(module) ? PyModule_GetDict(module) : nullptr;
  PyObject *key = nullptr, *value = nullptr;
  for (Py_ssize_t at = 0; members != nullptr && PyDict_Next(members, &at, &key, &value) != 0;) {
    if (PyExceptionClass_Check(value) && to_lower(text_of(key)) == wanted) {
      return PyRef::borrow(value);
    }
  }
  return find_attribute(module, "Error");
}

}  // namespace

void raise_sql_error(const Error& error) {
  std::string class_name;
  switch (error.code) {
    case Code::kSql: {
      // "Catalog Error: ...", possibly behind some words of ours; a wrong parameter has none.
      class_name = "InvalidInputException";
      const auto end = error.message.find(" Error: ");
      if (end != std::string::npos) {
        const auto before = error.message.rfind(": ", end);
        const std::size_t begin = before == std::string::npos ? 0 : before + 2;
        class_name = class_for(error.message.substr(begin, end - begin));
      }
      break;
    }
    case Code::kDatabase: class_name = "IOException"; break;
    case Code::kCancelled:
    case Code::kTimeout: class_name = "InterruptException"; break;
    case Code::kInvalidArgs: class_name = "InvalidInputException"; break;
    default: raise_runtime_error(error); return;
  }
  std::string text = error.message;
  if (!error.hint.empty()) text += "\n" + error.hint;
  const PyRef module = PyRef::steal(PyImport_ImportModule("duckdb"));
  if (!module) {
    PyErr_Clear();
    raise_runtime_error(error);
    return;
  }
  const PyRef type = exception_class(module.get(), class_name);
  const PyRef message = to_str(text);
  if (message) PyErr_SetObject(type ? type.get() : PyExc_RuntimeError, message.get());
}

void set_user_code_root(const fs::path& root) {
  std::error_code ignored;
  user_root() = {root.lexically_normal().string(), fs::weakly_canonical(root, ignored).string()};
  for (std::string* path : {&user_root().given, &user_root().real}) {
    while (path->size() > 1 && path->back() == '/') path->pop_back();
  }
}

bool is_user_file(const std::string& file) {
  if (!inside(file, user_root().given) && !inside(file, user_root().real)) return false;
  // A virtual environment inside the project.
  return file.find("/site-packages/") == std::string::npos &&
         file.find("/dist-packages/") == std::string::npos;
}

std::string display_user_path(const std::string& file) {
  for (const std::string& root : {user_root().given, user_root().real}) {
    if (inside(file, root)) return file.substr(root.size() + 1);
  }
  return file;
}

}  // namespace mxcp::python
