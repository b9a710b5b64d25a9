#include <doctest/doctest.h>

#include "fuzz/endpoint_properties.h"
#include "support/mutate.h"

using namespace mxcp;

// The text of an endpoint file and arguments for it, both nearly right.
TEST_CASE("any endpoint file loads or is explained, and coerces or refuses any argument") {
  test::Mutator files(test::corpus("endpoints"), 3, 1);
  test::Mutator values(test::corpus("json"), 4, 1);
  int loaded = 0, bound = 0;
  const int rounds = test::fuzz_rounds(500);
  for (int i = 0; i < rounds; ++i) {
    const std::string text = files.next();
    CAPTURE(i);
    CAPTURE(text);
    const project::EndpointFile file = project::parse_endpoint(text, "t.yml");
    REQUIRE(fuzz::endpoint(file, "t.yml").wrong == "");
    if (!file.endpoint) continue;
    ++loaded;
    for (int n = 0; n < 10; ++n) {
      Object given;
      for (const auto& entry : file.endpoint->parameters.entries()) {
        const std::string argument = values.next();
        auto json = parse_json(argument);
        given.set(entry.name, json.ok() ? *std::move(json) : Value(argument.substr(0, 8)));
      }
      const fuzz::Verdict verdict =
          fuzz::arguments(file.endpoint->parameters, given,
                          n % 2 == 0 ? types::Source::kJson : types::Source::kText);
      REQUIRE(verdict.wrong == "");
      bound += verdict.accepted ? 1 : 0;
    }
  }
  CHECK(loaded > rounds / 20);
  CHECK(bound > 0);
}
