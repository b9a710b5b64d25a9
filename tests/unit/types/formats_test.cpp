#include "types/formats.h"

#include <doctest/doctest.h>

#include "base/json.h"

using namespace mxcp;
using namespace mxcp::types;

namespace {

template <class T>
std::string parsed(Reason (*parse)(std::string_view, T&), std::string_view text) {
  T value;
  const Reason why = parse(text, value);
  return why.empty() ? to_iso(value) : std::string(why);
}

std::string date(std::string_view text) {
  return parsed(parse_date, text);
}
std::string time(std::string_view text) {
  return parsed(parse_time, text);
}
std::string date_time(std::string_view text) {
  return parsed(parse_date_time, text);
}
std::string timestamp(std::string_view text) {
  return parsed(parse_timestamp, text);
}

std::string stamp(Value seconds) {
  Timestamp out;
  const Reason why = timestamp_of(seconds, out);
  return why.empty() ? to_iso(out) : std::string(why);
}

}  // namespace

TEST_CASE("dates") {
  for (const char* text : {"2024-01-31", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31",
                           "1969-12-31", "1970-01-01", "2023-02-28", "1900-02-28"}) {
    CHECK(date(text) == text);
  }
  CHECK(date("2023-02-29") == "that month has no such day");
  CHECK(date("1900-02-29") == "that month has no such day");
  CHECK(date("2024-04-31") == "that month has no such day");
  CHECK(date("2024-01-00") == "that month has no such day");
  CHECK(date("2024-13-01") == "the month must be 01 to 12");
  CHECK(date("2024-00-01") == "the month must be 01 to 12");
  CHECK(date("0000-01-01") == "there is no year 0000");
  for (const char* text :
       {"", "2024", "2024-1-1", "20240131", "31.01.2024", "2024-01-31 ", " 2024-01-31",
        "2024-01-31T00:00:00", "-2024-01-31", "12024-01-31", "2024/01/31", "2024-01-3x"}) {
    CAPTURE(text);
    CHECK(date(text) == "malformed");
  }
}

TEST_CASE("every day of four centuries has its own number") {
  Date before;
  REQUIRE(parse_date("1799-12-31", before).empty());
  for (std::int32_t days = before.days + 1; days < before.days + 146098; ++days) {
    Date back;
    const std::string text = to_iso(Date{days});
    REQUIRE_MESSAGE(parse_date(text, back).empty(), text);
    REQUIRE(back.days == days);
  }
}

TEST_CASE("times") {
  CHECK(time("13:45:00") == "13:45:00");
  CHECK(time("13:45") == "13:45:00");
  CHECK(time("00:00:00") == "00:00:00");
  CHECK(time("23:59:59.999999") == "23:59:59.999999");
  CHECK(time("13:45:00.5") == "13:45:00.500000");
  CHECK(time("13:45:00,25") == "13:45:00.250000");
  CHECK(time("13:45:00.123456000") == "13:45:00.123456");
  CHECK(time("13:45:00Z") == "13:45:00+00:00");
  CHECK(time("13:45:00+02:00") == "13:45:00+02:00");
  CHECK(time("13:45:00-0330") == "13:45:00-03:30");
  CHECK(time("13:45:00+02") == "13:45:00+02:00");
  CHECK(time("24:00:00") == "the hour must be 00 to 23");
  CHECK(time("24:00") == "the hour must be 00 to 23");
  CHECK(time("23:60:00") == "the minute must be 00 to 59");
  CHECK(time("23:59:60") == "the second must be 00 to 59");
  CHECK(time("13:45:00.1234567") == "a second has at most 6 decimals");
  CHECK(time("13:45:00.1234567Z") == "a second has at most 6 decimals");
  CHECK(time("13:45:00.1234567X") == "malformed");
  CHECK(time("13:45:00+16:00") == "the offset must be within 15:59 of UTC");
  CHECK(time("13:45:00+02:60") == "the offset must be within 15:59 of UTC");
  for (const char* text : {"", "13", "1:45:00", "13:45:0", "13:45:00.", "13:45:00 Z", "13:45:00X",
                           "T13:45:00", "13:45:00+2", "13:45:00+02:0", "13:45:00ZZ", "1345"}) {
    CAPTURE(text);
    CHECK(time(text) == "malformed");
  }
}

