#include "base/yaml.h"

#include <doctest/doctest.h>

#include "base/json.h"

using namespace mxcp;

namespace {

YamlNode parsed(std::string_view text) {
  auto node = parse_yaml(text, "f.yml");
  CAPTURE(node.ok() ? "" : node.error().text());
  REQUIRE(node.ok());
  return *std::move(node);
}

std::string error_of(std::string_view text, const YamlLimits& limits = {}) {
  const auto node = parse_yaml(text, "f.yml", limits);
  REQUIRE(!node.ok());
  CHECK(node.error().code == Code::kConfig);
  return node.error().text();
}

std::string json_of(std::string_view text) {
  return to_json(parsed(text).to_value());
}

// The type that a plain scalar resolves to, and its value.
std::string resolved(std::string_view scalar) {
  const Value value = *parsed("k: " + std::string(scalar)).to_value().find("k");
  return std::string(value.kind_name()) + " " + to_json(value);
}

std::string place_of(const YamlNode& node) {
  return std::to_string(node.line) + ":" + std::to_string(node.column);
}

std::string_view line_of(std::string_view text, int number) {
  for (int i = 1; i < number; ++i) text.remove_prefix(text.find('\n') + 1);
  return text.substr(0, text.find('\n'));
}

// Whether every character of a scalar stands where its map says, one behind the other. One that is
// written as an escape stands at its backslash.
void check_located(std::string_view file, const YamlNode& node) {
  REQUIRE(node.map.known());
  const auto is_inside = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
  TextMap::Position last;
  for (std::size_t i = 0; i < node.scalar.size(); ++i) {
    const char c = node.scalar[i];
    if (c == ' ' || c == '\n' || is_inside(c)) continue;
    CAPTURE(node.scalar.substr(0, i + 1));
    const TextMap::Position at = node.map.at_offset(node.scalar, i);
    CAPTURE(at.line);
    CAPTURE(at.column);
    CHECK(std::pair(last.line, last.column) < std::pair(at.line, at.column));
    last = at;
    std::string_view rest = line_of(file, at.line);
    for (int column = 1; column < at.column && !rest.empty(); ++column) {
      rest.remove_prefix(1);
      while (!rest.empty() && is_inside(rest[0])) rest.remove_prefix(1);
    }
    REQUIRE(!rest.empty());
    CHECK((rest.front() == c || rest.front() == '\\'));
  }
}

}  // namespace

TEST_CASE("every key and value has its place") {
  const YamlNode root = parsed("a: 1\nbc:\n  d: [x, {y: z}]\n  e:\n    - f\n    - g: h\n");
  CHECK(place_of(root) == "1:1");
  const auto& bc = *root.find_member("bc");
  CHECK(bc.line == 2);
  CHECK(bc.column == 1);
  CHECK(place_of(bc.value) == "3:3");
  const YamlNode& d = *bc.value.find("d");
  CHECK(place_of(d) == "3:6");
  CHECK(place_of(d.items[0]) == "3:7");
  CHECK(place_of(d.items[1]) == "3:10");
  CHECK(d.items[1].find_member("y")->column == 11);
  CHECK(place_of(*d.items[1].find("y")) == "3:14");
  const YamlNode& e = *bc.value.find("e");
  CHECK(place_of(e) == "5:5");
  CHECK(place_of(e.items[1]) == "6:7");
  CHECK(place_of(*e.items[1].find("g")) == "6:10");
}

TEST_CASE("columns count characters, not bytes") {
  const YamlNode root = parsed("ключ: [été, x]\n\"日本\": y\n");
  CHECK(place_of(root.members[0].value.items[1]) == "1:13");
  CHECK(place_of(root.members[1].value) == "2:7");
  CHECK(error_of("naïve: é: x\n") ==
        "f.yml:1:9: a value that contains ': ' must be in quotes (write \"é: x\")");
}

TEST_CASE("a value that is not there stands at its key or dash") {
  const YamlNode root = parsed("a:\n\n# comment\nb: ~\nc:\n  -\n  - x\n  -   # none\n");
  CHECK(root.find("a")->kind == YamlNode::Kind::kNull);
  CHECK(place_of(*root.find("a")) == "1:1");
  CHECK(place_of(*root.find("b")) == "4:4");
  const YamlNode& c = *root.find("c");
  CHECK(place_of(c.items[0]) == "6:3");
  CHECK(c.items[1].scalar == "x");
  CHECK(place_of(c.items[2]) == "8:3");
}

