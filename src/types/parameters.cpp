#include "types/parameters.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "types/node.h"

namespace mxcp::types {
namespace {

// So many unknown names are listed.
constexpr std::size_t kShownUnknown = 100;

bool has_properties(const TypeSpec& spec) {
  return !spec.properties.empty() || (spec.items && has_properties(*spec.items));
}

bool lacks_properties(const TypeSpec& spec, const Value& value) {
  if (const Array* const items = value.as_array(); items && spec.items) {
    return std::any_of(items->begin(), items->end(),
                       [&](const Value& item) { return lacks_properties(*spec.items, item); });
  }
  const Object* const object = value.as_object();
  return object != nullptr &&
         std::any_of(spec.properties.begin(), spec.properties.end(), [&](const auto& property) {
           const Value* const member = object->find(property.first);
           return member == nullptr || lacks_properties(property.second, *member);
         });
}

void add_properties(const TypeSpec& spec, Value& value) {
  if (Array* const items = value.as_array(); items && spec.items) {
    for (Value& item : *items) add_properties(*spec.items, item);
  }
  Object* const object = value.as_object();
  if (object == nullptr) return;
  for (const auto& [name, type] : spec.properties) {
    Value* const member = object->find(name);
    add_properties(type, member == nullptr ? object->add(name, {}) : *member);
  }
}

}  // namespace

std::vector<Error> ParameterSet::problems(const std::vector<ParameterSpec>& specs) {
  std::vector<Error> problems;
  for (const ParameterSpec& spec : specs) {
    for (Error& problem : Type::problems(spec.type, spec.name)) {
      problems.push_back(std::move(problem).at(spec.place));
    }
  }
  return problems;
}

Result<ParameterSet> ParameterSet::compile(std::vector<ParameterSpec> specs) {
  ParameterSet out;
  out.entries_.reserve(specs.size());
  for (ParameterSpec& spec : specs) {
    auto type = Type::compile(std::move(spec.type), spec.name);
    if (!type.ok()) return std::move(type).error().at(std::move(spec.place));
    out.has_properties_ = out.has_properties_ || has_properties(type->spec());
    out.entries_.push_back({std::move(spec.name), *std::move(type)});
  }
  return out;
}

std::optional<Arguments> ParameterSet::with_properties(const Arguments& bound) const {
  if (!has_properties_) return {};
  std::optional<Arguments> out;
  for (std::size_t i = 0; i < bound.size(); ++i) {
    const Entry* const entry = find(bound[i].first);
    if (entry == nullptr || !lacks_properties(entry->type.spec(), bound[i].second)) continue;
    if (!out) out = bound;
    add_properties(entry->type.spec(), (*out)[i].second);
  }
  return out;
}

ParameterSet ParameterSet::of_schema(Value schema) {
  ParameterSet out;
  const Value* const required = schema.find("required");
  const auto is_required = [&](const std::string& name) {
    const Array* const names = required == nullptr ? nullptr : required->as_array();
    return names != nullptr && std::any_of(names->begin(), names->end(), [&](const Value& one) {
             return one.is_string() && *one.as_string() == name;
           });
  };
  if (const Value* const properties = schema.find("properties");
      properties != nullptr && properties->is_object()) {
    for (const auto& [name, property] : *properties->as_object()) {
      // As much of it as a type can say; enough to prepare SQL and to look at functions.
      TypeSpec spec;
      const Value* const type = property.find("type");
      if (type != nullptr && type->is_string()) {
        spec.kind = kind_from(*type->as_string()).value_or(Kind::kString);
      }
      if (const Value* const fallback = property.find("default")) {
        spec.default_value = *fallback;
      } else if (!is_required(name)) {
        spec.default_value = Value();
      }
      auto compiled = Type::compile(spec, name);
      if (!compiled.ok()) {
        // A default that is none of the type: what the schema says of that is not our business.
        TypeSpec bare;
        bare.kind = spec.kind;
        if (spec.default_value) bare.default_value = Value();
        compiled = Type::compile(std::move(bare), name);
      }
      if (compiled.ok()) out.entries_.push_back({name, *std::move(compiled)});
    }
  }
  out.own_schema_text_ = std::make_shared<const std::string>(to_json(schema));
  out.own_schema_ = std::make_shared<const Value>(std::move(schema));
  return out;
}

namespace {

// On the command line everything is text: what is not meant as text is JSON.
Value from_text(const Value& given, const Value* property) {
  const std::string* const text = given.as_string();
  const Value* const type = property == nullptr ? nullptr : property->find("type");
  if (text == nullptr || type == nullptr) return given;
  const auto allows_text = [](const Value& name) {
    return name.is_string() && *name.as_string() == "string";
  };
  if (allows_text(*type)) return given;
  if (const Array* const types = type->as_array();
      types != nullptr && std::any_of(types->begin(), types->end(), allows_text)) {
    return given;
  }
  auto parsed = parse_json(*text);
  return parsed.ok() ? *std::move(parsed) : given;
}

}  // namespace

// First the properties in their order, then what else was given.
Result<Arguments> ParameterSet::bind_to_schema(const Object& given, Source source) const {
  const Value* const properties = own_schema_->find("properties");
  const auto value_of = [&](const std::string& name, const Value& value) {
    if (source == Source::kJson) return value;
    return from_text(value, properties == nullptr ? nullptr : properties->find(name));
  };
  std::vector<Violation> violations;
  Sink sink(violations);
  for (const auto& [name, value] : given) check_free(nullptr, value, {nullptr, name}, sink);
  if (!violations.empty()) return Error{Code::kInvalidArgs, to_text(violations)};
  Arguments arguments;
  for (const Entry& entry : entries_) {
    const Value* const value = given.find(entry.name);
    if (value == nullptr) continue;
    arguments.emplace_back(entry.name, value_of(entry.name, *value));
  }
  for (const auto& [name, value] : given) {
    if (find(name) == nullptr) arguments.emplace_back(name, value_of(name, value));
  }
  return arguments;
}

Arguments ParameterSet::with_defaults(Arguments given) const {
  Arguments arguments;
  for (const Entry& entry : entries_) {
    const auto it = std::find_if(given.begin(), given.end(), [&](const auto& argument) {
      return argument.first == entry.name;
    });
    if (it != given.end()) {
      arguments.push_back(std::move(*it));
      given.erase(it);
    } else {
      const Value* const fallback = entry.type.default_value();
      arguments.emplace_back(entry.name, fallback != nullptr ? *fallback : Value());
    }
  }
  for (auto& argument : given) arguments.push_back(std::move(argument));
  return arguments;
}

const ParameterSet::Entry* ParameterSet::find(std::string_view name) const {
  for (const Entry& entry : entries_) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

std::string ParameterSet::unknown(std::string_view name) const {
  std::vector<std::string> names;
  for (const Entry& entry : entries_) names.push_back(entry.name);
  std::string hint = name.size() > 1 ? suggest(shorten(name, 100), names) : "";
  if (entries_.empty()) {
    hint = "there are no parameters";
  } else if (hint.empty() && entries_.size() <= 20) {
    hint = "the parameters are " + join(names, ", ");
  }
  std::string out = "unknown parameter '" + shorten(name, 100) + "'";
  if (!hint.empty()) out += " (" + hint + ")";
  return out;
}

Result<Arguments> ParameterSet::bind(const Object& given, Source source) const {
  if (own_schema_ != nullptr) return bind_to_schema(given, source);
  Arguments arguments;
  arguments.reserve(entries_.size());
  std::vector<std::string> problems;
  std::size_t known = 0;
  for (const Entry& entry : entries_) {
    if (const Value* value = given.find(entry.name)) {
      ++known;
      Checked checked = entry.type.coerce(*value, source, entry.name);
      for (const Violation& v : checked.violations) {
        problems.push_back(v.path.empty() ? v.message : "parameter '" + v.path + "': " + v.message);
      }
      arguments.emplace_back(entry.name, std::move(checked.value));
    } else if (const Value* fallback = entry.type.default_value()) {
      arguments.emplace_back(entry.name, *fallback);
    } else {
      problems.push_back("required parameter '" + entry.name + "' is missing");
    }
  }
  if (known < given.size()) {
    const std::size_t unknown_names = given.size() - known;
    std::size_t shown = 0;
    for (const auto& [name, value] : given) {
      if (shown == kShownUnknown) break;
      if (find(name)) continue;
      problems.push_back(unknown(name));
      ++shown;
    }
    if (shown < unknown_names) {
      problems.push_back("and " + std::to_string(unknown_names - shown) +
                         " more unknown parameters");
    }
  }
  if (!problems.empty()) return Error{Code::kInvalidArgs, join(problems, "\n")};
  return arguments;
}

Value ParameterSet::json_schema() const {
  if (own_schema_ != nullptr) return *own_schema_;
  Object properties;
  Array required;
  for (const Entry& entry : entries_) {
    properties.add(entry.name, entry.type.json_schema());
    if (!entry.optional()) required.push_back(entry.name);
  }
  Object out;
  out.add("type", "object");
  out.add("properties", std::move(properties));
  if (!required.empty()) out.add("required", std::move(required));
  out.add("additionalProperties", false);
  return out;
}

}  // namespace mxcp::types
