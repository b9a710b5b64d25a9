#include "quality/sql_types.h"

#include <algorithm>

#include "engine/sql_text.h"

namespace mxcp::quality {
namespace {

using engine::ColumnType;
using engine::TypeId;
using types::Format;
using types::Kind;
using types::TypeSpec;

TypeSpec of(Kind kind) {
  TypeSpec spec;
  spec.kind = kind;
  return spec;
}

std::optional<std::string> struct_type(const TypeSpec& declared) {
  std::string text = "STRUCT(";
  for (const auto& [name, type] : declared.properties) {
    const auto member = sql_type(type);
    if (!member) return {};
    if (text.back() != '(') text += ", ";
    text += engine::quote_sql(name, '"') + ' ' + *member;
  }
  if (declared.properties.empty()) return {};
  return text + ')';
}

std::optional<TypeSpec> list_declaration(const ColumnType& column) {
  TypeSpec list = of(Kind::kArray);
  if (auto items = declaration_of(column.children[0])) {
    list.items = std::make_shared<TypeSpec>(*std::move(items));
  }
  return list;
}

std::optional<TypeSpec> struct_declaration(const ColumnType& column) {
  if (engine::is_unnamed(column)) return of(Kind::kArray);
  TypeSpec object = of(Kind::kObject);
  for (std::size_t i = 0; i < column.children.size(); ++i) {
    object.required.push_back(column.names[i]);
    if (auto member = declaration_of(column.children[i])) {
      object.properties.emplace_back(column.names[i], *std::move(member));
    }
  }
  return object;
}

std::optional<TypeSpec> union_declaration(const ColumnType& column) {
  std::optional<TypeSpec> all;
  for (const ColumnType& member : column.children) {
    auto one = declaration_of(member);
    if (one && all) one = common(*all, *one);
    if (!one) return {};
    all = std::move(one);
  }
  return all;
}

}  // namespace

std::optional<std::string> sql_type(const TypeSpec& declared) {
  switch (declared.kind) {
    case Kind::kString:
      switch (declared.format) {
        case Format::kDate: return "DATE";
        case Format::kTime: return "TIME";
        case Format::kDateTime: return "TIMESTAMP";
        case Format::kTimestamp: return "TIMESTAMPTZ";
        default: return "VARCHAR";
      }
    case Kind::kNumber: return "DOUBLE";
    case Kind::kInteger: return "INTEGER";
    case Kind::kBoolean: return "BOOLEAN";
    case Kind::kArray:
      if (!declared.items) return {};
      if (const auto item = sql_type(*declared.items)) return *item + "[]";
      return {};
    case Kind::kObject: return struct_type(declared);
  }
  return {};
}

std::vector<std::pair<std::string, std::string>> sql_types(const types::ParameterSet& parameters) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& entry : parameters.entries()) {
    if (auto type = sql_type(entry.type.spec())) out.emplace_back(entry.name, *std::move(type));
  }
  return out;
}

std::optional<TypeSpec> declaration_of(const ColumnType& column) {
  if (engine::is_integer(column.id)) return of(Kind::kInteger);
  switch (column.id) {
    case TypeId::kBoolean: return of(Kind::kBoolean);
    case TypeId::kFloat:
    case TypeId::kDouble:
    case TypeId::kDecimal: return of(Kind::kNumber);
    case TypeId::kList:
    case TypeId::kArray: return list_declaration(column);
    case TypeId::kStruct: return struct_declaration(column);
    case TypeId::kMap: return of(Kind::kObject);
    case TypeId::kUnion: return union_declaration(column);
    case TypeId::kSqlNull:
    case TypeId::kOther: return {};
    default: return of(Kind::kString);  // texts, bytes, dates and times
  }
}

std::optional<TypeSpec> common(const TypeSpec& a, const TypeSpec& b) {
  const auto is_number = [](const TypeSpec& spec) {
    return spec.kind == Kind::kInteger || spec.kind == Kind::kNumber;
  };
  if (a.kind != b.kind) {
    if (is_number(a) && is_number(b)) return of(Kind::kNumber);
    return {};
  }
  TypeSpec both = of(a.kind);
  if (a.items && b.items) {
    if (auto items = common(*a.items, *b.items)) {
      both.items = std::make_shared<TypeSpec>(*std::move(items));
    }
  }
  for (const auto& [name, type] : a.properties) {
    const auto other = std::find_if(b.properties.begin(), b.properties.end(),
                                    [&](const auto& property) { return property.first == name; });
    if (other == b.properties.end()) continue;
    if (auto property = common(type, other->second)) {
      both.properties.emplace_back(name, *std::move(property));
    }
  }
  for (const std::string& name : a.required) {
    if (std::find(b.required.begin(), b.required.end(), name) != b.required.end()) {
      both.required.push_back(name);
    }
  }
  return both;
}

}  // namespace mxcp::quality
