#include <doctest/doctest.h>

#include "fuzz/cel_properties.h"
#include "support/mutate.h"

using namespace mxcp;

TEST_CASE("any text is a condition that ends and tells no data, or is explained") {
  for (const std::string& text : test::corpus("cel")) {
    CAPTURE(text);
    const fuzz::Verdict verdict = fuzz::condition(text);
    CHECK(verdict.accepted);
    CHECK(verdict.wrong == "");
  }
  test::Mutator mutator(test::corpus("cel"), 11);
  int compiled = 0;
  const int rounds = test::fuzz_rounds(20'000);
  for (int i = 0; i < rounds; ++i) {
    const std::string text = mutator.next();
    CAPTURE(i);
    CAPTURE(text);
    const fuzz::Verdict verdict = fuzz::condition(text);
    REQUIRE(verdict.wrong == "");
    compiled += verdict.accepted ? 1 : 0;
  }
  CHECK(compiled > rounds / 50);
  CHECK(compiled < rounds * 19 / 20);
}
