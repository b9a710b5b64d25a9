#include "harness.h"

#include "python/from_python.h"
#include "python/to_python.h"

using namespace mxcp;
using mxcp::python::from_python;
using mxcp::python::GilAcquire;
using mxcp::python::Purpose;
using mxcp::python::PyRef;

namespace {

// The JSON of what `code` leaves in `result`, or "error: <message>".
std::string converted(const std::string& code, Purpose purpose = Purpose::kResult) {
  test::start_interpreter();
  const GilAcquire gil;
  const PyRef object = test::run_python(code);
  REQUIRE(object);
  const auto value = from_python(object.get(), purpose);
  CHECK(PyErr_Occurred() == nullptr);
  return value.ok() ? to_json(*value) : "error: " + value.error().message;
}

// repr() of a Value in Python.
std::string shown(const Value& value) {
  test::start_interpreter();
  const GilAcquire gil;
  const PyRef object = python::to_python(value);
  REQUIRE(object);
  const PyRef text = PyRef::steal(PyObject_Repr(object.get()));
  return python::text_of(text.get());
}

}  // namespace

TEST_CASE("Python: plain values keep their kind and their digits") {
  CHECK(converted("result = {'a': [1, 2.5, True, None, 'x'], 'b': ()}") ==
        R"({"a":[1,2.5,true,null,"x"],"b":[]})");
  CHECK(converted("result = [2**63, -2**63, 2**64 * 10**20]") ==
        "[9223372036854775808,-9223372036854775808,1844674407370955161600000000000000000000]");
  CHECK(converted("result = [float('nan'), float('inf'), -0.0, 0.1]") == "[null,null,-0.0,0.1]");
  CHECK(converted("result = 'Gr\\u00fc\\u00dfe \\U0001F600'") == "\"Gr\u00fc\u00dfe \U0001F600\"");
  CHECK(converted("result = 'lone \\ud800 surrogate'") == "\"lone \uFFFD surrogate\"");
}

TEST_CASE("Python: types of the standard library have a JSON form") {
  CHECK(converted("import datetime as d\n"
                  "result = [d.date(2024, 1, 31), d.time(13, 5, 0, 250), \n"
                  "  d.datetime(2024, 1, 31, 23, 59, 59, 123456),\n"
                  "  d.datetime(1969, 12, 31, tzinfo=d.timezone.utc),\n"
                  "  d.datetime(2024, 1, 31, 12, tzinfo=d.timezone(d.timedelta(hours=2)))]") ==
        R"(["2024-01-31","13:05:00.000250","2024-01-31T23:59:59.123456",)"
        R"("1969-12-31T00:00:00+00:00","2024-01-31T12:00:00+02:00"])");
  CHECK(
      converted("import datetime as d\n"
                "result = [d.timedelta(days=1, hours=2, minutes=3, seconds=4.5), d.timedelta(0),\n"
                "  d.timedelta(days=2)]") == R"(["P1DT2H3M4.5S","PT0S","P2D"])");
  CHECK(
      converted("from decimal import Decimal\n"
                "result = [Decimal('1234567890123456789.10'), Decimal('NaN'), Decimal('1E+3')]") ==
      "[1234567890123456789.10,null,1E+3]");
  CHECK(converted("import decimal\n"
                  "decimal.setcontext(decimal.Context(capitals=0))\n"
                  "result = [decimal.Decimal('1E+3'), decimal.Decimal('1.50').as_tuple()]") ==
        "[1e+3,[0,[1,5,0],-2]]");
  CHECK(converted("import uuid, pathlib, fractions\n"
                  "result = [uuid.UUID(int=1), pathlib.Path('a/b'), fractions.Fraction(1, 4)]") ==
        R"(["00000000-0000-0000-0000-000000000001","a/b",0.25])");
  CHECK(converted("result = [b'\\x00\\xff', bytearray(b'a'), memoryview(b'abcdef')[::2]]") ==
        R"(["AP8=","YQ==","YWNl"])");
  CHECK(converted("result = [{3, 1, 2}, frozenset('b'), {'b', 'a'}]") ==
        R"([[1,2,3],["b"],["a","b"]])");
  CHECK(converted("import collections as c, types\n"
                  "P = c.namedtuple('P', 'x y')\n"
                  "result = [P(1, 2), c.OrderedDict(z=1, a=2), c.deque([1]), c.Counter('aa'),\n"
                  "  types.MappingProxyType({'k': 1}), range(3), (i * i for i in range(3)),\n"
                  "  {'a': 1}.items()]") ==
        R"([[1,2],{"z":1,"a":2},[1],{"a":2},{"k":1},[0,1,2],[0,1,4],[["a",1]]])");
}

