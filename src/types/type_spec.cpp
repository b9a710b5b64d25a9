#include "types/type_spec.h"

#include <algorithm>

namespace mxcp::types {
namespace {

std::size_t index_of(const std::vector<std::string>& names, std::string_view name) {
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

}  // namespace

const std::vector<std::string>& kind_names() {
  static const std::vector<std::string> kNames = {"string",  "number", "integer",
                                                  "boolean", "array",  "object"};
  return kNames;
}

const std::vector<std::string>& format_names() {
  static const std::vector<std::string> kNames = {"email",     "uri",      "date",     "time",
                                                  "date-time", "duration", "timestamp"};
  return kNames;
}

std::string_view name_of(Kind kind) {
  return kind_names()[static_cast<std::size_t>(kind)];
}

std::string_view name_of(Format format) {
  if (format == Format::kNone) return "";
  return format_names()[static_cast<std::size_t>(format) - 1];
}

std::optional<Kind> kind_from(std::string_view name) {
  const std::size_t i = index_of(kind_names(), name);
  if (i == kind_names().size()) return std::nullopt;
  return static_cast<Kind>(i);
}

std::optional<Format> format_from(std::string_view name) {
  const std::size_t i = index_of(format_names(), name);
  if (i == format_names().size()) return std::nullopt;
  return static_cast<Format>(i + 1);
}

TypeSpec::TypeSpec() = default;
TypeSpec::TypeSpec(const TypeSpec&) = default;
TypeSpec::TypeSpec(TypeSpec&&) noexcept = default;
TypeSpec& TypeSpec::operator=(const TypeSpec&) = default;
TypeSpec& TypeSpec::operator=(TypeSpec&&) noexcept = default;
TypeSpec::~TypeSpec() = default;

bool has_no_rules(const TypeSpec& spec) {
  return !spec.enum_values && !spec.min_length && !spec.max_length && !spec.pattern &&
         !spec.minimum && !spec.maximum && !spec.exclusive_minimum && !spec.exclusive_maximum &&
         !spec.multiple_of && !spec.min_items && !spec.max_items && !spec.unique_items;
}

bool unconstrained(const TypeSpec& spec) {
  return spec.format == Format::kNone && has_no_rules(spec);
}

}  // namespace mxcp::types
