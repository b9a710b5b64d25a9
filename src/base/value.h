// Value: the one in-memory form of data that crosses mxcpp.
//
// Arguments, defaults, results, configuration and protocol messages are Values. It is JSON plus
// the few kinds that JSON lacks and that SQL and Python have: exact numbers, dates, times,
// timestamps and bytes. Integers keep 64 bits; a number that is neither an int64 nor exactly a
// double's shortest text stays an ExactNumber (its digits), so nothing is ever rounded in passing.
//
// Objects keep their insertion order. They are searched linearly while they are small.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace mxcp {

class Value;

// A number in JSON's grammar, kept as text: a HUGEINT, a DECIMAL.
struct ExactNumber {
  std::string text;
  // It was a decimal before, and is one for SQL also without a fraction: 5 is DECIMAL(1,0).
  bool is_decimal = false;
  friend bool operator==(const ExactNumber&, const ExactNumber&) = default;
};
// Days since 1970-01-01 in the proleptic Gregorian calendar.
struct Date {
  std::int32_t days = 0;
  friend bool operator==(const Date&, const Date&) = default;
};
// Microseconds since midnight; with a zone, seconds east of UTC.
struct Time {
  std::int64_t micros = 0;
  bool has_zone = false;
  std::int32_t offset = 0;
  friend bool operator==(const Time&, const Time&) = default;
};
// Microseconds since 1970-01-01T00:00:00 of the wall clock (no zone), or of UTC (with a zone; then
// `offset` is only how it is written).
struct Timestamp {
  std::int64_t micros = 0;
  bool has_zone = false;
  std::int32_t offset = 0;
  friend bool operator==(const Timestamp&, const Timestamp&) = default;
};
struct Bytes {
  std::string data;
  friend bool operator==(const Bytes&, const Bytes&) = default;
};
// Months, days and microseconds, which are no fixed numbers of each other. Only among the
// parameters of a query; results have its ISO 8601 text.
struct Interval {
  std::int32_t months = 0;
  std::int32_t days = 0;
  std::int64_t micros = 0;
  friend bool operator==(const Interval&, const Interval&) = default;
};
// Only among the parameters of a query; results have its text.
struct Uuid {
  std::uint64_t high = 0, low = 0;
  friend bool operator==(const Uuid&, const Uuid&) = default;
};
// Text that already is valid JSON; written as it stands. Made only by our own writers.
struct RawJson {
  std::string text;
  friend bool operator==(const RawJson&, const RawJson&) = default;
};

using Array = std::vector<Value>;

class Object {
 public:
  using Member = std::pair<std::string, Value>;

  Object() = default;
  Object(std::initializer_list<Member> members);

  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);
  bool contains(std::string_view key) const { return find(key) != nullptr; }
  // Replaces the value of an existing key in place, else appends.
  Value& set(std::string key, Value value);
  // Appends without looking: the caller knows that the key is new.
  Value& add(std::string key, Value value);
  bool erase(std::string_view key);

  std::size_t size() const;
  bool empty() const { return size() == 0; }
  void reserve(std::size_t n);

  std::vector<Member>::const_iterator begin() const;
  std::vector<Member>::const_iterator end() const;
  // Keys must not be changed.
  std::vector<Member>::iterator begin();
  std::vector<Member>::iterator end();

  // Same members in any order.
  friend bool operator==(const Object& a, const Object& b);

 private:
  // Where the members of a large object are, by key, so that set() need not look through all of
  // them: what a client sends may have a million. Made by set(); a copy makes its own.
  struct Index {
    Index() = default;
    Index(const Index&) {}
    Index(Index&&) noexcept = default;
    Index& operator=(const Index&) {
      places.reset();
      return *this;
    }
    Index& operator=(Index&&) noexcept = default;
    ~Index() = default;

    std::unique_ptr<std::unordered_map<std::string, std::size_t>> places;
  };

  std::vector<Member> members_;
  Index index_;
};