TEST_CASE("Python: classes with fields become objects") {
  CHECK(converted("import enum\n"
                  "class Color(enum.Enum):\n  RED = 'red'\n"
                  "class Level(enum.IntEnum):\n  LOW = 1\n"
                  "class Text(str, enum.Enum):\n  A = 'a'\n"
                  "result = [Color.RED, Level.LOW, Text.A, {Color.RED: 1}]") ==
        R"(["red",1,"a",{"red":1}])");
  CHECK(converted("import dataclasses as d\n"
                  "@d.dataclass\nclass Point:\n  x: int\n  tags: list\n"
                  "result = Point(1, [Point(2, [])])") == R"({"x":1,"tags":[{"x":2,"tags":[]}]})");
  CHECK(converted("import dataclasses as d, typing as t\n"
                  "@d.dataclass\nclass Made:\n  count: t.ClassVar[int] = 7\n"
                  "  seed: d.InitVar[int] = 3\n  x: int = 1\n"
                  "result = Made()") == R"({"x":1})");
  CHECK(converted("import attrs\n"
                  "@attrs.define\nclass A:\n  x: int\n"
                  "result = A(1)") == R"({"x":1})");
  CHECK(converted("import pydantic\n"
                  "class M(pydantic.BaseModel):\n  x: int\n  y: list[int] = []\n"
                  "result = [M(x=1, y=[2])]") == R"([{"x":1,"y":[2]}])");
}

TEST_CASE("Python: keys that are no text become text, as json.dumps has it") {
  CHECK(converted("result = {3: 'a', None: 'b', True: 'c', 2.5: 'd', (1, 2): 'e'}") ==
        R"x({"3":"a","null":"b","true":"c","2.5":"d","(1, 2)":"e"})x");
  CHECK(converted("result = {'1': 'text', 1: 'number', 'x': 0}") == R"({"1":"number","x":0})");
}

TEST_CASE("Python: what cannot be converted is an error that says where") {
  CHECK(converted("result = {'users': [1, {'boss': object()}]}") ==
        "error: users[1].boss: a value of type object cannot be turned into JSON; return a dict, a "
        "list, text or a number");
  CHECK(converted("result = [print]") ==
        "error: [0]: a builtin_function_or_method cannot be turned into JSON");
  CHECK(converted("async def f(): pass\nresult = {'a': f()}") ==
        "error: a: a coroutine that was not awaited; write `await` before the call");
  CHECK(converted("a = []\na.append({'self': a})\nresult = a") ==
        "error: [0].self: goes in a circle: it contains itself, which JSON cannot say");
  CHECK(converted("result = []\nfor i in range(100000): result = [result]")
            .ends_with("nested more than 200 levels deep"));
  CHECK(converted("def g():\n  yield 1\n  raise ValueError('half way')\nresult = {'g': g()}") ==
        "error: g: half way");
  CHECK(converted("class E:\n  def __str__(self): raise ValueError('no')\nresult = {E(): 1}") ==
        "error: no");
}

TEST_CASE("Python: an object may change while it is read") {
  CHECK(converted("l = [1]\n"
                  "class Evil:\n  def __iter__(self):\n    l.clear()\n    return iter([2])\n"
                  "l.append(Evil())\nl.append(3)\nresult = l") == "[1,[2]]");
  CHECK(converted("d = {}\n"
                  "class Evil:\n  def __iter__(self):\n    d.clear()\n    return iter([2])\n"
                  "d['a'] = Evil()\nd['b'] = 1\nresult = d") ==
        "error: the dict changed while it was read");
}

TEST_CASE("Python: parameters of SQL have intervals, UUIDs and decimals") {
  CHECK(converted("import datetime as d\nresult = d.timedelta(days=1, seconds=1)",
                  Purpose::kParameter) == R"("P1DT1S")");
  CHECK(converted("import uuid\nresult = uuid.UUID(int=2**127 + 10)", Purpose::kParameter) ==
        R"("80000000-0000-0000-0000-00000000000a")");
  CHECK(converted("import decimal\nresult = decimal.Decimal('5')", Purpose::kParameter) == "5");
}

TEST_CASE("Python: values become Python objects") {
  CHECK(shown(Object{{"a", Array{1, 2.5, true, nullptr, "x"}}}) ==
        "{'a': [1, 2.5, True, None, 'x']}");
  CHECK(shown(ExactNumber{"123456789012345678901234567890"}) == "123456789012345678901234567890");
  CHECK(shown(ExactNumber{"1.25"}) == "1.25");
  CHECK(shown(Bytes{std::string("\0a", 2)}) == "b'\\x00a'");
  CHECK(shown(Date{19753}) == "datetime.date(2024, 1, 31)");
  CHECK(shown(Date{-1}) == "datetime.date(1969, 12, 31)");
  CHECK(shown(Time{1}) == "datetime.time(0, 0, 0, 1)");
  CHECK(shown(Timestamp{-1}) == "datetime.datetime(1969, 12, 31, 23, 59, 59, 999999)");
  CHECK(shown(Timestamp{0, true, 3600}) ==
        "datetime.datetime(1970, 1, 1, 1, 0, "
        "tzinfo=datetime.timezone(datetime.timedelta(seconds=3600)))");
  CHECK(shown(RawJson{"{\"a\":[1]}"}) == "{'a': [1]}");
}

TEST_CASE("Python: a date that Python cannot hold raises instead of being wrong") {
  test::start_interpreter();
  const GilAcquire gil;
  CHECK_FALSE(python::to_python(Value(Date{-1'000'000})));
  CHECK(PyErr_ExceptionMatches(PyExc_ValueError) != 0);
  PyErr_Clear();
}
