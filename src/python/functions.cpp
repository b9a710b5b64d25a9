#include "python/functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "python/exceptions.h"

namespace mxcp::python {
namespace {

constexpr int kCoroutineFlags = 0x80 | 0x100;  // CO_COROUTINE, CO_ITERABLE_COROUTINE
constexpr int kAsyncGeneratorFlag = 0x200;     // CO_ASYNC_GENERATOR

std::string identifier_from(const std::string& uri) {
  std::string name;
  for (const char c : uri) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (word) {
      name += c;
    } else if (!name.empty() && name.back() != '_') {
      name += '_';
    }
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  return name;
}

bool is_keyword(std::string_view name) {
  static constexpr std::array kKeywords = std::to_array<std::string_view>(
      {"False", "None",     "True",  "and",    "as",   "assert", "async",  "await",    "break",
       "class", "continue", "def",   "del",    "elif", "else",   "except", "finally",  "for",
       "from",  "global",   "if",    "import", "in",   "is",     "lambda", "nonlocal", "not",
       "or",    "pass",     "raise", "return", "try",  "while",  "with",   "yield"});
  return std::find(kKeywords.begin(), kKeywords.end(), name) != kKeywords.end();
}

// The name itself where Python can define a function of it; else "get_user" for "get-user",
// "class_" for "class", "_2fast" for "2fast".
std::string identifier_like(const std::string& name) {
  if (is_keyword(name)) return name + '_';
  const PyRef text = to_str(name);
  if (text && PyUnicode_IsIdentifier(text.get()) == 1) return name;
  std::string out;
  for (Py_ssize_t i = 0; text && i < PyUnicode_GET_LENGTH(text.get()); ++i) {
    const PyRef one = PyRef::steal(PyUnicode_Substring(text.get(), i, i + 1));
    const PyRef after = PyRef::steal(one ? PyUnicode_FromFormat("_%U", one.get()) : nullptr);
    const bool allowed = after && PyUnicode_IsIdentifier(after.get()) == 1;
    // A digit is allowed, though not in front.
    if (i == 0 && allowed && PyUnicode_IsIdentifier(one.get()) != 1) out += '_';
    out += allowed ? text_of(one.get()) : "_";
  }
  PyErr_Clear();
  return out;
}

Error not_found(const project::Endpoint& endpoint, PyObject* module) {
  std::vector<std::string> candidates;
  const PyRef names = PyRef::steal(PyObject_Dir(module));
  for (Py_ssize_t i = 0; names && i < PyList_GET_SIZE(names.get()); ++i) {
    std::string name = text_of(PyList_GET_ITEM(names.get(), i));
    const PyRef value = find_attribute(module, name.c_str());
    if (!name.starts_with("_") && value && PyFunction_Check(value.get())) {
      candidates.push_back(std::move(name));
    }
  }
  PyErr_Clear();
  const std::string wanted = function_names(endpoint).front();
  return Error{Code::kPython,
               fmt::format("function '{}' not found in {}", wanted,
                           endpoint.source.is_file ? endpoint.source.display_file
                                                   : "the code of the endpoint"),
               {endpoint.source.display_file, 0, 0},
               suggest(wanted, candidates)};
}

// What runs in the end: inside of bound methods, functools.partial and objects with __call__.
PyRef function_inside(PyObject* callable) {
  PyRef target = PyRef::borrow(callable);
  for (int i = 0; i < 8 && !PyFunction_Check(target.get()); ++i) {
    PyRef inner;
    if (PyMethod_Check(target.get())) {
      inner = PyRef::borrow(PyMethod_GET_FUNCTION(target.get()));
    } else if (!PyType_Check(target.get()) && !PyCFunction_Check(target.get())) {
      inner = find_attribute(target.get(), "func");
      if (!inner) {
        inner = find_attribute(reinterpret_cast<PyObject*>(Py_TYPE(target.get())), "__call__");
      }
    }
    if (!inner || inner.get() == target.get()) return {};
    target = std::move(inner);
  }
  return PyFunction_Check(target.get()) ? target : PyRef();
}

Place definition_of(PyObject* callable) {
  PyRef function = function_inside(callable);
  // The one that the user wrote, behind decorators.
  for (int i = 0; i < 16 && function; ++i) {
    PyRef wrapped = find_attribute(function.get(), "__wrapped__");
    if (!wrapped || !PyFunction_Check(wrapped.get())) break;
    function = std::move(wrapped);
  }
  if (!function) return {};
  PyObject* code = PyFunction_GET_CODE(function.get());
  const PyRef file = find_attribute(code, "co_filename");
  const int line = reinterpret_cast<PyCodeObject*>(code)->co_firstlineno;
  return {display_user_path(text_of(file.get())), line, 0};
}

PyRef look_up(const project::Endpoint& endpoint, PyObject* module) {
  for (const std::string& name : function_names(endpoint)) {
    PyRef found = find_attribute(module, name.c_str());
    if (found && PyCallable_Check(found.get()) != 0) return found;
  }
  return {};
}

PyRef keyword_names(const project::Endpoint& endpoint) {
  const auto& entries = endpoint.parameters.entries();
  PyRef names = PyRef::steal(PyTuple_New(static_cast<Py_ssize_t>(entries.size())));
  for (std::size_t i = 0; names && i < entries.size(); ++i) {
    PyObject* name = PyUnicode_InternFromString(entries[i].name.c_str());
    if (name == nullptr) return {};
    PyTuple_SET_ITEM(names.get(), static_cast<Py_ssize_t>(i), name);
  }
  return names;
}

}  // namespace

std::vector<std::string> function_names(const project::Endpoint& endpoint) {
  if (endpoint.kind != project::EndpointKind::kResource) return {identifier_like(endpoint.name)};
  std::vector<std::string> names;
  if (!endpoint.name.empty() && endpoint.name != endpoint.uri) {
    names.push_back(identifier_like(endpoint.name));
  }
  names.push_back(identifier_from(endpoint.uri));
  names.emplace_back("main");
  if (endpoint.source.is_file) names.push_back(endpoint.source.path.stem().string());
  return names;
}

Function::Kind kind_of(PyObject* callable) {
  const PyRef function = function_inside(callable);
  if (!function) return Function::Kind::kSync;
  const auto* code = reinterpret_cast<PyCodeObject*>(PyFunction_GET_CODE(function.get()));
  if ((code->co_flags & kCoroutineFlags) != 0) return Function::Kind::kCoroutine;
  if ((code->co_flags & kAsyncGeneratorFlag) != 0) return Function::Kind::kAsyncGenerator;
  return Function::Kind::kSync;
}

std::shared_ptr<const Function> Functions::find(const project::Endpoint& endpoint) const {
  const std::lock_guard lock(mutex_);
  const auto found = table_.find(&endpoint);
  return found == table_.end() ? nullptr : found->second;
}

std::shared_ptr<const Function> Functions::resolve(
    std::shared_ptr<const project::Endpoint> endpoint, Modules& modules) {
  auto function = std::make_shared<Function>();
  function->endpoint = endpoint;
  auto module = endpoint->source.is_file ? modules.load(endpoint->source.path)
                                         : modules.load_inline(*endpoint);
  if (!module.ok()) {
    function->error = std::move(module).error();
  } else if (PyRef found = look_up(*endpoint, module->get())) {
    PyRef names = keyword_names(*endpoint);
    if (names) {
      function->kind = kind_of(found.get());
      function->place = definition_of(found.get());
      function->callable = share(std::move(found));
      function->keyword_names = share(std::move(names));
    } else {
      function->error = take_exception();
    }
  } else {
    function->error = not_found(*endpoint, module->get());
  }
  std::shared_ptr<const Function> old;  // destroyed after the lock is gone: it may need the GIL
  const std::lock_guard lock(mutex_);
  auto& slot = table_[endpoint.get()];
  old = std::exchange(slot, function);
  return function;
}

void Functions::clear() {
  Table gone;  // destroyed without the lock: that may need the GIL
  const std::lock_guard lock(mutex_);
  table_.swap(gone);
}

void Functions::keep(const std::vector<std::shared_ptr<const project::Project>>& projects) {
  Table kept;  // then what is gone, destroyed without the lock: that may need the GIL
  const std::lock_guard lock(mutex_);
  for (const auto& project : projects) {
    if (project == nullptr) continue;
    for (const auto& endpoint : project->endpoints()) {
      if (auto known = table_.extract(endpoint.get())) kept.insert(std::move(known));
    }
  }
  table_.swap(kept);
}

}  // namespace mxcp::python
