#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "spec_builder.h"

using namespace mxcp;
using namespace mxcp::types;

namespace {

// "integer 5", or the violations.
std::string outcome(const Checked& checked) {
  if (!checked.ok()) return to_text(checked.violations);
  return std::string(checked.value.kind_name()) + " " + to_json(checked.value);
}

std::string coerced(const Type& type, const Value& input, Source source = Source::kJson) {
  return outcome(type.coerce(input, source, "x"));
}

// From JSON text.
std::string from_json(std::string_view declaration, std::string_view input) {
  return coerced(type_of(declaration), json(input));
}

// From the command line.
std::string from_text(std::string_view declaration, const char* input) {
  return coerced(type_of(declaration), input, Source::kText);
}

struct Case {
  const char* input;
  const char* expected;
};

}  // namespace

TEST_CASE("integers from text") {
  const Type type = type_of(R"({"type":"integer"})");
  const Case cases[] = {
      {"5", "integer 5"},
      {"-5", "integer -5"},
      {"+5", "integer 5"},
      {"007", "integer 7"},
      {" 5 ", "integer 5"},
      {"5.0", "integer 5"},
      {"1e3", "integer 1000"},
      {"9223372036854775807", "integer 9223372036854775807"},
      {"9223372036854775808", "number 9223372036854775808"},
      {"170141183460469231731687303715884105727", "number 170141183460469231731687303715884105727"},
      {"3.7", "x: expected an integer, got \"3.7\""},
      {"1e-3", "x: expected an integer, got \"1e-3\""},
      {"", "x: expected an integer, got \"\""},
      {"five", "x: expected an integer, got \"five\""},
      {"true", "x: expected an integer, got \"true\""},
      {"null", "x: expected an integer, got \"null\""},
      {"nan", "x: expected an integer, got \"nan\""},
      {"0x10", "x: expected an integer, got \"0x10\""},
      {"[5]", "x: expected an integer, got \"[5]\""},
      {"1e309", "x: expected an integer up to 1.8e308, got \"1e309\""},
      {"-2e308", "x: expected an integer up to 1.8e308, got \"-2e308\""},
      {"1e2000", "x: expected an integer up to 1.8e308, got \"1e2000\""},
      {"1e999999999999999999999",
       "x: expected an integer up to 1.8e308, got \"1e999999999999999999999\""},
      {"5.", "integer 5"},
      {"-0", "integer 0"},
      {"1_000", "x: expected an integer, got \"1_000\""},
      {"Infinity", "x: expected an integer, got \"Infinity\""},
  };
  for (const auto& [input, expected] : cases) {
    CHECK(coerced(type, input, Source::kText) == expected);
    CHECK(coerced(type, input, Source::kJson) == expected);
  }
}

TEST_CASE("integers from JSON") {
  const std::string_view type = R"({"type":"integer"})";
  const Case cases[] = {
      {"5", "integer 5"},
      {"5.0", "integer 5"},
      {"-0.0", "integer 0"},
      {"1e3", "integer 1000"},
      {"1e18", "integer 1000000000000000000"},
      {"9223372036854775808", "number 9223372036854775808"},
      {"1e400", "x: expected an integer up to 1.8e308, got 1e400"},
      {"-1e309", "x: expected an integer up to 1.8e308, got -1e309"},
      {"5.5", "x: expected an integer, got 5.5"},
      {"true", "x: expected an integer, got true"},
      {"[1]", "x: expected an integer, got [1]"},
      {R"({"a":1})", R"(x: expected an integer, got {"a":1})"},
      {"null", "null null"},
  };
  for (const auto& [input, expected] : cases) CHECK(from_json(type, input) == expected);
}

