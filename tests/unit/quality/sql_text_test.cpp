#include "quality/sql_text.h"

#include <doctest/doctest.h>

using mxcp::quality::placeholders;

namespace {

// "name@offset", separated by spaces.
std::string found(std::string_view sql) {
  std::string out;
  for (const auto& placeholder : placeholders(sql)) {
    if (!out.empty()) out += ' ';
    out += placeholder.name + "@" + std::to_string(placeholder.offset);
  }
  return out;
}

}  // namespace

TEST_CASE("placeholders are found with their offsets") {
  CHECK(found("SELECT $a, $b_2 WHERE x=$a") == "a@7 b_2@11 a@24");
  CHECK(found("SELECT $1, ?") == "1@7 @11");
  CHECK(found("$größe") == "größe@0");
  CHECK(found("SELECT 1") == "");
  CHECK(found("") == "");
}

TEST_CASE("what only looks like a placeholder is passed over") {
  CHECK(found("'$a' $b") == "b@5");
  CHECK(found("'it''s $a' $b") == "b@11");
  CHECK(found("\"$a\"\"$c\" $b") == "b@9");
  CHECK(found("-- $a\n$b") == "b@6");
  CHECK(found("/* $a /* $c */ $d */ $b") == "b@21");
  CHECK(found("$$ $a $$ $b") == "b@9");
  CHECK(found("$tag$ $a $$ $tag$ $b") == "b@18");
  CHECK(found("col$a $b") == "b@6");
  CHECK(found("E'\\'$a' $b") == "b@8");
  CHECK(found("'\\' $b") == "b@4");
  CHECK(found("'$a") == "");
  CHECK(found("/* $a") == "");
  CHECK(found("$ 1") == "");
}