TEST_CASE("date-times") {
  CHECK(date_time("2024-01-31T13:45:00") == "2024-01-31T13:45:00");
  CHECK(date_time("2024-01-31 13:45:00.123456") == "2024-01-31T13:45:00.123456");
  CHECK(date_time("2024-01-31t13:45:00z") == "2024-01-31T13:45:00+00:00");
  CHECK(date_time("2024-01-31T13:45:00+02:00") == "2024-01-31T13:45:00+02:00");
  CHECK(date_time("2024-02-29T00:00") == "2024-02-29T00:00:00");
  CHECK(date_time("2024-01-31") == "2024-01-31T00:00:00");
  CHECK(date_time("1969-12-31T23:59:59.999999Z") == "1969-12-31T23:59:59.999999+00:00");
  Timestamp at;
  CHECK(parse_date_time("2024-01-01T00:00:00+02:00", at).empty());
  CHECK(at == Timestamp{1704060000000000, true, 7200});
  CHECK(date_time("2023-02-29T00:00:00") == "that month has no such day");
  CHECK(date_time("2024-01-31T24:00:00") == "the hour must be 00 to 23");
  CHECK(date_time("2024-01-31T23:59:60Z") == "the second must be 00 to 59");
  CHECK(date_time("0001-01-01T00:00:00+01:00") == "outside the years 0001 to 9999");
  CHECK(date_time("9999-12-31T23:59:59-01:00") == "outside the years 0001 to 9999");
  for (const char* text : {"", "2024-01-31T", "2024-01-31  13:45", "2024-01-31T13:45:00 +02:00",
                           "13:45:00", "2024-01-31_13:45:00"}) {
    CAPTURE(text);
    CHECK(date_time(text) == "malformed");
  }
}

TEST_CASE("timestamps") {
  CHECK(stamp(0) == "1970-01-01T00:00:00+00:00");
  CHECK(stamp(1706705100) == "2024-01-31T12:45:00+00:00");
  CHECK(stamp(1706705100.123456) == "2024-01-31T12:45:00.123456+00:00");
  CHECK(stamp(-0.5) == "1969-12-31T23:59:59.500000+00:00");
  CHECK(stamp(1e9) == "2001-09-09T01:46:40+00:00");
  CHECK(stamp(0.0000005) == "1970-01-01T00:00:00.000001+00:00");
  CHECK(stamp(0.0000004) == "1970-01-01T00:00:00+00:00");
  CHECK(stamp(1e-300) == "1970-01-01T00:00:00+00:00");
  CHECK(stamp(ExactNumber{"1706705100.12345649999999999"}) == "2024-01-31T12:45:00.123456+00:00");
  CHECK(stamp(253402300799) == "9999-12-31T23:59:59+00:00");
  const std::string outside = "outside the years 0001 to 9999; it counts seconds, not milliseconds";
  CHECK(stamp(253402300800) == outside);
  CHECK(stamp(1706705100000) == outside);
  CHECK(stamp(-62135596801) == outside);
  CHECK(stamp(std::int64_t{INT64_MAX}) == outside);
  CHECK(stamp(std::int64_t{INT64_MIN}) == outside);
  CHECK(stamp(1e300) == outside);
  CHECK(timestamp("1706705100") == "2024-01-31T12:45:00+00:00");
  CHECK(timestamp(" 1706705100.5 ") == "2024-01-31T12:45:00.500000+00:00");
  CHECK(timestamp("1.7067051e9") == "2024-01-31T12:45:00+00:00");
  CHECK(timestamp("2024-01-31T12:45:00Z") == "2024-01-31T12:45:00+00:00");
  CHECK(timestamp("2024-01-31T12:45:00+02:00") == "2024-01-31T10:45:00+00:00");
  CHECK(timestamp("2024-01-31T12:45:00") == "a date-time needs its zone here");
  CHECK(timestamp("soon") == "malformed");
  CHECK(timestamp("") == "malformed");
}

