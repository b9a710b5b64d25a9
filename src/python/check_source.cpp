#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <vector>

#include "base/files.h"
#include "base/rules.h"
#include "base/text.h"
#include "python/annotations.h"
#include "python/functions.h"
#include "python/modules.h"
#include "python/py_ref.h"
#include "python/python_runtime.h"
#include "python/syntax.h"

namespace mxcp::python {
namespace {

// A file is parsed once, however many endpoints it holds; with the GIL held.
struct Parsed {
  fs::file_time_type written;
  Result<ModuleSyntax> syntax;
};
std::map<std::string, Parsed>& parsed_files() {
  static auto* const files = new std::map<std::string, Parsed>;
  return *files;
}

Result<ModuleSyntax> syntax_of(const project::Source& source) {
  if (!source.is_file) {
    auto syntax = read_syntax(source.text, source.display_file);
    if (!syntax.ok()) {
      const Place place = syntax.error().place;
      syntax.error().place = source.at(std::max(1, place.line), std::max(1, place.column));
    }
    return syntax;
  }
  std::error_code missing;
  const std::string path = source.path.string();
  const auto written = fs::last_write_time(source.path, missing);
  if (missing) {
    return Error{Code::kConfig, fmt::format("the file '{}' does not exist", source.display_file),
                 source.place};
  }
  auto& files = parsed_files();
  if (const auto found = files.find(path);
      found != files.end() && found->second.written == written) {
    return found->second.syntax;
  }
  auto text = read_file(source.path);
  Result<ModuleSyntax> syntax =
      text.ok() ? read_syntax(*text, source.display_file) : Result<ModuleSyntax>(text.error());
  if (!syntax.ok() && !syntax.error().place.known()) {
    syntax.error().place = {source.display_file, 0, 0};
  }
  files.insert_or_assign(path, Parsed{written, syntax});
  return syntax;
}

Place place_of(const project::Source& source, int line, int column) {
  if (!source.is_file) return source.at(line, column);
  return {source.display_file, line, column};
}
Place place_of(const project::Source& source, const FunctionSyntax& function) {
  return place_of(source, function.line, function.column);
}

std::string signature_for(const project::Endpoint& endpoint) {
  std::vector<std::string> required, optional;
  for (const auto& entry : endpoint.parameters.entries()) {
    (entry.optional() ? optional : required).push_back(entry.name);
  }
  std::string text;
  for (const auto* group : {&required, &optional}) {
    for (const std::string& name : *group) {
      text += (text.empty() ? "" : ", ") + name + (group == &optional ? "=..." : "");
    }
  }
  return fmt::format("def {}({})", function_names(endpoint).front(), text);
}

void check_parameters(const project::Endpoint& endpoint, const FunctionSyntax& function,
                      std::vector<Error>& errors) {
  const Place place = place_of(endpoint.source, function);
  std::vector<std::string> names;
  for (const auto& parameter : function.parameters) names.push_back(parameter.name);
  for (const auto& declared : endpoint.parameters.entries()) {
    const auto found = std::find(names.begin(), names.end(), declared.name);
    if (found == names.end()) {
      if (function.takes_any_keyword) continue;
      std::string hint = suggest(declared.name, names);
      if (hint.empty()) hint = fmt::format("write {}", signature_for(endpoint));
      errors.push_back(Error{Code::kPython,
                             fmt::format("function '{}' has no parameter '{}', which {} declares",
                                         function.name, declared.name, endpoint.display_file),
                             place, hint});
    } else if (function.parameters[static_cast<std::size_t>(found - names.begin())]
                   .positional_only) {
      errors.push_back(
          Error{Code::kPython,
                fmt::format(
                    "parameter '{}' of function '{}' is positional-only, and arguments are passed "
                    "by name",
                    declared.name, function.name),
                place, "remove the '/' from its parameters"});
    }
  }
  for (const auto& parameter : function.parameters) {
    if (parameter.has_default || endpoint.parameters.find(parameter.name) != nullptr) continue;
    std::vector<std::string> declared;
    for (const auto& entry : endpoint.parameters.entries()) declared.push_back(entry.name);
    std::string hint = suggest(parameter.name, declared);
    if (hint.empty()) hint = "declare it under `parameters`, or give it a default value";
    errors.push_back(Error{
        Code::kPython,
        fmt::format("parameter '{}' of function '{}' has no default value and is not declared "
                    "in {}",
                    parameter.name, function.name, endpoint.display_file),
        place, hint});
  }
}

// The name that python/<name>.py takes from the standard library, or "".
std::string hidden_standard_module(const project::Source& source) {
  const fs::path file = source.display_file;
  if (!source.is_file || file.empty() || *file.begin() != "python") return {};
  const fs::path first = *std::next(file.begin());
  const std::string name = first.stem().string();
  return is_standard_module(name) ? name : "";
}

// What `name` stands for in the module, if it stands for anything there.
struct Definition {
  std::string_view name;
  std::vector<const FunctionSyntax*> functions;
  const OtherName* other = nullptr;  // bound to something else, too

