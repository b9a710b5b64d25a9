#include "mcp/answer_schema.h"

#include <memory>

#include "types/type.h"

namespace mxcp::mcp {
namespace {

const std::string* text_member(const Value& value, std::string_view key) {
  const Value* const member = value.find(key);
  return member == nullptr ? nullptr : member->as_string();
}

void take_count(const Value& schema, std::string_view key, std::optional<std::uint64_t>& out) {
  const Value* const value = schema.find(key);
  if (value == nullptr || value->as_int() == nullptr || *value->as_int() < 0) return;
  out = static_cast<std::uint64_t>(*value->as_int());
}

void take_number(const Value& schema, std::string_view key, std::optional<Value>& out) {
  const Value* const value = schema.find(key);
  if (value != nullptr && value->is_number()) out = *value;
}

// `enum`, or the constants of `oneOf` or `anyOf`, which have titles beside them.
std::optional<Array> choices_of(const Value& schema) {
  const Value* const listed = schema.find("enum");
  if (listed != nullptr && listed->is_array()) return *listed->as_array();
  for (const std::string_view key : {"oneOf", "anyOf"}) {
    const Value* const titled = schema.find(key);
    if (titled == nullptr || !titled->is_array()) continue;
    Array out;
    for (const Value& one : *titled->as_array()) {
      const Value* const constant = one.find("const");
      if (constant == nullptr) return {};
      out.push_back(*constant);
    }
    return out;
  }
  return {};
}

// Nothing where any value will do, as far as can be told.
std::optional<types::TypeSpec> spec_of(const Value& schema) {
  const std::string* const type = text_member(schema, "type");
  const auto choices = choices_of(schema);
  // A choice of texts needs no type.
  const auto kind = type != nullptr ? types::kind_from(*type)
                    : choices       ? std::optional(types::Kind::kString)
                                    : std::nullopt;
  if (!kind) return {};
  types::TypeSpec spec;
  spec.kind = *kind;
  spec.enum_values = choices;
  switch (*kind) {
    case types::Kind::kString:
      take_count(schema, "minLength", spec.min_length);
      take_count(schema, "maxLength", spec.max_length);
      if (const auto* pattern = text_member(schema, "pattern")) spec.pattern = *pattern;
      if (const auto* format = text_member(schema, "format")) {
        spec.format = types::format_from(*format).value_or(types::Format::kNone);
      }
      break;
    case types::Kind::kNumber:
    case types::Kind::kInteger:
      take_number(schema, "minimum", spec.minimum);
      take_number(schema, "maximum", spec.maximum);
      break;
    case types::Kind::kArray: {
      take_count(schema, "minItems", spec.min_items);
      take_count(schema, "maxItems", spec.max_items);
      const Value* const items = schema.find("items");
      if (items == nullptr) break;
      if (auto inner = spec_of(*items)) {
        spec.items = std::make_shared<const types::TypeSpec>(*std::move(inner));
      }
      break;
    }
    case types::Kind::kObject:
    case types::Kind::kBoolean: break;
  }
  return spec;
}

std::optional<std::string> misfit(const std::string& name, const Value& value,
                                  const Value& schema) {
  auto spec = spec_of(schema);
  if (!spec) return {};
  // A schema that contradicts itself asks for nothing.
  const auto type = types::Type::compile(*std::move(spec));
  if (!type.ok()) return {};
  const auto violations = type->check(value);
  if (violations.empty()) return {};
  return "'content." + name + violations.front().path + "': " + violations.front().message;
}

}  // namespace

std::optional<std::string> why_it_does_not_fit(const Object& content, const Value& schema) {
  const auto given = [&](const std::string& name) {
    const Value* const value = content.find(name);
    return value == nullptr || value->is_null() ? nullptr : value;
  };
  const Value* const required = schema.find("required");
  if (required != nullptr && required->is_array()) {
    for (const Value& name : *required->as_array()) {
      if (name.is_string() && given(*name.as_string()) == nullptr) {
        return "'content." + *name.as_string() + "' is missing";
      }
    }
  }
  const Value* const properties = schema.find("properties");
  if (properties == nullptr || !properties->is_object()) return {};
  for (const auto& [name, property] : *properties->as_object()) {
    const Value* const value = given(name);
    if (value == nullptr) continue;
    if (auto reason = misfit(name, *value, property)) return reason;
  }
  return {};
}

}  // namespace mxcp::mcp
