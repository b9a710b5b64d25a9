#include "cel/datum.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/json.h"

namespace mxcp::cel {
namespace {

// 2^63 and 2^64.
constexpr double kIntEnd = 9223372036854775808.0;
constexpr double kUintEnd = 18446744073709551616.0;

template <class T>
Order order_of(const T& a, const T& b) {
  return a < b ? Order::kLess : b < a ? Order::kGreater : Order::kEqual;
}

Order reversed(Order order) {
  if (order == Order::kLess) return Order::kGreater;
  return order == Order::kGreater ? Order::kLess : order;
}

Order compare_int_uint(std::int64_t a, std::uint64_t b) {
  return a < 0 ? Order::kLess : order_of(static_cast<std::uint64_t>(a), b);
}

// Exactly: a double past 2^53 has neighbours that a conversion of the integer would hit.
template <class Int>
Order compare_int_double(Int a, double b, double begin, double end) {
  if (std::isnan(b)) return Order::kUnordered;
  if (b >= end) return Order::kLess;
  if (b < begin) return Order::kGreater;
  const double whole = std::trunc(b);
  const Order order = order_of(a, static_cast<Int>(whole));
  if (order != Order::kEqual || whole == b) return order;
  return b > whole ? Order::kLess : Order::kGreater;
}

Order compare_numbers(const Datum& a, const Datum& b) {
  if (const auto* x = a.as_int()) {
    if (const auto* y = b.as_int()) return order_of(*x, *y);
    if (const auto* y = b.as_uint()) return compare_int_uint(*x, *y);
    return compare_int_double(*x, *b.as_double(), -kIntEnd, kIntEnd);
  }
  if (const auto* x = a.as_uint()) {
    if (const auto* y = b.as_uint()) return order_of(*x, *y);
    if (const auto* y = b.as_double()) return compare_int_double(*x, *y, 0.0, kUintEnd);
    return reversed(compare_numbers(b, a));
  }
  const double x = *a.as_double();
  if (const auto* y = b.as_double()) {
    return std::isnan(x) || std::isnan(*y) ? Order::kUnordered : order_of(x, *y);
  }
  return reversed(compare_numbers(b, a));
}

Datum number_of(const ExactNumber& number) {
  const char* const begin = number.text.data();
  const char* const end = begin + number.text.size();
  std::int64_t small = 0;
  if (const auto r = std::from_chars(begin, end, small); r.ec == std::errc() && r.ptr == end) {
    return small;
  }
  std::uint64_t large = 0;
  if (const auto r = std::from_chars(begin, end, large); r.ec == std::errc() && r.ptr == end) {
    return large;
  }
  return to_double(Value(number));
}

bool equal_lists(const List& a, const List& b, Budget& budget) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!equal(a.at(i), b.at(i), budget)) return false;
  }
  return true;
}

bool equal_maps(const Map& a, const Map& b, Budget& budget) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto other = b.find(a.key(i), budget);
    if (!other || !equal(a.value(i), *other, budget)) return false;
  }
  return true;
}

}  // namespace

List::List(std::vector<Datum> owned)
    : owned_(std::make_shared<const std::vector<Datum>>(std::move(owned))) {}
std::size_t List::size() const {
  return borrowed_ ? borrowed_->size() : owned_->size();
}
Datum List::at(std::size_t index) const {
  return borrowed_ ? Datum::of((*borrowed_)[index]) : (*owned_)[index];
}

Map::Map(std::vector<Entry> owned)
    : owned_(std::make_shared<const std::vector<Entry>>(std::move(owned))) {}
std::size_t Map::size() const {
  return borrowed_ ? borrowed_->size() : owned_->size();
}
Datum Map::key(std::size_t index) const {
  if (!borrowed_) return (*owned_)[index].first;
  return Text{nullptr, (borrowed_->begin() + static_cast<std::ptrdiff_t>(index))->first};
}
Datum Map::value(std::size_t index) const {
  if (!borrowed_) return (*owned_)[index].second;
  return Datum::of((borrowed_->begin() + static_cast<std::ptrdiff_t>(index))->second);
}
std::optional<Datum> Map::find(const Datum& key, Budget& budget) const {
  if (borrowed_) {
    const Text* const text = key.as_text();
    return text ? find(text->view, budget) : std::nullopt;
  }
  for (const auto& [known, value] : *owned_) {
    if (equal(known, key, budget)) return value;
  }
  return {};
}
std::optional<Datum> Map::find(std::string_view key, Budget& budget) const {
  if (!borrowed_) return find(Datum(Text{nullptr, key}), budget);
  budget.spend(1 + borrowed_->size() / 8);
  const Value* const value = borrowed_->find(key);
  return value ? std::optional(Datum::of(*value)) : std::nullopt;
}