TEST_CASE("numbers become doubles where nothing is lost") {
  const std::string_view type = R"({"type":"number"})";
  const Case cases[] = {
      {"5", "number 5.0"},
      {"-0.0", "number -0.0"},
      {"0.1", "number 0.1"},
      {"9007199254740992", "number 9007199254740992.0"},
      {"9007199254740993", "integer 9007199254740993"},
      {"1e400", "x: expected a number up to 1.8e308, got 1e400"},
      {"1e308", "number 1e+308"},
      {"0.1000000000000000055511151231257827", "number 0.1000000000000000055511151231257827"},
      {R"("5")", "number 5.0"},
      {R"("-1.5e2")", "number -150.0"},
      {R"(".5")", "number 0.5"},
      {R"(" 7 ")", "number 7.0"},
      {R"("1e400")", "x: expected a number up to 1.8e308, got \"1e400\""},
      {R"("1,5")", "x: expected a number, got \"1,5\""},
      {R"("")", "x: expected a number, got \"\""},
      {R"("inf")", "x: expected a number, got \"inf\""},
      {"true", "x: expected a number, got true"},
      {"[]", "x: expected a number, got []"},
  };
  for (const auto& [input, expected] : cases) CHECK(from_json(type, input) == expected);
  CHECK(type_of(type).coerce(json("5"), Source::kJson, "x").value.as_double());
  CHECK(type_of(type).coerce("5", Source::kText, "x").value.as_double());
  CHECK(coerced(type_of(type), std::nan("")) == "x: expected a number, got NaN");
  CHECK(coerced(type_of(type), -INFINITY) == "x: expected a number, got -infinity");
}

TEST_CASE("no number that would be infinite, also where nothing is declared") {
  const Case cases[] = {
      {R"({"a":{"b":[1,1e400]}})", "x.a.b[1]: expected a number up to 1.8e308, got 1e400"},
      {R"({"a":1e308,"b":null})", R"(object {"a":1e+308,"b":null})"},
  };
  for (const auto& [input, expected] : cases) {
    CHECK(from_json(R"({"type":"object"})", input) == expected);
  }
  CHECK(from_json(R"({"type":"array"})", "[[-1e999]]") ==
        "x[0][0]: expected a number up to 1.8e308, got -1e999");
  CHECK(from_json(R"({"type":"object","properties":{"n":{"type":"integer"}}})",
                  R"({"n":1,"m":1e309})") == "x.m: expected a number up to 1.8e308, got 1e309");
  CHECK(from_json(R"({"type":"object","sensitive":true})", R"({"a":1e400})") ==
        "x.a: expected a number up to 1.8e308");
}

TEST_CASE("booleans") {
  const Type type = type_of(R"({"type":"boolean"})");
  for (const char* yes : {"true", "TRUE", "True", "1", "yes", "YES", " true "}) {
    CHECK(coerced(type, yes, Source::kText) == "boolean true");
    CHECK(coerced(type, yes, Source::kJson) == "boolean true");
  }
  for (const char* no : {"false", "False", "0", "no", "No"}) {
    CHECK(coerced(type, no, Source::kText) == "boolean false");
  }
  CHECK(coerced(type, true) == "boolean true");
  CHECK(coerced(type, 1) == "boolean true");
  CHECK(coerced(type, 0.0) == "boolean false");
  CHECK(coerced(type, 2) == "x: expected a boolean (true or false), got 2");
  CHECK(coerced(type, "maybe") == "x: expected a boolean (true or false), got \"maybe\"");
  CHECK(coerced(type, "") == "x: expected a boolean (true or false), got \"\"");
  CHECK(coerced(type, Array{}) == "x: expected a boolean (true or false), got []");
}

TEST_CASE("a string stays exactly the text") {
  const Type type = type_of(R"({"type":"string"})");
  for (const char* text : {"", " padded ", "[1, 2]", "{\"a\": 1}", "\"quoted\"", "null", "5",
                           "true", "grüße 🦆", "line\nbreak", "{not json"}) {
    CHECK(coerced(type, text, Source::kText) == "string " + to_json(text));
    CHECK(coerced(type, text, Source::kJson) == "string " + to_json(text));
  }
}

TEST_CASE("scalars become strings") {
  const std::string_view type = R"({"type":"string"})";
  const Case cases[] = {
      {"true", R"(string "true")"},
      {"5", R"(string "5")"},
      {"5.0", R"(string "5.0")"},
      {"0.1", R"(string "0.1")"},
      {"123456789012345678901234567890", R"(string "123456789012345678901234567890")"},
      {"null", "null null"},
      {"[1,2]", "x: expected a string, got [1,2]"},
      {R"({"a":"b"})", R"(x: expected a string, got {"a":"b"})"},
  };
  for (const auto& [input, expected] : cases) CHECK(from_json(type, input) == expected);
  CHECK(coerced(type_of(type), "\xFF", Source::kText).starts_with("x: expected text in UTF-8"));
}

