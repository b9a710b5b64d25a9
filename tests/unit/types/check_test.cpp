#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "spec_builder.h"

using namespace mxcp;
using namespace mxcp::types;

namespace {

std::string problems(std::string_view declaration, const Value& result) {
  return to_text(type_of(declaration).check(result));
}
std::string problems_of(std::string_view declaration, std::string_view result) {
  return problems(declaration, json(result));
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("null passes at every level") {
  const std::string_view type = R"({"type":"object","properties":{
      "s":{"type":"string","minLength":1,"enum":["a"]},
      "list":{"type":"array","minItems":1,"items":{"type":"integer","minimum":1}},
      "o":{"type":"object","required":["x"]}},"required":["s"]})";
  CHECK(problems_of(type, "null") == "");
  CHECK(problems_of(type, R"({"s":null,"list":[null],"o":null})") == "");
  CHECK(problems_of(type, R"({"s":null,"list":null})") == "");
}

TEST_CASE("what JSON writes as null counts as null") {
  CHECK(problems(R"({"type":"number","minimum":0})", std::nan("")) == "");
  CHECK(problems(R"({"type":"integer"})", kInfinity) == "");
  CHECK(problems(R"({"type":"string","minLength":1})", -kInfinity) == "");
}

TEST_CASE("kinds of results") {
  struct Row {
    Value value;
    const char* accepted_by;  // initials of string number integer boolean array object
  };
  const Row rows[] = {
      {"text", "s"},
      {"", "s"},
      {true, "b"},
      {5, "ni"},
      {5.0, "ni"},
      {5.5, "n"},
      {-0.0, "ni"},
      {9007199254740992.0, "ni"},
      {1e17, "n"},
      {1e300, "n"},
      {ExactNumber{"12.50"}, "n"},
      {ExactNumber{"12.00"}, "ni"},
      {ExactNumber{"170141183460469231731687303715884105727"}, "ni"},
      {ExactNumber{"1e400"}, "ni"},
      {Date{1}, "s"},
      {Time{1, false, 0}, "s"},
      {Timestamp{1, true, 0}, "s"},
      {Bytes{"\x01\x02"}, "s"},
      {Array{1}, "a"},
      {Object{{"a", 1}}, "o"},
      {RawJson{"[1]"}, "a"},
      {RawJson{"{}"}, "o"},
      {RawJson{"\"x\""}, "s"},
      {RawJson{"5"}, "ni"},
      {RawJson{"null"}, "snibao"},
      {nullptr, "snibao"},
  };
  const std::pair<char, std::string_view> kinds[] = {
      {'s', R"({"type":"string"})"},  {'n', R"({"type":"number"})"}, {'i', R"({"type":"integer"})"},
      {'b', R"({"type":"boolean"})"}, {'a', R"({"type":"array"})"},  {'o', R"({"type":"object"})"}};
  for (const Row& row : rows) {
    for (const auto& kind : kinds) {
      CAPTURE(to_json(row.value));
      CAPTURE(kind.second);
      const bool expected = std::string_view(row.accepted_by).find(kind.first) != std::string::npos;
      CHECK(problems(kind.second, row.value).empty() == expected);
    }
  }
}

TEST_CASE("messages about results") {
  CHECK(problems(R"({"type":"integer"})", true) == "expected an integer, got true");
  CHECK(problems(R"({"type":"integer"})", "5") == "expected an integer, got \"5\"");
  CHECK(problems(R"({"type":"integer"})", 1e17) == "expected an integer, got 1e+17");
  CHECK(problems(R"({"type":"number"})", "1") == "expected a number, got \"1\"");
  CHECK(problems(R"({"type":"string"})", 5) == "expected a string, got 5");
  CHECK(problems(R"({"type":"string"})", Array{}) == "expected a string, got []");
  CHECK(problems(R"({"type":"array"})", "[1]") == "expected an array, got \"[1]\"");
  CHECK(problems(R"({"type":"object"})", Date{0}) == "expected an object, got \"1970-01-01\"");
  CHECK(problems(R"({"type":"boolean"})", Bytes{"abc"}) ==
        "expected a boolean (true or false), got bytes (3)");
}

