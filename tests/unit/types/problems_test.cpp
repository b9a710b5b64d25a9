#include <doctest/doctest.h>

#include <cmath>

#include "spec_builder.h"

using namespace mxcp;
using namespace mxcp::types;

namespace {

// Every problem with its hint, one per line.
std::string problems(const TypeSpec& spec) {
  std::string out;
  for (const Error& error : Type::problems(spec)) {
    CHECK(error.code == Code::kConfig);
    if (!out.empty()) out += '\n';
    out += error.text();
  }
  CHECK(Type::compile(spec).ok() == out.empty());
  return out;
}
std::string problems_of(std::string_view declaration) {
  return problems(spec_of(declaration));
}

struct Case {
  const char* declaration;
  const char* expected;
};

}  // namespace

TEST_CASE("sound declarations have no problems") {
  for (const char* declaration :
       {R"({"type":"string"})",
        R"({"type":"string","minLength":3,"maxLength":3,"pattern":"^a.c$"})",
        R"({"type":"number","minimum":1,"maximum":1})",
        R"({"type":"number","exclusiveMinimum":0,"maximum":0.5,"multipleOf":0.25})",
        R"({"type":"array"})", R"({"type":"array","minItems":0,"maxItems":0})",
        R"({"type":"object","required":["anything"]})",
        R"({"type":"object","properties":{"a":{"type":"string"}},"required":["a"]})",
        R"({"type":"string","default":null})", R"({"type":"integer","default":null,"minimum":1})",
        R"({"type":"integer","default":"5","enum":["5",10.0]})",
        R"({"type":"string","default":5,"enum":[5,"x"]})",
        R"({"type":"string","format":"date","default":"2024-01-31","examples":["2023-12-31"]})",
        R"({"type":"string","format":"timestamp","default":0})",
        R"({"type":"string","enum":["a",null]})",
        R"({"type":"object","properties":{"minimum":{"type":"integer"}}})"}) {
    CAPTURE(declaration);
    CHECK(problems_of(declaration) == "");
  }
}

TEST_CASE("keywords that do not apply") {
  const Case cases[] = {
      {R"({"type":"integer","minLength":1})",
       "'minLength' applies to strings, not to type integer (did you mean 'minimum'?)"},
      {R"({"type":"array","maxLength":1})",
       "'maxLength' applies to strings, not to type array (did you mean 'maxItems'?)"},
      {R"({"type":"string","minimum":1})",
       "'minimum' applies to numbers and integers, not to type string (did you mean 'minLength'?)"},
      {R"({"type":"string","exclusiveMaximum":1})",
       "'exclusiveMaximum' applies to numbers and integers, not to type string "
       "(did you mean 'maxLength'?)"},
      {R"({"type":"boolean","pattern":"x"})", "'pattern' applies to strings, not to type boolean"},
      {R"({"type":"object","multipleOf":2})",
       "'multipleOf' applies to numbers and integers, not to type object"},
      {R"({"type":"string","minItems":2})",
       "'minItems' applies to arrays, not to type string (did you mean 'minLength'?)"},
      {R"({"type":"object","uniqueItems":true})",
       "'uniqueItems' applies to arrays, not to type object"},
      {R"({"type":"string","items":{"type":"string"}})",
       "'items' applies to arrays, not to type string"},
      {R"({"type":"array","properties":{"a":{"type":"string"}}})",
       "'properties' applies to objects, not to type array (declare an object under 'items')"},
      {R"({"type":"string","required":["a"]})",
       "'required' applies to objects, not to type string"},
      {R"({"type":"integer","additionalProperties":false})",
       "'additionalProperties' applies to objects, not to type integer"},
      {R"({"type":"integer","format":"timestamp"})",
       "'format' applies to strings, not to type integer (use 'type: string' with this format)"},
  };
  for (const auto& [declaration, expected] : cases) CHECK(problems_of(declaration) == expected);
}