TEST_CASE("plain scalars resolve by the core schema of YAML 1.2") {
  CHECK(resolved("true") == "boolean true");
  CHECK(resolved("False") == "boolean false");
  CHECK(resolved("NULL") == "null null");
  CHECK(resolved("~") == "null null");
  CHECK(resolved("yes") == "string \"yes\"");
  CHECK(resolved("No") == "string \"No\"");
  CHECK(resolved("on") == "string \"on\"");
  CHECK(resolved("off") == "string \"off\"");
  CHECK(resolved("tRue") == "string \"tRue\"");
  CHECK(resolved("42") == "integer 42");
  CHECK(resolved("-0") == "integer 0");
  CHECK(resolved("+7") == "integer 7");
  CHECK(resolved("007") == "integer 7");
  CHECK(resolved("0o17") == "integer 15");
  CHECK(resolved("0x1F") == "integer 31");
  CHECK(resolved("0x") == "string \"0x\"");
  CHECK(resolved("0o8") == "string \"0o8\"");
  CHECK(resolved("1_000") == "string \"1_000\"");
  CHECK(resolved("12:30:45") == "string \"12:30:45\"");
  CHECK(resolved("2024-01-31") == "string \"2024-01-31\"");
  CHECK(resolved("1.50") == "number 1.5");
  CHECK(resolved(".5") == "number 0.5");
  CHECK(resolved("-.5") == "number -0.5");
  CHECK(resolved("1.") == "number 1.0");
  CHECK(resolved("1.e3") == "number 1000.0");
  CHECK(resolved("1e3") == "number 1000.0");
  CHECK(resolved("1e") == "string \"1e\"");
  CHECK(resolved(".") == "string \".\"");
  CHECK(resolved("1.2.3") == "string \"1.2.3\"");
  CHECK(resolved("9223372036854775807") == "integer 9223372036854775807");
  CHECK(resolved("123456789012345678901234567890") == "number 123456789012345678901234567890");
  CHECK(resolved("0.1000000000000000055511151231257827") ==
        "number 0.1000000000000000055511151231257827");
  CHECK(resolved("'42'") == "string \"42\"");
  CHECK(resolved("\"true\"") == "string \"true\"");
  CHECK(resolved("''") == "string \"\"");
  CHECK(resolved("!!str 42") == "string \"42\"");
  CHECK(resolved("!!int \"42\"") == "integer 42");
  CHECK(*parsed("k: -.inf").to_value().find("k")->as_double() < -1e308);
  CHECK(*parsed("k: .NaN").to_value().find("k")->as_double() !=
        *parsed("k: .NaN").to_value().find("k")->as_double());
}

TEST_CASE("descriptions for messages") {
  const YamlNode root = parsed(
      "a: x\nb: 5\nc: true\nd:\ne: [1]\nf: {a: 1}\ng: []\nh: {}\ni: ''\nj: |\n  x\n  y\nk: '5'\n");
  const auto described = [&](const char* key) { return root.find(key)->describe(); };
  CHECK(described("a") == "the string 'x'");
  CHECK(described("b") == "the number 5");
  CHECK(described("c") == "true");
  CHECK(described("d") == "nothing");
  CHECK(described("e") == "a list");
  CHECK(described("f") == "a mapping");
  CHECK(described("g") == "an empty list");
  CHECK(described("h") == "an empty mapping");
  CHECK(described("i") == "an empty string");
  CHECK(described("j") == "a text of several lines");
  CHECK(described("k") == "the string '5'");
}