TEST_CASE("a JSON value from a file is taken as JSON on the command line too") {
  const Type text = type_of(R"({"type":"string"})");
  CHECK(coerced(text, 5, Source::kText) == R"(string "5")");
  const Type list = type_of(R"({"type":"array","items":{"type":"integer"}})");
  CHECK(coerced(list, json("[1,\"2\",3.0]"), Source::kText) == "array [1,2,3]");
}

TEST_CASE("arrays and objects from JSON text") {
  const std::string_view list = R"({"type":"array","items":{"type":"integer"}})";
  CHECK(from_text(list, "[1, 2, 3]") == "array [1,2,3]");
  CHECK(from_text(list, "[]") == "array []");
  CHECK(from_text(list, "null") == "null null");
  CHECK(from_json(list, R"("[\"1\", 2.0]")") == "array [1,2]");
  CHECK(from_text(list, "[1, \"x\"]") == "x[1]: expected an integer, got \"x\"");
  CHECK(from_text(list, "5") == "x: expected an array, got 5");
  CHECK(from_text(list, "\"[1]\"") == "x: expected an array, got \"[1]\"");
  CHECK(from_text(list, "{\"a\":1}") == R"(x: expected an array, got {"a":1})");
  CHECK(from_text(list, "1,2") ==
        "x: expected an array as JSON text such as [\"a\", \"b\"], got \"1,2\" "
        "(invalid JSON: extra data at line 1, column 2)");
  CHECK(from_json(list, R"("[1,")") ==
        "x: expected an array, got \"[1,\" "
        "(invalid JSON: the text ends in the middle of a value at line 1, column 4)");

  const std::string_view map = R"({"type":"object","properties":{"n":{"type":"integer"}}})";
  CHECK(from_text(map, R"({"n": "5", "other": "6"})") == R"(object {"n":5,"other":"6"})");
  CHECK(from_text(map, "[1]") == "x: expected an object, got [1]");
  CHECK(
      from_text(map, "").starts_with("x: expected an object as JSON text such as {\"a\": 1}, "
                                     "got \"\" (invalid JSON: "));
  // Inside JSON text a string is a string.
  CHECK(from_text(R"({"type":"array","items":{"type":"string"}})", R"(["[1]", "5"])") ==
        R"(array ["[1]","5"])");
  // Nested containers may be JSON text again: models do that.
  CHECK(from_json(R"({"type":"array","items":{"type":"array"}})", R"(["[1]", [2]])") ==
        "array [[1],[2]]");
}

TEST_CASE("null is accepted for everything and skips the checks") {
  for (const char* declaration :
       {R"({"type":"string","minLength":1})", R"({"type":"integer","minimum":1})",
        R"({"type":"boolean"})", R"({"type":"array","minItems":1})",
        R"({"type":"object","required":["a"]})", R"({"type":"string","enum":["a"]})",
        R"({"type":"string","format":"date"})", R"({"type":"number","multipleOf":2})"}) {
    CHECK(from_json(declaration, "null") == "null null");
  }
  CHECK(from_json(R"({"type":"array","items":{"type":"integer"},"maxItems":2})", "[null,1]") ==
        "array [null,1]");
}

TEST_CASE("lengths count characters") {
  const std::string_view type = R"({"type":"string","minLength":2,"maxLength":4})";
  CHECK(from_text(type, "ab") == R"(string "ab")");
  CHECK(from_text(type, "🦆🦆🦆🦆") == "string \"🦆🦆🦆🦆\"");
  CHECK(from_text(type, "a") == "x: must have at least 2 characters, got 1: \"a\"");
  CHECK(from_text(type, "") == "x: must have at least 2 characters, got 0");
  CHECK(from_text(type, "abcde") == "x: must have at most 4 characters, got 5: \"abcde\"");
  CHECK(from_text(R"({"type":"string","minLength":1})", "") ==
        "x: must have at least 1 character, got 0");
  CHECK(from_text(R"({"type":"string","maxLength":4})", std::string(100, 'a').c_str()) ==
        "x: must have at most 4 characters, got 100: \"" + std::string(59, 'a') + "…\"");
}

TEST_CASE("patterns are searched for, in characters") {
  const std::string_view code = R"({"type":"string","pattern":"^[A-Z]{3}-\\d+$"})";
  CHECK(from_text(code, "ABC-12") == R"(string "ABC-12")");
  CHECK(from_text(code, "xABC-12") == R"(x: must match the pattern ^[A-Z]{3}-\d+$, got "xABC-12")");
  CHECK(from_text(R"({"type":"string","pattern":"b"})", "abc") == R"(string "abc")");
  CHECK(from_text(R"({"type":"string","pattern":"^.$"})", "🦆") == "string \"🦆\"");
  CHECK(from_text(R"({"type":"string","pattern":"^\\p{Lu}ß$"})", "Üß") == "string \"Üß\"");
  CHECK(from_json(R"({"type":"string","pattern":"^\\d+$"})", "55") == R"(string "55")");
}

TEST_CASE("bounds are exact") {
  const std::string_view type = R"({"type":"integer","minimum":1,"maximum":10})";
  CHECK(from_json(type, "1") == "integer 1");
  CHECK(from_json(type, "10") == "integer 10");
  CHECK(from_json(type, "0") == "x: must be at least 1, got 0");
  CHECK(from_json(type, "11") == "x: must be at most 10, got 11");
  CHECK(from_json(type, "1e30") == "x: must be at most 10, got 1e+30");
  const std::string_view open = R"({"type":"number","exclusiveMinimum":0,"exclusiveMaximum":0.3})";
  CHECK(from_json(open, "0.1") == "number 0.1");
  CHECK(from_json(open, "0") == "x: must be greater than 0, got 0");
  CHECK(from_text(open, "5") == "x: must be less than 0.3, got \"5\"");
  CHECK(from_json(open, "0.3") == "x: must be less than 0.3, got 0.3");
  CHECK(from_json(open, "0.30000000000000004") ==
        "x: must be less than 0.3, got 0.30000000000000004");
  const std::string_view big = R"({"type":"integer","maximum":9007199254740993})";
  CHECK(from_json(big, "9007199254740993") == "integer 9007199254740993");
  CHECK(from_json(big, "9007199254740994") ==
        "x: must be at most 9007199254740993, got 9007199254740994");
  const std::string_view huge = R"({"type":"integer","minimum":18446744073709551616})";
  CHECK(from_json(huge, "18446744073709551616") == "number 18446744073709551616");
  CHECK(from_json(huge, "18446744073709551615") ==
        "x: must be at least 18446744073709551616, got 18446744073709551615");
  CHECK(from_json(R"({"type":"integer","minimum":0.5})", "0") == "x: must be at least 0.5, got 0");
}

TEST_CASE("multiples are exact") {
  const std::string_view cents = R"({"type":"number","multipleOf":0.01})";
  for (const char* amount : {"0.07", "19.99", "0.3", "1.1", "123456789.12", "0", "-4.35", "1e20"}) {
    CAPTURE(amount);
    CHECK(!from_json(cents, amount).starts_with("x:"));
  }
  CHECK(from_json(cents, "0.005") == "x: must be a multiple of 0.01, got 0.005");
  CHECK(from_json(R"({"type":"integer","multipleOf":5})", "12") ==
        "x: must be a multiple of 5, got 12");
  CHECK(from_json(R"({"type":"number","multipleOf":2.5})", "7.5") == "number 7.5");
}

TEST_CASE("enum is checked after the conversion") {
  const std::string_view numbers = R"({"type":"integer","enum":[5,10]})";
  CHECK(from_text(numbers, "5") == "integer 5");
  CHECK(from_json(numbers, "10.0") == "integer 10");
  CHECK(from_json(numbers, "6") == "x: must be one of 5, 10, got 6");
  const std::string_view words = R"({"type":"string","enum":["active","paused"]})";
  CHECK(from_text(words, "active") == R"(string "active")");
  CHECK(from_text(words, "Active") ==
        R"(x: must be one of "active", "paused", got "Active" (did you mean 'active'?))");
  CHECK(from_text(words, "c") == R"(x: must be one of "active", "paused", got "c")");
  CHECK(from_text(R"({"type":"number","enum":[0.1,1]})", "1e0") == "number 1.0");
  CHECK(from_text(R"({"type":"string","format":"date","enum":["2024-01-31"]})", "2024-01-31") ==
        R"(date "2024-01-31")");
  CHECK(from_text(R"({"type":"string","format":"date-time","enum":["2024-01-31T00:00:00Z"]})",
                  "2024-01-31T01:00:00+01:00") == R"(date-time "2024-01-31T01:00:00+01:00")");
  CHECK(from_json(R"({"type":"array","enum":[[1,2],[]]})", "[1.0,2]") == "array [1.0,2]");
  CHECK(from_json(R"({"type":"object","enum":[{"a":1,"b":2}]})", R"({"b":2,"a":1})") ==
        R"(object {"b":2,"a":1})");
  CHECK(from_json(R"({"type":"string","enum":["a",null]})", "null") == "null null");
}

TEST_CASE("a long list of choices is shortened") {
  Array values;
  for (int i = 0; i < 50; ++i) values.push_back("v" + std::to_string(i));
  TypeSpec spec;
  spec.enum_values = values;
  const auto type = Type::compile(spec);
  REQUIRE(type.ok());
  const std::string text = coerced(*type, "zzzzzzzz");
  CHECK(text.find("\"v19\" ... (50 values), got \"zzzzzzzz\"") != std::string::npos);
  CHECK(text.find("v20") == std::string::npos);
}

TEST_CASE("formats give values of their own") {
  const auto formatted = [](const char* format, const char* input) {
    return from_text(std::string(R"({"type":"string","format":")") + format + "\"}", input);
  };
  CHECK(formatted("date", "2024-02-29") == R"(date "2024-02-29")");
  CHECK(formatted("time", "13:45:00") == R"(time "13:45:00")");
  CHECK(formatted("date-time", "2024-01-31T13:45:00Z") ==
        R"(date-time "2024-01-31T13:45:00+00:00")");
  CHECK(formatted("timestamp", "1706705100") == R"(date-time "2024-01-31T12:45:00+00:00")");
  CHECK(formatted("email", "a@b.org") == R"(string "a@b.org")");
  CHECK(formatted("uri", "https://a.org") == R"(string "https://a.org")");
  CHECK(formatted("duration", "P3D") == R"(string "P3D")");

  CHECK(formatted("date", "2023-02-29") ==
        "x: must be a valid date (YYYY-MM-DD), got \"2023-02-29\" (that month has no such day)");
  CHECK(formatted("date", "tomorrow") == "x: must be a valid date (YYYY-MM-DD), got \"tomorrow\"");
  CHECK(formatted("time", "24:00:00") ==
        "x: must be a valid time (HH:MM:SS), got \"24:00:00\" (the hour must be 00 to 23)");
  CHECK(formatted("date-time", "31.01.2024") ==
        "x: must be a valid date-time such as 2024-01-31T13:45:00Z, got \"31.01.2024\"");
  CHECK(formatted("date-time", "2024-01-31T00:00:00.1234567Z") ==
        "x: must be a valid date-time such as 2024-01-31T13:45:00Z, got "
        "\"2024-01-31T00:00:00.1234567Z\" (a second has at most 6 decimals)");
  CHECK(formatted("timestamp", "soon") ==
        "x: must be a valid timestamp (seconds since 1970-01-01T00:00:00Z), got \"soon\"");
  CHECK(formatted("email", "nobody") ==
        "x: must be a valid email address such as name@example.com, got \"nobody\" "
        "(there is no @)");
  CHECK(formatted("uri", "example.com") ==
        "x: must be a valid URI with its scheme such as https://example.com, got \"example.com\" "
        "(there is no scheme)");
  CHECK(formatted("duration", "3 days") ==
        "x: must be a valid ISO 8601 duration such as P3DT12H, got \"3 days\"");

  CHECK(from_json(R"({"type":"string","format":"timestamp"})", "1706705100.5") ==
        R"(date-time "2024-01-31T12:45:00.500000+00:00")");
  CHECK(from_json(R"({"type":"string","format":"timestamp"})", "true").starts_with("x: must be"));
  CHECK(from_json(R"({"type":"string","format":"date"})", "20240131") ==
        "x: must be a valid date (YYYY-MM-DD), got 20240131");
  // Length and pattern see the text as it was given.
  CHECK(from_text(R"({"type":"string","format":"date-time","pattern":"Z$"})",
                  "2024-01-31T13:45:00Z") == R"(date-time "2024-01-31T13:45:00+00:00")");
  CHECK(from_text(R"({"type":"string","format":"email","maxLength":5})", "ab@b.org") ==
        "x: must have at most 5 characters, got 8: \"ab@b.org\"");
}

TEST_CASE("arrays") {
  const std::string_view ids =
      R"({"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":3})";
  CHECK(from_json(ids, "[]") == "x: must have at least 1 item, got 0");
  CHECK(from_json(ids, "[1,2,3,4]") == "x: must have at most 3 items, got 4");
  CHECK(from_json(ids, R"([1,"x",true])") ==
        "x[1]: expected an integer, got \"x\"\nx[2]: expected an integer, got true");
  const std::string_view set = R"({"type":"array","uniqueItems":true})";
  CHECK(from_json(set, "[1,2,3]") == "array [1,2,3]");
  CHECK(from_json(set, "[1,2,1.0]") == "x: items must be unique, but [2] repeats [0], got 1.0");
  CHECK(from_json(set, R"([1,"1",true,"true",null,"null",[1],["1"]])") ==
        R"(array [1,"1",true,"true",null,"null",[1],["1"]])");
  CHECK(from_json(set, R"([{"a":1,"b":2},{"b":2,"a":1}])") ==
        R"(x: items must be unique, but [1] repeats [0], got {"b":2,"a":1})");
  CHECK(from_json(set, "[9007199254740993,9007199254740992]") ==
        "array [9007199254740993,9007199254740992]");
  CHECK(from_json(set, R"([["ab","c"],["a","bc"]])") == R"(array [["ab","c"],["a","bc"]])");
  CHECK(from_json(R"({"type":"array","uniqueItems":true,
                      "items":{"type":"string","format":"date"}})",
                  R"(["2024-01-31","2024-01-31"])") ==
        "x: items must be unique, but [1] repeats [0], got \"2024-01-31\"");
}

TEST_CASE("objects") {
  const std::string_view filter = R"({"type":"object","properties":{
      "from":{"type":"string","format":"date"},
      "limit":{"type":"integer","default":10},
      "tags":{"type":"array","items":{"type":"string","minLength":1}},
      "inner":{"type":"object","properties":{"deep":{"type":"boolean","default":"yes"}}}},
    "required":["from"],"additionalProperties":false})";
  CHECK(from_json(filter, R"({"tags":["a"],"from":"2024-01-31"})") ==
        R"(object {"from":"2024-01-31","limit":10,"tags":["a"]})");
  CHECK(from_json(filter, R"({"from":"2024-01-31","inner":{}})") ==
        R"(object {"from":"2024-01-31","limit":10,"inner":{"deep":true}})");
  CHECK(from_json(filter, R"({"from":null,"limit":null})") ==
        R"(object {"from":null,"limit":null})");
  CHECK(from_json(filter, "{}") == "x: required property 'from' is missing");
  CHECK(from_json(filter, R"({"frm":"2024-01-31"})") ==
        "x: required property 'from' is missing\n"
        "x: unexpected property 'frm' (did you mean 'from'?)");
  CHECK(from_json(filter, R"({"from":"2024-01-31","something_else":1})") ==
        "x: unexpected property 'something_else' (expected from, limit, tags, inner)");
  CHECK(from_json(filter, R"({"from":"x","limit":"y","tags":["ok",""],"inner":{"deep":2}})") ==
        "x.from: must be a valid date (YYYY-MM-DD), got \"x\"\n"
        "x.limit: expected an integer, got \"y\"\n"
        "x.tags[1]: must have at least 1 character, got 0\n"
        "x.inner.deep: expected a boolean (true or false), got 2");
  CHECK(from_json(R"({"type":"object","required":["a"]})", R"({"b":1})") ==
        "x: required property 'a' is missing");
  CHECK(from_json(R"({"type":"object","additionalProperties":false})", R"({"b":1})") ==
        "x: unexpected property 'b'");
  CHECK(from_json(R"({"type":"object","properties":{"a b":{"type":"integer"}}})",
                  R"({"a b":"x"})") == R"(x["a b"]: expected an integer, got "x")");
}

