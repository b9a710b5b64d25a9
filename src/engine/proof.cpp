// proves(): whether column types alone guarantee a declared return type.
//
// null is accepted at every level, so no column has to be free of NULL. A TIMESTAMP proves its
// format although it can hold 'infinity', which is written as that word, because no schema shows
// date-time to clients. `date` is shown: a DATE can lie beyond the year 9999, so that its rows must
// be checked.
#include <algorithm>

#include "engine/result_set.h"
#include "types/type_spec.h"

namespace mxcp::engine {
namespace {

using types::Format;
using types::Kind;
using types::TypeSpec;

bool is_whole(const ColumnType& type) {
  return is_integer(type.id) || (type.id == TypeId::kDecimal && type.scale == 0);
}

bool is_number(const ColumnType& type) {
  return is_whole(type) || type.id == TypeId::kDecimal || type.id == TypeId::kFloat ||
         type.id == TypeId::kDouble;
}

bool is_text(const ColumnType& type, Format format) {
  switch (type.id) {
    case TypeId::kVarchar:
    case TypeId::kEnum:
    case TypeId::kUuid:
    case TypeId::kBit:
    case TypeId::kBlob:
    case TypeId::kDate: return format == Format::kNone;
    case TypeId::kTime:
    case TypeId::kTimeNs:
    case TypeId::kTimeTz: return format == Format::kNone || format == Format::kTime;
    case TypeId::kTimestamp:
    case TypeId::kTimestampS:
    case TypeId::kTimestampMs:
    case TypeId::kTimestampNs:
    case TypeId::kTimestampTz:
    case TypeId::kTimestampTzNs: return format == Format::kNone || format == Format::kDateTime;
    case TypeId::kInterval: return format == Format::kNone || format == Format::kDuration;
    default: return false;
  }
}

bool proves_value(const ColumnType& type, const TypeSpec& spec);

// `name(i)` and `type(i)` are the members of a structure, or the columns of a row.
template <class Name, class TypeOf>
bool proves_members(std::size_t count, Name name, TypeOf type, const TypeSpec& spec) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto property = std::find_if(spec.properties.begin(), spec.properties.end(),
                                       [&](const auto& entry) { return entry.first == name(i); });
    if (property == spec.properties.end()) {
      if (!spec.additional_properties) return false;
      continue;
    }
    if (!proves_value(type(i), property->second)) return false;
  }
  return std::all_of(spec.required.begin(), spec.required.end(), [&](const std::string& wanted) {
    for (std::size_t i = 0; i < count; ++i) {
      if (name(i) == wanted) return true;
    }
    return false;
  });
}

bool proves_object(const ColumnType& type, const TypeSpec& spec) {
  if (type.id == TypeId::kMap) {
    return spec.properties.empty() && spec.required.empty() && spec.additional_properties;
  }
  if (type.id != TypeId::kStruct || is_unnamed(type)) return false;
  return proves_members(
      type.names.size(), [&](std::size_t i) -> const std::string& { return type.names[i]; },
      [&](std::size_t i) -> const ColumnType& { return type.children[i]; }, spec);
}

bool proves_value(const ColumnType& type, const TypeSpec& spec) {
  if (type.id == TypeId::kSqlNull) return true;
  if (type.id == TypeId::kUnion) {
    return std::all_of(type.children.begin(), type.children.end(),
                       [&](const ColumnType& member) { return proves_value(member, spec); });
  }
  if (!types::has_no_rules(spec)) return false;
  switch (spec.kind) {
    case Kind::kString: return is_text(type, spec.format);
    case Kind::kNumber: return spec.format == Format::kNone && is_number(type);
    case Kind::kInteger: return spec.format == Format::kNone && is_whole(type);
    case Kind::kBoolean: return spec.format == Format::kNone && type.id == TypeId::kBoolean;
    case Kind::kArray:
      return (type.id == TypeId::kList || type.id == TypeId::kArray) &&
             (spec.items == nullptr || proves_value(type.children[0], *spec.items));
    case Kind::kObject: return proves_object(type, spec);
  }
  return false;
}

bool proves_row(const std::vector<Column>& columns, const TypeSpec& spec) {
  return types::has_no_rules(spec) &&
         proves_members(
             columns.size(), [&](std::size_t i) -> const std::string& { return columns[i].name; },
             [&](std::size_t i) -> const ColumnType& { return columns[i].type; }, spec);
}

}  // namespace

bool proves(const std::vector<Column>& columns, const types::Type& declared) {
  const TypeSpec& spec = declared.spec();
  switch (spec.kind) {
    case Kind::kArray:
      return types::has_no_rules(spec) &&
             (spec.items == nullptr ||
              (spec.items->kind == Kind::kObject && proves_row(columns, *spec.items)));
    case Kind::kObject: return proves_row(columns, spec);
    default: return columns.size() == 1 && proves_value(columns[0].type, spec);
  }
}

}  // namespace mxcp::engine
