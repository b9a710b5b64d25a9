#include "engine/binding.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "engine/column_type.h"
#include "engine/handle.h"
#include "types/formats.h"

namespace mxcp::engine {
namespace {

constexpr int kMaxDecimalDigits = 38;

// A number in JSON's grammar as an integer and a power of ten, when it fits a DECIMAL.
struct Exact {
  bool negative = false;
  unsigned __int128 digits = 0;
  int width = 0;  // number of significant digits
  int scale = 0;  // digits behind the point
};

// Appends a decimal digit; false when 128 bits do not hold the number.
bool shift_in(unsigned __int128& digits, unsigned digit) {
  constexpr auto kMost = ~static_cast<unsigned __int128>(0);
  if (digits > (kMost - digit) / 10) return false;
  digits = digits * 10 + digit;
  return true;
}

std::optional<Exact> read_exact(std::string_view text) {
  Exact out;
  std::size_t i = 0;
  if (i < text.size() && text[i] == '-') {
    out.negative = true;
    ++i;
  }
  bool fraction = false;
  for (; i < text.size() && text[i] != 'e' && text[i] != 'E'; ++i) {
    if (text[i] == '.') {
      fraction = true;
      continue;
    }
    const auto digit = static_cast<unsigned>(text[i] - '0');
    if (digit > 9 || out.width > kMaxDecimalDigits || !shift_in(out.digits, digit)) return {};
    if (out.width > 0 || digit > 0) ++out.width;
    if (fraction) ++out.scale;
  }
  if (i < text.size()) {
    int exponent = 0;
    bool minus = false;
    for (++i; i < text.size(); ++i) {
      if (text[i] == '-') minus = true;
      if (text[i] < '0' || text[i] > '9') continue;
      exponent = exponent * 10 + (text[i] - '0');
      if (exponent > 2 * kMaxDecimalDigits) return {};
    }
    out.scale += minus ? exponent : -exponent;
    for (; out.scale < 0; ++out.scale, ++out.width) {
      if (out.width > kMaxDecimalDigits || !shift_in(out.digits, 0)) return {};
    }
  }
  // A digit in front of the point, so that the value is written 0.5 and not .5.
  if (out.scale > 0) out.width = std::max(out.width, std::min(out.scale + 1, kMaxDecimalDigits));
  if (out.width > kMaxDecimalDigits + 1) return {};
  return out;
}

// Where each of many names is. Made when one is not where it was expected.
using Places = std::unordered_map<std::string, std::size_t>;

// The SQL type of a Value.
struct Shape {
  TypeId id = TypeId::kSqlNull;
  int width = 0, scale = 0;          // kDecimal
  bool negative = false;             // an integer below zero is among the values
  std::vector<std::string> names{};  // kStruct
  std::vector<Shape> children{};     // kList: 1, kStruct: the members
  std::size_t objects = 0;           // kStruct: how many are of this type
  std::size_t members = 0;           // kStruct: how many members they have together
  std::unique_ptr<Places> places{};  // kStruct: of `names`, see place_of
};

constexpr std::size_t kNowhere = std::numeric_limits<std::size_t>::max();

// Which member of a STRUCT has this name. `expected` is where it is looked for first, and becomes
// the place behind it: objects have their members in the same order more often than not.
std::size_t place_of(Shape& shape, std::string_view name, std::size_t& expected) {
  // To look through fewer names is faster than to hash one.
  constexpr std::size_t kMany = 32;
  if (expected < shape.names.size() && shape.names[expected] == name) return expected++;
  std::size_t place = kNowhere;
  if (shape.names.size() < kMany) {
    const auto known = std::find(shape.names.begin(), shape.names.end(), name);
    if (known != shape.names.end()) place = static_cast<std::size_t>(known - shape.names.begin());
  } else {
    if (shape.places == nullptr) shape.places = std::make_unique<Places>();
    for (std::size_t i = shape.places->size(); i < shape.names.size(); ++i) {
      shape.places->emplace(shape.names[i], i);
    }
    const auto known = shape.places->find(std::string(name));
    if (known != shape.places->end()) place = known->second;
  }
  if (place != kNowhere) expected = place + 1;
  return place;
}

bool is_number(TypeId id) {
  return id == TypeId::kInteger || id == TypeId::kBigInt || id == TypeId::kHugeInt ||
         id == TypeId::kUHugeInt || id == TypeId::kDecimal || id == TypeId::kDouble;
}
bool is_nested(TypeId id) {
  return id == TypeId::kList || id == TypeId::kStruct;
}

int integer_digits(const Shape& shape) {
  switch (shape.id) {
    case TypeId::kInteger: return 10;
    case TypeId::kBigInt: return 19;
    case TypeId::kDecimal: return shape.width - shape.scale;
    default: return kMaxDecimalDigits + 1;
  }
}

Result<Shape> unify(Shape a, Shape b);

Shape integer_shape(TypeId id, bool negative) {
  Shape shape{id};
  shape.negative = negative;
  return shape;
}

// Digits alone. Whoever writes a fraction or an exponent takes the nearest DOUBLE, as in SQL.
bool is_integer_text(std::string_view text) {
  return text.find_first_of(".eE") == std::string_view::npos;
}

Error beyond_integers(std::string_view text) {
  return {Code::kInvalidArgs,
          "the integer " + shorten(text, 60) +
              " does not fit DuckDB's integers, which go from -2^127 to 2^128 - 1",
          {},
          "as the nearest DOUBLE it is written with an exponent, such as 1e40"};
}

Result<Shape> number_shape(const ExactNumber& number) {
  const std::optional<Exact> exact = read_exact(number.text);
  const bool integer = is_integer_text(number.text) && !number.is_decimal;
  if (!exact) {
    if (integer) return beyond_integers(number.text);
    return Shape{TypeId::kDouble};
  }
  if (exact->scale == 0 && (!number.is_decimal || exact->width > kMaxDecimalDigits)) {
    constexpr unsigned __int128 kSign = static_cast<unsigned __int128>(1) << 127;
    // One more below zero than above.
    if (exact->digits < kSign + (exact->negative ? 1 : 0)) {
      return integer_shape(TypeId::kHugeInt, exact->negative);
    }
    if (!exact->negative) return Shape{TypeId::kUHugeInt};
    if (integer) return beyond_integers(number.text);
    return Shape{TypeId::kDouble};
  }
  if (exact->width > kMaxDecimalDigits || exact->scale > kMaxDecimalDigits) {
    return Shape{TypeId::kDouble};
  }
  return Shape{TypeId::kDecimal, std::max(exact->width, 1), exact->scale};
}

// DuckDB's C API takes names up to their first NUL, and has a STRUCT whose names are all empty for
// one without names, which comes back as a list.
Status check_member_name(std::string_view name, const Object& object) {
  if (name.find('\0') != std::string_view::npos) {
    return Error{
        Code::kInvalidArgs,
        "an object has a member with a NUL character in its name, which no STRUCT can have"};
  }
  if (name.empty() && object.size() == 1) {
    return Error{Code::kInvalidArgs,
                 "the name of an object's only member is empty: DuckDB would "
                 "take the object for a list"};
  }
  return {};
}

Result<Shape> shape_of(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull: return Shape{};
    case Value::Kind::kBool: return Shape{TypeId::kBoolean};
    case Value::Kind::kInt: {
      const std::int64_t i = *value.as_int();
      const bool fits = i >= std::numeric_limits<std::int32_t>::min() &&
                        i <= std::numeric_limits<std::int32_t>::max();
      return integer_shape(fits ? TypeId::kInteger : TypeId::kBigInt, i < 0);
    }
    case Value::Kind::kDouble: return Shape{TypeId::kDouble};
    case Value::Kind::kNumber: return number_shape(*value.as_number());
    case Value::Kind::kString:
    case Value::Kind::kRaw: return Shape{TypeId::kVarchar};
    case Value::Kind::kDate: return Shape{TypeId::kDate};
    case Value::Kind::kTime:
      return Shape{value.as_time()->has_zone ? TypeId::kTimeTz : TypeId::kTime};
    case Value::Kind::kTimestamp:
      return Shape{value.as_timestamp()->has_zone ? TypeId::kTimestampTz : TypeId::kTimestamp};
    case Value::Kind::kBytes: return Shape{TypeId::kBlob};
    case Value::Kind::kInterval: return Shape{TypeId::kInterval};
    case Value::Kind::kUuid: return Shape{TypeId::kUuid};
    case Value::Kind::kArray: {
      Shape element;
      for (const Value& item : *value.as_array()) {
        MXCP_TRY(Shape next, shape_of(item));
        MXCP_TRY(element, unify(std::move(element), std::move(next)));
      }
      Shape list{TypeId::kList};
      list.children.push_back(std::move(element));
      return list;
    }
    case Value::Kind::kObject: {
      const Object& object = *value.as_object();
      Shape shape{TypeId::kStruct};
      shape.objects = 1;
      shape.members = object.size();
      for (const auto& [name, item] : object) {
        MXCP_TRY(check_member_name(name, object));
        MXCP_TRY(Shape member, shape_of(item));
        shape.names.push_back(name);
        shape.children.push_back(std::move(member));
      }
      return shape;
    }
  }
  return Shape{};
}

Result<Shape> unify(Shape a, Shape b) {
  if (a.id == TypeId::kSqlNull) return b;
  if (b.id == TypeId::kSqlNull) return a;
  if (a.id == TypeId::kList && b.id == TypeId::kList) {
    MXCP_TRY(a.children[0], unify(std::move(a.children[0]), std::move(b.children[0])));
    return a;
  }
  if (a.id == TypeId::kStruct && b.id == TypeId::kStruct) {
    // Objects with different members: all of them, NULL where one is missing.
    std::size_t expected = 0;
    for (std::size_t i = 0; i < b.names.size(); ++i) {
      const std::size_t place = place_of(a, b.names[i], expected);
      if (place == kNowhere) {
        a.names.push_back(std::move(b.names[i]));
        a.children.push_back(std::move(b.children[i]));
        continue;
      }
      Shape& member = a.children[place];
      MXCP_TRY(member, unify(std::move(member), std::move(b.children[i])));
    }
    a.objects += b.objects;
    a.members += b.members;
    return a;
  }
  if (a.id == b.id && a.id != TypeId::kDecimal) {
    a.negative = a.negative || b.negative;
    return a;
  }
  if (is_number(a.id) && is_number(b.id)) {
    if (a.id == TypeId::kDouble || b.id == TypeId::kDouble) return Shape{TypeId::kDouble};
    if (a.id != TypeId::kDecimal && b.id != TypeId::kDecimal) {
      const bool negative = a.negative || b.negative;
      const auto is = [&](TypeId id) { return a.id == id || b.id == id; };
      if (is(TypeId::kUHugeInt)) {
        if (!negative) return Shape{TypeId::kUHugeInt};
        return Error{Code::kInvalidArgs,
                     "no integer type of DuckDB holds all numbers of this list: one is 2^127 or "
                     "more, another is negative"};
      }
      return integer_shape(is(TypeId::kHugeInt) ? TypeId::kHugeInt : TypeId::kBigInt, negative);
    }
    const int scale = std::max(a.scale, b.scale);
    const int width = std::max(integer_digits(a), integer_digits(b)) + scale;
    if (width > kMaxDecimalDigits) return Shape{TypeId::kDouble};
    return Shape{TypeId::kDecimal, width, scale};
  }
  if (is_nested(a.id) || is_nested(b.id)) {
    return Error{Code::kInvalidArgs,
                 "the elements of a list must be of one kind: this one mixes lists or objects with "
                 "something else"};
  }
  return Shape{TypeId::kVarchar};
}

// The members that the objects of a shape have, and the NULLs that are made of those they lack.
struct Sizes {
  std::size_t members = 0, missing = 0;
};
Sizes sizes_of(const Shape& shape) {
  Sizes sizes{shape.members, shape.names.size() * shape.objects - shape.members};
  for (const Shape& child : shape.children) {
    const Sizes inner = sizes_of(child);
    sizes.members += inner.members;
    sizes.missing += inner.missing;
  }
  return sizes;
}

// shape_of a whole argument. A short text could otherwise become a value of any size.
Result<Shape> argument_shape(const Value& value) {
  constexpr std::size_t kFreely = 1'000'000;
  MXCP_TRY(Shape shape, shape_of(value));
  const Sizes sizes = sizes_of(shape);
  if (sizes.missing <= 4 * sizes.members + kFreely) return shape;
  return Error{Code::kInvalidArgs,
               "the objects of this list have too many different members: as STRUCTs each of them "
               "would have all",
               {},
               "give it as JSON text instead, and read that with DuckDB's JSON functions"};
}

// A STRUCT needs a member; the object without any is a MAP without any.
TypeHandle empty_map_type(const Api& api) {
  const TypeHandle text(api, api.create_logical_type(c::kTypeVarchar));
  return TypeHandle(api, api.create_map_type(text.get(), text.get()));
}

TypeHandle logical_type(const Api& api, const Shape& shape) {
  const auto simple = [&](c::Type type) { return TypeHandle(api, api.create_logical_type(type)); };
  switch (shape.id) {
    case TypeId::kBoolean: return simple(c::kTypeBoolean);
    case TypeId::kInteger: return simple(c::kTypeInteger);
    case TypeId::kBigInt: return simple(c::kTypeBigInt);
    case TypeId::kHugeInt: return simple(c::kTypeHugeInt);
    case TypeId::kUHugeInt: return simple(c::kTypeUHugeInt);
    case TypeId::kDouble: return simple(c::kTypeDouble);
    case TypeId::kVarchar: return simple(c::kTypeVarchar);
    case TypeId::kDate: return simple(c::kTypeDate);
    case TypeId::kTime: return simple(c::kTypeTime);
    case TypeId::kTimeTz: return simple(c::kTypeTimeTz);
    case TypeId::kTimestamp: return simple(c::kTypeTimestamp);
    case TypeId::kTimestampTz: return simple(c::kTypeTimestampTz);
    case TypeId::kBlob: return simple(c::kTypeBlob);
    case TypeId::kInterval: return simple(c::kTypeInterval);
    case TypeId::kUuid: return simple(c::kTypeUuid);
    case TypeId::kDecimal:
      return TypeHandle(api, api.create_decimal_type(static_cast<std::uint8_t>(shape.width),
                                                     static_cast<std::uint8_t>(shape.scale)));
    case TypeId::kList: {
      const TypeHandle element = logical_type(api, shape.children[0]);
      return TypeHandle(api, api.create_list_type(element.get()));
    }
    case TypeId::kStruct: {
      if (shape.names.empty()) return empty_map_type(api);
      std::vector<TypeHandle> owners;
      std::vector<c::LogicalType> types;
      std::vector<const char*> names;
      for (std::size_t i = 0; i < shape.children.size(); ++i) {
        types.push_back(owners.emplace_back(logical_type(api, shape.children[i])).get());
        names.push_back(shape.names[i].c_str());
      }
      return TypeHandle(api, api.create_struct_type(types.data(), names.data(), types.size()));
    }
    default: return simple(c::kTypeSqlNull);
  }
}

__int128 as_int128(const Value& value) {
  if (const auto* i = value.as_int()) return *i;
  const auto exact = value.as_number() ? read_exact(value.as_number()->text) : std::nullopt;
  if (!exact) return 0;
  // Negated without a sign: -2^127 has no positive counterpart.
  return static_cast<__int128>(exact->negative ? -exact->digits : exact->digits);
}

c::HugeInt split(__int128 value) {
  return {static_cast<std::uint64_t>(value), static_cast<std::int64_t>(value >> 64)};
}

c::Decimal as_decimal(const Value& value, const Shape& shape) {
  __int128 unscaled = as_int128(value);
  int scale = 0;
  if (const auto* number = value.as_number()) {
    if (const auto exact = read_exact(number->text)) scale = exact->scale;
  }
  for (; scale < shape.scale; ++scale) unscaled *= 10;
  return {static_cast<std::uint8_t>(shape.width), static_cast<std::uint8_t>(shape.scale),
          split(unscaled)};
}

ValueHandle text_value(const Api& api, std::string_view text) {
  return ValueHandle(api, api.create_varchar_length(text.data(), text.size()));
}

ValueHandle make_value(const Api& api, const Value& value, Shape& shape);

ValueHandle make_list(const Api& api, const Array& items, Shape& shape) {
  const TypeHandle element = logical_type(api, shape.children[0]);
  std::vector<ValueHandle> owners;
  std::vector<c::Value> values;
  owners.reserve(items.size());
  values.reserve(items.size());
  for (const Value& item : items) {
    values.push_back(owners.emplace_back(make_value(api, item, shape.children[0])).get());
  }
  // DuckDB refuses a null pointer even for an empty list.
  c::Value none = nullptr;
  return ValueHandle(
      api,
      api.create_list_value(element.get(), values.empty() ? &none : values.data(), values.size()));
}

ValueHandle make_struct(const Api& api, const Object& object, Shape& shape) {
  const TypeHandle type = logical_type(api, shape);
  // DuckDB refuses a null pointer even for an empty map.
  c::Value none = nullptr;
  if (shape.names.empty()) {
    return ValueHandle(api, api.create_map_value(type.get(), &none, &none, 0));
  }
  std::vector<ValueHandle> owners;
  std::vector<c::Value> values(shape.names.size());
  owners.reserve(object.size() + 1);
  std::size_t expected = 0;
  for (const auto& [name, member] : object) {
    const std::size_t place = place_of(shape, name, expected);
    values[place] = owners.emplace_back(make_value(api, member, shape.children[place])).get();
  }
  if (object.size() < values.size()) {
    const c::Value null = owners.emplace_back(api, api.create_null_value()).get();
    std::replace(values.begin(), values.end(), none, null);
  }
  return ValueHandle(api, api.create_struct_value(type.get(), values.data()));
}

// `value` as a value of type `shape`, which fits it.
ValueHandle make_value(const Api& api, const Value& value, Shape& shape) {
  const auto own = [&](c::Value made) { return ValueHandle(api, made); };
  if (value.is_null()) return own(api.create_null_value());
  switch (shape.id) {
    case TypeId::kBoolean: return own(api.create_bool(*value.as_bool()));
    case TypeId::kInteger: return own(api.create_int32(static_cast<std::int32_t>(*value.as_int())));
    case TypeId::kBigInt: return own(api.create_int64(*value.as_int()));
    case TypeId::kHugeInt: return own(api.create_hugeint(split(as_int128(value))));
    case TypeId::kUHugeInt: {
      const auto number = static_cast<unsigned __int128>(as_int128(value));
      return own(api.create_uhugeint(
          {static_cast<std::uint64_t>(number), static_cast<std::uint64_t>(number >> 64)}));
    }
    case TypeId::kDecimal: return own(api.create_decimal(as_decimal(value, shape)));
    case TypeId::kDouble: return own(api.create_double(to_double(value)));
    case TypeId::kVarchar: return text_value(api, to_plain_text(value));
    case TypeId::kDate: return own(api.create_date({value.as_date()->days}));
    case TypeId::kTime: return own(api.create_time({value.as_time()->micros}));
    case TypeId::kTimeTz:
      return own(api.create_time_tz_value(
          api.create_time_tz(value.as_time()->micros, value.as_time()->offset)));
    case TypeId::kTimestamp: return own(api.create_timestamp({value.as_timestamp()->micros}));
    case TypeId::kTimestampTz: return own(api.create_timestamp_tz({value.as_timestamp()->micros}));
    case TypeId::kBlob: {
      const std::string& bytes = value.as_bytes()->data;
      return own(
          api.create_blob(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
    }
    case TypeId::kInterval: {
      const Interval& interval = *value.as_interval();
      return own(api.create_interval({interval.months, interval.days, interval.micros}));
    }
    case TypeId::kUuid: return own(api.create_uuid({value.as_uuid()->low, value.as_uuid()->high}));
    case TypeId::kList: return make_list(api, *value.as_array(), shape);
    case TypeId::kStruct: return make_struct(api, *value.as_object(), shape);
    default: return own(api.create_null_value());
  }
}

bool binds_as_double(std::int64_t value) {
  constexpr std::int64_t kExactDouble = std::int64_t{1} << 53;
  return value >= -kExactDouble && value <= kExactDouble;
}

c::State bind_int(const Api& api, c::PreparedStatement statement, c::Index index,
                  std::int64_t value, TypeId expected) {
  if (expected == TypeId::kDouble && binds_as_double(value)) {
    return api.bind_double(statement, index, static_cast<double>(value));
  }
  if (expected != TypeId::kBigInt && value >= std::numeric_limits<std::int32_t>::min() &&
      value <= std::numeric_limits<std::int32_t>::max()) {
    return api.bind_int32(statement, index, static_cast<std::int32_t>(value));
  }
  return api.bind_int64(statement, index, value);
}

std::optional<Interval> interval_of(const Value& value, TypeId expected) {
  const std::string* const text = expected == TypeId::kInterval ? value.as_string() : nullptr;
  return text == nullptr ? std::nullopt : types::duration_of(*text);
}

Result<c::State> bind_value(const Api& api, c::PreparedStatement statement, c::Index index,
                            const Value& value, TypeId expected) {
  switch (value.kind()) {
    case Value::Kind::kNull: return api.bind_null(statement, index);
    case Value::Kind::kBool: return api.bind_boolean(statement, index, *value.as_bool());
    case Value::Kind::kInt: return bind_int(api, statement, index, *value.as_int(), expected);
    case Value::Kind::kDouble: return api.bind_double(statement, index, *value.as_double());
    case Value::Kind::kString: {
      const std::string& text = *value.as_string();
      if (const auto interval = interval_of(value, expected)) {
        Shape shape{TypeId::kInterval};
        const ValueHandle made = make_value(api, *interval, shape);
        return api.bind_value(statement, index, made.get());
      }
      return api.bind_varchar_length(statement, index, text.data(), text.size());
    }
    default: break;
  }
  MXCP_TRY(Shape shape, argument_shape(value));
  const ValueHandle made = make_value(api, value, shape);
  return made ? api.bind_value(statement, index, made.get()) : c::kError;
}

// The type that bind_value gives a value.
Result<Shape> bound_shape(const Value& value, TypeId expected) {
  if (const std::int64_t* const i = value.as_int()) {
    if (expected == TypeId::kDouble && binds_as_double(*i)) return Shape{TypeId::kDouble};
    if (expected == TypeId::kBigInt) return Shape{TypeId::kBigInt};
  }
  if (const auto interval = interval_of(value, expected)) return Shape{TypeId::kInterval};
  return argument_shape(value);
}

// A NULL that has a type. DuckDB's C API makes such only as parts of others.
ValueHandle typed_null(const Api& api, c::LogicalType type) {
  const char* name = "v";
  const TypeHandle around(api, api.create_struct_type(&type, &name, 1));
  const ValueHandle null(api, api.create_null_value());
  c::Value member = null.get();
  const ValueHandle made(api, api.create_struct_value(around.get(), &member));
  return ValueHandle(api, made ? api.get_struct_child(made.get(), 0) : nullptr);
}

}  // namespace

Status bind_null_like(const Api& api, c::PreparedStatement statement, c::Index index,
                      std::string_view name, const Value& value, TypeId expected) {
  const std::string context = "parameter $" + std::string(name);
  if (value.is_null()) {
    api.bind_null(statement, index);
    return {};
  }
  auto shape = bound_shape(value, expected);
  if (!shape.ok()) return std::move(shape).error().in(context);
  const TypeHandle type = logical_type(api, *shape);
  const ValueHandle null = typed_null(api, type.get());
  if (null && api.bind_value(statement, index, null.get()) == c::kSuccess) return {};
  return Error{Code::kInvalidArgs, context + ": DuckDB has no NULL of this type"};
}

std::string bound_type_name(const Api& api, const Value& value, TypeId expected) {
  const auto shape = bound_shape(value, expected);
  return shape.ok() ? read_type(api, logical_type(api, *shape).get()).name : "";
}

Status bind_parameter(const Api& api, c::PreparedStatement statement, c::Index index,
                      std::string_view name, const Value& value, TypeId expected) {
  const std::string context = "parameter $" + std::string(name);
  Result<c::State> bound = bind_value(api, statement, index, value, expected);
  if (!bound.ok()) return std::move(bound).error().in(context);
  if (*bound == c::kSuccess) return {};
  return Error{Code::kInvalidArgs,
               context + ": DuckDB cannot take this " + std::string(value.kind_name())};
}

}  // namespace mxcp::engine
