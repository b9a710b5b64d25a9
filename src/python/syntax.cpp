#include "python/syntax.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "python/exceptions.h"

namespace mxcp::python {
namespace {

// A node of the tree, or a list of them, or a leaf. Its children are asked for by name.
class Node {
 public:
  explicit Node(PyRef object) : object_(std::move(object)) {}

  // "FunctionDef"; "" for None.
  std::string_view kind() const {
    if (!object_ || object_.get() == Py_None) return {};
    const std::string_view name = Py_TYPE(object_.get())->tp_name;
    return name.substr(name.rfind('.') + 1);
  }
  bool is(std::string_view name) const { return kind() == name; }
  bool none() const { return !object_ || object_.get() == Py_None; }
  Node operator[](const char* field) const {
    return Node(object_ ? find_attribute(object_.get(), field) : PyRef());
  }
  std::string text(const char* field) const { return text_of((*this)[field].object_.get()); }
  int number(const char* field) const {
    const Node value = (*this)[field];
    return value.object_ && PyLong_Check(value.object_.get())
               ? static_cast<int>(PyLong_AsLong(value.object_.get()))
               : 0;
  }
  // The elements of a list field.
  std::vector<Node> list(const char* field) const {
    std::vector<Node> nodes;
    const Node value = (*this)[field];
    if (!value.object_ || !PyList_Check(value.object_.get())) return nodes;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(value.object_.get()); ++i) {
      nodes.emplace_back(PyRef::borrow(PyList_GET_ITEM(value.object_.get(), i)));
    }
    return nodes;
  }
  PyObject* get() const { return object_.get(); }

 private:
  PyRef object_;
};

// Calls `visit` for every node of the tree, parents first, without recursion.
template <class Visit>
void walk(const Node& root, const Visit& visit) {
  std::vector<Node> open{root};
  while (!open.empty()) {
    const Node node = std::move(open.back());
    open.pop_back();
    visit(node);
    const PyRef fields = find_attribute(node.get(), "_fields");
    if (!fields || !PyTuple_Check(fields.get())) continue;
    for (Py_ssize_t i = PyTuple_GET_SIZE(fields.get()); i-- > 0;) {
      PyRef value = PyRef::steal(PyObject_GetAttr(node.get(), PyTuple_GET_ITEM(fields.get(), i)));
      if (!value) {
        PyErr_Clear();
        continue;
      }
      if (PyList_Check(value.get())) {
        for (Py_ssize_t j = PyList_GET_SIZE(value.get()); j-- > 0;) {
          open.emplace_back(PyRef::borrow(PyList_GET_ITEM(value.get(), j)));
        }
      } else if (PyObject_HasAttrString(value.get(), "_fields") != 0) {
        open.emplace_back(std::move(value));
      }
    }
  }
}

PyRef parse(const std::string& text, const std::string& file) {
  if (text.find('\0') != std::string::npos) {
    PyErr_SetString(PyExc_SyntaxError, "the file contains null bytes: it is no Python source");
    return {};
  }
  PyCompilerFlags flags{};
  flags.cf_flags = PyCF_ONLY_AST;
  flags.cf_feature_version = PY_MINOR_VERSION;
  const PyRef name = to_path(file);
  if (!name) return {};
  return PyRef::steal(Py_CompileStringObject(text.c_str(), name.get(), Py_file_input, &flags, -1));
}

// Decorators that leave the way a function is called as it is.
bool keeps_signature(const Node& decorator) {
  static constexpr std::array<std::string_view, 6> kKnown = {"on_init",   "on_shutdown",  "cache",
                                                             "lru_cache", "staticmethod", "final"};
  const Node target = decorator.is("Call") ? decorator["func"] : decorator;
  const std::string name = target.is("Name")        ? target.text("id")
                           : target.is("Attribute") ? target.text("attr")
                                                    : "";
  return std::find(kKnown.begin(), kKnown.end(), name) != kKnown.end();
}

using Type = Annotation::Type;

// What the names of a module stand for, as far as its text says it for certain.
struct Scope {
  std::map<std::string, std::string> imports;  // "Path" -> "pathlib.Path"
  std::map<std::string, Type::Form> classes;   // of this file
  std::map<std::string, OtherName>* bound = nullptr;

