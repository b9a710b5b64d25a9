#include "invoke/sql_runner.h"

#include <doctest/doctest.h>

using namespace mxcp;
using invoke::SlowEndpoints;
using std::chrono::milliseconds;

TEST_CASE("an endpoint is slow by how long it took lately") {
  project::Endpoint report, lookup;
  report.name = "report";
  lookup.name = "lookup";
  SlowEndpoints slow;
  CHECK_FALSE(slow.contains(report));

  slow.note(report, milliseconds(99));
  CHECK_FALSE(slow.contains(report));
  slow.note(report, milliseconds(2000));
  CHECK(slow.contains(report));
  slow.note(lookup, milliseconds(1));
  CHECK_FALSE(slow.contains(lookup));

  // One quick time says little, some do.
  slow.note(report, milliseconds(1));
  CHECK(slow.contains(report));
  for (int i = 0; i < 6; ++i) slow.note(report, milliseconds(1));
  CHECK_FALSE(slow.contains(report));
}
