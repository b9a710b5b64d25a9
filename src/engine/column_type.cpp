#include "engine/column_type.h"

#include <algorithm>

#include "engine/handle.h"
#include "engine/sql_text.h"

namespace mxcp::engine {
namespace {

struct Simple {
  TypeId id;
  const char* name;
};

Simple simple_type(c::Type type) {
  switch (type) {
    case c::kTypeBoolean: return {TypeId::kBoolean, "BOOLEAN"};
    case c::kTypeTinyInt: return {TypeId::kTinyInt, "TINYINT"};
    case c::kTypeSmallInt: return {TypeId::kSmallInt, "SMALLINT"};
    case c::kTypeInteger: return {TypeId::kInteger, "INTEGER"};
    case c::kTypeBigInt: return {TypeId::kBigInt, "BIGINT"};
    case c::kTypeHugeInt: return {TypeId::kHugeInt, "HUGEINT"};
    case c::kTypeUTinyInt: return {TypeId::kUTinyInt, "UTINYINT"};
    case c::kTypeUSmallInt: return {TypeId::kUSmallInt, "USMALLINT"};
    case c::kTypeUInteger: return {TypeId::kUInteger, "UINTEGER"};
    case c::kTypeUBigInt: return {TypeId::kUBigInt, "UBIGINT"};
    case c::kTypeUHugeInt: return {TypeId::kUHugeInt, "UHUGEINT"};
    case c::kTypeBigNum: return {TypeId::kBigNum, "BIGNUM"};
    case c::kTypeFloat: return {TypeId::kFloat, "FLOAT"};
    case c::kTypeDouble: return {TypeId::kDouble, "DOUBLE"};
    case c::kTypeDecimal: return {TypeId::kDecimal, "DECIMAL"};
    case c::kTypeVarchar: return {TypeId::kVarchar, "VARCHAR"};
    case c::kTypeBlob: return {TypeId::kBlob, "BLOB"};
    case c::kTypeBit: return {TypeId::kBit, "BIT"};
    case c::kTypeUuid: return {TypeId::kUuid, "UUID"};
    case c::kTypeDate: return {TypeId::kDate, "DATE"};
    case c::kTypeTime: return {TypeId::kTime, "TIME"};
    case c::kTypeTimeNs: return {TypeId::kTimeNs, "TIME_NS"};
    case c::kTypeTimeTz: return {TypeId::kTimeTz, "TIME WITH TIME ZONE"};
    case c::kTypeTimestamp: return {TypeId::kTimestamp, "TIMESTAMP"};
    case c::kTypeTimestampS: return {TypeId::kTimestampS, "TIMESTAMP_S"};
    case c::kTypeTimestampMs: return {TypeId::kTimestampMs, "TIMESTAMP_MS"};
    case c::kTypeTimestampNs: return {TypeId::kTimestampNs, "TIMESTAMP_NS"};
    case c::kTypeTimestampTz: return {TypeId::kTimestampTz, "TIMESTAMP WITH TIME ZONE"};
    case c::kTypeTimestampTzNs: return {TypeId::kTimestampTzNs, "TIMESTAMPTZ_NS"};
    case c::kTypeInterval: return {TypeId::kInterval, "INTERVAL"};
    case c::kTypeEnum: return {TypeId::kEnum, "ENUM"};
    case c::kTypeList: return {TypeId::kList, "LIST"};
    case c::kTypeArray: return {TypeId::kArray, "ARRAY"};
    case c::kTypeStruct: return {TypeId::kStruct, "STRUCT"};
    case c::kTypeMap: return {TypeId::kMap, "MAP"};
    case c::kTypeUnion: return {TypeId::kUnion, "UNION"};
    case c::kTypeSqlNull: return {TypeId::kSqlNull, "NULL"};
    case c::kTypeVariant: return {TypeId::kOther, "VARIANT"};
    case c::kTypeGeometry: return {TypeId::kOther, "GEOMETRY"};
    default: return {TypeId::kOther, ""};
  }
}

std::string take(const Api& api, char* text) {
  std::string out = text == nullptr ? "" : text;
  api.free(text);
  return out;
}

std::string member_name(const std::string& name) {
  const bool plain = !name.empty() && (name[0] < '0' || name[0] > '9') &&
                     std::all_of(name.begin(), name.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '_';
                     });
  return plain ? name : quote_sql(name, '"');
}

std::string members_text(const ColumnType& type) {
  std::string out = "(";
  for (std::size_t i = 0; i < type.children.size(); ++i) {
    if (i > 0) out += ", ";
    if (!type.names[i].empty()) out += member_name(type.names[i]) + ' ';
    out += type.children[i].name;
  }
  return out + ')';
}

std::string labels_text(const ColumnType& type) {
  std::string out = "(";
  for (const std::string& label : type.names) {
    if (out.size() > 1) out += ", ";
    out += quote_sql(label, '\'');
  }
  return out + ')';
}

}  // namespace