  bool bound_once(const std::string& name) const {
    const auto found = bound->find(name);
    return found != bound->end() && found->second.bindings == 1;
  }
  // "pathlib.Path" of `Path` or `pathlib.Path`; "" where it is not known to be imported.
  std::string full_name(const Node& node) const {
    if (node.is("Attribute")) {
      const std::string module = full_name(node["value"]);
      return module.empty() ? "" : module + "." + node.text("attr");
    }
    const std::string name = node.is("Name") ? node.text("id") : "";
    const auto found = imports.find(name);
    return found == imports.end() || !bound_once(name) ? "" : found->second;
  }
};

std::optional<Type::Form> known_form(const std::string& full_name) {
  using Form = Type::Form;
  static constexpr std::array<std::pair<std::string_view, Form>, 15> kForms = {{
      {"enum.Enum", Form::kEnum},
      {"enum.IntEnum", Form::kEnum},
      {"enum.StrEnum", Form::kEnum},
      {"enum.Flag", Form::kEnum},
      {"enum.IntFlag", Form::kEnum},
      {"pydantic.BaseModel", Form::kRecord},
      {"dataclasses.dataclass", Form::kRecord},
      {"attrs.define", Form::kRecord},
      {"attrs.frozen", Form::kRecord},
      {"attr.s", Form::kRecord},
      {"pathlib.Path", Form::kPath},
      {"pathlib.PurePath", Form::kPath},
      {"pathlib.PosixPath", Form::kPath},
      {"pathlib.PurePosixPath", Form::kPath},
      {"uuid.UUID", Form::kUuid},
  }};
  for (const auto& [name, form] : kForms) {
    if (full_name == name) return form;
  }
  return {};
}

// An enum, a dataclass, a pydantic model; nothing for classes that may be anything.
std::optional<Type::Form> form_of_class(const Node& node, const Scope& scope) {
  const auto form_of = [&](const Node& base) -> std::optional<Type::Form> {
    const std::string name = base.is("Name") ? base.text("id") : "";
    const auto local = scope.classes.find(name);
    if (local != scope.classes.end() && scope.bound_once(name)) return local->second;
    return known_form(scope.full_name(base));
  };
  for (const Node& base : node.list("bases")) {
    if (const auto form = form_of(base)) return form;
  }
  for (const Node& decorator : node.list("decorator_list")) {
    const auto form = form_of(decorator.is("Call") ? decorator["func"] : decorator);
    if (form == Type::Form::kRecord) return form;
  }
  return {};
}

std::optional<Value> constant(const Node& node) {
  const PyRef value = node.is("Constant") ? find_attribute(node.get(), "value") : PyRef();
  if (!value) return {};
  if (PyUnicode_CheckExact(value.get())) return Value(text_of(value.get()));
  if (PyBool_Check(value.get())) return Value(value.get() == Py_True);
  if (value.get() == Py_None) return Value();
  int overflow = 0;
  if (!PyLong_CheckExact(value.get())) return {};
  const long long number = PyLong_AsLongLongAndOverflow(value.get(), &overflow);
  return overflow == 0 ? std::optional(Value(static_cast<std::int64_t>(number))) : std::nullopt;
}

// The types that an annotation names. False when one of them is not known here.
bool read_types(const Node& node, const Scope& scope, std::vector<Type>& types);

Annotation read_annotation(const Node& node, const Scope& scope) {
  Annotation out;
  if (node.none()) return out;
  if (!read_types(node, scope, out.types)) out.types.clear();
  std::stable_partition(out.types.begin(), out.types.end(),
                        [](const Type& type) { return type.name != "None"; });
  out.line = node.number("lineno");
  out.column = node.number("col_offset") + 1;
  return out;
}

bool read_literal(const std::vector<Node>& items, std::vector<Type>& types) {
  Type literal;
  literal.form = Type::Form::kLiteral;
  for (const Node& item : items) {
    auto value = constant(item);
    if (!value) return false;
    literal.name += (literal.name.empty() ? "Literal[" : ", ") + to_json(*value);
    literal.values.push_back(*std::move(value));
  }
  literal.name += ']';
  types.push_back(std::move(literal));
  return true;
}

bool read_types(const Node& node, const Scope& scope, std::vector<Type>& types) {
  static constexpr std::array<std::string_view, 18> kKnown = {
      "int",       "float",   "str",       "bool",     "bytes",   "list",
      "dict",      "tuple",   "set",       "date",     "time",    "datetime",
      "timedelta", "Decimal", "frozenset", "Sequence", "Mapping", "None"};
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kOldNames = {
      {{"List", "list"}, {"Dict", "dict"}, {"Tuple", "tuple"}, {"Set", "set"}}};
  const auto add = [&](std::string name, Type::Form form = Type::Form::kBuiltin) {
    types.push_back({form, std::move(name), {}, {}});
    return true;
  };
  if (node.is("Constant")) {
    if (!node["value"].none()) return false;  // "a forward reference"
    return add("None");
  }
  if (node.is("BinOp")) {
    return node["op"].is("BitOr") && read_types(node["left"], scope, types) &&
           read_types(node["right"], scope, types);
  }
  const bool subscript = node.is("Subscript");
  const Node target = subscript ? node["value"] : node;
  std::string name = target.is("Attribute") ? target.text("attr") : target.text("id");
  std::vector<Node> items;
  if (subscript) {
    const Node inner = node["slice"];
    items = inner.is("Tuple") ? inner.list("elts") : std::vector<Node>{inner};
    if (name == "Optional") return add("None") && read_types(inner, scope, types);
    if (name == "Union") {
      return std::all_of(items.begin(), items.end(),
                         [&](const Node& item) { return read_types(item, scope, types); });
    }
    if (name == "Annotated") return !items.empty() && read_types(items.front(), scope, types);
    if (name == "Literal") return read_literal(items, types);
  }
  if (target.is("Name") && scope.classes.contains(name) && scope.bound_once(name)) {
    return add(name, scope.classes.at(name));
  }
  if (const auto form = known_form(scope.full_name(target));
      form == Type::Form::kPath || form == Type::Form::kUuid) {
    return add(name, *form);
  }
  for (const auto& [old, now] : kOldNames) {
    if (name == old) name = now;
  }
  if (std::find(kKnown.begin(), kKnown.end(), name) == kKnown.end()) return false;
  add(std::move(name));
  for (const Node& item : items) {
    types.back().arguments.push_back(read_annotation(item, scope));
    if (!types.back().arguments.back().types.empty()) continue;
    types.back().arguments.clear();
    break;
  }
  return true;
}

FunctionSyntax read_function(const Node& node, const Scope& scope) {
  FunctionSyntax function;
  function.name = node.text("name");
  function.line = node.number("lineno");
  function.column = node.number("col_offset") + 1;
  for (const Node& decorator : node.list("decorator_list")) {
    if (!keeps_signature(decorator)) function.decorated = true;
  }
  const Node arguments = node["args"];
  const auto positional_only = arguments.list("posonlyargs");
  const auto positional = arguments.list("args");
  const std::size_t defaults = arguments.list("defaults").size();
  const std::size_t total = positional_only.size() + positional.size();
  std::size_t index = 0;
  for (const auto* group : {&positional_only, &positional}) {
    for (const Node& argument : *group) {
      function.parameters.push_back({argument.text("arg"), index + defaults >= total,
                                     group == &positional_only,
                                     read_annotation(argument["annotation"], scope)});
      ++index;
    }
  }
  const auto keyword_only = arguments.list("kwonlyargs");
  const auto keyword_defaults = arguments.list("kw_defaults");
  for (std::size_t i = 0; i < keyword_only.size(); ++i) {
    const bool has_default = i < keyword_defaults.size() && !keyword_defaults[i].none();
    function.parameters.push_back({keyword_only[i].text("arg"), has_default, false,
                                   read_annotation(keyword_only[i]["annotation"], scope)});
  }
  function.takes_any_keyword = !arguments["kwarg"].none();
  function.returns = read_annotation(node["returns"], scope);
  return function;
}

void bind(const Node& node, std::string name, ModuleSyntax& out, std::string no_function = {}) {
  OtherName& bound = out.other_names[std::move(name)];
  ++bound.bindings;
  bound.no_function = std::move(no_function);
  bound.line = node.number("lineno");
  bound.column = node.number("col_offset") + 1;
}

void bind_targets(const Node& target, ModuleSyntax& out) {
  walk(target, [&](const Node& node) {
    if (node.is("Name")) bind(node, node.text("id"), out);
  });
}

// "a number" of an expression whose value cannot be called, whatever else happens.
std::string value_words(const Node& value) {
  const std::string_view kind = value.kind();
  if (kind == "List" || kind == "ListComp") return "a list";
  if (kind == "Dict" || kind == "DictComp") return "a dict";
  if (kind == "Set" || kind == "SetComp") return "a set";
  if (kind == "Tuple") return "a tuple";
  if (kind == "JoinedStr") return "a text";
  if (kind != "Constant") return {};
  const PyRef constant = find_attribute(value.get(), "value");
  if (!constant || constant.get() == Py_None) return {};  // `f = None` may be meant to be set later
  if (PyUnicode_Check(constant.get())) return "a text";
  if (PyBool_Check(constant.get())) return "a boolean";
  return PyLong_Check(constant.get()) || PyFloat_Check(constant.get()) ? "a number" : "";
}

// "a class" of one whose instances are nothing that JSON can say: no base, nothing that changes it,
// and no special method but those of every class.
std::string class_words(const Node& node) {
  static constexpr std::array<std::string_view, 8> kHarmless = {
      "__init__", "__repr__", "__str__", "__call__", "__doc__", "__slots__", "__eq__", "__hash__"};
  if (!node.list("bases").empty() || !node.list("keywords").empty() ||
      !node.list("decorator_list").empty()) {
    return {};
  }
  bool plain = true;
  for (const Node& member : node.list("body")) {
    walk(member, [&](const Node& inner) {
      const std::string name = inner.is("Name") ? inner.text("id") : inner.text("name");
      if (name.starts_with("__") &&
          std::find(kHarmless.begin(), kHarmless.end(), name) == kHarmless.end()) {
        plain = false;
      }
      plain = plain && name != "keys" && name != "dict";
    });
  }
  return plain ? "a class" : "";
}

void read_import(const Node& node, ModuleSyntax& out, Scope& scope) {
  const std::string from =
      node.is("ImportFrom") && node.number("level") == 0 && !node["module"].none()
          ? node.text("module") + "."
          : "";
  for (const Node& alias : node.list("names")) {
    const std::string name = alias.text("name"), as = alias.text("asname");
    if (name == "*") out.imports_star = true;
    const std::string bound = !as.empty() ? as : name.substr(0, name.find('.'));
    bind(node, bound, out);
    if (node.is("Import")) {
      scope.imports[bound] = as.empty() ? bound : name;
    } else if (!from.empty()) {
      scope.imports[bound] = from + name;
    }
  }
}

// The names that a block of module-level statements binds.
void read_block(const std::vector<Node>& block, ModuleSyntax& out) {
  std::vector<Node> open(block.rbegin(), block.rend());
  std::vector<Node> functions, classes;
  Scope scope;
  scope.bound = &out.other_names;
  while (!open.empty()) {
    const Node node = std::move(open.back());
    open.pop_back();
    const std::string_view kind = node.kind();
    if (kind == "FunctionDef" || kind == "AsyncFunctionDef") {
      functions.push_back(node);
    } else if (kind == "ClassDef") {
      classes.push_back(node);
      bind(node, node.text("name"), out, class_words(node));
    } else if (kind == "Import" || kind == "ImportFrom") {
      read_import(node, out, scope);
    } else if (kind == "Assign") {
      const auto targets = node.list("targets");
      for (const Node& target : targets) {
        if (target.is("Name")) {
          bind(target, target.text("id"), out, value_words(node["value"]));
        } else {
          bind_targets(target, out);
        }
      }
    } else if (kind == "AnnAssign" || kind == "AugAssign" || kind == "For" || kind == "TypeAlias") {
      bind_targets(node[kind == "TypeAlias" ? "name" : "target"], out);
    }
    // if, for, while, with, try, match: what stands inside is module level, too.
    if (kind == "FunctionDef" || kind == "AsyncFunctionDef" || kind == "ClassDef") continue;
    for (const char* field : {"body", "orelse", "finalbody", "handlers", "cases"}) {
      for (Node& inner : node.list(field)) open.push_back(std::move(inner));
    }
    for (const Node& item : node.list("items")) {  // with ... as name
      if (!item["optional_vars"].none()) bind_targets(item["optional_vars"], out);
    }
  }
  // What annotations name may stand below the function.
  for (const Node& node : classes) {
    if (const auto form = form_of_class(node, scope)) scope.classes[node.text("name")] = *form;
  }
  for (const Node& node : functions) out.functions.push_back(read_function(node, scope));
}

bool is_hook_name(std::string_view name) {
  return name == "on_init" || name == "on_shutdown";
}

bool uses_hooks(const Node& tree) {
  std::set<std::string> names{"on_init", "on_shutdown"};
  bool star = false;
  walk(tree, [&](const Node& node) {
    if (!node.is("ImportFrom")) return;
    for (const Node& alias : node.list("names")) {
      if (is_hook_name(alias.text("name"))) {
        const std::string as = alias.text("asname");
        if (!as.empty()) names.insert(as);
      }
      star = star || alias.text("name") == "*";
    }
  });
  bool used = false;
  walk(tree, [&](const Node& node) {
    if (node.is("Name") && node["ctx"].is("Load") && names.contains(node.text("id"))) used = true;
    if (node.is("Attribute") && is_hook_name(node.text("attr"))) used = true;
  });
  return used;
}

}  // namespace

