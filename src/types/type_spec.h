// TypeSpec: a parameter or return type as the author wrote it, before it is compiled.
//
// The vocabulary is JSON Schema's (2020-12), restricted to what the endpoint files allow
// (mxcp-features 3.3). Filled by project/ from YAML; compiled by Type::compile.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text_map.h"
#include "base/value.h"

namespace mxcp::types {

enum class Kind { kString, kNumber, kInteger, kBoolean, kArray, kObject };
enum class Format { kNone, kEmail, kUri, kDate, kTime, kDateTime, kDuration, kTimestamp };

std::string_view name_of(Kind kind);      // "string"
std::string_view name_of(Format format);  // "date-time"
std::optional<Kind> kind_from(std::string_view name);
std::optional<Format> format_from(std::string_view name);
// For suggestions.
const std::vector<std::string>& kind_names();
const std::vector<std::string>& format_names();

struct TypeSpec {
  // Defined in the source file, where `properties` holds a complete type (clang insists).
  TypeSpec();
  TypeSpec(const TypeSpec&);
  TypeSpec(TypeSpec&&) noexcept;
  TypeSpec& operator=(const TypeSpec&);
  TypeSpec& operator=(TypeSpec&&) noexcept;
  ~TypeSpec();

  Kind kind = Kind::kString;
  Format format = Format::kNone;
  std::string description;
  std::optional<Value> default_value;  // present even when null: the parameter is optional
  std::vector<Value> examples;
  std::optional<std::vector<Value>> enum_values;
  bool sensitive = false;
  std::string mcp_header;  // `x-mcp-header`: clients repeat the value in Mcp-Param-<this>; "": none
  std::string completion;  // SQL that gives what may be typed, see mcp/completion.cpp; "": none
  TextMap completion_map;  // of that SQL

  std::optional<std::uint64_t> min_length, max_length;
  std::optional<std::string> pattern;
  std::optional<Value> minimum, maximum, exclusive_minimum, exclusive_maximum, multiple_of;
  std::optional<std::uint64_t> min_items, max_items;
  bool unique_items = false;

  std::shared_ptr<const TypeSpec> items;                     // arrays
  std::vector<std::pair<std::string, TypeSpec>> properties;  // objects, in file order
  std::vector<std::string> required;
  bool additional_properties = true;

  Place place;  // of the type in its file
  // Place of a keyword ("minimum", "pattern" ...) and of each property, for messages.
  std::map<std::string, Place> places;
};

// True when a level declares nothing beyond its kind, its format and its structure: no bounds,
// lengths, counts, pattern, enum, uniqueItems. `items`, `properties`, `required` and
// `additionalProperties` are structure: the caller walks them.
bool has_no_rules(const TypeSpec& spec);
// And no format.
bool unconstrained(const TypeSpec& spec);

struct ParameterSpec {
  std::string name;
  TypeSpec type;
  Place place;
};

}  // namespace mxcp::types