TEST_CASE("the text of literal blocks maps back to the file") {
  const auto check = [](std::string_view file, std::string_view text, int line, int indent) {
    CAPTURE(file);
    const YamlNode root = parsed(file);
    const YamlNode& node = *root.find("code");
    CHECK(node.scalar == text);
    CHECK(node.map.first_line() == line);
    CHECK(node.map.indent() == indent);
    check_located(file, node);
  };
  check("code: |\n  SELECT 1\n  FROM t\n", "SELECT 1\nFROM t\n", 2, 2);
  check("code: |-\n    SELECT 1\n      FROM t\n\n", "SELECT 1\n  FROM t", 2, 4);
  check("code: |+\n  a\n\n\nb: 1\n", "a\n\n\n", 2, 2);
  check("code: |  # a comment\n  a\n", "a\n", 2, 2);
  check("code: |-  # a comment\n  a\n", "a", 2, 2);
  // With an indentation indicator, in both orders.
  check("code: |2\n    a\n   b\n  c\n", "  a\n b\nc\n", 2, 2);
  check("code: |1-\n  a\n b\n", " a\nb", 2, 1);
  check("code: |-1\n  a\n b\n", " a\nb", 2, 1);
  // Blank lines before the first text belong to it.
  check("code: |\n\n   \n    a\n", "\n\na\n", 2, 4);
  check("x: 1\n\ncode: |\n  a\n   \n  b  \n", "a\n \nb  \n", 4, 2);
  check("code: !!str |\n  a\n", "a\n", 2, 2);
  check("code: &x |\n  a\n", "a\n", 2, 2);
}

TEST_CASE("nested literal blocks map back too") {
  const std::string_view file =
      "tool:\n  source:\n    code: |\n      SELECT 1\n        , 2\n    - nope\n";
  CHECK(!parse_yaml(file, "f.yml").ok());
  const std::string_view good = "tool:\n  list:\n    - code: |2\n          x\n        y\n";
  const YamlNode root = parsed(good);
  const YamlNode& node = *root.find("tool")->find("list")->items[0].find("code");
  CHECK(node.scalar == "  x\ny\n");
  CHECK(node.map.indent() == 8);
  check_located(good, node);
}

TEST_CASE("text on one line maps back by its line and indentation") {
  const YamlNode root =
      parsed("a: SELECT 1\nb: 'SELECT 2'\nc: \"SELECT 3\"\nd: \"a\\tb\"\nh: {k: v}\n");
  const auto located = [&](const YamlNode& node) {
    return std::to_string(node.map.first_line()) + "," + std::to_string(node.map.indent());
  };
  CHECK(located(*root.find("a")) == "1,3");
  CHECK(located(*root.find("b")) == "2,4");
  CHECK(located(*root.find("c")) == "3,4");
  CHECK(!root.find("d")->map.keeps_lines());
  CHECK(located(*root.find("h")->find("k")) == "5,7");
  CHECK(!YamlNode().map.known());
}

TEST_CASE("text with escapes, over several lines or folded maps back to each byte") {
  const auto check = [](const std::string& scalar, std::string_view text) {
    // Behind text of two bytes to a character, and in a list.
    for (const std::string before : {"k: ", "ключ: 1\nk:   ", "a:\n- k: "}) {
      const std::string file = before + scalar + "\n";
      CAPTURE(file);
      const YamlNode root = parsed(file);
      const YamlNode* const list = root.find("a");
      const YamlNode& node = list ? *list->items[0].find("k") : *root.find("k");
      CHECK(node.scalar == text);
      CHECK(!node.map.keeps_lines());
      check_located(file, node);
    }
  };
  // Double quotes: escapes, lines that are folded, lines that are joined.
  check(R"("a\tb \"c\" \\ d\ne")", "a\tb \"c\" \\ d\ne");
  check("\"select 1, \\\n      nope,\n      2\"", "select 1, nope, 2");
  check("\"a  \\\n     \\  b\n\n\n  c  \n    d \"", "a    b\n\nc d ");
  check("\"a \\\n\n\n   b\"", "a \n\nb");
  check(R"("ä \xe4\u00e4\u20AC\U0001F986\N\_\L\P z")", "ä ää€🦆\u0085\u00a0\u2028\u2029 z");
  check("\"\n  a b\n  c\"", " a b c");
  check("\"🦆 'x'\n  🦆ä y \\/ \\x41\"", "🦆 'x' 🦆ä y / A");
  // Single quotes.
  check("'it''s ''''x'", "it's ''x");
  check("'a ''b'',\n\n     c\td\n   e'", "a 'b',\nc\td e");
  check("'x'' y\n   '", "x' y ");
  // Plain.
  check("a,\n   b,\n\n     c # comment", "a, b,\nc");
  // Folded.
  check(">\n   a b\n   c\n", "a b c\n");
  check(">-\n   a,\n   b\n\n     c\n      d\n\n\n   e\n   f\n", "a, b\n\n  c\n   d\n\n\ne f");
  check(">+\n\n\n   a\n   b\n\n\n", "\n\na b\n\n\n\n");
  check(">\n   a\n   \tb\n   c  \n   d\n", "a\n\tb\nc   d\n");
  check("!!str &x >-\n   ä a\n   ü b\n", "ä a ü b");
}

