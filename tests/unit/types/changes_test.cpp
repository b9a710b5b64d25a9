#include "types/changes.h"

#include <doctest/doctest.h>

#include "base/json.h"

using namespace mxcp;
using namespace mxcp::types;

namespace {

TypeSpec of(Kind kind) {
  TypeSpec spec;
  spec.kind = kind;
  return spec;
}

TypeSpec person() {
  TypeSpec spec = of(Kind::kObject);
  TypeSpec mail = of(Kind::kString);
  mail.pattern = "@";
  mail.min_length = 6;
  TypeSpec level = of(Kind::kInteger);
  level.minimum = 1;
  level.enum_values = {{1, 2}};
  TypeSpec card = of(Kind::kString);
  card.sensitive = true;
  TypeSpec cards = of(Kind::kArray);
  cards.items = std::make_shared<TypeSpec>(card);
  cards.min_items = 1;
  spec.properties = {{"mail", mail}, {"level", level}, {"card", card}, {"cards", cards}};
  spec.required = {"mail", "level", "card"};
  return spec;
}

std::string schema(TypeSpec spec, const ResultChanges& changes) {
  auto type = Type::compile(std::move(spec));
  REQUIRE(type.ok());
  return to_json(output_schema(*type, changes));
}

std::string own(const char* text, const ResultChanges& changes, bool sound = true) {
  Value schema = *parse_json(text);
  CHECK(allow_changes(schema, changes) == sound);
  return to_json(schema);
}

}  // namespace

TEST_CASE("a published schema stays as it is without changes") {
  auto type = Type::compile(person());
  REQUIRE(type.ok());
  CHECK(to_json(output_schema(*type, {})) == to_json(output_schema(*type)));
}

TEST_CASE("what may be removed is not required, what may be masked may be text") {
  const std::string changed = schema(person(), {{"mail"}, {"level", "mail"}, false});
  CHECK(changed ==
        R"({"type":"object","properties":{"mail":{"type":["string","null"]},)"
        R"("level":{"type":["integer","null","string"],"enum":[1,2,null,"****"],"minimum":1},)"
        R"("card":{"type":["string","null"]},)"
        R"("cards":{"type":["array","null"],"minItems":1,"items":{"type":["string","null"]}}},)"
        R"("required":["level","card"]})");
  TypeSpec list = of(Kind::kArray);
  list.items = std::make_shared<TypeSpec>(person());
  list.unique_items = true;
  list.min_items = 1;
  const std::string changed_list = schema(list, {{"mail", "level", "card"}, {}, false});
  CHECK(changed_list.find("required\":[\"mail") == std::string::npos);
  CHECK(changed_list.find("uniqueItems") == std::string::npos);
  CHECK(changed_list.find(R"("minItems":1,"items":{"type":["object","null"])") !=
        std::string::npos);
  CHECK(changed_list.ends_with(R"("required":["result"]})"));
  // Items of any kind may lose what told them apart.
  TypeSpec any = of(Kind::kArray);
  any.unique_items = true;
  CHECK(schema(any, {{"mail"}, {}, false}) == schema(of(Kind::kArray), {}));
  // No fields: nothing to say.
  TypeSpec text = of(Kind::kString);
  text.pattern = "a";
  CHECK(schema(text, {{"mail"}, {"result"}, false}) == schema(text, {}));
}

TEST_CASE("sensitive parts may be absent") {
  const std::string changed = schema(person(), {{}, {}, true});
  CHECK(changed.find(R"("required":["mail","level"])") != std::string::npos);
  CHECK(changed.find("minItems") == std::string::npos);
  CHECK(changed.find(R"("minLength":6)") != std::string::npos);
}

TEST_CASE("a schema of the author's own") {
  const char* const object =
      R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"$ref":"#/$defs/b"}},)"
      R"("required":["a","b"],"minProperties":2,"additionalProperties":false})";
  CHECK(own(object, {{"a"}, {"b", "c"}, false}) ==
        R"({"type":"object","properties":{"a":{"type":"integer"},)"
        R"("b":{"anyOf":[{"$ref":"#/$defs/b"},{"const":"****"}]}},"required":["b"],)"
        R"("additionalProperties":false})");
  CHECK(own(object, {{}, {}, true}) == object);
  CHECK(own(R"({"additionalProperties":{"type":"integer"}})", {{}, {"x"}, false}) ==
        R"({"additionalProperties":{"type":"integer"},)"
        R"("properties":{"x":{"anyOf":[{"type":"integer"},{"const":"****"}]}}})");
  own(R"({"allOf":[{"required":["a"]}]})", {{"a"}, {}, false}, false);
  own(R"({"properties":{"a":{"allOf":[true]}}})", {{"a"}, {}, false});
  CHECK(own("true", {{"a"}, {}, false}) == "true");
}
