#include "types/type.h"

#include <doctest/doctest.h>

using namespace mxcp;
using namespace mxcp::types;

TEST_CASE("kinds and formats have names") {
  for (const std::string& name : kind_names()) CHECK(name_of(*kind_from(name)) == name);
  for (const std::string& name : format_names()) CHECK(name_of(*format_from(name)) == name);
  CHECK(!kind_from("strng"));
  CHECK(!format_from(""));
  CHECK(name_of(Format::kNone) == "");
}