  explicit operator bool() const { return !functions.empty() || other != nullptr; }
};

Definition definition_of(std::string_view name, const ModuleSyntax& module) {
  Definition out{name};
  for (const FunctionSyntax& function : module.functions) {
    if (function.name == name) out.functions.push_back(&function);
  }
  const auto other = module.other_names.find(std::string(name));
  if (other != module.other_names.end()) out.other = &other->second;
  return out;
}

std::vector<Error> check_definition(const project::Endpoint& endpoint, const ModuleSyntax& module,
                                    const Definition& definition) {
  const auto& [name, functions, other] = definition;
  std::vector<Error> errors;
  if (functions.empty() && other->bindings == 1 && !other->no_function.empty() &&
      !module.imports_star) {
    errors.push_back(
        Error{Code::kPython,
              fmt::format("'{}' must be a function, and it is {}", name, other->no_function),
              place_of(endpoint.source, other->line, other->column),
              fmt::format("write {}", signature_for(endpoint))}
            .as(rules::kPythonFunction));
  }
  // Defined several times, reassigned or decorated: what is called is only known at run time.
  if (functions.size() != 1 || other != nullptr || functions.front()->decorated) return errors;
  check_parameters(endpoint, *functions.front(), errors);
  for (Error& error : errors) error.rule = rules::kPythonParameters;
  const std::size_t before = errors.size();
  check_annotations(endpoint, *functions.front(), errors);
  for (std::size_t i = before; i < errors.size(); ++i) {
    Place& place = errors[i].place;
    place = place_of(endpoint.source, place.line, place.column);
  }
  return errors;
}

Error not_found(const project::Endpoint& endpoint, const ModuleSyntax& module) {
  const std::string wanted = function_names(endpoint).front();
  std::vector<std::string> names;
  for (const FunctionSyntax& function : module.functions) {
    if (!function.name.starts_with("_")) names.push_back(function.name);
  }
  std::string hint = suggest(wanted, names);
  Place place{endpoint.source.display_file, 0, 0};
  if (!endpoint.source.is_file) place = endpoint.source.place;
  for (const FunctionSyntax& function : module.functions) {
    if (hint.find("'" + function.name + "'") == std::string::npos) continue;
    place = place_of(endpoint.source, function);
    hint = fmt::format("did you mean '{}'? it must be named '{}'", function.name, wanted);
    break;
  }
  if (hint.empty()) {
    hint = fmt::format("the file must define, outside of any class: {}", signature_for(endpoint));
  }
  return Error{Code::kPython,
               fmt::format("function '{}' not found in {}", wanted,
                           endpoint.source.is_file ? endpoint.source.display_file
                                                   : "the code of the endpoint"),
               place, hint}
      .as(rules::kPythonFunction);
}

std::vector<Error> check(const project::Endpoint& endpoint) {
  if (const std::string name = hidden_standard_module(endpoint.source); !name.empty()) {
    return {Error{Code::kPython,
                  fmt::format("{}: the module name '{}' belongs to Python's standard library, and "
                              "`import {}` would give that one",
                              endpoint.source.display_file, name, name),
                  endpoint.source.place, "rename the file or folder"}
                .as(rules::kPythonModule)};
  }
  const auto syntax = syntax_of(endpoint.source);
  if (!syntax.ok()) return {Error(syntax.error()).as(rules::kPythonSyntax)};
  for (const std::string& name : function_names(endpoint)) {
    if (const Definition definition = definition_of(name, *syntax)) {
      return check_definition(endpoint, *syntax, definition);
    }
  }
  if (syntax->imports_star) return {};
  return {not_found(endpoint, *syntax)};
}

}  // namespace

std::vector<Error> check_source(const project::Endpoint& endpoint) {
  if (endpoint.language != project::Language::kPython) return {};
  if (Py_IsInitialized() == 0) {
    return {Error{Code::kInternal, "there is no Python interpreter in this process"}};
  }
  const GilAcquire gil;
  return check(endpoint);
}

}  // namespace mxcp::python