TEST_CASE("a keyword with its default value is told by its place") {
  TypeSpec spec = spec_of(R"({"type":"string"})");
  spec.places["uniqueItems"] = {"tools/a.yml", 4, 3};
  CHECK(problems(spec) == "tools/a.yml:4:3: 'uniqueItems' applies to arrays, not to type string");
  TypeSpec object = spec_of(R"({"type":"object","properties":{"format":{"type":"string"}}})");
  object.places["format"] = {"tools/a.yml", 4, 3};
  CHECK(problems(object) == "");
}

TEST_CASE("contradictory bounds") {
  const Case cases[] = {
      {R"({"type":"string","minLength":5,"maxLength":3})",
       "'minLength' (5) is greater than 'maxLength' (3)"},
      {R"({"type":"array","minItems":2,"maxItems":1})",
       "'minItems' (2) is greater than 'maxItems' (1)"},
      {R"({"type":"integer","minimum":2,"maximum":1})",
       "'minimum' (2) is greater than 'maximum' (1)"},
      {R"({"type":"number","minimum":0.1,"exclusiveMaximum":0.1})",
       "no value lies between 'minimum' (0.1) and 'exclusiveMaximum' (0.1)"},
      {R"({"type":"number","exclusiveMinimum":3,"maximum":3.0})",
       "no value lies between 'exclusiveMinimum' (3) and 'maximum' (3.0)"},
      {R"({"type":"number","exclusiveMinimum":18446744073709551616,
           "exclusiveMaximum":18446744073709551615})",
       "'exclusiveMinimum' (18446744073709551616) is greater than 'exclusiveMaximum' "
       "(18446744073709551615)"},
      {R"({"type":"number","multipleOf":0})", "'multipleOf' must be greater than 0, got 0"},
      {R"({"type":"number","multipleOf":-0.5})", "'multipleOf' must be greater than 0, got -0.5"},
      {R"({"type":"number","multipleOf":0.1234567890123456789})",
       "'multipleOf' may have at most 18 significant digits"},
      {R"({"type":"number","minimum":"5"})", "'minimum' must be a number, got \"5\""},
      {R"({"type":"number","maximum":true})", "'maximum' must be a number, got true"},
  };
  for (const auto& [declaration, expected] : cases) CHECK(problems_of(declaration) == expected);
  TypeSpec endless = spec_of(R"({"type":"number"})");
  endless.minimum = Value(-HUGE_VAL);
  CHECK(problems(endless) == "'minimum' must be a number, got -infinity");
}

TEST_CASE("bad patterns") {
  const Case cases[] = {
      {R"j({"type":"string","pattern":"(abc"})j", "invalid pattern '(abc': missing ): (abc"},
      {R"({"type":"string","pattern":"[a-"})", "invalid pattern '[a-': missing ]: [a-"},
      {R"j({"type":"string","pattern":"^(?=.*\\d)"})j",
       "invalid pattern '^(?=.*\\d)': invalid perl operator: (?= "
       "(patterns are RE2: no lookahead, no lookbehind; a named group is (?P<name>...))"},
      {R"j({"type":"string","pattern":"(a)\\1"})j",
       "invalid pattern '(a)\\1': invalid escape sequence: \\1 "
       "(patterns are RE2: they have no backreferences)"},
      {R"({"type":"string","pattern":"a**"})",
       "invalid pattern 'a**': bad repetition operator: **"},
  };
  for (const auto& [declaration, expected] : cases) CHECK(problems_of(declaration) == expected);
}

TEST_CASE("values that their own type refuses") {
  const Case cases[] = {
      {R"({"type":"integer","default":"x"})",
       "the type refuses its own default: expected an integer, got \"x\""},
      {R"({"type":"integer","minimum":1,"default":0})",
       "the type refuses its own default: must be at least 1, got 0"},
      {R"({"type":"string","enum":["a","b"],"default":"c"})",
       "the type refuses its own default: must be one of \"a\", \"b\", got \"c\""},
      {R"({"type":"integer","enum":[1,"two",3.5]})",
       "the type refuses its own enum[1]: expected an integer, got \"two\"\n"
       "the type refuses its own enum[2]: expected an integer, got 3.5"},
      {R"({"type":"string","maxLength":2,"enum":["ab","abc"]})",
       "the type refuses its own enum[1]: must have at most 2 characters, got 3: \"abc\""},
      {R"({"type":"string","format":"date","examples":["2024-02-29","2023-02-29"]})",
       "the type refuses its own examples[1]: must be a valid date (YYYY-MM-DD), got "
       "\"2023-02-29\" (that month has no such day)"},
      {R"({"type":"object","properties":{"a":{"type":"array","items":{"type":"integer"}}},
           "default":{"a":[1,"x"]}})",
       "the type refuses its own default.a[1]: expected an integer, got \"x\""},
      {R"({"type":"string","enum":[]})", "'enum' must list at least one value"},
      {R"({"type":"string","enum":[null]})", "'enum' must list a value besides null"},
      {R"({"type":"string","sensitive":true,"maxLength":3,"default":"hunter2"})",
       "the type refuses its own default: must have at most 3 characters"},
  };
  for (const auto& [declaration, expected] : cases) CHECK(problems_of(declaration) == expected);
}

