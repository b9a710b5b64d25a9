// TypeSpecs from JSON, so that a table of cases reads like the YAML that authors write.
#pragma once

#include <doctest/doctest.h>

#include <string_view>

#include "base/json.h"
#include "types/parameters.h"
#include "types/type.h"

namespace mxcp::types {

inline Value json(std::string_view text) {
  auto value = parse_json(text);
  INFO(text);
  REQUIRE(value.ok());
  return *std::move(value);
}

inline TypeSpec spec_from(const Value& declaration) {
  TypeSpec spec;
  const auto* object = declaration.as_object();
  REQUIRE(object);
  const auto text = [](const Value& v) { return *v.as_string(); };
  const auto count = [](const Value& v) { return static_cast<std::uint64_t>(*v.as_int()); };
  for (const auto& [key, value] : *object) {
    if (key == "type") {
      spec.kind = *kind_from(text(value));
    } else if (key == "format") {
      spec.format = *format_from(text(value));
    } else if (key == "description") {
      spec.description = text(value);
    } else if (key == "default") {
      spec.default_value = value;
    } else if (key == "examples") {
      spec.examples = *value.as_array();
    } else if (key == "enum") {
      spec.enum_values = *value.as_array();
    } else if (key == "sensitive") {
      spec.sensitive = *value.as_bool();
    } else if (key == "minLength") {
      spec.min_length = count(value);
    } else if (key == "maxLength") {
      spec.max_length = count(value);
    } else if (key == "pattern") {
      spec.pattern = text(value);
    } else if (key == "minimum") {
      spec.minimum = value;
    } else if (key == "maximum") {
      spec.maximum = value;
    } else if (key == "exclusiveMinimum") {
      spec.exclusive_minimum = value;
    } else if (key == "exclusiveMaximum") {
      spec.exclusive_maximum = value;
    } else if (key == "multipleOf") {
      spec.multiple_of = value;
    } else if (key == "minItems") {
      spec.min_items = count(value);
    } else if (key == "maxItems") {
      spec.max_items = count(value);
    } else if (key == "uniqueItems") {
      spec.unique_items = *value.as_bool();
    } else if (key == "items") {
      spec.items = std::make_shared<const TypeSpec>(spec_from(value));
    } else if (key == "properties") {
      for (const auto& [name, type] : *value.as_object()) {
        spec.properties.emplace_back(name, spec_from(type));
      }
    } else if (key == "required") {
      for (const Value& name : *value.as_array()) spec.required.push_back(text(name));
    } else if (key == "additionalProperties") {
      spec.additional_properties = *value.as_bool();
    } else {
      FAIL("unknown keyword " << key);
    }
  }
  return spec;
}

inline TypeSpec spec_of(std::string_view declaration) {
  return spec_from(json(declaration));
}

inline Type type_of(std::string_view declaration) {
  auto type = Type::compile(spec_of(declaration));
  INFO(declaration);
  if (!type.ok()) FAIL(type.error().message);
  return *std::move(type);
}

// {"name": {"type": ...}, ...}
inline std::vector<ParameterSpec> parameter_specs(std::string_view declarations) {
  std::vector<ParameterSpec> specs;
  const Value all = json(declarations);
  for (const auto& [name, declaration] : *all.as_object()) {
    specs.push_back({name, spec_from(declaration), {}});
  }
  return specs;
}

inline ParameterSet parameters_of(std::string_view declarations) {
  auto set = ParameterSet::compile(parameter_specs(declarations));
  if (!set.ok()) FAIL(set.error().message);
  return *std::move(set);
}

}  // namespace mxcp::types
