#include "base/json.h"
#include "types/node.h"
#include "types/shape.h"

namespace mxcp::types {
namespace {

constexpr std::string_view kTimestampNote =
    "Seconds since 1970-01-01T00:00:00Z, as a number in text, or an ISO 8601 date-time with a "
    "zone.";

// Validators disagree about most formats: several insist on a zone in every date-time, on ASCII in
// every URI, and refuse a fraction in a duration. In a schema that must never refuse what we send,
// only a date is safe.
bool shows_format(Format format, SchemaUse use) {
  if (use == SchemaUse::kOutput) return format == Format::kDate;
  // `timestamp` is no format of JSON Schema, and some clients refuse what they do not know.
  return format != Format::kNone && format != Format::kTimestamp;
}

Value type_of(const Node& node, bool nullable) {
  Value name(name_of(node.kind));
  return nullable ? Value(Array{std::move(name), "null"}) : name;
}

// A value as JSON has it: dates as text.
Value plain(const Value& value) {
  if (value.as_date() || value.as_time() || value.as_timestamp()) return to_plain_text(value);
  if (const Array* array = value.as_array()) {
    Array out;
    for (const Value& item : *array) out.push_back(plain(item));
    return out;
  }
  if (const Object* object = value.as_object()) {
    Object out;
    for (const auto& [key, member] : *object) out.add(key, plain(member));
    return out;
  }
  return value;
}

void add_values(const Node& node, SchemaUse use, bool nullable, Object& out) {
  if (node.has_enum) {
    Array values;
    for (const auto& choice : node.enum_values) values.push_back(plain(choice.declared));
    if (node.enum_has_null || nullable) values.push_back(nullptr);
    out.add("enum", std::move(values));
  }
  if (use == SchemaUse::kOutput || node.hidden) return;
  if (node.shown_default) out.add("default", plain(*node.shown_default));
  if (!node.shown_examples.empty()) {
    Array examples;
    for (const Value& example : node.shown_examples) examples.push_back(plain(example));
    out.add("examples", std::move(examples));
  }
}

void add_rules(const Node& node, SchemaUse use, Object& out) {
  const TypeSpec& spec = *node.spec;
  const auto count = [&](const char* keyword, const std::optional<std::uint64_t>& value) {
    if (value) out.add(keyword, *value);
  };
  const auto number = [&](const char* keyword, const std::optional<Value>& value) {
    if (value) out.add(keyword, *value);
  };
  count("minLength", spec.min_length);
  count("maxLength", spec.max_length);
  if (spec.pattern) {
    if (use == SchemaUse::kDeclaration) {
      out.add("pattern", *spec.pattern);
    } else if (auto portable = portable_pattern(*spec.pattern)) {
      out.add("pattern", *std::move(portable));
    }
  }
  number("minimum", spec.minimum);
  number("maximum", spec.maximum);
  number("exclusiveMinimum", spec.exclusive_minimum);
  number("exclusiveMaximum", spec.exclusive_maximum);
  // Validators divide in floating point and find that 0.3 is no multiple of 0.1.
  if (use == SchemaUse::kDeclaration || (node.multiple_of && node.multiple_of->exponent >= 0)) {
    number("multipleOf", spec.multiple_of);
  }
  count("minItems", spec.min_items);
  count("maxItems", spec.max_items);
  if (spec.unique_items) out.add("uniqueItems", true);
  if (use == SchemaUse::kDeclaration && !spec.mcp_header.empty()) {
    out.add("x-mcp-header", spec.mcp_header);
  }
}

}  // namespace

Value schema_of(const Node& node, SchemaUse use, bool nullable) {
  const TypeSpec& spec = *node.spec;
  const bool inner_nullable = use == SchemaUse::kOutput;
  Object out;
  out.add("type", type_of(node, nullable));
  if (shows_format(node.format, use)) out.add("format", name_of(node.format));
  std::string description = spec.description;
  if (node.format == Format::kTimestamp && use == SchemaUse::kDeclaration) {
    if (!description.empty()) description += description.ends_with('.') ? " " : ". ";
    description += kTimestampNote;
  }
  if (!description.empty()) out.add("description", std::move(description));
  add_values(node, use, nullable, out);
  add_rules(node, use, out);
  if (node.items) out.add("items", schema_of(*node.items, use, inner_nullable));
  if (!node.properties.empty()) {
    Object properties;
    for (const Node::Property& property : node.properties) {
      properties.add(std::string(property.name), schema_of(property.node, use, inner_nullable));
    }
    out.add("properties", std::move(properties));
  }
  Array required;
  for (const Node::Property& property : node.properties) {
    if (property.required) required.push_back(property.name);
  }
  for (const std::string_view name : node.required_undeclared) required.push_back(name);
  if (!required.empty()) out.add("required", std::move(required));
  if (!spec.additional_properties) out.add("additionalProperties", false);
  return out;
}

}  // namespace mxcp::types