class Value {
 public:
  // The order is that of the variant below.
  enum class Kind : std::uint8_t {
    kNull,
    kBool,
    kInt,
    kDouble,
    kNumber,
    kString,
    kDate,
    kTime,
    kTimestamp,
    kBytes,
    kArray,
    kObject,
    kRaw,
    kInterval,
    kUuid,
  };

  Value() = default;
  Value(std::nullptr_t) {}
  Value(bool b) : data_(b) {}
  Value(int i) : data_(static_cast<std::int64_t>(i)) {}
  Value(std::int64_t i) : data_(i) {}
  // A size; past the range of int64 it becomes an ExactNumber.
  Value(std::uint64_t i);
  Value(double d) : data_(d) {}
  Value(const char* s) : data_(std::string(s)) {}
  Value(std::string_view s) : data_(std::string(s)) {}
  Value(std::string s) : data_(std::move(s)) {}
  Value(ExactNumber n) : data_(std::move(n)) {}
  Value(Date d) : data_(d) {}
  Value(Time t) : data_(t) {}
  Value(Timestamp t) : data_(t) {}
  Value(Bytes b) : data_(std::move(b)) {}
  Value(Array a) : data_(std::move(a)) {}
  Value(Object o) : data_(std::move(o)) {}
  Value(RawJson r) : data_(std::move(r)) {}
  Value(Interval i) : data_(i) {}
  Value(Uuid u) : data_(u) {}

  Kind kind() const { return static_cast<Kind>(data_.index()); }
  bool is_null() const { return kind() == Kind::kNull; }
  bool is_string() const { return kind() == Kind::kString; }
  bool is_array() const { return kind() == Kind::kArray; }
  bool is_object() const { return kind() == Kind::kObject; }
  // kInt, kDouble or kNumber.
  bool is_number() const {
    return kind() == Kind::kInt || kind() == Kind::kDouble || kind() == Kind::kNumber;
  }

  // nullptr when the value is of another kind.
  const bool* as_bool() const { return std::get_if<bool>(&data_); }
  const std::int64_t* as_int() const { return std::get_if<std::int64_t>(&data_); }
  const double* as_double() const { return std::get_if<double>(&data_); }
  const ExactNumber* as_number() const { return std::get_if<ExactNumber>(&data_); }
  const std::string* as_string() const { return std::get_if<std::string>(&data_); }
  const Date* as_date() const { return std::get_if<Date>(&data_); }
  const Time* as_time() const { return std::get_if<Time>(&data_); }
  const Timestamp* as_timestamp() const { return std::get_if<Timestamp>(&data_); }
  const Bytes* as_bytes() const { return std::get_if<Bytes>(&data_); }
  const Array* as_array() const { return std::get_if<Array>(&data_); }
  const Object* as_object() const { return std::get_if<Object>(&data_); }
  const RawJson* as_raw() const { return std::get_if<RawJson>(&data_); }
  const Interval* as_interval() const { return std::get_if<Interval>(&data_); }
  const Uuid* as_uuid() const { return std::get_if<Uuid>(&data_); }
  Array* as_array() { return std::get_if<Array>(&data_); }
  Object* as_object() { return std::get_if<Object>(&data_); }
  std::string* as_string() { return std::get_if<std::string>(&data_); }

  // The member of an object; nullptr when absent or when this is no object.
  const Value* find(std::string_view key) const;

  // "null", "boolean", "integer", "number", "string", "date" ... for messages.
  std::string_view kind_name() const;

  // Deep equality; an integer and a double of the same mathematical value are equal.
  friend bool operator==(const Value& a, const Value& b);

 private:
  std::variant<std::monostate, bool, std::int64_t, double, ExactNumber, std::string, Date, Time,
               Timestamp, Bytes, Array, Object, RawJson, Interval, Uuid>
      data_;
};

// The numeric value as a double (nearest), whatever number kind it is; 0 for other kinds.
double to_double(const Value& number);

}  // namespace mxcp