TEST_CASE("every violation has its rule and path") {
  const Type type = type_of(R"({"type":"object","properties":{
      "n":{"type":"integer","minimum":1,"multipleOf":2},"s":{"type":"string","enum":["a"]}}})");
  const Checked checked = type.coerce(json(R"({"n":-3,"s":"b"})"), Source::kJson, "filter");
  REQUIRE(checked.violations.size() == 3);
  CHECK(checked.violations[0].path == "filter.n");
  CHECK(checked.violations[0].rule == "minimum");
  CHECK(checked.violations[1].path == "filter.n");
  CHECK(checked.violations[1].rule == "multipleOf");
  CHECK(checked.violations[2].path == "filter.s");
  CHECK(checked.violations[2].rule == "enum");
  CHECK(checked.violations[2].message == R"(must be one of "a", got "b")");
}

TEST_CASE("a flood of violations is cut off") {
  const Type type = type_of(R"({"type":"array","items":{"type":"integer"}})");
  const Checked checked = type.coerce(Array(10000, Value("x")), Source::kJson, "x");
  REQUIRE(checked.violations.size() == 101);
  CHECK(checked.violations[99].path == "x[99]");
  CHECK(checked.violations[100].path == "");
  CHECK(checked.violations[100].message == "and more: only the first 100 problems are listed");
}

