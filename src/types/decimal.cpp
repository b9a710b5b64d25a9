#include "types/decimal.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/ascii.h"

namespace mxcp::types {
namespace {

// Exponents past this are as good as infinite; it keeps the arithmetic on them within 64 bits.
constexpr std::int64_t kMaxExponent = 1'000'000'000'000'000;

void normalise(Decimal& number) {
  const auto last = number.digits.find_last_not_of('0');
  if (last == std::string::npos) {
    number = {};
    return;
  }
  number.exponent += static_cast<std::int64_t>(number.digits.size() - 1 - last);
  number.digits.resize(last + 1);
}

// The position of the first digit: 123 has 3, 0.05 has -1.
std::int64_t magnitude(const Decimal& number) {
  return static_cast<std::int64_t>(number.digits.size()) + number.exponent;
}

// A number in JSON's grammar.
std::string to_text(const Decimal& number) {
  std::string out = number.negative ? "-" : "";
  const auto size = static_cast<std::int64_t>(number.digits.size());
  const std::int64_t point = magnitude(number);
  if (number.is_zero()) return "0";
  if (number.exponent >= 0 && point <= 40) {
    return out + number.digits + std::string(static_cast<std::size_t>(number.exponent), '0');
  }
  if (number.exponent < 0 && point > 0) {
    const auto whole = static_cast<std::size_t>(point);
    return out + number.digits.substr(0, whole) + "." + number.digits.substr(whole);
  }
  if (number.exponent < 0 && point > -20) {
    return out + "0." + std::string(static_cast<std::size_t>(-point), '0') + number.digits;
  }
  out += number.digits.front();
  if (size > 1) out += "." + number.digits.substr(1);
  return out + "e" + std::to_string(point - 1);
}

std::optional<std::int64_t> to_int64(const Decimal& number) {
  if (number.is_zero()) return 0;
  if (number.exponent < 0 || magnitude(number) > 19) return std::nullopt;
  std::string text = number.negative ? "-" : "";
  text += number.digits;
  text.append(static_cast<std::size_t>(number.exponent), '0');
  std::int64_t out = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), out).ec != std::errc{}) {
    return std::nullopt;
  }
  return out;
}

}  // namespace

std::optional<Decimal> parse_decimal(std::string_view text) {
  Decimal out;
  std::size_t i = 0;
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) out.negative = text[i++] == '-';
  bool any = false;
  bool fraction = false;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.' && !fraction) {
      fraction = true;
    } else if (is_digit(c)) {
      any = true;
      if (c != '0' || !out.digits.empty()) out.digits += c;
      if (fraction) --out.exponent;
    } else {
      break;
    }
  }
  if (!any) return std::nullopt;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    bool down = false;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) down = text[i++] == '-';
    if (i == text.size()) return std::nullopt;
    std::int64_t shift = 0;
    for (; i < text.size() && is_digit(text[i]); ++i) {
      shift = std::min(shift * 10 + (text[i] - '0'), kMaxExponent);
    }
    out.exponent += down ? -shift : shift;
  }
  if (i != text.size()) return std::nullopt;
  normalise(out);
  return out;
}

Decimal decimal_of(const Value& number) {
  char buffer[32];
  char* end = buffer;
  if (const std::int64_t* i = number.as_int()) {
    end = std::to_chars(buffer, buffer + sizeof buffer, *i).ptr;
  } else if (const double* d = number.as_double()) {
    if (!std::isfinite(*d)) return {};
    end = std::to_chars(buffer, buffer + sizeof buffer, *d).ptr;
  } else if (const ExactNumber* n = number.as_number()) {
    return parse_decimal(n->text).value_or(Decimal{});
  }
  return parse_decimal({buffer, static_cast<std::size_t>(end - buffer)}).value_or(Decimal{});
}

int compare(const Decimal& a, const Decimal& b) {
  if (a.is_zero() || b.is_zero() || a.negative != b.negative) {
    const auto sign = [](const Decimal& x) { return x.is_zero() ? 0 : x.negative ? -1 : 1; };
    return sign(a) - sign(b);
  }
  const int larger = a.negative ? -1 : 1;
  if (magnitude(a) != magnitude(b)) return magnitude(a) > magnitude(b) ? larger : -larger;
  const int order = a.digits.compare(b.digits);
  return order == 0 ? 0 : order > 0 ? larger : -larger;
}

std::optional<Divisor> divisor_of(const Decimal& number) {
  Divisor out;
  const char* const end = number.digits.data() + number.digits.size();
  if (number.is_zero() || number.negative || number.digits.size() > 18 ||
      std::from_chars(number.digits.data(), end, out.digits).ec != std::errc{}) {
    return std::nullopt;
  }
  out.exponent = number.exponent;
  return out;
}

bool is_multiple(const Decimal& number, const Divisor& divisor) {
  if (number.is_zero()) return true;
  // `digits` has no trailing zero, so it is no multiple of ten times anything.
  if (number.exponent < divisor.exponent) return false;
  // divisor.digits is below 10^18: the products fit 128 bits.
  __extension__ using Wide = unsigned __int128;
  const std::uint64_t m = divisor.digits;
  std::uint64_t rest = 0;
  for (const char c : number.digits) {
    rest = static_cast<std::uint64_t>(
        (static_cast<Wide>(rest) * 10 + static_cast<unsigned>(c - '0')) % m);
  }
  std::uint64_t power = 10 % m;
  for (std::int64_t k = number.exponent - divisor.exponent; k > 0; k /= 2) {
    if (k % 2 == 1) rest = static_cast<std::uint64_t>(static_cast<Wide>(rest) * power % m);
    power = static_cast<std::uint64_t>(static_cast<Wide>(power) * power % m);
  }
  return rest == 0;
}

std::optional<Value> to_integer(const Decimal& number) {
  if (!number.is_integral() || magnitude(number) > kMaxIntegerDigits) return std::nullopt;
  if (const auto i = to_int64(number)) return Value(*i);
  std::string text = number.negative ? "-" : "";
  text += number.digits;
  text.append(static_cast<std::size_t>(number.exponent), '0');
  return Value(ExactNumber{std::move(text)});
}

Value to_number(const Decimal& number) {
  const std::string text = to_text(number);
  double d = 0;
  const auto converted = std::from_chars(text.data(), text.data() + text.size(), d);
  if (converted.ec == std::errc{} && decimal_of(d) == number) return d;
  if (const auto i = to_int64(number)) return *i;
  return ExactNumber{text};
}

}  // namespace mxcp::types
