#include "base/byte_budget.h"

#include <doctest/doctest.h>

using namespace mxcp;

TEST_CASE("what is taken from a budget counts for the one above, too") {
  const auto all = std::make_shared<ByteBudget>(10);
  ByteBudget a(8, all), b(8, all);
  CHECK(a.take(8));
  CHECK(!a.take(1));
  CHECK(!b.take(3));
  CHECK(b.take(2));
  CHECK((all->used() == 10 && b.used() == 2));
  // Nothing always finds its place.
  CHECK(b.take(0));
  a.give(8);
  CHECK(b.take(6));
  CHECK(all->used() == 8);
}
