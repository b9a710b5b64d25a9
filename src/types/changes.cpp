#include "types/changes.h"

#include <algorithm>
#include <array>

namespace mxcp::types {
namespace {

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Rules about the whole of something whose parts may go.
void drop_rules(Object& schema, std::initializer_list<std::string_view> keywords) {
  for (const std::string_view keyword : keywords) schema.erase(keyword);
}

void no_longer_required(Object& schema, const std::vector<std::string>& names) {
  Value* const required = schema.find("required");
  if (required == nullptr || required->as_array() == nullptr) return;
  std::erase_if(*required->as_array(), [&](const Value& name) {
    return name.is_string() && contains(names, *name.as_string());
  });
  if (required->as_array()->empty()) schema.erase("required");
}

// A declared type that may be kMask as well: what is said about other kinds of values stays.
void allow_mask(Object& schema) {
  drop_rules(schema, {"format", "minLength", "maxLength", "pattern"});
  if (Value* choices = schema.find("enum"); choices != nullptr && choices->as_array() != nullptr) {
    choices->as_array()->push_back(kMask);
  }
  Value* const type = schema.find("type");
  if (type == nullptr) return;
  if (type->is_string()) *type = Array{std::move(*type)};
  Array& types = *type->as_array();
  if (std::find(types.begin(), types.end(), Value("string")) == types.end()) {
    types.push_back("string");
  }
}

void allow_field_changes(Object& object, const ResultChanges& changes) {
  drop_rules(object, {"enum"});
  no_longer_required(object, changes.removed);
  Value* const properties = object.find("properties");
  if (properties == nullptr) return;
  for (auto& [name, schema] : *properties->as_object()) {
    if (contains(changes.masked, name)) allow_mask(*schema.as_object());
  }
}

void allow_field_changes(Object& schema, const TypeSpec& spec, const ResultChanges& changes) {
  if (changes.removed.empty() && changes.masked.empty()) return;
  if (spec.kind == Kind::kObject) return allow_field_changes(schema, changes);
  if (spec.kind != Kind::kArray) return;
  drop_rules(schema, {"enum", "uniqueItems"});
  if (spec.items == nullptr || spec.items->kind != Kind::kObject) return;
  allow_field_changes(*schema.find("items")->as_object(), changes);
}

void allow_without_sensitive(Object& schema, const TypeSpec& spec) {
  if (!has_sensitive(spec)) return;
  drop_rules(schema, {"enum", "uniqueItems"});
  if (spec.kind == Kind::kArray && spec.items != nullptr) {
    if (spec.items->sensitive) return drop_rules(schema, {"minItems"});
    allow_without_sensitive(*schema.find("items")->as_object(), *spec.items);
  }
  std::vector<std::string> gone;
  Value* const properties = schema.find("properties");
  for (const auto& [name, property] : spec.properties) {
    if (property.sensitive) {
      gone.push_back(name);
    } else {
      allow_without_sensitive(*properties->as_object()->find(name)->as_object(), property);
    }
  }
  no_longer_required(schema, gone);
}

// Calls `change` for the object, or for each object of the list.
template <class Change>
void for_each_object(Value& result, Change change) {
  if (Object* object = result.as_object()) return change(*object);
  Array* const items = result.as_array();
  if (items == nullptr) return;
  for (Value& item : *items) {
    if (Object* object = item.as_object()) change(*object);
  }
}

}  // namespace

Value output_schema(const Type& declared, const ResultChanges& changes) {
  Value out = output_schema(declared);
  if (!changes.any()) return out;
  Object* schema = out.as_object();
  if (is_wrapped(declared)) {
    schema = schema->find("properties")->as_object()->find("result")->as_object();
  }
  allow_field_changes(*schema, declared.spec(), changes);
  if (changes.sensitive_removed) allow_without_sensitive(*schema, declared.spec());
  return out;
}

bool allow_changes(Value& own_schema, const ResultChanges& changes) {
  Object* const schema = own_schema.as_object();
  if (schema == nullptr || (changes.removed.empty() && changes.masked.empty())) return true;
  drop_rules(*schema, {"enum", "const", "minProperties", "dependentRequired"});
  no_longer_required(*schema, changes.removed);
  const Value* const others = schema->find("additionalProperties");
  const Value rest = others == nullptr ? Value(true) : *others;
  Value* properties = schema->find("properties");
  if (properties == nullptr && rest.is_object()) properties = &schema->set("properties", Object());
  for (const std::string& name : changes.masked) {
    Object* const known = properties == nullptr ? nullptr : properties->as_object();
    if (known == nullptr) break;
    Value* const declared = known->find(name);
    if (declared == nullptr && !rest.is_object()) continue;
    known->set(
        name,
        Object{{"anyOf", Array{declared != nullptr ? *declared : rest, Object{{"const", kMask}}}}});
  }
  static constexpr std::array<std::string_view, 10> kOpaque = {"$ref",
                                                               "$dynamicRef",
                                                               "allOf",
                                                               "anyOf",
                                                               "oneOf",
                                                               "not",
                                                               "if",
                                                               "dependentSchemas",
                                                               "patternProperties",
                                                               "unevaluatedProperties"};
  return std::none_of(kOpaque.begin(), kOpaque.end(),
                      [&](std::string_view keyword) { return schema->contains(keyword); });
}

void remove_fields(Value& result, const std::vector<std::string>& fields) {
  for_each_object(result, [&](Object& object) {
    for (const std::string& field : fields) {
      while (object.erase(field)) {
      }
    }
  });
}

void mask_fields(Value& result, const std::vector<std::string>& fields) {
  for_each_object(result, [&](Object& object) {
    for (auto& [name, value] : object) {
      if (contains(fields, name)) value = kMask;
    }
  });
}

bool has_sensitive(const TypeSpec& spec) {
  return spec.sensitive || (spec.items != nullptr && has_sensitive(*spec.items)) ||
         std::any_of(spec.properties.begin(), spec.properties.end(),
                     [](const auto& property) { return has_sensitive(property.second); });
}

void remove_sensitive(Value& result, const TypeSpec& spec) {
  if (result.is_null() || !has_sensitive(spec)) return;
  Array* const items = result.as_array();
  Object* const object = result.as_object();
  const bool fits = spec.kind == Kind::kArray ? items != nullptr : object != nullptr;
  if (spec.sensitive || !fits) {
    result = nullptr;
    return;
  }
  if (items != nullptr) {
    if (spec.items->sensitive) return items->clear();
    for (Value& item : *items) remove_sensitive(item, *spec.items);
    return;
  }
  for (const auto& [name, property] : spec.properties) {
    if (property.sensitive) {
      while (object->erase(name)) {
      }
      continue;
    }
    for (auto& [key, value] : *object) {
      if (key == name) remove_sensitive(value, property);
    }
  }
}

}  // namespace mxcp::types