ColumnType read_type(const Api& api, c::LogicalType logical) {
  ColumnType out;
  if (logical == nullptr) return out;
  const Simple simple = simple_type(api.get_type_id(logical));
  out.id = simple.id;
  out.name = simple.name;
  const auto child = [&](c::LogicalType type) {
    const TypeHandle owner(api, type);
    out.children.push_back(read_type(api, type));
  };

  switch (out.id) {
    case TypeId::kDecimal:
      out.width = api.decimal_width(logical);
      out.scale = api.decimal_scale(logical);
      out.internal = simple_type(api.decimal_internal_type(logical)).id;
      out.name += '(' + std::to_string(out.width) + ',' + std::to_string(out.scale) + ')';
      break;
    case TypeId::kEnum: {
      out.internal = simple_type(api.enum_internal_type(logical)).id;
      const std::uint32_t size = api.enum_dictionary_size(logical);
      out.names.reserve(size);
      for (std::uint32_t i = 0; i < size; ++i) {
        out.names.push_back(take(api, api.enum_dictionary_value(logical, i)));
      }
      out.name += labels_text(out);
      break;
    }
    case TypeId::kList:
      child(api.list_type_child_type(logical));
      out.name = out.children[0].name + "[]";
      break;
    case TypeId::kArray:
      child(api.array_type_child_type(logical));
      out.array_size = api.array_type_array_size(logical);
      out.name = out.children[0].name + '[' + std::to_string(out.array_size) + ']';
      break;
    case TypeId::kMap:
      child(api.map_type_key_type(logical));
      child(api.map_type_value_type(logical));
      out.name += '(' + out.children[0].name + ", " + out.children[1].name + ')';
      break;
    case TypeId::kStruct:
      for (c::Index i = 0, n = api.struct_type_child_count(logical); i < n; ++i) {
        out.names.push_back(take(api, api.struct_type_child_name(logical, i)));
        child(api.struct_type_child_type(logical, i));
      }
      out.name += members_text(out);
      break;
    case TypeId::kUnion:
      for (c::Index i = 0, n = api.union_type_member_count(logical); i < n; ++i) {
        out.names.push_back(take(api, api.union_type_member_name(logical, i)));
        child(api.union_type_member_type(logical, i));
      }
      out.name += members_text(out);
      break;
    default: break;
  }
  if (char* alias = api.logical_type_get_alias(logical)) {
    out.alias = take(api, alias);
    if (!out.alias.empty()) out.name = out.alias;
  }
  return out;
}

TypeHandle make_type(const Api& api, const ColumnType& type) {
  const auto simple = [&](c::Type id) { return TypeHandle(api, api.create_logical_type(id)); };
  std::vector<TypeHandle> children;
  for (const ColumnType& child : type.children) children.push_back(make_type(api, child));
  switch (type.id) {
    case TypeId::kBoolean: return simple(c::kTypeBoolean);
    case TypeId::kInteger: return simple(c::kTypeInteger);
    case TypeId::kBigInt: return simple(c::kTypeBigInt);
    case TypeId::kHugeInt: return simple(c::kTypeHugeInt);
    case TypeId::kDouble: return simple(c::kTypeDouble);
    case TypeId::kVarchar: return simple(c::kTypeVarchar);
    case TypeId::kBlob: return simple(c::kTypeBlob);
    case TypeId::kUuid: return simple(c::kTypeUuid);
    case TypeId::kDate: return simple(c::kTypeDate);
    case TypeId::kTime: return simple(c::kTypeTime);
    case TypeId::kTimestamp: return simple(c::kTypeTimestamp);
    case TypeId::kTimestampTz: return simple(c::kTypeTimestampTz);
    case TypeId::kInterval: return simple(c::kTypeInterval);
    case TypeId::kDecimal: return TypeHandle(api, api.create_decimal_type(type.width, type.scale));
    case TypeId::kList: return TypeHandle(api, api.create_list_type(children[0].get()));
    case TypeId::kMap:
      return TypeHandle(api, api.create_map_type(children[0].get(), children[1].get()));
    case TypeId::kStruct: {
      std::vector<c::LogicalType> members;
      std::vector<const char*> names;
      for (std::size_t i = 0; i < children.size(); ++i) {
        members.push_back(children[i].get());
        names.push_back(type.names[i].c_str());
      }
      return TypeHandle(api, api.create_struct_type(members.data(), names.data(), members.size()));
    }
    default: return simple(c::kTypeInvalid);
  }
}

bool is_integer(TypeId id) {
  switch (id) {
    case TypeId::kTinyInt:
    case TypeId::kSmallInt:
    case TypeId::kInteger:
    case TypeId::kBigInt:
    case TypeId::kHugeInt:
    case TypeId::kUTinyInt:
    case TypeId::kUSmallInt:
    case TypeId::kUInteger:
    case TypeId::kUBigInt:
    case TypeId::kUHugeInt:
    case TypeId::kBigNum: return true;
    default: return false;
  }
}

bool is_unnamed(const ColumnType& type) {
  return type.id == TypeId::kStruct && !type.names.empty() &&
         std::all_of(type.names.begin(), type.names.end(),
                     [](const std::string& name) { return name.empty(); });
}

bool is_readable(const ColumnType& type) {
  return type.id != TypeId::kOther &&
         std::all_of(type.children.begin(), type.children.end(), is_readable);
}

std::string readable_cast(const ColumnType& type) {
  const auto child = [&](std::size_t i) { return readable_cast(type.children[i]); };
  if (is_readable(type)) return type.name;
  switch (type.id) {
    case TypeId::kList: return child(0) + "[]";
    case TypeId::kArray: return child(0) + '[' + std::to_string(type.array_size) + ']';
    case TypeId::kMap: return "MAP(" + child(0) + ", " + child(1) + ')';
    case TypeId::kStruct: {
      if (is_unnamed(type)) return "VARCHAR";
      std::string out = "STRUCT(";
      for (std::size_t i = 0; i < type.children.size(); ++i) {
        out += (i > 0 ? ", " : "") + quote_sql(type.names[i], '"') + ' ' + child(i);
      }
      return out + ')';
    }
    // VARIANT has a faithful JSON form; what else cannot be read (GEOMETRY, TYPE, types of a newer
    // DuckDB, UNIONs with them) has a text.
    default: return type.name == "VARIANT" ? "JSON" : "VARCHAR";
  }
}

}  // namespace mxcp::engine
