// Datum: one value while a condition is evaluated. Private to cel/.
//
// Arguments and results stay where they are: a Datum of them borrows, so that asking about a result
// of a thousand rows copies none of them. What an expression makes itself (a concatenation, a
// filtered list) is owned and shared.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/value.h"

namespace mxcp::cel {

class Datum;

// Errors are values, which && and || may absorb. `offset` is where in the condition.
struct Fault {
  std::string message;
  std::size_t offset = 0;
};

// What an evaluation may still spend; a condition shall not hold up a call.
class Budget {
 public:
  explicit Budget(std::uint64_t steps) : left_(steps) {}
  // False when there is nothing left: then stop.
  bool spend(std::uint64_t steps) {
    if (steps > left_) exhausted_ = true;
    left_ -= std::min(steps, left_);
    return !exhausted_;
  }
  bool exhausted() const { return exhausted_; }

 private:
  std::uint64_t left_;
  bool exhausted_ = false;
};

struct Text {
  std::shared_ptr<const std::string> owner;  // null: borrowed
  std::string_view view;
};
struct ByteText {
  Text text;
};
// Since 1970-01-01T00:00:00Z; `nanos` is never negative.
struct Moment {
  std::int64_t seconds = 0;
  std::int32_t nanos = 0;
  friend bool operator<(const Moment& a, const Moment& b) {
    return a.seconds != b.seconds ? a.seconds < b.seconds : a.nanos < b.nanos;
  }
};
struct Span {
  std::int64_t nanos = 0;
  friend bool operator<(const Span& a, const Span& b) { return a.nanos < b.nanos; }
};
struct TypeName {
  std::string_view name;  // static
};

class List {
 public:
  explicit List(const Array* borrowed) : borrowed_(borrowed) {}
  explicit List(std::vector<Datum> owned);
  std::size_t size() const;
  Datum at(std::size_t index) const;

 private:
  const Array* borrowed_ = nullptr;
  std::shared_ptr<const std::vector<Datum>> owned_;
};

class Map {
 public:
  using Entry = std::pair<Datum, Datum>;
  explicit Map(const Object* borrowed) : borrowed_(borrowed) {}
  explicit Map(std::vector<Entry> owned);
  std::size_t size() const;
  Datum key(std::size_t index) const;
  Datum value(std::size_t index) const;
  std::optional<Datum> find(const Datum& key, Budget& budget) const;
  std::optional<Datum> find(std::string_view key, Budget& budget) const;

 private:
  const Object* borrowed_ = nullptr;
  std::shared_ptr<const std::vector<Entry>> owned_;
};

class Datum {
 public:
  // The order is that of the variant below.
  enum class Kind {
    kNull,
    kBool,
    kInt,
    kUint,
    kDouble,
    kString,
    kBytes,
    kList,
    kMap,
    kTimestamp,
    kDuration,
    kType,
    kFault,
  };

  Datum() = default;
  Datum(bool b) : data_(b) {}
  Datum(std::int64_t i) : data_(i) {}
  Datum(std::uint64_t u) : data_(u) {}
  Datum(double d) : data_(d) {}
  Datum(Text t) : data_(std::move(t)) {}
  Datum(ByteText b) : data_(std::move(b)) {}
  Datum(List l) : data_(std::move(l)) {}
  Datum(Map m) : data_(std::move(m)) {}
  Datum(Moment m) : data_(m) {}
  Datum(Span s) : data_(s) {}
  Datum(TypeName t) : data_(t) {}
  Datum(Fault f) : data_(std::make_shared<const Fault>(std::move(f))) {}
  Datum(const char*) = delete;  // would be a bool

  // As the JSON it is or becomes: dates and times are their texts, numbers with a fraction are
  // doubles, NaN and infinity are null. `value` must outlive the Datum.
  static Datum of(const Value& value);
  static Datum text(std::string owned);
  static Datum bytes(std::string owned);

  Kind kind() const { return static_cast<Kind>(data_.index()); }
  bool is_fault() const { return kind() == Kind::kFault; }
  bool is_number() const {
    return kind() == Kind::kInt || kind() == Kind::kUint || kind() == Kind::kDouble;
  }

  // nullptr when it is of another kind.
  const bool* as_bool() const { return std::get_if<bool>(&data_); }
  const std::int64_t* as_int() const { return std::get_if<std::int64_t>(&data_); }
  const std::uint64_t* as_uint() const { return std::get_if<std::uint64_t>(&data_); }
  const double* as_double() const { return std::get_if<double>(&data_); }
  const Text* as_text() const { return std::get_if<Text>(&data_); }
  const ByteText* as_bytes() const { return std::get_if<ByteText>(&data_); }
  const List* as_list() const { return std::get_if<List>(&data_); }
  const Map* as_map() const { return std::get_if<Map>(&data_); }
  const Moment* as_moment() const { return std::get_if<Moment>(&data_); }
  const Span* as_span() const { return std::get_if<Span>(&data_); }
  const TypeName* as_type() const { return std::get_if<TypeName>(&data_); }
  const Fault* as_fault() const;

 private:
  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, Text, ByteText, List, Map,
               Moment, Span, TypeName, std::shared_ptr<const Fault>>
      data_;
};

// "int", "null_type", "google.protobuf.Timestamp": what type() gives.
std::string_view type_name(Datum::Kind kind);
// "an int", "null", "a timestamp" ... for messages.
std::string_view phrase(Datum::Kind kind);

// Values of different types are never equal, but numbers are compared by what they are worth.
bool equal(const Datum& a, const Datum& b, Budget& budget);

enum class Order { kLess, kEqual, kGreater, kUnordered };
// Nothing when < has no meaning for the two.
std::optional<Order> compare(const Datum& a, const Datum& b, Budget& budget);

// The number as an int64, when it is one exactly.
std::optional<std::int64_t> exact_int(const Datum& number);

}  // namespace mxcp::cel