TEST_CASE("folded text with an indentation indicator maps back") {
  const std::string_view file = "k: >2 # comment\n        a\n     b\n  c\n  d\n";
  const YamlNode root = parsed(file);
  CHECK(root.find("k")->scalar == "      a\n   b\nc d\n");
  check_located(file, *root.find("k"));
}

TEST_CASE("places between and behind the characters are those of the text before") {
  const YamlNode root = parsed("k: >-\n  ab\n  cd\n");
  const YamlNode& node = *root.find("k");
  REQUIRE(node.scalar == "ab cd");
  using Position = TextMap::Position;
  CHECK(node.map.at_offset(node.scalar, 2) == Position{2, 5});
  CHECK(node.map.at_offset(node.scalar, 3) == Position{3, 3});
  CHECK(node.map.at_offset(node.scalar, 5) == Position{3, 5});
  CHECK(node.map.at_offset(node.scalar, 500) == Position{3, 5});
  // By line and column of the text, as parsers say it.
  CHECK(node.map.at(node.scalar, {1, 4}) == Position{3, 3});
  CHECK(node.map.at(node.scalar, {1, 99}) == Position{3, 5});
  CHECK(node.map.at(node.scalar, {7, 1}) == Position{3, 5});
  const YamlNode quoted = parsed("k: \"ä\\nü x\\n\"\n");
  const YamlNode& two = *quoted.find("k");
  CHECK(two.map.at(two.scalar, {2, 3}) == Position{1, 10});
  CHECK(two.map.at(two.scalar, {3, 1}) == Position{1, 13});
}

TEST_CASE("an alias stands where its anchor does") {
  const YamlNode root = parsed("a: &x 'it''s'\nb: *x\n");
  const YamlNode& node = *root.find("b");
  CHECK(node.map.at_offset(node.scalar, 3) == TextMap::Position{1, 12});
}

TEST_CASE("line ends and encodings") {
  const std::string lf = "a: 1\nb: |\n  x\n  y\nc: z\n";
  std::string crlf, cr, utf16_le = "\xFF\xFE", utf16_be = "\xFE\xFF";
  for (const char c : lf) {
    crlf += c == '\n' ? "\r\n" : std::string(1, c);
    cr += c == '\n' ? '\r' : c;
    utf16_le += {c, '\0'};
    utf16_be += {'\0', c};
  }
  for (const std::string& text : {lf, crlf, cr, utf16_le, utf16_be, "\xEF\xBB\xBF" + lf}) {
    const YamlNode root = parsed(text);
    CHECK(to_json(root.to_value()) == R"({"a":1,"b":"x\ny\n","c":"z"})");
    CHECK(root.find_member("c")->line == 5);
    CHECK(root.find("b")->map.first_line() == 3);
    CHECK(root.find("b")->map.indent() == 2);
  }
  // A character outside the basic plane is a surrogate pair in UTF-16.
  using namespace std::string_literals;
  CHECK(json_of("\xFF\xFE"
                "a\0:\0 \0\x3D\xD8\x00\xDE"s) == "{\"a\":\"\xF0\x9F\x98\x80\"}");
  CHECK(error_of("\xFF\xFE"
                 "a\0:\0 \0\x00\xDE"s) == "f.yml: the file is not valid UTF-16");
  CHECK(error_of("\xFE\xFF\0a\0"s) == "f.yml: the file is not valid UTF-16");
  CHECK(error_of("a: b\nc: caf\xE9\n") ==
        "f.yml:2:7: the file is not valid UTF-8 (save it with the encoding UTF-8)");
  CHECK(error_of("a\0:\0 \0b\0"s) ==
        "f.yml:1:2: the control character U+0000 is not allowed in YAML (save the file as UTF-8)");
  CHECK(error_of("a: x\x04y\nb: c\n") ==
        "f.yml:1:5: the control character U+0004 is not allowed in YAML (remove it, or write it as "
        "an escape in a double-quoted text)");
}

TEST_CASE("nothing is null") {
  for (const char* text : {"", "\n\n", "# only a comment\n", "---\n"}) {
    const auto node = parse_yaml(text, "f.yml");
    REQUIRE(node.ok());
    CHECK(node->kind == YamlNode::Kind::kNull);
  }
}

