#include <doctest/doctest.h>

#include "fuzz/text_properties.h"
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
    const fuzz::Verdict verdict = fuzz::yaml(text);
    REQUIRE(verdict.wrong == "");
    read += verdict.accepted ? 1 : 0;
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
    const fuzz::Verdict verdict = fuzz::json(text);
    REQUIRE(verdict.wrong == "");
    read += verdict.accepted ? 1 : 0;
  }
  CHECK(read > rounds / 100);
}
