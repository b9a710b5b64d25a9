#include <doctest/doctest.h>

#include "base/json.h"
#include "project/endpoint.h"
#include "support/mutate.h"
#include "support/temp_project.h"

using namespace mxcp;

// The text of an endpoint file and arguments for it, both nearly right: an endpoint or errors with
// places; arguments that are valid JSON, or an error that names the parameter.
TEST_CASE("any endpoint file loads or is explained, and coerces or refuses any argument") {
  const test::TempProject project({{"tools/t.yml", ""}});
  test::Mutator files(test::corpus("endpoints"), 3, 1);
  test::Mutator values(test::corpus("json"), 4, 1);
  const fs::path path = project.root() / "tools" / "t.yml";
  int loaded = 0, bound = 0;
  const int rounds = test::fuzz_rounds(500);
  for (int i = 0; i < rounds; ++i) {
    const std::string text = files.next();
    CAPTURE(i);
    CAPTURE(text);
    REQUIRE(write_file(path, text).ok());
    const project::EndpointFile file = project::load_endpoint(path, project.root());
    for (const Error& error : file.errors) {
      REQUIRE(error.place.file == "tools/t.yml");
      REQUIRE(!error.rule.empty());
    }
    REQUIRE((file.endpoint != nullptr || !file.errors.empty() || !file.warnings.empty()));
    if (!file.endpoint) continue;
    ++loaded;
    REQUIRE(parse_json(to_json(file.endpoint->parameters.json_schema())).ok());
    for (int n = 0; n < 10; ++n) {
      Object arguments;
      for (const auto& entry : file.endpoint->parameters.entries()) {
        const std::string given = values.next();
        auto json = parse_json(given);
        arguments.set(entry.name, json.ok() ? *std::move(json) : Value(given.substr(0, 8)));
      }
      const auto result = file.endpoint->parameters.bind(
          arguments, n % 2 == 0 ? types::Source::kJson : types::Source::kText);
      if (!result.ok()) {
        REQUIRE(result.error().message.find("parameter") != std::string::npos);
        continue;
      }
      ++bound;
      Object out;
      for (const auto& [name, value] : *result) out.set(name, value);
      REQUIRE(parse_json(to_json(out), {.max_depth = 1000}).ok());
    }
  }
  CHECK(loaded > rounds / 20);
  CHECK(bound > 0);
}