TEST_CASE("anchors, aliases and merge keys") {
  CHECK(json_of("a: &x {b: 1}\nc: *x\n") == R"({"a":{"b":1},"c":{"b":1}})");
  CHECK(json_of("base: &b {x: 1, y: 2}\nc:\n  <<: *b\n  y: 3\n") ==
        R"({"base":{"x":1,"y":2},"c":{"y":3,"x":1}})");
  CHECK(json_of("- &a {x: 1}\n- &b {x: 2, z: 4}\n- <<: [*a, *b]\n") ==
        R"([{"x":1},{"x":2,"z":4},{"x":1,"z":4}])");
  // An alias keeps the place of what it stands for.
  const YamlNode root = parsed("a: &x {b: 1}\nc: *x\n");
  CHECK(place_of(*root.find("c")->find("b")) == "1:11");
  CHECK(
      error_of("a: {<<: 5}\n") ==
      "f.yml:1:5: '<<' merges mappings, found the number 5 (write '<<: *name' with an anchor of a "
      "mapping)");
  CHECK(error_of("a: &x [*x]\n") ==
        "f.yml:1:8: an alias cannot refer to the value that contains it");
  CHECK(json_of("&k key: 1\nother: *k\n") == R"({"key":1,"other":"key"})");
}

TEST_CASE("limits") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 20; ++i) {
    const std::string name = "a" + std::to_string(i), before = "*a" + std::to_string(i - 1);
    bomb += name + ": &" + name + " [";
    for (int k = 0; k < 10; ++k) bomb += (k > 0 ? ", " : "") + before;
    bomb += "]\n";
  }
  CHECK(error_of(bomb).find("the file holds more than 200000 values (aliases (*name) count") !=
        std::string::npos);
  CHECK(error_of("[a, b, c]", {.max_nodes = 3}) ==
        "f.yml:1:8: the file holds more than 3 values (aliases (*name) count with all that they "
        "repeat)");
  CHECK(parse_yaml("[a, b, c]", "f.yml", {.max_nodes = 4}).ok());
  std::string anchors;
  for (int i = 0; i < 50; ++i) anchors += "&a" + std::to_string(i) + " [";
  for (int i = 0; i < 5000; ++i) anchors += "x,";
  anchors += std::string(50, ']');
  CHECK(error_of(anchors).find("anchors (&name) hold more than 200000 values") !=
        std::string::npos);
  CHECK(parsed(std::string(64, '[') + std::string(64, ']')).items.size() == 1);
  CHECK(error_of(std::string(65, '[') + std::string(65, ']')) ==
        "f.yml:1:65: values are nested deeper than 64 levels");
  CHECK(error_of("- a: &x [[[1]]]\n- [*x]\n", {.max_depth = 4}) ==
        "f.yml:1:11: values are nested deeper than 4 levels");
  CHECK(!parse_yaml(std::string(200000, '['), "f.yml").ok());
  CHECK(!parse_yaml(std::string(200000, '{'), "f.yml").ok());
  CHECK(error_of("aaaaaaaaaaa", {.max_bytes = 10}) ==
        "f.yml: the file has 11 bytes, more than the 10 that are allowed");
  // Looked at once, not once for each tab.
  CHECK(parsed("a: 1\n" + std::string(4'000'000, '\t')).members.size() == 1);
  // Large mappings stay quick, and duplicates are found in them too.
  std::string large;
  for (int i = 0; i < 3000; ++i) large += "k" + std::to_string(i) + ": 1\n";
  CHECK(parsed(large).members.size() == 3000);
  CHECK(
      error_of(large + "k7: 2\n") ==
      "f.yml:3001:1: the key 'k7' appears twice; it is already on line 8 (remove or rename one of "
      "them)");
}

