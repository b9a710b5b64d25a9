// Decimal: a number as its decimal digits, for comparing, dividing and converting without rounding.
//
// A double stands for its shortest text (0.1 is one tenth), because that text is what JSON carries
// and what an author or a caller wrote.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/value.h"

namespace mxcp::types {

struct Decimal {
  bool negative = false;
  // No leading and no trailing zeros; empty for zero.
  std::string digits;
  // The value is digits * 10^exponent.
  std::int64_t exponent = 0;

  bool is_zero() const { return digits.empty(); }
  bool is_integral() const { return digits.empty() || exponent >= 0; }
  friend bool operator==(const Decimal&, const Decimal&) = default;
};

// What a person may write for a number: an optional sign, digits with or without a fraction ("5.",
// ".5", "007"), an optional exponent. Nothing else: no spaces, no "nan", no separators.
std::optional<Decimal> parse_decimal(std::string_view text);

// Of kInt, kDouble (finite) and kNumber.
Decimal decimal_of(const Value& number);

// Negative, zero or positive.
int compare(const Decimal& a, const Decimal& b);

// The divisor of multipleOf: its significant digits must fit 64 bits.
struct Divisor {
  std::uint64_t digits = 0;
  std::int64_t exponent = 0;
};
std::optional<Divisor> divisor_of(const Decimal& number);
bool is_multiple(const Decimal& number, const Divisor& divisor);

// The longest integer that is written out: past that a double has only infinity.
inline constexpr std::int64_t kMaxIntegerDigits = 309;

// As kInt, or as kNumber past 64 bits. Nothing when it is no integer or longer than
// kMaxIntegerDigits.
std::optional<Value> to_integer(const Decimal& number);
// As kDouble when the double's shortest text is the same number, else kInt or kNumber.
Value to_number(const Decimal& number);

}  // namespace mxcp::types
