#include "types/parameters.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "spec_builder.h"

using namespace mxcp;
using namespace mxcp::types;

namespace {

std::string bound(const ParameterSet& set, std::string_view arguments,
                  Source source = Source::kJson) {
  const auto result = set.bind(*json(arguments).as_object(), source);
  if (!result.ok()) {
    CHECK(result.error().code == Code::kInvalidArgs);
    return result.error().message;
  }
  std::string out;
  for (const auto& [name, value] : *result) out += name + "=" + to_json(value) + ";";
  return out;
}

const char* const kGreeting = R"({"name":{"type":"string","minLength":1},
    "formal":{"type":"boolean","default":false},
    "when":{"type":"string","format":"date","default":"2024-01-31"},
    "note":{"type":"string","default":null}})";

}  // namespace

TEST_CASE("arguments come in declaration order with defaults") {
  const ParameterSet set = parameters_of(kGreeting);
  CHECK(bound(set, R"({"formal":true,"name":"Ann"})") ==
        R"(name="Ann";formal=true;when="2024-01-31";note=null;)");
  CHECK(bound(set, R"({"name":"Ann","formal":"yes","note":"x"})", Source::kText) ==
        R"(name="Ann";formal=true;when="2024-01-31";note="x";)");
  const auto result = set.bind(Object{{"name", "Ann"}}, Source::kJson);
  REQUIRE(result.ok());
  CHECK((*result)[2].second.as_date());
  CHECK(bound(set, R"({"name":null})") == R"(name=null;formal=false;when="2024-01-31";note=null;)");
}

TEST_CASE("every problem of a call is listed") {
  const ParameterSet set = parameters_of(kGreeting);
  CHECK(bound(set, "{}") == "required parameter 'name' is missing");
  CHECK(bound(set, R"({"name":"Ann","frmal":1})") ==
        "unknown parameter 'frmal' (did you mean 'formal'?)");
  CHECK(bound(set, R"({"name":"Ann","surname_of_the_person":1})") ==
        "unknown parameter 'surname_of_the_person' (the parameters are name, formal, when, note)");
  CHECK(bound(set, R"({"nme":"Ann","formal":"maybe","when":"soon"})") ==
        "required parameter 'name' is missing\n"
        "parameter 'formal': expected a boolean (true or false), got \"maybe\"\n"
        "parameter 'when': must be a valid date (YYYY-MM-DD), got \"soon\"\n"
        "unknown parameter 'nme' (did you mean 'name'?)");
}

TEST_CASE("of very many unknown arguments the first are listed") {
  Object given{{"name", "Ann"}};
  for (int i = 0; i < 300'000; ++i) given.add("frmal" + std::to_string(i), i);
  const auto result = parameters_of(kGreeting).bind(given, Source::kJson);
  REQUIRE(!result.ok());
  CHECK(std::count(result.error().message.begin(), result.error().message.end(), '\n') == 100);
  CHECK(result.error().message.ends_with("\nand 299900 more unknown parameters"));
}

TEST_CASE("arguments of a schema of one's own are finite, too") {
  const ParameterSet set = ParameterSet::of_schema(json(R"({"type":"object"})"));
  CHECK(bound(set, R"({"a":[1e308,{"b":1}]})") == R"(a=[1e+308,{"b":1}];)");
  CHECK(bound(set, R"({"a":[1,{"b":-1e309}]})") ==
        "a[1].b: expected a number up to 1.8e308, got -1e309");
}

TEST_CASE("problems inside an argument carry their path") {
  const ParameterSet set = parameters_of(R"({"user_ids":{"type":"array",
      "items":{"type":"integer","minimum":1},"minItems":1,"maxItems":50},
      "filter":{"type":"object","default":null,"properties":{"from":{"type":"string"}},
                "required":["from"],"additionalProperties":false}})");
  CHECK(bound(set, R"({"user_ids":[]})") ==
        "parameter 'user_ids': must have at least 1 item, got 0");
  CHECK(bound(set, R"({"user_ids":[1,0,"x"],"filter":{"frm":1}})") ==
        "parameter 'user_ids[1]': must be at least 1, got 0\n"
        "parameter 'user_ids[2]': expected an integer, got \"x\"\n"
        "parameter 'filter': required property 'from' is missing\n"
        "parameter 'filter': unexpected property 'frm' (did you mean 'from'?)");
  CHECK(bound(set, R"({"user_ids":"[1,2]","filter":"{\"from\":\"a\"}"})", Source::kText) ==
        R"(user_ids=[1,2];filter={"from":"a"};)");
}

TEST_CASE("without parameters every argument is refused") {
  const ParameterSet set = parameters_of("{}");
  CHECK(set.empty());
  CHECK(bound(set, "{}") == "");
  CHECK(bound(set, R"({"a":1})") == "unknown parameter 'a' (there are no parameters)");
  CHECK(to_json(set.json_schema()) ==
        R"({"type":"object","properties":{},"additionalProperties":false})");
}

TEST_CASE("the schema of parameters") {
  CHECK(to_json(parameters_of(kGreeting).json_schema()) ==
        R"({"type":"object","properties":{)"
        R"("name":{"type":"string","minLength":1},)"
        R"("formal":{"type":"boolean","default":false},)"
        R"("when":{"type":"string","format":"date","default":"2024-01-31"},)"
        R"("note":{"type":"string","default":null}},)"
        R"("required":["name"],"additionalProperties":false})");
}

TEST_CASE("entries") {
  const ParameterSet set = parameters_of(kGreeting);
  REQUIRE(set.entries().size() == 4);
  CHECK(!set.entries()[0].optional());
  CHECK(set.entries()[3].optional());
  REQUIRE(set.find("formal"));
  CHECK(set.find("formal")->type.spec().kind == Kind::kBoolean);
  CHECK(!set.find("Formal"));
}

TEST_CASE("problems of all parameters, with their places") {
  auto specs = parameter_specs(R"({"a":{"type":"integer","default":"x"},"b":{"type":"string"},
      "c":{"type":"array","items":{"type":"string","minLength":2,"maxLength":1}}})");
  specs[0].place = {"tools/t.yml", 5, 3};
  specs[2].place = {"tools/t.yml", 9, 3};
  const auto problems = ParameterSet::problems(specs);
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].text() ==
        "tools/t.yml:5:3: parameter 'a': the type refuses its own default: expected an integer, "
        "got \"x\"");
  CHECK(problems[1].text() ==
        "tools/t.yml:9:3: parameter 'c[]': 'minLength' (2) is greater than 'maxLength' (1)");
  const auto compiled = ParameterSet::compile(specs);
  REQUIRE(!compiled.ok());
  CHECK(compiled.error().text() == problems[0].text());
}
