#include <doctest/doctest.h>

#include "base/json.h"
#include "base/yaml.h"
#include "support/mutate.h"

using namespace mxcp;

TEST_CASE("any text is YAML with a JSON form, or an error with its place") {
  test::Mutator mutator(test::corpus("yaml"), 1);
  int read = 0;
  const int rounds = test::fuzz_rounds(20'000);
  for (int i = 0; i < rounds; ++i) {
    const std::string text = mutator.next();
    CAPTURE(i);
    CAPTURE(text);
    const auto tree = parse_yaml(text, "a.yml");
    if (!tree.ok()) {
      REQUIRE(tree.error().place.file == "a.yml");
      REQUIRE(!tree.error().message.empty());
      continue;
    }
    ++read;
    const std::string json = to_json(tree->to_value());
    const auto again = parse_json(json, {.max_depth = 1000});
    REQUIRE(again.ok());
    REQUIRE(to_json(*again) == json);
  }
  // Neither all nor nothing, or the mutations would test nothing.
  CHECK(read > rounds / 20);
  CHECK(read < rounds * 19 / 20);
}

TEST_CASE("any text is JSON that is written back the same, or an error with its place") {
  test::Mutator mutator(test::corpus("json"), 2);
  int read = 0;
  const int rounds = test::fuzz_rounds(20'000);
  for (int i = 0; i < rounds; ++i) {
    const std::string text = mutator.next();
    CAPTURE(i);
    CAPTURE(text);
    const auto value = parse_json(text);
    if (!value.ok()) {
      REQUIRE(value.error().place.line > 0);
      REQUIRE(value.error().place.column > 0);
      continue;
    }
    ++read;
    const std::string json = to_json(*value);
    const auto again = parse_json(json);
    REQUIRE(again.ok());
    REQUIRE(to_json(*again) == json);
    const auto pretty = parse_json(to_pretty_json(*value));
    REQUIRE(pretty.ok());
    REQUIRE(to_json(*pretty) == json);
  }
  CHECK(read > rounds / 100);
}