std::string Annotation::Type::text() const {
  std::vector<std::string> inner;
  for (const Annotation& argument : arguments) inner.push_back(argument.text());
  return inner.empty() ? name : name + "[" + join(inner, ", ") + "]";
}

std::string Annotation::text() const {
  std::vector<std::string> names;
  for (const Type& type : types) names.push_back(type.text());
  return join(names, " | ");
}

bool may_register_hooks(std::string_view text) {
  return text.find("on_init") != std::string_view::npos ||
         text.find("on_shutdown") != std::string_view::npos;
}

Result<ModuleSyntax> read_syntax(const std::string& text, const std::string& file) {
  const PyRef tree = parse(text, file);
  if (!tree) return take_import_error(file);
  ModuleSyntax module;
  const Node root{tree};
  read_block(root.list("body"), module);
  module.registers_hooks = may_register_hooks(text) && uses_hooks(root);
  return module;
}

namespace {

// The offset of every line in the text.
std::vector<std::size_t> line_starts(const std::string& text) {
  std::vector<std::size_t> starts{0};
  for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) {
    starts.push_back(at + 1);
  }
  return starts;
}

void set_number(PyObject* object, const char* field, int value) {
  const PyRef number = PyRef::steal(PyLong_FromLong(value));
  if (!number || PyObject_SetAttrString(object, field, number.get()) != 0) PyErr_Clear();
}