TEST_CASE("one mistake is reported once") {
  // The default is not tried against a type that is itself wrong.
  CHECK(problems_of(R"({"type":"integer","minimum":5,"maximum":1,"default":3})") ==
        "'minimum' (5) is greater than 'maximum' (1)");
}

TEST_CASE("required names") {
  const Case cases[] = {
      {R"({"type":"object","properties":{"from":{"type":"string"}},"required":["frm"]})",
       "'required' names 'frm', which is not among the properties (did you mean 'from'?)"},
      {R"({"type":"object","additionalProperties":false,"required":["a"]})",
       "'required' names 'a', which is not among the properties"},
  };
  for (const auto& [declaration, expected] : cases) CHECK(problems_of(declaration) == expected);
}

TEST_CASE("all problems, at any depth, with their places") {
  TypeSpec spec = spec_of(R"({"type":"object","properties":{
      "list":{"type":"array","items":{"type":"object","properties":{
          "n":{"type":"integer","minimum":2,"maximum":1}}}},
      "s":{"type":"string","pattern":"("}},"required":["nothing_like_it"]})");
  spec.place = {"tools/t.yml", 3, 1};
  spec.properties[1].second.place = {"tools/t.yml", 9, 5};
  spec.properties[1].second.places["pattern"] = {"tools/t.yml", 10, 16};
  const auto found = Type::problems(spec, "filter");
  REQUIRE(found.size() == 3);
  CHECK(found[0].text() ==
        "parameter 'filter.list[].n': 'minimum' (2) is greater than 'maximum' (1)");
  CHECK(found[1].text() ==
        "tools/t.yml:10:16: parameter 'filter.s': invalid pattern '(': missing ): (");
  CHECK(found[2].text() ==
        "tools/t.yml:3:1: parameter 'filter': 'required' names 'nothing_like_it', which is not "
        "among the properties");
  CHECK(Type::problems(spec)[0].message.starts_with("'list[].n': "));
  CHECK(problems_of(R"({"type":"array","items":{"type":"string","minimum":1}})") ==
        "'items': 'minimum' applies to numbers and integers, not to type string "
        "(did you mean 'minLength'?)");
}

TEST_CASE("a property declared twice") {
  TypeSpec spec = spec_of(R"({"type":"object","properties":{"a":{"type":"string"}}})");
  spec.properties.push_back(spec.properties.front());
  CHECK(problems(spec) == "property 'a' is declared twice");
}

TEST_CASE("a compiled type may be copied and outlives its specification") {
  std::optional<Type> copy;
  {
    TypeSpec spec = spec_of(R"({"type":"object","properties":{"long_property_name_here":
        {"type":"string","pattern":"^a","default":"abc"}},"additionalProperties":false})");
    auto type = Type::compile(std::move(spec));
    REQUIRE(type.ok());
    copy = *type;
  }
  const Checked checked = copy->coerce(json("{}"), Source::kJson, "x");
  CHECK(to_json(checked.value) == R"({"long_property_name_here":"abc"})");
  CHECK(copy->spec().properties.size() == 1);
}