TEST_CASE("syntax mistakes are explained where they begin") {
  struct Mistake {
    const char* text;
    const char* error;
  };
  const Mistake mistakes[] = {
      {"a: 1\nb: 2\na: 3\n",
       "3:1: the key 'a' appears twice; it is already on line 1 (remove or rename one of them)"},
      {"a: 1\n---\nb: 2\n",
       "2:1: the file holds more than one YAML document (remove the line '---' or split the file "
       "in "
       "two)"},
      // A colon without a space.
      {"tool:\n  name:greet\n  language: sql\n",
       "2:7: a space is missing after the colon in 'name:greet' (write 'name: greet')"},
      {"tool:\n  name: greet\n  language:sql\n",
       "3:11: a space is missing after the colon in 'language:sql' (write 'language: sql')"},
      {"- name:x\n  type: y\n",
       "1:7: a space is missing after the colon in '- name:x' (write '- name: x')"},
      {"return: {type:string}\n",
       "1:14: a space is missing after the colon in 'type:string' (write 'type: string')"},
      // No colon at all.
      {"a: b\nfoo\nc: d\n", "2:1: 'foo' is not followed by a colon (write 'foo: value')"},
      {"a: b\nfoo\n", "2:1: 'foo' is not followed by a colon (write 'foo: value')"},
      {": x\n", "1:1: a key is missing before the colon"},
      // A colon too many.
      {"description: Gets users: all of them\n",
       "1:24: a value that contains ': ' must be in quotes (write \"Gets users: all of them\")"},
      {"a: say \"x\": y\n",
       "1:11: a value that contains ': ' must be in quotes (write 'say \"x\": y')"},
      // Tabs.
      {"tool:\n\tname: x\n",
       "2:1: a tab is used to indent; YAML allows only spaces (replace it by spaces)"},
      {"tool:\n  name: x\n\tlanguage: y\n",
       "3:1: a tab is used to indent; YAML allows only spaces (replace it by spaces)"},
      {"tool:\n  \tname: x\n",
       "2:3: a tab is used to indent; YAML allows only spaces (replace it by spaces)"},
      {"code: |\n\tSELECT 1\n",
       "2:1: a tab is used to indent; YAML allows only spaces (replace it by spaces)"},
      {"a: [x,\n  @y]\n", "2:3: a value cannot begin with '@' (write \"@y]\")"},
      // Quotes.
      {"name: \"x\nlanguage: y\n",
       "1:7: the text that begins with \" here is never closed (add \" at its end)"},
      {"name: \"x", "1:7: the text that begins with \" here is never closed (add \" at its end)"},
      {"name: 'x", "1:7: the text that begins with ' here is never closed (add ' at its end)"},
      {"name: \"x\nlanguage: \"y\"\n",
       "1:7: the text that begins with \" here ends only on line 2 (a closing \" is probably "
       "missing on this line)"},
      {"name: 'it's'\n",
       "1:11: unexpected text after the closing ' (inside single quotes write '' for an "
       "apostrophe, "
       "or use double quotes)"},
      {"name: \"a\" b\n",
       "1:11: unexpected text after the closing \" (inside double quotes write \\\" for a quote, "
       "or "
       "put it all in single quotes)"},
      {"path: \"C:\\data\"\n",
       "1:10: '\\d' is no escape that double quotes know (write '\\\\' for a backslash, or use "
       "single quotes)"},
      {"a: \"x\n---\ny\"\n",
       "2:1: '---' or '...' at the start of a line ends the document, but a quoted text is still "
       "open (close the quote before, or indent the line)"},
      // First characters with a meaning.
      {"a: @home\n", "1:4: a value cannot begin with '@' (write \"@home\")"},
      {"a: `x`\n", "1:4: a value cannot begin with '`' (write \"`x`\")"},
      {"a: %x\n", "1:4: a value cannot begin with '%' (write \"%x\")"},
      {"a: *\n", "1:4: a value cannot begin with '*' (write \"*\")"},
      {"a: **bold** text\n", "1:4: a value cannot begin with '*' (write \"**bold** text\")"},
      {"a: *x y\n",
       "1:4: '*x' refers to an anchor '&x' that is not defined above (if it is meant as text, "
       "write "
       "\"*x y\")"},
      {"a: !x y\n",
       "1:4: the YAML tag '!x' is not supported (put text that begins with '!' in quotes)"},
      {"a: !!binary y\n",
       "1:4: the YAML tag '!!binary' is not supported (put text that begins with '!' in quotes)"},
      {"a: {{ name }}\n",
       "1:5: a key must be a single word or text, found a mapping (put text that begins with '{' "
       "or "
       "'[' in quotes)"},
      {"a: ? b\n", "1:4: '? ' cannot stand here (put text that begins with '?' in quotes)"},
      {"a: - b\n",
       "1:4: a list item cannot begin on the line of its key (put '- ...' on a line of its own, or "
       "text that begins with '-' in quotes)"},
      {"a: ,b\n", "1:4: unexpected ',' (put the whole value in quotes)"},
      // Brackets.
      {"tool:\n  tags: [a, b\n  name: c\n", "2:9: this '[' is never closed (add ']')"},
      {"a: {b: 1\n", "1:4: this '{' is never closed (add '}')"},
      {"a: [b", "1:4: this '[' is never closed (add ']')"},
      {"a: [b,\n", "1:4: this '[' is never closed (add ']')"},
      {"a: [\n", "1:4: this '[' is never closed (add ']')"},
      {"a: {b:\n", "1:4: this '{' is never closed (add '}')"},
      {"a: b\nc: {d: e}}\n",
       "2:10: there is no bracket that this '}' closes (remove it, or put text that contains "
       "brackets in quotes)"},
      {"a: [b] c\n", "1:8: unexpected text after ']' (put the whole value in quotes)"},
      {"a: [\"b\" \"c\"]\nd: e\n",
       "1:9: a comma is missing before this (separate the entries by ', ', or put text with ':' or "
       "brackets in quotes)"},
      {"a: {b: 1 c: 2}\n",
       "1:11: a comma is missing before this (separate the entries by ', ', or put text with ':' "
       "or "
       "brackets in quotes)"},
      {"a: [b, , c]\n",
       "1:8: a value is missing before this ',' (remove the comma, or write the value)"},
      // Indentation.
      {"tool:\n  name: x\n   language: y\n",
       "3:4: this line is indented under 'name', which already has a value (align it with 'name', "
       "or remove that value)"},
      {"tool:\n    name: x\n  language: y\n",
       "3:3: the indentation of this line (2 spaces) fits none of the lines above (align it with "
       "the keys that it belongs to)"},
      {"tool:\n  tests:\n    - name: x\n   - name: y\n",
       "4:4: the indentation of this line (3 spaces) fits none of the lines above (align it with "
       "the keys that it belongs to)"},
      {"a:\n  - b\n  c: d\n",
       "3:3: a key cannot stand beside the list item on line 2 (begin it with '- ', or align it "
       "with the key that it belongs to)"},
      {"tool:\n  name: x\n- a\n",
       "3:1: a list item cannot stand beside the key on line 1 (indent it under the key it belongs "
       "to)"},
      {"a: |\n    SELECT 1\n   FROM t\n",
       "3:4: this line is indented less than the first line of its text block (give all lines of "
       "the block at least the indentation of the first)"},
      {"a: | SELECT 1\n",
       "1:6: after '|' or '>' only a number from 1 to 9, '+' or '-' may stand (begin the text on "
       "the next line, indented)"},
  };
  for (const Mistake& mistake : mistakes) {
    CAPTURE(std::string(mistake.text));
    CHECK(error_of(mistake.text) == "f.yml:" + std::string(mistake.error));
  }
}