// Moves the current exception, which the parser raised. Its columns count characters from 1.
void move_syntax_error(const std::string& text, const TextMap& map) {
  const PyRef exception = fetch_exception();
  if (!exception) return;
  constexpr std::pair<const char*, const char*> kPlaces[] = {{"lineno", "offset"},
                                                             {"end_lineno", "end_offset"}};
  for (const auto& [line_field, column_field] : kPlaces) {
    const PyRef line = find_attribute(exception.get(), line_field);
    const PyRef column = find_attribute(exception.get(), column_field);
    if (!line || !column || !PyLong_Check(line.get()) || !PyLong_Check(column.get())) continue;
    const int old_line = static_cast<int>(PyLong_AsLong(line.get()));
    const int old_column = static_cast<int>(PyLong_AsLong(column.get()));
    if (old_line <= 0 || !map.known()) continue;
    const auto [new_line, new_column] = map.at(text, {old_line, std::max(1, old_column)});
    set_number(exception.get(), line_field, new_line);
    if (old_column > 0) set_number(exception.get(), column_field, new_column);
  }
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.get())), exception.get());
}

// Moves every place of the tree. Python counts columns in bytes, which only its carets show.
template <class Move>
void move_places(const PyRef& tree, const Move& move) {
  constexpr std::pair<const char*, const char*> kPlaces[] = {{"lineno", "col_offset"},
                                                             {"end_lineno", "end_col_offset"}};
  walk(Node{tree}, [&](const Node& node) {
    for (const auto& [line_field, column_field] : kPlaces) {
      const PyRef line = find_attribute(node.get(), line_field);
      const PyRef column = find_attribute(node.get(), column_field);
      if (!line || !column || !PyLong_Check(line.get()) || !PyLong_Check(column.get())) continue;
      const auto [new_line, new_column] = move(static_cast<int>(PyLong_AsLong(line.get())),
                                               static_cast<int>(PyLong_AsLong(column.get())));
      set_number(node.get(), line_field, new_line);
      set_number(node.get(), column_field, new_column);
    }
  });
}

}  // namespace

PyRef compile_inside(const std::string& text, const std::string& file, const TextMap& map) {
  const PyRef tree = parse(text, file);
  if (!tree) {
    move_syntax_error(text, map);
    return {};
  }
  if (map.keeps_lines()) {
    move_places(tree, [&](int line, int column) {
      return std::pair(map.first_line() + line - 1, map.indent() + column);
    });
  } else if (map.known()) {
    const std::vector<std::size_t> starts = line_starts(text);
    move_places(tree, [&](int line, int column) {
      const auto at = std::min(static_cast<std::size_t>(std::max(line, 1)), starts.size()) - 1;
      const auto [new_line, new_column] =
          map.at_offset(text, starts[at] + static_cast<std::size_t>(std::max(column, 0)));
      return std::pair(new_line, new_column - 1);
    });
  }
  PyObject* compile = PyDict_GetItemString(PyEval_GetBuiltins(), "compile");  // borrowed
  const PyRef name = to_path(file);
  if (compile == nullptr || !name) return {};
  return PyRef::steal(
      PyObject_CallFunction(compile, "OOsii", tree.get(), name.get(), "exec", 0, 1));
}

}  // namespace mxcp::python
