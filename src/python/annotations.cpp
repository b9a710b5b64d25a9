#include "python/annotations.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/rules.h"
#include "types/type.h"

namespace mxcp::python {
namespace {

using Form = Annotation::Type::Form;
using types::Kind;
using types::TypeSpec;

// What a Python function gets as an argument of a declared type, the usual annotation first.
std::vector<std::string_view> argument_types(const TypeSpec& declared) {
  switch (declared.kind) {
    case Kind::kString:
      switch (declared.format) {
        case types::Format::kDate: return {"date"};
        case types::Format::kTime: return {"time"};
        case types::Format::kDateTime:
        case types::Format::kTimestamp: return {"datetime", "date"};
        default: return {"str"};
      }
    case Kind::kNumber: return {"float"};
    case Kind::kInteger: return {"int", "float"};
    case Kind::kBoolean: return {"bool", "int"};
    case Kind::kArray: return {"list", "Sequence"};
    case Kind::kObject: return {"dict", "Mapping"};
  }
  return {};
}

// What it may return for one. Other classes are not judged, see Annotation.
std::vector<std::string_view> result_types(Kind declared) {
  switch (declared) {
    case Kind::kString: return {"str", "date", "time", "datetime", "timedelta", "bytes"};
    case Kind::kNumber: return {"float", "int", "Decimal"};
    case Kind::kInteger: return {"int", "float", "Decimal"};
    case Kind::kBoolean: return {"bool"};
    case Kind::kArray: return {"list", "tuple", "set", "frozenset", "Sequence"};
    // A list of one item is taken for the item.
    case Kind::kObject: return {"dict", "Mapping", "list"};
  }
  return {};
}

bool literal_fits_kind(const Value& value, Kind kind) {
  if (value.is_null()) return true;
  switch (kind) {
    case Kind::kString: return value.is_string();
    case Kind::kNumber:
    case Kind::kInteger: return value.is_number();
    case Kind::kBoolean: return value.as_bool() != nullptr;
    case Kind::kArray:
    case Kind::kObject: return false;
  }
  return true;
}

bool is_in(const std::vector<Value>& values, const Value& wanted) {
  const std::string text = to_json(wanted);
  return std::any_of(values.begin(), values.end(),
                     [&](const Value& value) { return to_json(value) == text; });
}

// Of values that can come together: every argument that may arrive must be among the literals,
// every literal that may be returned among those that are declared.
bool literal_fits(const Annotation::Type& literal, const TypeSpec& declared, bool is_argument) {
  // Dates arrive as dates; what text one returns is compared by nobody.
  if (declared.kind == Kind::kString && declared.format != types::Format::kNone) return true;
  const bool right_kind =
      std::any_of(literal.values.begin(), literal.values.end(),
                  [&](const Value& value) { return literal_fits_kind(value, declared.kind); });
  if (!right_kind) return false;
  if (!declared.enum_values) return true;
  const auto& some = is_argument ? *declared.enum_values : literal.values;
  const auto& all = is_argument ? literal.values : *declared.enum_values;
  return std::all_of(some.begin(), some.end(), [&](const Value& value) {
    return value.is_null() || value.as_double() != nullptr || is_in(all, value);
  });
}

// How far an annotation is from what is declared.
enum class Fit { kFits, kItemsDiffer, kDiffers };

Fit fit(const Annotation& annotation, const TypeSpec& declared, bool is_argument);

Fit fit(const Annotation::Type& type, const TypeSpec& declared, bool is_argument) {
  if (type.form == Form::kLiteral) {
    return literal_fits(type, declared, is_argument) ? Fit::kFits : Fit::kDiffers;
  }
  if (type.form != Form::kBuiltin) {
    // A result of such a class has its JSON; an argument never is one.
    return is_argument ? Fit::kDiffers : Fit::kFits;
  }
  const auto fitting = is_argument ? argument_types(declared) : result_types(declared.kind);
  if (std::find(fitting.begin(), fitting.end(), type.name) == fitting.end()) return Fit::kDiffers;
  if (declared.kind != Kind::kArray || declared.items == nullptr || type.arguments.size() != 1) {
    return Fit::kFits;
  }
  return fit(type.arguments.front(), *declared.items, is_argument) == Fit::kFits
             ? Fit::kFits
             : Fit::kItemsDiffer;
}

// One of the types that fits is enough.
Fit fit(const Annotation& annotation, const TypeSpec& declared, bool is_argument) {
  Fit nearest = annotation.types.empty() ? Fit::kFits : Fit::kDiffers;
  for (const auto& type : annotation.types) {
    // `Color | str` is right where text is declared; whether `None` is, the declaration does not
    // say.
    if (type.name == "None") continue;
    nearest = std::min(nearest, fit(type, declared, is_argument));
  }
  return nearest;
}

// "array of integer"; the items only where the difference lies there.
std::string words(const TypeSpec& declared, Fit found) {
  std::string text(types::name_of(declared.kind));
  if (declared.format != types::Format::kNone) {
    text += fmt::format(" ({})", types::name_of(declared.format));
  }
  if (declared.enum_values) {
    std::vector<Value> values = *declared.enum_values;
    text += " with the enum " + to_json(Array(values.begin(), values.end()));
  }
  if (found == Fit::kItemsDiffer && declared.items) {
    text += " of " + words(*declared.items, found);
  }
  return text;
}

std::string usual(const TypeSpec& declared, Fit found) {
  std::string text(argument_types(declared).front());
  if (found == Fit::kItemsDiffer && declared.items) {
    text += "[" + usual(*declared.items, found) + "]";
  }
  return text;
}

void warn(std::vector<Error>& errors, const Annotation& at, std::string message, std::string hint) {
  errors.push_back(
      Error{Code::kPython, std::move(message), {"", at.line, at.column}, std::move(hint)}.as(
          rules::kPythonAnnotation));
}

}  // namespace

void check_annotations(const project::Endpoint& endpoint, const FunctionSyntax& function,
                       std::vector<Error>& errors) {
  for (const auto& parameter : function.parameters) {
    const auto* declared = endpoint.parameters.find(parameter.name);
    if (declared == nullptr) continue;
    const TypeSpec& spec = declared->type.spec();
    const Annotation& given = parameter.annotation;
    const Fit found = fit(given, spec, true);
    if (found == Fit::kFits) continue;
    warn(errors, given,
         fmt::format("parameter '{}' of function '{}' is annotated as {}, but {} declares it as {}",
                     parameter.name, function.name, given.text(), endpoint.display_file,
                     words(spec, found)),
         fmt::format("the function gets values of type {}", usual(spec, found)));
  }
  // What a prompt gives are messages, whatever it declares.
  if (!endpoint.return_type || endpoint.kind == project::EndpointKind::kPrompt) return;
  const TypeSpec& spec = endpoint.return_type->spec();
  const Fit found = fit(function.returns, spec, false);
  if (found == Fit::kFits) return;
  warn(errors, function.returns,
       fmt::format("function '{}' is annotated to return {}, but {} declares the return type {}",
                   function.name, function.returns.text(), endpoint.display_file,
                   words(spec, found)),
       "one of them is wrong");
}

}  // namespace mxcp::python