Datum Datum::of(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull: return {};
    case Value::Kind::kBool: return *value.as_bool();
    case Value::Kind::kInt: return *value.as_int();
    case Value::Kind::kDouble:
      return std::isfinite(*value.as_double()) ? Datum(*value.as_double()) : Datum();
    case Value::Kind::kNumber: return number_of(*value.as_number());
    case Value::Kind::kString: return Text{nullptr, *value.as_string()};
    case Value::Kind::kArray: return List(value.as_array());
    case Value::Kind::kObject: return Map(value.as_object());
    case Value::Kind::kRaw: return Fault{"the value is not known to conditions"};
    default: return text(to_plain_text(value));
  }
}

Datum Datum::text(std::string owned) {
  auto owner = std::make_shared<const std::string>(std::move(owned));
  const std::string_view view = *owner;
  return Text{std::move(owner), view};
}

Datum Datum::bytes(std::string owned) {
  return ByteText{*text(std::move(owned)).as_text()};
}

const Fault* Datum::as_fault() const {
  const auto* fault = std::get_if<std::shared_ptr<const Fault>>(&data_);
  return fault ? fault->get() : nullptr;
}

std::string_view type_name(Datum::Kind kind) {
  switch (kind) {
    case Datum::Kind::kNull: return "null_type";
    case Datum::Kind::kBool: return "bool";
    case Datum::Kind::kInt: return "int";
    case Datum::Kind::kUint: return "uint";
    case Datum::Kind::kDouble: return "double";
    case Datum::Kind::kString: return "string";
    case Datum::Kind::kBytes: return "bytes";
    case Datum::Kind::kList: return "list";
    case Datum::Kind::kMap: return "map";
    case Datum::Kind::kTimestamp: return "google.protobuf.Timestamp";
    case Datum::Kind::kDuration: return "google.protobuf.Duration";
    case Datum::Kind::kType: return "type";
    case Datum::Kind::kFault: break;
  }
  return "error";
}

std::string_view phrase(Datum::Kind kind) {
  switch (kind) {
    case Datum::Kind::kNull: return "null";
    case Datum::Kind::kBool: return "a bool";
    case Datum::Kind::kInt: return "an int";
    case Datum::Kind::kUint: return "a uint";
    case Datum::Kind::kDouble: return "a double";
    case Datum::Kind::kString: return "a string";
    case Datum::Kind::kBytes: return "bytes";
    case Datum::Kind::kList: return "a list";
    case Datum::Kind::kMap: return "a map";
    case Datum::Kind::kTimestamp: return "a timestamp";
    case Datum::Kind::kDuration: return "a duration";
    case Datum::Kind::kType: return "a type";
    case Datum::Kind::kFault: break;
  }
  return "an error";
}

bool equal(const Datum& a, const Datum& b, Budget& budget) {
  if (!budget.spend(1)) return false;
  if (a.is_number() && b.is_number()) return compare_numbers(a, b) == Order::kEqual;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Datum::Kind::kNull: return true;
    case Datum::Kind::kBool: return *a.as_bool() == *b.as_bool();
    case Datum::Kind::kList: return equal_lists(*a.as_list(), *b.as_list(), budget);
    case Datum::Kind::kMap: return equal_maps(*a.as_map(), *b.as_map(), budget);
    case Datum::Kind::kType: return a.as_type()->name == b.as_type()->name;
    case Datum::Kind::kFault: return false;
    default: return compare(a, b, budget) == Order::kEqual;
  }
}

std::optional<Order> compare(const Datum& a, const Datum& b, Budget& budget) {
  if (a.is_number() && b.is_number()) return compare_numbers(a, b);
  if (a.kind() != b.kind()) return {};
  const auto of_texts = [&](std::string_view x, std::string_view y) {
    budget.spend((x.size() + y.size()) / 64);
    // Bytes of UTF-8 are in the order of the code points.
    return order_of(x.compare(y), 0);
  };
  switch (a.kind()) {
    case Datum::Kind::kBool: return order_of(*a.as_bool(), *b.as_bool());
    case Datum::Kind::kString: return of_texts(a.as_text()->view, b.as_text()->view);
    case Datum::Kind::kBytes: return of_texts(a.as_bytes()->text.view, b.as_bytes()->text.view);
    case Datum::Kind::kTimestamp: return order_of(*a.as_moment(), *b.as_moment());
    case Datum::Kind::kDuration: return order_of(*a.as_span(), *b.as_span());
    default: return {};
  }
}

std::optional<std::int64_t> exact_int(const Datum& number) {
  if (const auto* i = number.as_int()) return *i;
  if (const auto* u = number.as_uint()) {
    if (*u <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return static_cast<std::int64_t>(*u);
    }
  } else if (const auto* d = number.as_double()) {
    if (*d >= -kIntEnd && *d < kIntEnd && std::trunc(*d) == *d)
      return static_cast<std::int64_t>(*d);
  }
  return {};
}

}  // namespace mxcp::cel