TEST_CASE("email addresses") {
  for (const char* text : {"a@b.c", "first.last+tag@sub.example.com", "o'neil@example.co.uk",
                           "x_y-z@a-b.example", "jörg@müller.example", "1@2.com"}) {
    CAPTURE(text);
    CHECK(check_email(text) == "");
  }
  for (const char* text :
       {"",       "a",           "@",       "a@",      "@b.c",    "a@b",      "a b@c.d", "a@b c.d",
        "a@b..c", "a@.b.c",      "a@b.c.",  ".a@b.c",  "a.@b.c",  "a..b@c.d", "a@-b.c",  "a@b-.c",
        "a@@b.c", "a@127.0.0.1", "<a@b.c>", "a@b.c\n", "a@b,c.d", "\"a\"@b.c"}) {
    CAPTURE(text);
    CHECK(check_email(text) != "");
  }
  CHECK(check_email(std::string(65, 'a') + "@b.c") == "too long");
  CHECK(check_email("a@" + std::string(63, 'b') + ".c") == "");
  CHECK(check_email("a@" + std::string(64, 'b') + ".c") != "");
}

TEST_CASE("URIs") {
  for (const char* text :
       {"https://example.com", "HTTP://example.com:8080/a%20b?q=1&r=[2]#top", "ftp://u:p@h/x",
        "mailto:a@b.c", "urn:isbn:0451450523", "data:,hi", "file:///etc/hosts", "s3://bucket/key",
        "http://[::1]:80/", "https://de.wikipedia.org/wiki/Käse", "tel:+1-816-555-1212",
        "duckdb+x.y-z:a"}) {
    CAPTURE(text);
    CHECK(check_uri(text) == "");
  }
  for (const char* text : {"",
                           "example.com",
                           "/a/b",
                           "http:",
                           "://x",
                           "1http://x",
                           "http://",
                           "http:///path",
                           "http://a b",
                           "http://a\tb",
                           "http://a/<b>",
                           "http://a/%zz",
                           "http://a/%2",
                           "C:\\dir",
                           "http://a:99999/",
                           "http://a:x/",
                           "http://[::1",
                           "http://[]/",
                           "http://u@/",
                           "ht tp://a"}) {
    CAPTURE(text);
    CHECK(check_uri(text) != "");
  }
}

TEST_CASE("durations") {
  for (const char* text : {"P1D", "P1Y2M3DT4H5M6S", "PT36H", "PT0S", "P2W", "P0.5Y", "PT1.5S",
                           "P1DT0.5H", "PT0,5M", "P3M", "PT3M", "P1.5W"}) {
    CAPTURE(text);
    CHECK(check_duration(text, false) == "");
    CHECK(check_duration(text, true) == "");
  }
  for (const char* text :
       {"",        "P",     "PT",    "1D",     "P1",    "P1DT",  "P1.5DT1H", "P1H",
        "PT1D",    "P1D1Y", "P1M1M", "P1WT1H", "P1W2D", "P1Y1W", "P.5D",     "P1.D",
        "P1.5Y1M", "p1d",   "P1D ",  "PT1S1H", "P-D",   "PTT1H"}) {
    CAPTURE(text);
    CHECK(check_duration(text, false) != "");
    CHECK(check_duration(text, true) != "");
  }
  for (const char* text : {"-P1D", "P-1D", "+P1D", "P1MT-3H"}) {
    CAPTURE(text);
    CHECK(check_duration(text, false) != "");
    CHECK(check_duration(text, true) == "");
  }
}
