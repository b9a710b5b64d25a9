#include "types/shape.h"

#include <doctest/doctest.h>

#include "spec_builder.h"

using namespace mxcp;
using namespace mxcp::types;

namespace {

std::string shaped(const char* type, std::string_view result, bool rows) {
  const auto out = shape(json(result), type_of(std::string(R"({"type":")") + type + "\"}"), rows);
  if (out.ok()) return to_json(*out);
  CHECK(out.error().code == Code::kInvalidOutput);
  return out.error().text();
}

}  // namespace

TEST_CASE("rows") {
  CHECK(shaped("array", "[]", true) == "[]");
  CHECK(shaped("array", R"([{"a":1},{"a":2}])", true) == R"([{"a":1},{"a":2}])");
  CHECK(shaped("object", R"([{"a":1,"b":2}])", true) == R"({"a":1,"b":2})");
  CHECK(shaped("integer", R"([{"n":5}])", true) == "5");
  CHECK(shaped("string", R"([{"n":null}])", true) == "null");
  CHECK(shaped("string", R"([{"n":["x"]}])", true) == R"(["x"])");
  CHECK(shaped("object", "[]", true) ==
        "no results returned: expected one row for the return type 'object' "
        "(declare 'type: array' when there can be none)");
  CHECK(shaped("number", "[]", true).starts_with("no results returned"));
  CHECK(shaped("object", R"([{"a":1},{"a":2},{"a":3}])", true) ==
        "expected a single result of type 'object', got 3 rows "
        "(declare 'type: array' to return them all)");
  CHECK(shaped("string", R"([{"a":1,"b":2}])", true) == "expected a single column, got 2: a, b");
}

TEST_CASE("lists from functions") {
  CHECK(shaped("object", R"([{"a":1}])", false) == R"({"a":1})");
  CHECK(shaped("string", R"([{"a":"x"}])", false) == R"("x")");
  CHECK(shaped("string", R"(["x"])", false) == R"("x")");
  CHECK(shaped("boolean", R"([true])", false) == "true");
  CHECK(shaped("object", "[]", false) ==
        "expected a single result of type 'object', got an empty list");
  CHECK(shaped("integer", "[1,2]", false) ==
        "expected a single result of type 'integer', got 2 items "
        "(declare 'type: array' to return them all)");
  CHECK(shaped("integer", R"([{}])", false) == "expected a single column, got 0");
}

TEST_CASE("what is no list passes unchanged") {
  for (const char* type : {"object", "string", "array", "integer"}) {
    for (const char* value : {"null", R"({"a":1})", "5", R"("x")"}) {
      CHECK(shaped(type, value, false) == value);
    }
  }
}