TEST_CASE("paths of results") {
  const std::string_view rows = R"({"type":"array","items":{"type":"object","properties":{
      "id":{"type":"integer"},"name":{"type":"string"}},"required":["id"],
      "additionalProperties":false}})";
  CHECK(problems_of(rows, R"([{"id":1,"name":"a"},{"name":"b","id":2}])") == "");
  CHECK(problems_of(rows, R"([{"id":1},{"id":"x","name":3},{"name":"c"},5,{"id":1,"nam":"x"}])") ==
        "[1].id: expected an integer, got \"x\"\n"
        "[1].name: expected a string, got 3\n"
        "[2]: required property 'id' is missing\n"
        "[3]: expected an object, got 5\n"
        "[4]: unexpected property 'nam' (did you mean 'name'?)");
  CHECK(problems_of(R"({"type":"object","properties":{"user":{"type":"object","properties":{
      "tags":{"type":"array","items":{"type":"string"}}}}}})",
                    R"({"user":{"tags":["a",1]}})") == "user.tags[1]: expected a string, got 1");
}

TEST_CASE("extra keys are accepted unless they are forbidden") {
  const std::string_view open = R"({"type":"object","properties":{"id":{"type":"integer"}}})";
  CHECK(problems_of(open, R"({"error":"not found"})") == "");
  CHECK(problems_of(R"({"type":"object","additionalProperties":false})", R"({"a":1})") ==
        "unexpected property 'a'");
}

TEST_CASE("everything declared is checked") {
  struct Row {
    const char* declaration;
    const char* result;
    const char* expected;
  };
  const Row rows[] = {
      {R"({"type":"string","minLength":3})", R"("ab")",
       "must have at least 3 characters, got 2: \"ab\""},
      {R"({"type":"string","pattern":"^a"})", R"("b")", "must match the pattern ^a, got \"b\""},
      {R"({"type":"string","enum":["a","b"]})", R"("c")", "must be one of \"a\", \"b\", got \"c\""},
      {R"({"type":"number","exclusiveMinimum":1})", "1", "must be greater than 1, got 1"},
      {R"({"type":"number","multipleOf":0.1})", "0.25", "must be a multiple of 0.1, got 0.25"},
      {R"({"type":"number","multipleOf":0.1})", "0.3", ""},
      {R"({"type":"integer","maximum":3})", "4", "must be at most 3, got 4"},
      {R"({"type":"array","uniqueItems":true})", "[1,1]",
       "items must be unique, but [1] repeats [0], got 1"},
      {R"({"type":"array","maxItems":1})", "[1,2]", "must have at most 1 item, got 2"},
      {R"({"type":"string","format":"email"})", R"("x")",
       "must be a valid email address such as name@example.com, got \"x\" (there is no @)"},
      {R"({"type":"string","format":"date"})", R"("2024-01-31T00:00:00")",
       "must be a valid date (YYYY-MM-DD), got \"2024-01-31T00:00:00\""},
      {R"({"type":"string","format":"date-time"})", R"("2024-01-31T00:00:00")", ""},
      {R"({"type":"string","format":"date-time"})", R"("2024-01-31")", ""},
      {R"({"type":"string","format":"date-time"})", R"("2024-01-31T00:00:00.123456789Z")", ""},
      {R"({"type":"string","format":"time"})", R"("00:00:00.123456789")", ""},
      {R"({"type":"string","format":"time"})", R"("24:00:00.123456789")",
       "must be a valid time (HH:MM:SS), got \"24:00:00.123456789\" (the hour must be 00 to 23)"},
      {R"({"type":"string","format":"date-time"})", R"("yesterday")",
       "must be a valid date-time such as 2024-01-31T13:45:00Z, got \"yesterday\""},
      {R"({"type":"string","format":"duration"})", R"("-P1DT2H")", ""},
      {R"({"type":"integer","enum":[1,2]})", "1.0", ""},
  };
  for (const Row& row : rows) CHECK(problems_of(row.declaration, row.result) == row.expected);
}

