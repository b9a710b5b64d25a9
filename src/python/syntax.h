// What a Python file says without being imported: its syntax tree, by the interpreter's own parser.
// With the GIL held.
#pragma once

#include "python/py_ref.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/text_map.h"
#include "base/value.h"

namespace mxcp::python {

// An annotation as far as it can be read without importing anything: `list[int] | None` is "list"
// of "int" and "None", `Annotated[datetime.date, ...]` is "date".
struct Annotation {
  struct Type {
    // What a name that is no builtin is known to be: by an import of the standard library or of
    // pydantic, by the bases and decorators of a class of the same file.
    enum class Form { kBuiltin, kLiteral, kEnum, kRecord, kPath, kUuid };
    Form form = Form::kBuiltin;
    std::string name;                   // "list", "Color"
    std::vector<Annotation> arguments;  // [] where one of them is unknown
    std::vector<Value> values;          // of a Literal

    std::string text() const;  // "list[int]"
  };
  std::vector<Type> types;  // empty: there is none, or it holds something unknown
  int line = 0;
  int column = 0;  // from 1

  std::string text() const;  // "list[int] | None"
};

// One `def` or `async def` at module level.
struct FunctionSyntax {
  std::string name;
  int line = 0;
  int column = 0;          // from 1
  bool decorated = false;  // by something that may change the signature
  struct Parameter {
    std::string name;
    bool has_default = false;
    bool positional_only = false;
    Annotation annotation;
  };
  std::vector<Parameter> parameters;  // without self, *args and **kwargs
  bool takes_any_keyword = false;     // **kwargs
  Annotation returns;
};

// Names that the module binds by something else than `def`.
struct OtherName {
  int bindings = 0;
  // Of the last one: "a number", "a class" ... where calling it can give no result; else "".
  std::string no_function;
  int line = 0;
  int column = 0;  // from 1
};

struct ModuleSyntax {
  // Also those inside `if`, `try`, `with` and loops; a name may be defined more than once.
  std::vector<FunctionSyntax> functions;
  // Assignments, imports, classes.
  std::map<std::string, OtherName> other_names;
  bool imports_star = false;
  // Uses on_init or on_shutdown of mxcp.runtime or mxcp.plugins.
  bool registers_hooks = false;
};

// `text` as it is in the file (any encoding with its cookie). The error is the SyntaxError, its
// place in `file`, as Python counts.
Result<ModuleSyntax> read_syntax(const std::string& text, const std::string& file);

// Compiles code that stands inside another file, so that tracebacks and columns are those of the
// file. nullptr with a Python exception.
PyRef compile_inside(const std::string& text, const std::string& file, const TextMap& map);

// A cheap look at the text: false when a hook cannot be registered in it.
bool may_register_hooks(std::string_view text);

}  // namespace mxcp::python
