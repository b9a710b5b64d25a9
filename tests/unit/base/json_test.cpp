#include "base/json.h"
#include "base/json_member.h"
#include "base/json_stream.h"

#include <doctest/doctest.h>

#include <limits>

using namespace mxcp;

namespace {

std::string round_trip(std::string_view text) {
  const auto value = parse_json(text);
  REQUIRE(value.ok());
  return to_json(*value);
}

}  // namespace

TEST_CASE("numbers keep their digits") {
  CHECK(round_trip("9223372036854775807") == "9223372036854775807");
  CHECK(round_trip("170141183460469231731687303715884105727") ==
        "170141183460469231731687303715884105727");
  CHECK(round_trip("0.1000000000000000055511151231257827") ==
        "0.1000000000000000055511151231257827");
  CHECK(round_trip("0.1") == "0.1");
  CHECK(round_trip("1e400") == "1e400");
  CHECK(round_trip("-0") == "-0.0");
  CHECK(round_trip("3.0") == "3.0");
}

TEST_CASE("doubles that JSON cannot say become null") {
  CHECK(to_json(std::numeric_limits<double>::quiet_NaN()) == "null");
  CHECK(to_json(-std::numeric_limits<double>::infinity()) == "null");
  CHECK(to_json(0.1 + 0.2) == "0.30000000000000004");
}

TEST_CASE("strings are escaped, invalid UTF-8 is replaced") {
  CHECK(to_json("a\"b\\c\n\x01") == R"("a\"b\\c\n\u0001")");
  CHECK(to_json("x\xFFy") == "\"x\xEF\xBF\xBDy\"");
  CHECK(to_json("\xED\xA0\x80") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
  CHECK(to_json("grüße 🦆") == "\"grüße 🦆\"");
}

TEST_CASE("errors name line and column") {
  const auto bad = parse_json("{\"a\": 1,\n \"b\": }");
  REQUIRE(!bad.ok());
  CHECK(bad.error().place.line == 2);
  CHECK(bad.error().place.column == 7);
  CHECK(!parse_json("").ok());
  CHECK(!parse_json("1 2").ok());
  CHECK(!parse_json(std::string(100, '[')).ok());
  CHECK(parse_json(" 1 \n").ok());
}

TEST_CASE("ISO 8601") {
  CHECK(to_iso(Date{0}) == "1970-01-01");
  CHECK(to_iso(Date{-719468}) == "0000-03-01");
  CHECK(to_iso(Timestamp{1706705100123456, false, 0}) == "2024-01-31T12:45:00.123456");
  CHECK(to_iso(Timestamp{-1, false, 0}) == "1969-12-31T23:59:59.999999");
  CHECK(to_iso(Timestamp{0, true, 7200}) == "1970-01-01T02:00:00+02:00");
  CHECK(to_iso(Time{45296000000, false, 0}) == "12:34:56");
}

TEST_CASE("base64") {
  std::string out;
  append_base64(out, "hello");
  CHECK(out == "aGVsbG8=");
  CHECK(to_plain_text(Bytes{"hello"}) == "aGVsbG8=");
}

TEST_CASE("pretty printing") {
  CHECK(to_pretty_json(Object{{"a", Array{1, 2}}, {"b", Object{}}}) ==
        "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}");
  // Raw text keeps its tokens: 12.50 stays 12.50.
  CHECK(to_pretty_json(Object{{"a", RawJson{R"({"x":12.50,"y":[ ],"z":["a\\\":{b",-1e5]})"}}}) ==
        R"({
  "a": {
    "x": 12.50,
    "y": [],
    "z": [
      "a\\\":{b",
      -1e5
    ]
  }
})");
}

TEST_CASE("pretty printing in pieces is the same text") {
  Array rows;
  for (int i = 0; i < 5000; ++i) rows.push_back(Object{{"id", i}, {"name", "a \"quoted\\ name"}});
  const Value value = Object{{"raw", RawJson{to_json(rows)}}, {"rows", rows}};
  std::string joined;
  int pieces = 0;
  write_pretty_json(value, [&](std::string_view piece) {
    ++pieces;
    CHECK(piece.size() < 80 * 1024);
    joined += piece;
  });
  CHECK(pieces > 5);
  CHECK(joined == to_pretty_json(value));
}

TEST_CASE("an object of many members is read like a small one") {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) {
    text += "\"k" + std::to_string(i) + "\":" + std::to_string(i) + ',';
  }
  text += "\"k7\":\"again\"}";
  auto value = parse_json(text);
  REQUIRE(value.ok());
  Object& object = *value->as_object();
  CHECK(object.size() == 200'000);
  CHECK(*object.find("k7") == Value("again"));
  CHECK(object.begin()[7].second == Value("again"));
  CHECK(object.find("k200000") == nullptr);

  // It stays one object, whatever is done to it.
  Object copy = object;
  CHECK(copy == object);
  CHECK(copy.erase("k3"));
  CHECK(copy.find("k3") == nullptr);
  CHECK(*copy.find("k4") == Value(4));
  CHECK(!(copy == object));
  copy.set("k3", 3);
  CHECK(copy == object);
  const Object moved = std::move(copy);
  CHECK(*moved.find("k3") == Value(3));
  CHECK(moved.size() == 200'000);
}

TEST_CASE("a member of the outermost object is found in pieces of any size, beside what is deep") {
  const auto find = [](const std::string& text, std::size_t piece) {
    JsonMember member("id");
    for (std::size_t at = 0; at < text.size(); at += piece) member.feed(text.substr(at, piece));
    const auto value = member.finish();
    return value ? to_json(*value) : "";
  };
  const auto deep = [](std::size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
  };
  for (const std::size_t piece : {1U, 7U, 1'000'000U}) {
    CHECK(find(R"({"id":7})", piece) == "7");
    CHECK(find(R"({"a":{"id":1},"b":[{"id":2}],"c":"id","id":"x\u00e4"})", piece) == "\"xä\"");
    CHECK(find(R"({"id":[1],"a":1})", piece).empty());
    CHECK(find(R"({"id":1.5})", piece).empty());
    CHECK(find(R"({"i":1,"d":2,"ids":3})", piece).empty());
    CHECK(find(R"([{"id":1}])", piece).empty());
    CHECK(find(R"({"id":1)", piece).empty());
    CHECK(find("", piece).empty());
    CHECK(find(R"({"id":")" + std::string(2000, 'x') + "\"}", piece).empty());
  }
  CHECK(find(R"({"a":)" + deep(900) + R"(,"id":-3})", 4096) == "-3");
  CHECK(find(R"({"a":)" + deep(1'000'000) + R"(,"id":-3})", 4096).empty());
}
