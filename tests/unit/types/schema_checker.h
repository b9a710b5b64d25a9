// A small JSON Schema 2020-12 checker, written apart from src/types so that the two can disagree.
// It is as strict as the validators of MCP clients: `format: date` is asserted, a fraction of
// multipleOf is divided in floating point, patterns are ECMA-262.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <regex>
#include <string>

#include "base/text.h"
#include "base/value.h"

namespace mxcp::types {

inline bool has_type(const Value& value, const std::string& type) {
  if (type == "null") return value.is_null();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.as_bool() != nullptr;
  if (type == "array") return value.is_array();
  if (type == "object") return value.is_object();
  if (type == "number") return value.is_number();
  if (type == "integer") {
    return value.is_number() && std::trunc(to_double(value)) == to_double(value);
  }
  FAIL("unknown type " << type);
  return false;
}

// "" when `value` (of parsed JSON) satisfies `schema`, else the first keyword that it does not.
inline std::string refused_by(const Value& schema, const Value& value) {
  const auto number = [](const Value& v) { return to_double(v); };
  const auto count = [](const Value& v) { return static_cast<std::size_t>(*v.as_int()); };
  const std::string* text = value.as_string();
  const Array* array = value.as_array();
  const Object* object = value.as_object();
  for (const auto& [keyword, rule] : *schema.as_object()) {
    bool fits = true;
    if (keyword == "type") {
      if (const Array* types = rule.as_array()) {
        fits = false;
        for (const Value& type : *types) fits = fits || has_type(value, *type.as_string());
      } else {
        fits = has_type(value, *rule.as_string());
      }
    } else if (keyword == "enum") {
      fits = false;
      for (const Value& choice : *rule.as_array()) fits = fits || choice == value;
    } else if (keyword == "format") {
      REQUIRE(*rule.as_string() == "date");
      static const std::regex kDate(R"(\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]))");
      fits = !text || std::regex_match(*text, kDate);
    } else if (keyword == "minLength") {
      fits = !text || utf8_length(*text) >= count(rule);
    } else if (keyword == "maxLength") {
      fits = !text || utf8_length(*text) <= count(rule);
    } else if (keyword == "pattern") {
      fits = !text || std::regex_search(*text, std::regex(*rule.as_string()));
    } else if (keyword == "minimum") {
      fits = !value.is_number() || number(value) >= number(rule);
    } else if (keyword == "maximum") {
      fits = !value.is_number() || number(value) <= number(rule);
    } else if (keyword == "exclusiveMinimum") {
      fits = !value.is_number() || number(value) > number(rule);
    } else if (keyword == "exclusiveMaximum") {
      fits = !value.is_number() || number(value) < number(rule);
    } else if (keyword == "multipleOf") {
      const double quotient = value.is_number() ? number(value) / number(rule) : 0;
      fits = quotient == std::trunc(quotient);
    } else if (keyword == "minItems") {
      fits = !array || array->size() >= count(rule);
    } else if (keyword == "maxItems") {
      fits = !array || array->size() <= count(rule);
    } else if (keyword == "uniqueItems") {
      for (std::size_t i = 0; array && i < array->size(); ++i) {
        for (std::size_t k = 0; k < i; ++k) fits = fits && !((*array)[i] == (*array)[k]);
      }
    } else if (keyword == "items") {
      for (std::size_t i = 0; array && i < array->size(); ++i) {
        const std::string inner = refused_by(rule, (*array)[i]);
        if (!inner.empty()) return "items[" + std::to_string(i) + "]." + inner;
      }
    } else if (keyword == "properties") {
      for (const auto& [name, property] : *rule.as_object()) {
        const Value* member = object ? object->find(name) : nullptr;
        const std::string inner = member ? refused_by(property, *member) : "";
        if (!inner.empty()) return name + "." + inner;
      }
    } else if (keyword == "required") {
      for (const Value& name : *rule.as_array()) {
        fits = fits && (!object || object->contains(*name.as_string()));
      }
    } else if (keyword == "additionalProperties") {
      const Value* known = schema.find("properties");
      if (object && !*rule.as_bool()) {
        for (const auto& [name, member] : *object) fits = fits && known && known->find(name);
      }
    } else if (keyword != "description" && keyword != "default" && keyword != "examples") {
      FAIL("unknown keyword " << keyword);
    }
    if (!fits) return keyword;
  }
  return "";
}

}  // namespace mxcp::types
