#include "quality/assertions.h"

#include <doctest/doctest.h>

#include "base/json.h"
#include "quality/test_runner.h"

using namespace mxcp;
using quality::check_assertions;
using quality::to_python_text;

namespace {

Value json(std::string_view text) {
  auto value = parse_json(text);
  REQUIRE_MESSAGE(value.ok(), (value.ok() ? "" : value.error().text()));
  return *std::move(value);
}

std::string check(const std::function<void(project::TestCase&)>& set, std::string_view actual) {
  project::TestCase test;
  set(test);
  return check_assertions(test, json(actual));
}

std::string result(std::string_view expected, std::string_view actual) {
  return check([&](auto& test) { test.result = json(expected); }, actual);
}

std::string contains(std::string_view expected, std::string_view actual) {
  return check([&](auto& test) { test.result_contains = json(expected); }, actual);
}

std::string item(std::string_view expected, std::string_view actual) {
  return check([&](auto& test) { test.result_contains_item = json(expected); }, actual);
}

std::string all(std::vector<Value> expected, std::string_view actual) {
  return check([&](auto& test) { test.result_contains_all = std::move(expected); }, actual);
}

std::string lacks(std::vector<std::string> keys, std::string_view actual) {
  return check([&](auto& test) { test.result_not_contains = std::move(keys); }, actual);
}

std::string length(std::uint64_t expected, std::string_view actual) {
  return check([&](auto& test) { test.result_length = expected; }, actual);
}

std::string text(std::string expected, std::string_view actual) {
  return check([&](auto& test) { test.result_contains_text = std::move(expected); }, actual);
}

}  // namespace

TEST_CASE("result is deep equality, whatever the order of keys") {
  CHECK(result(R"({"a": 1, "b": [1, {"c": null}]})", R"({"b": [1, {"c": null}], "a": 1})") == "");
  CHECK(result("[1, 2]", "[2, 1]") == "result: expected [1,2], got [2,1]");
  CHECK(result("\"2024-01-31\"", "\"2024-01-31\"") == "");
  CHECK(result("1", "1.0") == "");
  CHECK(result("1", "\"1\"") == "result: expected 1, got \"1\"");
  CHECK(result("true", "1") == "result: expected true, got 1");
}

TEST_CASE("result tells falsy values apart") {
  const std::vector<std::string> falsy = {"null", "0", "false", "\"\"", "[]", "{}"};
  for (const auto& expected : falsy) {
    for (const auto& actual : falsy) {
      CAPTURE(expected);
      CAPTURE(actual);
      CHECK((result(expected, actual) == "") == (expected == actual));
    }
  }
}

TEST_CASE("result_contains on an object compares the given keys exactly") {
  const char* actual = R"({"a": 1, "b": {"c": 1, "d": 2}, "n": null})";
  CHECK(contains(R"({"a": 1})", actual) == "");
  CHECK(contains(R"({"n": null})", actual) == "");
  CHECK(contains("{}", actual) == "");
  CHECK(contains(R"({"a": 2})", actual) == "result_contains: 'a': expected 2, got 1");
  CHECK(contains(R"({"z": null})", actual) ==
        "result_contains: the result has no key 'z'; it has 'a', 'b', 'n'");
  CHECK(contains(R"({"b": {"c": 1}})", actual) ==
        R"(result_contains: 'b': expected {"c":1}, got {"c":1,"d":2})");
  CHECK(contains("1", actual).find("expected keys and values, not 1") != std::string::npos);
}

TEST_CASE("result_contains on a list looks for one matching item") {
  const char* rows = R"([{"id": 1, "x": 1}, {"id": 2, "x": 1}])";
  CHECK(contains(R"({"id": 2, "x": 1})", rows) == "");
  CHECK(contains(R"({"x": 1})", rows) == "");
  CHECK(contains(R"({"id": 1, "x": 2})", rows) != "");
  CHECK(contains("2", "[1, 2]") == "");
  CHECK(contains("[2]", "[1, [2]]") == "");
  CHECK(contains("3", "[1, 2]") == "result_contains: no item of the list matches 3; got [1,2]");
  CHECK(contains("1", "1") == "result_contains: expected an object or a list, got integer: 1");
  CHECK(contains("{}", "null") == "result_contains: expected an object or a list, got null: null");
}

TEST_CASE("result_not_contains wants an object without the keys") {
  CHECK(lacks({"b", "c"}, R"({"a": 1})") == "");
  CHECK(lacks({"a", "b"}, R"({"a": null})") == "result_not_contains: the result has the key 'a'");
  CHECK(lacks({"a"}, "[1]") == "result_not_contains: expected an object, got array: [1]");
}

TEST_CASE("assertions on lists") {
  CHECK(item("1", "[3, 1]") == "");
  CHECK(item(R"({"a": 1})", R"([{"a": 1, "b": 2}])") == "");
  CHECK(item("2", "[3, 1]") == "result_contains_item: no item matches 2; got [3,1]");
  CHECK(item("1", "1") == "result_contains_item: expected a list, got integer: 1");

  CHECK(all({3, 1}, "[1, 2, 3]") == "");
  CHECK(all({}, "[]") == "");
  CHECK(all({1, 4, 5}, "[1, 2, 3]") ==
        "result_contains_all: no item matches 4\nresult_contains_all: no item matches 5");
  CHECK(all({1}, "{}") == "result_contains_all: expected a list, got object: {}");

  CHECK(length(0, "[]") == "");
  CHECK(length(2, "[1, 2]") == "");
  CHECK(length(1, "[1, 2]") == "result_length: expected 1 item, got 2");
  CHECK(length(0, "null") == "result_length: expected a list, got null: null");
  CHECK(length(2, "\"ab\"") == "result_length: expected a list, got string: \"ab\"");
}

TEST_CASE("result_contains_text searches the text itself, and JSON and Python spellings of data") {
  CHECK(text("Hi Alice", "\"Hi Alice!\"") == "");
  const char* object = R"({"greeting": "Hi Alice!", "formal": false, "n": [1, 2], "x": null})";
  CHECK(text("Hi Alice", object) == "");
  CHECK(text("'formal': False", object) == "");
  CHECK(text("'x': None", object) == "");
  CHECK(text("[1, 2]", object) == "");
  CHECK(text(R"("formal":false)", object) == "");
  CHECK(text(R"("formal": false)", object) == "");
  CHECK(text("\"n\": [\n    1", object) == "");
  CHECK(text("Ho", "\"Hi\"") == "result_contains_text: 'Ho' is not in \"Hi\"");
  CHECK(text("None", "null") == "");
  CHECK(text("null", "null") == "");
}

TEST_CASE("Python's spelling of values") {
  CHECK(to_python_text(json(R"("bare ' text")")) == "bare ' text");
  CHECK(to_python_text(json(R"([true, false, null, 1, 1.0, -2.5, "a"])")) ==
        "[True, False, None, 1, 1.0, -2.5, 'a']");
  CHECK(to_python_text(json(R"(["it's", "say \"hi\"", "both ' and \"", "a\\b\n\u0001"])")) ==
        R"(["it's", 'say "hi"', 'both \' and "', 'a\\b\n\x01'])");
  CHECK(to_python_text(json(R"({"a": {}, "b": []})")) == "{'a': {}, 'b': []}");
}

TEST_CASE("every assertion of a test is reported") {
  project::TestCase test;
  CHECK(check_assertions(test, 1) == "");
  test.result = 2;
  test.result_length = 1;
  CHECK(check_assertions(test, 1) ==
        "result: expected 2, got 1\nresult_length: expected a list, got integer: 1");
}
