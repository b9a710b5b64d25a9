// The language as a table: what each expression gives. Most rows have their like in the conformance
// tests of the specification.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/json.h"
#include "cel/program.h"

namespace {

using namespace mxcp;
using cel::Names;
using cel::Problem;
using cel::Program;

const Names kNames{.variables = {"n", "user", "response", "none", "type"}};

// What the expression gives as JSON, "error: ..." when it cannot be evaluated, "no: ..." when it
// does not compile.
std::string result_of(std::string_view text) {
  static const Value n(9), type("t");
  static const Value user = *parse_json(
      R"({"role":"guest","permissions":["read","list"],"email":null,"level":3,
          "raw":{"department":"sales","ratio":0.5}})");
  static const Value response =
      Array{Object{{"id", 1},
                   {"name", "Ann"},
                   {"salary", ExactNumber{"5000.50", true}},
                   {"huge", ExactNumber{"18446744073709551615"}},
                   {"born", Date{0}},
                   {"at", Timestamp{0, true, 0}},
                   {"none", nullptr}},
            Object{{"id", 2}, {"name", "Bob"}, {"salary", ExactNumber{"3"}}, {"tags", Array{"x"}}}};
  const Value* const values[] = {&n, &user, &response, nullptr, &type};
  auto made = Program::compile_expression(text, kNames);
  if (auto* problem = std::get_if<Problem>(&made)) return "no: " + problem->message;
  auto given = std::get<Program>(made).evaluate(values);
  if (auto* problem = std::get_if<Problem>(&given)) return "error: " + problem->message;
  return to_json(std::get<Value>(given));
}

struct Row {
  std::string text, gives;
};
void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(result_of(row.text) == row.gives);
  }
}

std::string repeated(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

}  // namespace

