#include "types/decimal.h"

#include <doctest/doctest.h>

#include <limits>

#include "base/json.h"

using namespace mxcp;
using namespace mxcp::types;

namespace {

int order(std::string_view a, std::string_view b) {
  const int result = compare(*parse_decimal(a), *parse_decimal(b));
  CHECK(compare(*parse_decimal(b), *parse_decimal(a)) == -result);
  return result < 0 ? -1 : result > 0 ? 1 : 0;
}

bool multiple(std::string_view number, std::string_view divisor) {
  return is_multiple(*parse_decimal(number), *divisor_of(*parse_decimal(divisor)));
}

std::string integer(std::string_view text) {
  const auto value = to_integer(*parse_decimal(text));
  return value ? std::string(value->kind_name()) + " " + to_json(*value) : "none";
}

std::string number(std::string_view text) {
  const Value value = to_number(*parse_decimal(text));
  return std::string(value.as_double() ? "double "
                     : value.as_int()  ? "int "
                                       : "exact ") +
         to_json(value);
}

}  // namespace

TEST_CASE("what reads as a number") {
  for (const char* text : {"0", "-0", "5", "+5", "5.", ".5", "-.5", "007", "1e3", "1E+3", "1.5e-3",
                           "123456789012345678901234567890.5", "1e99999999999999999999"}) {
    CAPTURE(text);
    CHECK(parse_decimal(text).has_value());
  }
  for (const char* text : {"", "+", "-", ".", "e5", "1e", "1e+", "1.2.3", " 1", "1 ", "1_000",
                           "1,5", "0x10", "nan", "inf", "--1", "1e1.5", "١"}) {
    CAPTURE(text);
    CHECK(!parse_decimal(text).has_value());
  }
}

TEST_CASE("numbers have one form") {
  CHECK(*parse_decimal("100") == *parse_decimal("1e2"));
  CHECK(*parse_decimal("0.10") == *parse_decimal(".1"));
  CHECK(*parse_decimal("-0.000") == *parse_decimal("0"));
  CHECK(decimal_of(0.1) == *parse_decimal("0.1"));
  CHECK(decimal_of(1e23) == *parse_decimal("1e23"));
  CHECK(decimal_of(std::numeric_limits<std::int64_t>::min()) ==
        *parse_decimal("-9223372036854775808"));
  CHECK(decimal_of(ExactNumber{"1.50"}) == *parse_decimal("1.5"));
}

TEST_CASE("comparison is exact") {
  CHECK(order("0", "-0.0") == 0);
  CHECK(order("1", "2") == -1);
  CHECK(order("10", "9") == 1);
  CHECK(order("-10", "-9") == -1);
  CHECK(order("-1", "1") == -1);
  CHECK(order("0", "1e-400") == -1);
  CHECK(order("0", "-1e-400") == 1);
  CHECK(order("0.1", "0.1000000000000000055") == -1);
  CHECK(order("12", "123e-1") == -1);
  CHECK(order("9007199254740993", "9007199254740992") == 1);
  CHECK(order("1e400", "9e399") == 1);
}

TEST_CASE("multiples are exact") {
  CHECK(multiple("0.3", "0.1"));
  CHECK(multiple("0.35", "0.05"));
  CHECK(!multiple("0.35", "0.1"));
  CHECK(multiple("19.99", "0.01"));
  CHECK(!multiple("19.995", "0.01"));
  CHECK(multiple("0", "7"));
  CHECK(multiple("-21", "7"));
  CHECK(multiple("1e30", "7e29") == false);
  CHECK(multiple("14e29", "7e29"));
  CHECK(multiple("1e300", "0.25"));
  CHECK(multiple("1e1000000", "3") == false);
  CHECK(multiple("3e1000000", "3"));
  CHECK(multiple("123456789012345678901234567890", "10"));
  CHECK(!multiple("123456789012345678901234567891", "2"));
  CHECK(multiple("7.5", "2.5"));
  CHECK(multiple("1e15", "999999999999999999") == false);
  CHECK(!divisor_of(*parse_decimal("0")).has_value());
  CHECK(!divisor_of(*parse_decimal("-1")).has_value());
  CHECK(!divisor_of(*parse_decimal("1.234567890123456789")).has_value());
}

TEST_CASE("conversion to an integer") {
  CHECK(integer("5") == "integer 5");
  CHECK(integer("5.0") == "integer 5");
  CHECK(integer("1e3") == "integer 1000");
  CHECK(integer("-0.0") == "integer 0");
  CHECK(integer("9223372036854775807") == "integer 9223372036854775807");
  CHECK(integer("-9223372036854775808") == "integer -9223372036854775808");
  CHECK(integer("9223372036854775808") == "number 9223372036854775808");
  CHECK(integer("1e30") == "number 1000000000000000000000000000000");
  CHECK(integer("-1.5e30") == "number -1500000000000000000000000000000");
  CHECK(integer("3.7") == "none");
  CHECK(integer("1e-1") == "none");
  CHECK(integer("1e308") != "none");
  CHECK(integer("1e309") == "none");
  CHECK(integer("1e1000") == "none");
  CHECK(integer("1e99999999999") == "none");
}

TEST_CASE("conversion to a number keeps every digit") {
  CHECK(number("5") == "double 5.0");
  CHECK(number("0.1") == "double 0.1");
  CHECK(number("1e23") == "double 1e+23");
  CHECK(number("9007199254740993") == "int 9007199254740993");
  CHECK(number("18446744073709551617") == "exact 18446744073709551617");
  CHECK(number("0.1000000000000000055511151231257827") ==
        "exact 0.1000000000000000055511151231257827");
  CHECK(number("123456789.123456789123") == "exact 123456789.123456789123");
  CHECK(number("-0.00000123456789012345678") == "exact -0.00000123456789012345678");
  CHECK(number("1e400") == "exact 1e400");
  CHECK(number("-1.25e-400") == "exact -1.25e-400");
  CHECK(number("12345678901234567890123456789012345678901234567890") ==
        "exact 1.234567890123456789012345678901234567890123456789e49");
}