TEST_CASE("decimals and huge integers meet their bounds exactly") {
  const std::string_view type = R"({"type":"number","minimum":0.1,"maximum":18446744073709551615})";
  CHECK(problems(type, ExactNumber{"0.10"}) == "");
  CHECK(problems(type, ExactNumber{"18446744073709551615"}) == "");
  CHECK(problems(type, ExactNumber{"18446744073709551615.01"}) ==
        "must be at most 18446744073709551615, got 18446744073709551615.01");
  CHECK(problems(type, ExactNumber{"0.09999999999999999999"}) ==
        "must be at least 0.1, got 0.09999999999999999999");
  CHECK(problems(R"({"type":"number","multipleOf":0.01})", ExactNumber{"1234567890123456.78"}) ==
        "");
}

TEST_CASE("temporal results and formats") {
  const auto passes = [](const char* format, const Value& value) {
    return problems(std::string(R"({"type":"string","format":")") + format + "\"}", value).empty();
  };
  const Value date = Date{19753};
  const Value time = Time{1, false, 0};
  const Value local = Timestamp{1706705100000000, false, 0};
  const Value instant = Timestamp{1706705100000000, true, 0};
  CHECK(passes("date", date));
  CHECK(!passes("date", local));
  CHECK(!passes("date", time));
  CHECK(!passes("date", Date{5000000}));  // the year 15659
  CHECK(passes("time", time));
  CHECK(!passes("time", date));
  CHECK(passes("date-time", local));
  CHECK(passes("date-time", instant));
  CHECK(passes("date-time", date));
  CHECK(!passes("date-time", time));
  CHECK(passes("date-time", "infinity"));
  CHECK(passes("date-time", "-infinity"));
  CHECK(!passes("date-time", "forever"));
  CHECK(!passes("date", "infinity"));
  CHECK(passes("timestamp", local));
  CHECK(passes("timestamp", instant));
  CHECK(!passes("timestamp", date));
  CHECK(passes("timestamp", "1706705100"));
  CHECK(!passes("timestamp", 1706705100));
  CHECK(!passes("email", date));
  CHECK(!passes("uri", Bytes{"x"}));
  CHECK(!passes("duration", time));
  CHECK(problems(R"({"type":"string","format":"date"})", local) ==
        "must be a valid date (YYYY-MM-DD), got \"2024-01-31T12:45:00\"");
}

TEST_CASE("lengths, patterns and choices see the text of JSON") {
  CHECK(problems(R"({"type":"string","minLength":10,"maxLength":10,"pattern":"^2024"})",
                 Date{19753}) == "");
  CHECK(problems(R"({"type":"string","maxLength":4})", Date{19753}) ==
        "must have at most 4 characters, got 10: \"2024-01-31\"");
  CHECK(problems(R"({"type":"string","enum":["2024-01-31"]})", Date{19753}) == "");
  CHECK(problems(R"({"type":"string","pattern":"^AQI=$"})", Bytes{"\x01\x02"}) == "");
  CHECK(problems(R"({"type":"array","uniqueItems":true})", Array{Date{19753}, "2024-01-31"}) ==
        "items must be unique, but [1] repeats [0], got \"2024-01-31\"");
}

TEST_CASE("sensitive results stand in no message") {
  const std::string text =
      problems_of(R"({"type":"object","properties":{"ssn":{"type":"string","sensitive":true,
          "pattern":"^x$"},"n":{"type":"integer"}}})",
                  R"({"ssn":"123-45-6789","n":"y"})");
  CHECK(text == "ssn: must match the pattern ^x$\nn: expected an integer, got \"y\"");
}

TEST_CASE("unconstrained means the bare kind") {
  for (const char* bare :
       {R"({"type":"string","description":"d","default":"x","examples":["y"]})",
        R"({"type":"array","items":{"type":"string","minLength":1}})",
        R"({"type":"object","properties":{"a":{"type":"string"}},"required":["a"]})"}) {
    CHECK(type_of(bare).unconstrained());
  }
  for (const char* bound :
       {R"({"type":"string","format":"date"})", R"({"type":"string","minLength":0})",
        R"({"type":"string","pattern":""})", R"({"type":"integer","enum":[1]})",
        R"({"type":"number","multipleOf":2})", R"({"type":"array","uniqueItems":true})",
        R"({"type":"array","maxItems":3})"}) {
    CHECK(!type_of(bound).unconstrained());
  }
}