TEST_CASE("characters of several bytes do not shift places") {
  // U+2028 and U+0085 end a line for YAML 1.1, not for an editor.
  const YamlNode root =
      parsed("a: \"x\xE2\x80\xA8y\"\nb: \"\xC2\x85\"\nс: [é, z]\nd: |\n  é\n  w\n");
  CHECK(place_of(root.members[1].value) == "2:4");
  CHECK(place_of(root.members[2].value.items[1]) == "3:8");
  CHECK(root.members[3].value.map.first_line() == 5);
  CHECK(error_of("é: \"è\"\nü: \"ab\\d\"\n") ==
        "f.yml:2:7: '\\d' is no escape that double quotes know (write '\\\\' for a backslash, or "
        "use single quotes)");
}

TEST_CASE("punctuation inside plain text of a list") {
  CHECK(json_of("a: [what?, x-y, a:b, c#d]\n") == R"({"a":["what?","x-y","a:b","c#d"]})");
  CHECK(json_of("a: {b?: c, d: e?}\n") == R"({"a":{"b?":"c","d":"e?"}})");
}

TEST_CASE("tabs are fine where they do not indent") {
  CHECK(json_of("a: |\n  x\n\t\nb: 1\n") == R"({"a":"x\n","b":1})");
  CHECK(json_of("a: 1\n\t\nb: 2\n") == R"({"a":1,"b":2})");
  CHECK(json_of("a:\tb\nc: d\t# e\n") == R"({"a":"b","c":"d"})");
  CHECK(json_of("code: |\n  a\tb\n  \tc\n") == R"({"code":"a\tb\n\tc\n"})");
}
