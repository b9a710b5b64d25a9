#include "quality/sql_types.h"

#include <algorithm>
#include <cmath>

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

const Value& two_to_127() {
  static const Value value(ExactNumber{"170141183460469231731687303715884105728"});
  return value;
}

// BIGINT, HUGEINT and UHUGEINT, as far as the bounds let such integers in.
Examples integer_examples(const TypeSpec& declared) {
  double least = -HUGE_VAL, most = HUGE_VAL;
  for (const auto* bound : {&declared.minimum, &declared.exclusive_minimum}) {
    if (*bound) least = std::max(least, to_double(**bound));
  }
  for (const auto* bound : {&declared.maximum, &declared.exclusive_maximum}) {
    if (*bound) most = std::min(most, to_double(**bound));
  }
  const auto reaches = [&](int bits) {
    return most >= std::ldexp(1.0, bits) || least <= -std::ldexp(1.0, bits);
  };
  Examples out{{1}, {}};
  if (reaches(31)) out.rare.emplace_back(std::int64_t{1} << 40);
  if (reaches(63)) out.rare.emplace_back(ExactNumber{"1267650600228229401496703205376"});
  // The only type whose sum is no integer.
  if (most >= std::ldexp(1.0, 127)) out.rare.push_back(two_to_127());
  return out;
}

// So many forms of one parameter are looked at; the rest leaves it open.
constexpr std::size_t kMostExamples = 12;

Examples string_examples(Format format) {
  switch (format) {
    case Format::kDate: return {{Date{}}, {}};
    case Format::kTime: return {{Time{}, Time{0, true, 0}}, {}};
    case Format::kDateTime: return {{Timestamp{}, Timestamp{0, true, 0}}, {}};
    case Format::kTimestamp: return {{Timestamp{0, true, 0}}, {}};
    default: return {{""}, {}};
  }
}

Examples list_examples(const TypeSpec& declared) {
  Examples out;
  Examples items;
  if (declared.items) {
    items = examples_of(*declared.items);
  } else {
    items = {{1, 1.5, "", true, Object{{"a", 1}}}, {}, true};
  }
  out.open = items.open;
  out.guessed = items.guessed;
  for (Value& item : items.usual) out.usual.emplace_back(Array{std::move(item)});
  for (Value& item : items.rare) out.rare.emplace_back(Array{std::move(item)});
  out.rare.emplace_back(Array{});
  return out;
}

Examples object_examples(const TypeSpec& declared) {
  Examples out;
  out.open = declared.additional_properties;
  if (declared.properties.empty()) {
    if (out.open) out.rare.emplace_back(Object{{"a", 1}});
    out.rare.emplace_back(Object{});
    return out;
  }
  std::vector<Examples> members;
  Object usual;
  for (const auto& [name, type] : declared.properties) {
    Examples& member = members.emplace_back(examples_of(type));
    out.open = out.open || member.open;
    out.guessed = out.guessed || member.guessed || member.usual.empty();
    usual.add(name, member.usual.empty() ? Value() : member.usual.front());
  }
  out.usual.emplace_back(usual);
  // The members one by one; a missing one is null.
  for (std::size_t i = 0; i < members.size(); ++i) {
    const std::string& name = declared.properties[i].first;
    const auto with = [&](Value value) {
      Object object = usual;
      object.set(name, std::move(value));
      return object;
    };
    members[i].rare.emplace_back();
    for (std::size_t k = 1; k < members[i].usual.size(); ++k) {
      out.usual.emplace_back(with(members[i].usual[k]));
    }
    for (const Value& value : members[i].rare) out.rare.emplace_back(with(value));
  }
  if (declared.additional_properties) {
    Object more = usual;
    more.set("one more", 1);
    out.rare.emplace_back(std::move(more));
  }
  return out;
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
  forget_open_members(object);
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

void forget_open_members(TypeSpec& object) {
  if (object.properties.empty()) return;
  std::erase_if(object.required, [&](const std::string& name) {
    return std::none_of(object.properties.begin(), object.properties.end(),
                        [&](const auto& property) { return property.first == name; });
  });
}

Examples examples_of(const TypeSpec& declared) {
  Examples out;
  switch (declared.kind) {
    case Kind::kString: return string_examples(declared.format);
    case Kind::kNumber:
      return {{1.5},
              {ExactNumber{"12345678901234567.25"}, ExactNumber{"9007199254740993"}, two_to_127()}};
    case Kind::kInteger: return integer_examples(declared);
    case Kind::kBoolean: return {{true}, {}};
    case Kind::kArray: out = list_examples(declared); break;
    case Kind::kObject: out = object_examples(declared); break;
  }
  if (out.usual.size() + out.rare.size() > kMostExamples) {
    out.open = true;
    out.usual.resize(std::min(out.usual.size(), kMostExamples));
    out.rare.resize(std::min(out.rare.size(), kMostExamples - out.usual.size()));
  }
  return out;
}

Examples examples_of_anything() {
  return {{}, {1, 1.5, "", true, Array{1}, Array{""}, Object{{"a", 1}}}, true};
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
  forget_open_members(both);
  return both;
}

}  // namespace mxcp::quality