TEST_CASE("literals") {
  check({
      {"1", "1"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"9223372036854775807", "9223372036854775807"},
      {"9223372036854775808", "no: the number 9223372036854775808 is out of range"},
      {"0x7F", "127"},
      {"-0x10", "-16"},
      {"18446744073709551615u", "18446744073709551615"},
      {"0xFFu", "255"},
      {"18446744073709551616u", "no: the number 18446744073709551616u is out of range"},
      {"1.5", "1.5"},
      {".5", "0.5"},
      {"-2.5e-1", "-0.25"},
      {"1e3", "1000.0"},
      {"12abc", "no: '12abc' is no number"},
      {"true", "true"},
      {"null", "null"},
      {R"('a"b')", R"("a\"b")"},
      {R"("a'b")", R"("a'b")"},
      {R"('''a
'b''')",
       R"("a\n'b")"},
      {R"("""x""y""")", R"("x\"\"y")"},
      {R"(r'\d+')", R"("\\d+")"},
      {R"(R"a\nb")", R"("a\\nb")"},
      {R"('\x41\u00e9\U0001F600\101\n\t\\\?\`')", "\"A\u00e9\U0001F600A\\n\\t\\\\?`\""},
      {R"('\377')", "\"\u00ff\""},
      {R"('\uD83D')", "no: the escape is no Unicode character"},
      {R"('\q')", "no: a backslash stands before something that is no escape"},
      {R"('\477')", "no: an octal escape has three digits, \\000 to \\377"},
      {R"('\x4')", "no: the escape needs 2 digits"},
      {R"(size(b'\xff\303'))", "2"},
      {R"(b'abc' == bytes('abc'))", "true"},
      {R"(br'\n' == b'\\n')", "true"},
      {R"(b'\u0041')", "no: bytes have no \\u escapes"},
      {"'open", "no: the string that begins here has no end"},
      {"'two\nlines'", "no: the string that begins here has no end"},
      {"[1, 'a', [true],]", R"([1,"a",[true]])"},
      {"{'a': 1, 'b': {2: 3u,},}", R"({"a":1,"b":{"2":3}})"},
      {"{'a': 1, 'a': 2}", "error: the map has a key twice"},
      {"{1: 1, 1u: 2}", "error: the map has a key twice"},
      {"{1.5: 1}", "error: a key of a map has no meaning for a double"},
      {"1 // a comment\n + 2", "3"},
  });
}

TEST_CASE("arithmetic: no conversions, no overflow") {
  check({
      {"1 + 2 * 3 - 4", "3"},
      {"(1 + 2) * 3", "9"},
      {"7 / 2", "3"},
      {"-7 / 2", "-3"},
      {"-7 % 3", "-1"},
      {"7 % -3", "1"},
      {"1 / 0", "error: division by zero"},
      {"1 % 0", "error: division by zero"},
      {"1u / 0u", "error: division by zero"},
      {"9223372036854775807 + 1", "error: the result of '+' is out of range"},
      {"-9223372036854775808 - 1", "error: the result of '-' is out of range"},
      {"9223372036854775807 * 2", "error: the result of '*' is out of range"},
      {"-9223372036854775808 / -1", "error: the result of '/' is out of range"},
      {"-9223372036854775808 % -1", "error: the result of '%' is out of range"},
      {"-(-9223372036854775808)", "error: the result of '-' is out of range"},
      {"--n", "9"},
      {"---n", "-9"},
      {"0u - 1u", "error: the result of '-' is out of range"},
      {"18446744073709551615u + 1u", "error: the result of '+' is out of range"},
      {"-1u", "error: '-' has no meaning for a uint"},
      {"1.0 / 0.0", "null"},
      {"1.0 / 0.0 > 1e308", "true"},
      {"1.5 % 1.0", "error: '%' has no meaning for a double and a double"},
      {"1 + 1.0", "error: '+' has no meaning for an int and a double"},
      {"1 + 1u", "error: '+' has no meaning for an int and a uint"},
      {"'a' + 'b'", R"("ab")"},
      {"'a' + 1", "error: '+' has no meaning for a string and an int"},
      {"'a' * 2", "error: '*' has no meaning for a string and an int"},
      {"[1] + [2, 3]", "[1,2,3]"},
      {"b'a' + b'b' == b'ab'", "true"},
      {"n - 1", "8"},
      {"n -1", "8"},
      {"-n", "-9"},
  });
}

TEST_CASE("equality and order: numbers by their worth, all else by type") {
  check({
      {"1 == 1.0", "true"},
      {"1u == 1", "true"},
      {"1 == 1.5", "false"},
      {"9007199254740993 == 9007199254740992.0", "false"},
      {"9223372036854775807 < 9223372036854775808.0", "true"},
      {"18446744073709551615u == 18446744073709551616.0", "false"},
      {"-1 < 0u", "true"},
      {"18446744073709551615u > -1", "true"},
      {"-1.5 < -1", "true"},
      {"-1 > -1.5", "true"},
      {"2 <= 2.0 && 2.0 >= 2u", "true"},
      {"double('NaN') == double('NaN')", "false"},
      {"double('NaN') != double('NaN')", "true"},
      {"double('NaN') < 1 || double('NaN') >= 1", "false"},
      {"'1' == 1", "false"},
      {"null == false", "false"},
      {"null == null", "true"},
      {"user.email == null", "true"},
      {"user.email != 'x'", "true"},
      {"[1, 2] == [1.0, 2u]", "true"},
      {"[1, 2] == [2, 1]", "false"},
      {"{'a': 1, 'b': 2} == {'b': 2.0, 'a': 1}", "true"},
      {"{'a': 1} == {'a': 1, 'b': 2}", "false"},
      {"'a' < 'b' && 'a' < 'aa' && '\u00e9' > 'z'", "true"},
      {"b'a' < b'b'", "true"},
      {"false < true", "true"},
      {"1 < 'a'", "error: '<' has no meaning for an int and a string"},
      {"null < 1", "error: '<' has no meaning for null and an int"},
      {"[1] < [2]", "error: '<' has no meaning for a list and a list"},
      {"1 < 2 == true", "true"},
      {"n == 9", "true"},
      {"n != 9", "false"},
  });
}

TEST_CASE("&& and || absorb errors, in both orders; nothing but a bool is true") {
  check({
      {"true && true", "true"},
      {"false || true", "true"},
      {"false && 1 / 0 == 1", "false"},
      {"1 / 0 == 1 && false", "false"},
      {"true || 1 / 0 == 1", "true"},
      {"1 / 0 == 1 || true", "true"},
      {"true && 1 / 0 == 1", "error: division by zero"},
      {"1 / 0 == 1 && true", "error: division by zero"},
      {"false || 1 / 0 == 1", "error: division by zero"},
      {"user.missing == 1 || user.role == 'guest'", "true"},
      {"user.missing == 1 || user.role == 'admin'", "error: no such key: 'missing'"},
      {"user.missing == 1 && user.other == 1", "error: no such key: 'missing'"},
      {"none == 1 || n == 9", "true"},
      {"none == 1", "error: 'none' is not known here"},
      {"'x' && false", "false"},
      {"'x' || true", "true"},
      {"'x' && true", "error: '&&' has no meaning for a string"},
      {"1 || false", "error: '||' has no meaning for an int"},
      {"!0", "error: '!' has no meaning for an int"},
      {"!!true", "true"},
      {"true || false && false", "true"},
      {"true ? 1 : 1 / 0", "1"},
      {"false ? 1 / 0 : 2", "2"},
      {"1 / 0 == 1 ? 1 : 2", "error: division by zero"},
      {"'x' ? 1 : 2", "error: '?' has no meaning for a string"},
      {"false ? 1 : true ? 2 : 3", "2"},
  });
}

TEST_CASE("members, elements, in and has") {
  check({
      {"user.role", R"("guest")"},
      {"user['role']", R"("guest")"},
      {"user.raw.department", R"("sales")"},
      {"user.missing", "error: no such key: 'missing'"},
      {"user['missing']", "error: no such key"},
      {"user[1]", "error: no such key"},
      {"n.role", "error: an int has no member 'role'"},
      {"user.email.domain", "error: null has no member 'domain'"},
      {"has(user.role)", "true"},
      {"has(user.email)", "true"},
      {"has(user.missing)", "false"},
      {"has(user.missing.deeper)", "error: no such key: 'missing'"},
      {"has(user['role'])", "no: has() asks for a member: has(x.name)"},
      {"has(user)", "no: has() asks for a member: has(x.name)"},
      {"has(n.x)", "error: an int has no member 'x'"},
      {"response[0].name", R"("Ann")"},
      {"response[0.0].name", R"("Ann")"},
      {"response[1u].name", R"("Bob")"},
      {"response[0.5]", "error: the list has no such element"},
      {"response[2]", "error: the list has no such element"},
      {"response[-1]", "error: the list has no such element"},
      {"response['x']", "error: '[]' has no meaning for a list and a string"},
      {"{1: 'a'}[1.0]", R"("a")"},
      {"{1: 'a'}[2]", "error: no such key"},
      {"'read' in user.permissions", "true"},
      {"'write' in user.permissions", "false"},
      {"n in [1, 9.0]", "true"},
      {"'role' in user", "true"},
      {"1 in user", "false"},
      {"'a' in 'abc'", "error: 'in' has no meaning for a string and a string"},
      {"!('admin' in ['a', 'b'])", "true"},
      {"{'a': {'b': 1}}.a.b", "1"},
      // A parameter may be called like a type; .x is never a local.
      {"type", R"("t")"},
      {"[1].exists(n, n == 1 && .n == 9)", "true"},
  });
}

TEST_CASE("values are what their JSON is") {
  check({
      {"response[0].salary > 5000", "true"},
      {"type(response[0].salary) == double", "true"},
      {"response[1].salary == 3 && type(response[1].salary) == int", "true"},
      {"response[0].huge == 18446744073709551615u", "true"},
      {"response[0].born", R"("1970-01-01")"},
      {"timestamp(response[0].born + 'T00:00:00Z') == timestamp(0)", "true"},
      {"response[0].none == null", "true"},
      {"response.size()", "2"},
  });
}

TEST_CASE("macros") {
  check({
      {"[1, 2, 3].all(x, x > 0)", "true"},
      {"[1, 2, 3].all(x, x > 1)", "false"},
      {"[].all(x, x > 0)", "true"},
      {"[1, 'foo', 3].all(x, x == 1)", "false"},
      {"[1, 2, 3].all(x, 6 / (2 - x) == 6)", "false"},
      {"[1, 2, 3].all(x, x / 0 != 17)", "error: division by zero"},
      {"[1, 2, 3].exists(x, x == 2)", "true"},
      {"[].exists(x, x == 2)", "false"},
      {"[0, 1].exists(x, 1 / x == 1)", "true"},
      {"[0, 2].exists(x, 1 / x == 1)", "error: division by zero"},
      {"{'a': 1}.exists(k, k == 'a')", "true"},
      {"[7, 8, 7].exists_one(x, x == 8)", "true"},
      {"[7, 8, 7].exists_one(x, x == 7)", "false"},
      {"[3, 0].exists_one(x, 12 / x > 1)", "error: division by zero"},
      {"[1, 2].map(x, x * 2)", "[2,4]"},
      {"[1, 2, 3].map(x, x > 1, x * 2)", "[4,6]"},
      {"[2, 0].map(x, 4 / x)", "error: division by zero"},
      {"[1, 2, 3].filter(x, x % 2 == 1)", "[1,3]"},
      {"{'a': 1, 'b': 2}.filter(k, k != 'a')", R"(["b"])"},
      {"response.map(r, r.name)", R"(["Ann","Bob"])"},
      {"response.filter(r, r.salary > 4000).size()", "1"},
      {"response.exists(r, 'x' in r.tags)", "true"},
      {"response.exists(r, has(r.tags) && 'y' in r.tags)", "false"},
      {"[[1, 2], [3]].all(x, x.exists(y, y > n - 9))", "true"},
      {"[[1], [2]].map(x, x.map(y, y + x[0]))", "[[2],[4]]"},
      {"['s'].all(x, ['t'].all(x, x == 't'))", "true"},
      {"n.all(x, true)", "error: 'all' has no meaning for an int"},
      {"'abc'.exists(x, true)", "error: 'exists' has no meaning for a string"},
      {"[1].all(1, true)", "no: the first argument of 'all' is a name for the element"},
      {"[1].all(x.y, true)", "no: the first argument of 'all' is a name for the element"},
      {"[1].all(x)", "no: 'all' takes 2 arguments, found 1"},
      {"[1].map(x, 1, 2, 3)", "no: 'map' takes 2 arguments or one more, found 4"},
      {"all([1], x)", "no: 'all' is called on a list or a map"},
      {"[1].map(x, x) + [x]", "no: unknown name 'x'"},
      {"[1, 2].map(x, 1 / 0 == 1, x)", "error: division by zero"},
      {"[1].filter(x, x)", "error: 'filter' has no meaning for an int"},
  });
}

TEST_CASE("functions of texts, lists and conversions") {
  check({
      {"size('h\u00e9llo')", "5"},
      {"'h\u00e9llo'.size()", "5"},
      {"size(b'h\u00e9llo')", "6"},
      {"size([1, 2]) + size({'a': 1})", "3"},
      {"size(1)", "error: size() has no meaning for an int"},
      {"'hello'.contains('ell') && !'hello'.contains('x')", "true"},
      {"'hello'.startsWith('he') && 'hello'.endsWith('lo')", "true"},
      {"''.startsWith('')", "true"},
      {"n.contains('x')", "error: contains() has no meaning for an int and a string"},
      {"'foobar'.matches('o+b')", "true"},
      {"'foobar'.matches('^o')", "false"},
      {"matches('foo', '^f.o$')", "true"},
      {"'a'.matches('(')", "no: the pattern is not one of RE2: missing ): ("},
      {"'a'.matches(user.role + '(')", "error: matches() is given no pattern of RE2"},
      {"'guest1'.matches(user.role + '[0-9]')", "true"},
      {"int('42') + int(2.9) + int(-2.9) + int(5u)", "47"},
      {"int('4.2')", "error: int() cannot read the text"},
      {"int(' 4')", "error: int() cannot read the text"},
      {"int(1e19)", "error: the result of int() is out of range"},
      {"int(9223372036854775808u)", "error: the result of int() is out of range"},
      {"int(double('NaN'))", "error: the result of int() is out of range"},
      {"int(true)", "error: int() has no meaning for a bool"},
      {"uint(3) == uint('3') && uint(3.7) == 3u", "true"},
      {"uint(-1)", "error: the result of uint() is out of range"},
      {"double('1.5') + double(1) + double(2u)", "4.5"},
      {"string(1) + string(2u) + string(1.5) + string(true) + string('x') + string(b'y')",
       R"("121.5truexy")"},
      {"string(-0.0045)", R"("-0.0045")"},
      {"string(b'\\xff')", "error: the bytes are no UTF-8"},
      {"string(null)", "error: string() has no meaning for null"},
      {"bool('true') && !bool('0')", "true"},
      {"bool('yes')", "error: bool() cannot read the text"},
      {"type(1) == int && type(1u) == uint && type('') == string && type(null) == null_type",
       "true"},
      {"type([]) == list && type({}) == map && type(b'') == bytes && type(1.0) == double", "true"},
      {"type(type(1)) == type(string)", "true"},
      {"type(timestamp(0)) == google.protobuf.Timestamp", "true"},
      {"type(duration('1s')) == google.protobuf.Duration", "true"},
      {"dyn(1) == 1.0", "true"},
  });
}

TEST_CASE("timestamps and durations") {
  check({
      {"timestamp('2009-02-13T23:31:30Z')", R"("2009-02-13T23:31:30Z")"},
      {"timestamp('2009-02-14T01:31:30.5+02:00')", R"("2009-02-13T23:31:30.5Z")"},
      {"int(timestamp('2009-02-13T23:31:30Z'))", "1234567890"},
      {"timestamp(1234567890) == timestamp('2009-02-13T23:31:30Z')", "true"},
      {"string(timestamp('9999-12-31T23:59:59.999999999Z'))",
       R"("9999-12-31T23:59:59.999999999Z")"},
      {"timestamp('2009-02-30T00:00:00Z')", "no: '2009-02-30T00:00:00Z' is no timestamp"},
      {"timestamp('2009-02-13')", "no: '2009-02-13' is no timestamp"},
      {"timestamp(user.role)", "error: timestamp() cannot read the text"},
      {"timestamp('0000-01-01T00:00:00Z')", "no: '0000-01-01T00:00:00Z' is no timestamp"},
      {"timestamp(-62135596801)", "error: the result of timestamp() is out of range"},
      {"timestamp(253402300800)", "error: the result of timestamp() is out of range"},
      {"timestamp('2009-02-13T23:31:20.123456789Z').getMilliseconds()", "123"},
      {"timestamp('2009-02-13T23:31:30Z').getFullYear('-09:30')", "2009"},
      {"timestamp('2009-02-13T23:31:30Z').getDate()", "13"},
      {"timestamp('2009-02-13T23:31:30Z').getDayOfMonth('+11:00')", "13"},
      {"timestamp('2009-02-13T02:00:00Z').getDayOfMonth('-02:30')", "11"},
      {"timestamp('2009-02-13T23:31:30Z').getDayOfWeek()", "5"},
      {"timestamp('2009-02-13T23:31:30Z').getDayOfYear()", "43"},
      {"timestamp('2009-02-13T23:31:30Z').getMonth('UTC')", "1"},
      {"timestamp('2009-02-13T23:31:30Z').getHours('02:00')", "1"},
      {"timestamp('2009-02-13T23:31:30Z').getMinutes()", "31"},
      {"timestamp('2009-02-13T23:31:30Z').getSeconds('-00:00')", "30"},
      {"timestamp(0).getHours('Europe/Berlin')",
       "no: 'Europe/Berlin' is no time zone that conditions know"},
      {"timestamp('1900-01-01T00:00:00Z').getDayOfYear()", "0"},
      {"duration('1h30m')", R"("5400s")"},
      {"duration('-1.5s')", R"("-1.5s")"},
      {"duration('1500ms') == duration('1.5s')", "true"},
      {"duration('1us') + duration('1ns')", R"("0.000001001s")"},
      {"duration('1x')", "no: '1x' is no duration"},
      {"duration('320000000000s')", "no: '320000000000s' is no duration"},
      {"duration('-9223372036854775808ns')", "no: '-9223372036854775808ns' is no duration"},
      {"duration('3730s').getMinutes()", "62"},
      {"duration('10000s').getHours()", "2"},
      {"duration('3730.321s').getMilliseconds()", "321"},
      {"duration('1s').getFullYear()", "error: getFullYear() has no meaning for a duration"},
      {"timestamp(0) + duration('24h')", R"("1970-01-02T00:00:00Z")"},
      {"duration('-1ns') + timestamp(0)", R"("1969-12-31T23:59:59.999999999Z")"},
      {"timestamp('2024-03-01T00:00:00Z') - timestamp('2024-02-01T00:00:00Z') > duration('696h') - "
       "duration('1ns')",
       "true"},
      {"timestamp(0) - duration('1s')", R"("1969-12-31T23:59:59Z")"},
      {"timestamp('9999-12-31T23:59:59Z') + duration('1s')",
       "error: the result of '+' is out of range"},
      {"timestamp('9999-12-31T23:59:59Z') - timestamp('0001-01-01T00:00:00Z')",
       "error: the result of '-' is out of range"},
      {"duration('2562047h') + duration('2562047h')", "error: the result of '+' is out of range"},
      {"timestamp(0) + timestamp(0)", "error: '+' has no meaning for a timestamp and a timestamp"},
      {"duration('1s') * 2", "error: '*' has no meaning for a duration and an int"},
      {"timestamp(0) < timestamp(1) && duration('1s') < duration('1m')", "true"},
  });
}

TEST_CASE("what does not compile says where and what to do") {
  const auto problem_of = [](std::string_view text) {
    auto made = Program::compile(text, {.variables = {"n", "user"},
                                        .advice = {{"response", "only output policies see it"}}});
    const auto* problem = std::get_if<Problem>(&made);
    if (problem == nullptr) return std::string("compiles");
    return std::to_string(problem->offset) + ": " + problem->message +
           (problem->hint.empty() ? "" : " (" + problem->hint + ")");
  };
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"n > 9", "compiles"},
      {"", "0: the condition ends where a value is expected"},
      {"n >", "3: the condition ends where a value is expected"},
      {"n = 9", "2: '=' is no operator (write '==')"},
      {"n > 1 & n < 5", "6: '&' is no operator (write '&&')"},
      {"n > 1 and n < 5", "6: 'and' does not belong here (write '&&')"},
      {"not n", "0: unknown name 'not' (write '!')"},
      {"n == None", "5: unknown name 'None' (write 'null')"},
      {"usr.role == 'x'", "0: unknown name 'usr' (did you mean 'user'?)"},
      {"zzz == 1", "0: unknown name 'zzz' (known here: n, user)"},
      {"response.x == 1", "0: unknown name 'response' (only output policies see it)"},
      {"user.role.startswith('a')",
       "10: unknown function 'startswith' (did you mean 'startsWith'?)"},
      {"lower(user.role) == 'a'", "0: unknown function 'lower'"},
      {"user.role.contains()", "10: 'contains' takes 1 argument, found 0"},
      {"contains(user.role, 'a')", "0: 'contains' is called on a value (write x.contains(...))"},
      {"user.n.int() == 1", "7: 'int' is not called on a value (write int(x))"},
      {"(n == 1", "7: ')' is missing after the expression"},
      {"[n, 2 == 1", "10: ']' is missing after the last element"},
      {"n == 1 ? true", "13: ':' is missing after the first value of '? :'"},
      {"n == 1)", "6: ')' does not belong here"},
      {"n == 1 n == 2", "7: 'n' does not belong here (an operator is missing before it)"},
      {"user.'role' == 1",
       "5: a name is missing after '.' (a key that is no name stands in "
       "brackets: x['key'])"},
      {"n == 1 && package == 2",
       "10: 'package' is a reserved word of CEL (a parameter of this "
       "name cannot be used in conditions)"},
      {"Point{x: 1} == n", "5: conditions make no messages (a map is {'key': value})"},
      {"n == 1 # odd", "7: '#' means nothing in a condition"},
      {"n == \u20ac", "5: '\u20ac' means nothing in a condition"},
      // Certainly no condition.
      {"'admin'", "0: the condition gives a string, not true or false"},
      {"n + 1", "2: the condition gives an int, not true or false"},
      {"user.role == 'a' || 'b'", "20: beside '||' stands a string, not true or false"},
      {"!'a'", "1: behind '!' stands a string, not true or false"},
      {"size(user.role)", "0: the condition gives an int, not true or false"},
      {"[n].exists(x, 'a')", "14: in 'exists' stands a string, not true or false"},
      {"n ? true : false", "compiles"},
      {"user.verified", "compiles"},
      {"user.created.getDays() > 3",
       "13: unknown function 'getDays' (a duration has getHours(); a day is duration('24h'))"},
      {std::string("n == 1\0", 7), "6: a character here means nothing in a condition"},
      {"'\xff' == user.role", "0: the condition is no valid UTF-8"},
  };
  for (const auto& [text, expected] : rows) {
    CAPTURE(text);
    CHECK(problem_of(text) == expected);
  }
}

TEST_CASE("a condition is a bool and nothing else") {
  const Names names{.variables = {"x"}};
  auto made = Program::compile("x", names);
  const Program& program = std::get<Program>(made);
  const auto decide = [&](const Value& x) {
    const Value* const values[] = {&x};
    return program.decide(values);
  };
  CHECK(std::get<bool>(decide(true)));
  CHECK_FALSE(std::get<bool>(decide(false)));
  for (const Value& other : {Value("true"), Value(1), Value(), Value(Array{true})}) {
    const auto decided = decide(other);
    REQUIRE(std::holds_alternative<Problem>(decided));
    CHECK(std::get<Problem>(decided).message.ends_with(", not true or false"));
  }
}

TEST_CASE("neither depth nor length nor work of a condition can do harm") {
  const auto is = [](std::string text, std::string_view part) {
    const std::string result = result_of(text);
    CAPTURE(result);
    CAPTURE(text.substr(0, 40));
    CHECK(result.find(part) != std::string::npos);
  };
  is(repeated("(", 60) + "1" + repeated(")", 60), "1");
  is(repeated("(", 7000) + "1" + repeated(")", 7000), "nested too deeply");
  is(repeated("[", 16000), "nested too deeply");
  is(repeated("{1:", 5000), "nested too deeply");
  is(repeated("!", 10000) + "true", "signs in a row");
  is(repeated("-", 10000) + "n", "signs in a row");
  is("n" + repeated("+n", 200), "1809");
  is("n" + repeated("+n", 5000), "too deep");
  is("user" + repeated(".a", 5000), "too deep");
  is("user" + repeated("[0]", 3000), "too deep");
  is("true" + repeated(" && true", 1500), "true");
  is(repeated("true ? ", 2000), "no:");
  is(repeated("n==1 ? 1 : ", 1000) + "2", "nested too deeply");
  is("'" + repeated("x", 20000) + "'", "longer than");

  // A hundred elements, five loops within each other: 10^10 steps.
  const std::string hundred = "[" + repeated("0,", 100) + "]";
  std::string loops = "true";
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    loops = hundred + ".all(" + name + ", " + loops + ")";
  }
  is(loops, "too many steps");
  // An answer that does not need the rest is none either.
  is(loops + " || true", "too many steps");
  // Doubling a text, and a list, again and again.
  std::string text = "'xxxxxxxx'", list = "[1,2,3,4,5,6,7,8]";
  for (int i = 0; i < 40; ++i) {
    text = "[" + text + "].map(x, x + x)[0]";
    list = "[" + list + "].map(x, x + x)[0]";
  }
  is("size(" + text + ")", "too many steps");
  is("size(" + list + ")", "too many steps");
  is(hundred + ".map(a, " + hundred + ".map(b, " + hundred + ".filter(c, 'x'.matches(string(a)))))",
     "too many steps");
}
