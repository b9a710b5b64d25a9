#include "python/syntax.h"

#include <algorithm>
#include <array>
#include <utility>

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

// The types that an annotation names. False when one of them is not known here.
bool read_types(const Node& node, std::vector<std::string>& types) {
  static constexpr std::array<std::string_view, 18> kKnown = {
      "int",       "float",   "str",       "bool",     "bytes",   "list",
      "dict",      "tuple",   "set",       "date",     "time",    "datetime",
      "timedelta", "Decimal", "frozenset", "Sequence", "Mapping", "None"};
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kOldNames = {
      {{"List", "list"}, {"Dict", "dict"}, {"Tuple", "tuple"}, {"Set", "set"}}};
  if (node.is("Constant")) {
    if (!node["value"].none()) return false;  // "a forward reference"
    types.emplace_back("None");
    return true;
  }
  if (node.is("BinOp")) {
    return node["op"].is("BitOr") && read_types(node["left"], types) &&
           read_types(node["right"], types);
  }
  const Node target = node.is("Subscript") ? node["value"] : node;
  std::string name = target.is("Attribute") ? target.text("attr") : target.text("id");
  if (node.is("Subscript")) {
    const Node inner = node["slice"];
    const std::vector<Node> items =
        inner.is("Tuple") ? inner.list("elts") : std::vector<Node>{inner};
    if (name == "Optional") {
      types.emplace_back("None");
      return read_types(inner, types);
    }
    if (name == "Union") {
      return std::all_of(items.begin(), items.end(),
                         [&](const Node& item) { return read_types(item, types); });
    }
    if (name == "Annotated") return !items.empty() && read_types(items.front(), types);
  }
  for (const auto& [old, now] : kOldNames) {
    if (name == old) name = now;
  }
  if (std::find(kKnown.begin(), kKnown.end(), name) == kKnown.end()) return false;
  types.push_back(std::move(name));
  return true;
}

Annotation read_annotation(const Node& node) {
  Annotation out;
  if (node.none()) return out;
  if (!read_types(node, out.types)) out.types.clear();
  std::stable_partition(out.types.begin(), out.types.end(),
                        [](const std::string& type) { return type != "None"; });
  out.line = node.number("lineno");
  out.column = node.number("col_offset") + 1;
  return out;
}

FunctionSyntax read_function(const Node& node) {
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
                                     read_annotation(argument["annotation"])});
      ++index;
    }
  }
  const auto keyword_only = arguments.list("kwonlyargs");
  const auto keyword_defaults = arguments.list("kw_defaults");
  for (std::size_t i = 0; i < keyword_only.size(); ++i) {
    const bool has_default = i < keyword_defaults.size() && !keyword_defaults[i].none();
    function.parameters.push_back({keyword_only[i].text("arg"), has_default, false,
                                   read_annotation(keyword_only[i]["annotation"])});
  }
  function.takes_any_keyword = !arguments["kwarg"].none();
  function.returns = read_annotation(node["returns"]);
  return function;
}

void bind_targets(const Node& target, ModuleSyntax& out) {
  walk(target, [&](const Node& node) {
    if (node.is("Name")) out.other_names.insert(node.text("id"));
  });
}

void read_import(const Node& node, ModuleSyntax& out) {
  for (const Node& alias : node.list("names")) {
    const std::string name = alias.text("name"), as = alias.text("asname");
    if (name == "*") out.imports_star = true;
    out.other_names.insert(!as.empty() ? as : name.substr(0, name.find('.')));
  }
}

// The names that a block of module-level statements binds.
void read_block(const std::vector<Node>& block, ModuleSyntax& out) {
  std::vector<Node> open(block.rbegin(), block.rend());
  while (!open.empty()) {
    const Node node = std::move(open.back());
    open.pop_back();
    const std::string_view kind = node.kind();
    if (kind == "FunctionDef" || kind == "AsyncFunctionDef") {
      out.functions.push_back(read_function(node));
    } else if (kind == "ClassDef") {
      out.other_names.insert(node.text("name"));
    } else if (kind == "Import" || kind == "ImportFrom") {
      read_import(node, out);
    } else if (kind == "Assign") {
      for (const Node& target : node.list("targets")) bind_targets(target, out);
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
