#include <doctest/doctest.h>

#include "spec_builder.h"
#include "types/node.h"
#include "types/shape.h"

using namespace mxcp;
using namespace mxcp::types;

namespace {

std::string schema(std::string_view declaration) {
  return to_json(type_of(declaration).json_schema());
}
std::string output(std::string_view declaration) {
  return to_json(output_schema(type_of(declaration)));
}
std::string portable(std::string_view pattern) {
  return portable_pattern(pattern).value_or("none");
}

}  // namespace

TEST_CASE("a declaration renders as it was declared") {
  for (
      const char* declaration :
      {R"({"type":"string"})", R"({"type":"string","format":"email","description":"Who"})",
       R"({"type":"string","enum":["a","b"],"default":"a","examples":["b"],"minLength":1,"maxLength":9,"pattern":"^\\w$"})",
       R"({"type":"number","minimum":0.5,"maximum":18446744073709551616,"multipleOf":0.1})",
       R"({"type":"integer","exclusiveMinimum":0,"exclusiveMaximum":10})",
       R"({"type":"array","minItems":1,"maxItems":2,"uniqueItems":true,"items":{"type":"string","format":"date"}})",
       R"({"type":"object","properties":{"z":{"type":"string"},"a":{"type":"object","default":{"q":[1]}}},"required":["z"],"additionalProperties":false})",
       R"({"type":"object"})", R"({"type":"string","enum":["a",null],"default":null})",
       R"({"type":"string","format":"date-time","default":"2024-01-31T00:00:00Z"})",
       R"({"type":"number","default":5,"examples":[0.1,2]})",
       R"({"type":"object","required":["b","a"]})"}) {
    CHECK(schema(declaration) == declaration);
  }
}

TEST_CASE("values in a schema are of the declared type") {
  CHECK(schema(R"({"type":"integer","default":"5","enum":["5",6.0,5]})") ==
        R"({"type":"integer","enum":[5,6],"default":5})");
  CHECK(schema(R"({"type":"string","default":5,"enum":[5,true]})") ==
        R"({"type":"string","enum":["5","true"],"default":"5"})");
  CHECK(schema(R"({"type":"boolean","default":"yes"})") == R"({"type":"boolean","default":true})");
  CHECK(schema(R"({"type":"array","items":{"type":"integer"},"default":"[1]"})") ==
        R"({"type":"array","default":[1],"items":{"type":"integer"}})");
}

TEST_CASE("a timestamp is explained in words") {
  CHECK(schema(R"({"type":"string","format":"timestamp","description":"When"})") ==
        R"({"type":"string","description":"When. Seconds since 1970-01-01T00:00:00Z, as a number )"
        R"(in text, or an ISO 8601 date-time with a zone."})");
}

TEST_CASE("sensitive types show no values") {
  CHECK(schema(R"({"type":"string","sensitive":true,"default":"hunter2","examples":["x"],
                   "minLength":1})") == R"({"type":"string","minLength":1})");
  CHECK(schema(R"({"type":"object","default":{"key":"hunter2"},"properties":{
                   "key":{"type":"string","sensitive":true}}})") ==
        R"({"type":"object","properties":{"key":{"type":"string"}}})");
}

TEST_CASE("the output schema of an object") {
  CHECK(output(R"({"type":"object","description":"A user","properties":{
        "id":{"type":"integer","minimum":1},
        "user":{"type":"object","properties":{"name":{"type":"string","enum":["a"]}}},
        "days":{"type":"array","items":{"type":"string","format":"date"}}},
        "required":["id"],"additionalProperties":false})") ==
        R"({"type":"object","description":"A user","properties":{)"
        R"("id":{"type":["integer","null"],"minimum":1},)"
        R"("user":{"type":["object","null"],"properties":{)"
        R"("name":{"type":["string","null"],"enum":["a",null]}}},)"
        R"("days":{"type":["array","null"],"items":{"type":["string","null"],"format":"date"}}},)"
        R"("required":["id"],"additionalProperties":false})");
  CHECK(output(R"({"type":"object"})") == R"({"type":"object"})");
}

TEST_CASE("everything else is wrapped") {
  CHECK(output(R"({"type":"array","items":{"type":"object"}})") ==
        R"({"type":"object","properties":{"result":{"type":["array","null"],)"
        R"("items":{"type":["object","null"]}}},"required":["result"]})");
  CHECK(output(R"({"type":"integer","enum":[1,2]})") ==
        R"({"type":"object","properties":{"result":{"type":["integer","null"],)"
        R"("enum":[1,2,null]}},"required":["result"]})");
  CHECK(is_wrapped(type_of(R"({"type":"string"})")));
  CHECK(!is_wrapped(type_of(R"({"type":"object"})")));
}

TEST_CASE("an output schema asserts nothing that validators see differently") {
  const auto inner = [](std::string_view declaration) {
    return to_json(type_of(declaration).output_json_schema(false));
  };
  for (const char* format : {"email", "uri", "time", "date-time", "duration", "timestamp"}) {
    CHECK(inner(std::string(R"({"type":"string","format":")") + format + "\"}") ==
          R"({"type":"string"})");
  }
  CHECK(inner(R"({"type":"number","multipleOf":0.1})") == R"({"type":"number"})");
  CHECK(inner(R"({"type":"number","multipleOf":10})") == R"({"type":"number","multipleOf":10})");
  CHECK(inner(R"({"type":"string","default":"a","examples":["b"]})") == R"({"type":"string"})");
  CHECK(inner(R"({"type":"string","pattern":"^\\d+\\.$"})") ==
        R"({"type":"string","pattern":"^[0-9]+\\.$"})");
  CHECK(inner(R"({"type":"string","pattern":"(?i)abc"})") == R"({"type":"string"})");
}

TEST_CASE("patterns that every dialect reads alike") {
  struct Case {
    const char* pattern;
    const char* expected;
  };
  const Case cases[] = {
      {"^[A-Z]{3}-[0-9]+$", "^[A-Z]{3}-[0-9]+$"},
      {R"(\d\w\s)", R"([0-9][0-9A-Za-z_][\t\n\f\r ])"},
      {R"(\D\W\S)", R"([^0-9][^0-9A-Za-z_][^\t\n\f\r ])"},
      {R"([\w.-])", R"([0-9A-Za-z_.-])"},
      {R"([\w-.])", R"([0-9A-Za-z_\-.])"},
      {R"([.-\d])", R"([.\-0-9])"},
      {R"([\D])", "none"},
      {"a.b", R"(a[^\n]b)"},
      {R"(a\.b\/c)", R"(a\.b\/c)"},
      {R"(a\-b\@c)", "a-b@c"},
      {R"([a\-z\]])", R"([a\-z\]])"},
      {"[]a]", R"([\]a])"},
      {"[^]a]", R"([^\]a])"},
      {"[[a]", R"([\[a])"},
      {"[[:alpha:]]", "none"},
      {"(?:a|b)+?", "(?:a|b)+?"},
      {"(a|b)*", "(a|b)*"},
      {"(?i)a", "none"},
      {"(?P<n>a)", "none"},
      {R"(\bword\b)", "none"},
      {R"(\p{L})", "none"},
      {R"(\x41)", "none"},
      {R"(\Aa\z)", "none"},
      {"a{2,}", "a{2,}"},
      {"a{,2}", R"(a\{,2\})"},
      {"{}", R"(\{\})"},
      {"a]", R"(a\])"},
      {"^*a", "none"},
      {"größe", "größe"},
      {"", ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.pattern);
    CHECK(portable(c.pattern) == c.expected);
  }
}