TEST_CASE("objects of very many members, declared and undeclared ones") {
  Object many;
  many.add("n", "5");
  for (int i = 0; i < 300'000; ++i) many.add("alpha_value" + std::to_string(i), i);
  const Type free = type_of(R"({"type":"object","properties":{"n":{"type":"integer"}}})");
  const Checked taken = free.coerce(many, Source::kJson, "x");
  CHECK(taken.violations.empty());
  CHECK(taken.value.as_object()->size() == 300'001);
  CHECK(*taken.value.find("n") == Value(5));
  const Type strict = type_of(R"({"type":"object","additionalProperties":false,
      "properties":{"alpha_value":{"type":"integer"},"n":{"type":"integer"}}})");
  CHECK(strict.coerce(many, Source::kJson, "x").violations.size() == 101);
}

TEST_CASE("sensitive values stand in no message") {
  const char* const declarations[] = {
      R"({"type":"string","sensitive":true,"minLength":50})",
      R"({"type":"string","sensitive":true,"maxLength":1})",
      R"({"type":"string","sensitive":true,"pattern":"^x$"})",
      R"({"type":"string","sensitive":true,"format":"email"})",
      R"({"type":"string","sensitive":true,"format":"date"})",
      R"({"type":"string","sensitive":true,"enum":["a","b"]})",
      R"({"type":"integer","sensitive":true})",
      R"({"type":"boolean","sensitive":true})",
      R"({"type":"array","sensitive":true})",
      R"({"type":"object","sensitive":true})",
      R"({"type":"object","properties":{"key":{"type":"string","sensitive":true}}})",
      R"({"type":"array","items":{"type":"string","sensitive":true}})",
  };
  for (const char* declaration : declarations) {
    const Type type = type_of(declaration);
    for (const Source source : {Source::kText, Source::kJson}) {
      const std::string text = coerced(type, "hunter2", source);
      CAPTURE(text);
      CHECK(text.starts_with("x: "));
      CHECK(text.find("hunter2") == std::string::npos);
    }
  }
  const Type outer = type_of(R"({"type":"object","sensitive":true,
      "properties":{"list":{"type":"array","items":{"type":"integer"},"uniqueItems":true}}})");
  CHECK(coerced(outer, json(R"({"list":["hunter2"]})")) == "x.list[0]: expected an integer");
  CHECK(coerced(outer, json(R"({"list":[77,77]})")) ==
        "x.list: items must be unique, but [1] repeats [0]");
  const Type list = type_of(R"({"type":"array","uniqueItems":true,
      "items":{"type":"object","properties":{"key":{"type":"string","sensitive":true}}}})");
  CHECK(coerced(list, json(R"([{"key":"hunter2"},{"key":"hunter2"}])")) ==
        "x: items must be unique, but [1] repeats [0]");
}

TEST_CASE("values found are shortened") {
  const Type type = type_of(R"({"type":"integer"})");
  CHECK(coerced(type, std::string(1000, 'x')).size() < 250);
  CHECK(coerced(type, Array(100000, Value("x"))).size() < 250);
  Object wide;
  for (int i = 0; i < 1000; ++i) wide.add("key" + std::to_string(i), i);
  CHECK(coerced(type, wide).size() < 250);
  CHECK(coerced(type, ExactNumber{std::string(500, '1') + ".5"}).size() < 250);
}
