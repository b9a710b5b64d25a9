#include "cli/table.h"

#include <doctest/doctest.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/result_text.h"

using namespace mxcp;
using cli::display_width;
using cli::fit;
using cli::layout;
using cli::printable;

namespace {

cli::Table table(std::vector<std::string> header, std::vector<std::vector<std::string>> rows) {
  cli::Table out;
  out.header = std::move(header);
  out.rows = std::move(rows);
  return out;
}

Value json(std::string_view text) {
  auto value = parse_json(text);
  REQUIRE(value.ok());
  return *std::move(value);
}

std::size_t widest_line(const std::string& text) {
  std::size_t widest = 0;
  for (const auto& line : split(text, '\n')) widest = std::max(widest, display_width(line));
  return widest;
}

}  // namespace

TEST_CASE("display width counts columns of the terminal") {
  CHECK(display_width("abc") == 3);
  CHECK(display_width("größe") == 5);
  CHECK(display_width("日本") == 4);
  CHECK(display_width("🎉") == 2);
  CHECK(display_width("e\u0301") == 1);  // a combining accent
  CHECK(display_width("\xff") == 1);
  CHECK(display_width("") == 0);
}

TEST_CASE("text is cut at whole characters") {
  CHECK(fit("abcdef", 6) == "abcdef");
  CHECK(fit("abcdef", 4) == "abc…");
  CHECK(fit("日本語", 5) == "日本…");
  CHECK(fit("日本語", 4) == "日…");
  CHECK(fit("abc", 1) == "…");
  CHECK(fit("abc", 0) == "");
}

TEST_CASE("control characters cannot steer the terminal") {
  CHECK(printable("a\nb\tc\rd") == "a\\nb\\tc\\rd");
  CHECK(printable("\x1b[31mred") == "\\x1b[31mred");
  CHECK(printable("\u009b") == "\\x9b");
  CHECK(printable("ü\xff") == "ü\uFFFD");
}

TEST_CASE("columns are as wide as their content, numbers to the right") {
  auto two = table({"id", "name"}, {{"1", "Ada"}, {"100", "李小龍"}, {"7"}});
  two.right = {true, false};
  CHECK(layout(two, {}) ==
        " id  name\n"
        "---  ------\n"
        "  1  Ada\n"
        "100  李小龍\n"
        "  7\n");
}

TEST_CASE("columns of wide characters line up") {
  CHECK(layout(table({"a", "b"}, {{"日本", "x"}, {"abc", "y"}}), {}) ==
        "a     b\n"
        "----  -\n"
        "日本  x\n"
        "abc   y\n");
}

TEST_CASE("a table fits the terminal") {
  const std::string long_text(80, 'x');
  const auto wide = table({"one", "two", "three"}, {{long_text, long_text, "short"}});
  for (const std::size_t width : {120u, 80u, 40u, 24u}) {
    CAPTURE(width);
    const std::string text = layout(wide, {.width = width});
    CHECK(widest_line(text) <= width);
    CHECK(text.find("three") != std::string::npos);
    CHECK(text.find("…") != std::string::npos);
  }
  // The short column keeps its text while the long ones give way.
  CHECK(layout(wide, {.width = 40}).find("short") != std::string::npos);
}

TEST_CASE("columns without room are left out by name") {
  std::vector<std::string> header, row;
  for (int i = 0; i < 10; ++i) {
    header.push_back("column_" + std::to_string(i));
    row.push_back("value_of_" + std::to_string(i));
  }
  const std::string text = layout(table(header, {row}), {.width = 30});
  CHECK(text.find("(no room for 6 columns: column_4, column_5") != std::string::npos);
  CHECK(widest_line(split(text, '\n').front()) <= 30);
}

TEST_CASE("long cells and many rows are cut, and it is said") {
  auto many = table({"n"}, {});
  for (int i = 0; i < 250; ++i) many.rows.push_back({std::to_string(i)});
  const std::string text = layout(many, {});
  CHECK(split(text, '\n').size() == 1 + 1 + 100 + 1 + 1);
  CHECK(text.find("… and 150 more\n") != std::string::npos);
  many.rows.resize(100);
  CHECK(layout(many, {}).find("more") == std::string::npos);
  many.total_rows = 1000;
  CHECK(layout(many, {}).find("… and 900 more\n") != std::string::npos);
  CHECK(layout(table({"x"}, {{std::string(200, 'y')}}), {}) ==
        "x\n" + std::string(50, '-') + "\n" + std::string(49, 'y') + "…\n");
}

TEST_CASE("results as text") {
  CHECK(cli::result_text(json(R"([{"id": 1, "n": null}, {"n": "x", "id": 22}])"), {}) ==
        "id  n\n"
        "--  ----\n"
        " 1  NULL\n"
        "22  x\n");
  CHECK(cli::result_text(json(R"([{"a": {"b": [1]}}])"), {}) == "a\n---------\n{\"b\":[1]}\n");
  CHECK(cli::result_text(json("[1, 20]"), {}) == "value\n-----\n    1\n   20\n");
  CHECK(cli::result_text(json(R"(["a", "b"])"), {}) == "value\n-----\na\nb\n");
  CHECK(cli::result_text(json("[]"), {}) == "[]\n");
  CHECK(cli::result_text(json(R"({"a": 1})"), {}) == "{\n  \"a\": 1\n}\n");
  CHECK(cli::result_text(json("12.5"), {}) == "12.5\n");
  CHECK(cli::result_text(json("null"), {}) == "null\n");
  CHECK(cli::result_text(json("\"two words\""), {}) == "two words\n");
}

TEST_CASE("a list of different things is shown as JSON, with a word about it") {
  const std::string text = cli::result_text(json(R"([{"a": 1}, {"b": 2}])"), {});
  CHECK(text.find("(the items differ in their keys, ") == 0);
  CHECK(cli::result_text(json("[1, [2]]"), {}).find("(the items are of different kinds, ") == 0);
  CHECK(cli::result_text(json("[[1], [2]]"), {}).front() == '[');
  CHECK(cli::result_text(json("[{}, {}]"), {}).front() == '[');
  CHECK(text.find("\"b\": 2") != std::string::npos);
  CHECK(cli::result_text(json("[1, {}]"), {}).find("differ") != std::string::npos);
  CHECK(cli::result_text(json("[{}, {}]"), {}).find("{}") != std::string::npos);
}
