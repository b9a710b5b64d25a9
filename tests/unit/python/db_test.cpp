#include "harness.h"

using namespace mxcp;
using mxcp::test::PythonProject;
using mxcp::test::tool_file;

namespace {

// A project whose tool `f` is given, with `db` imported.
struct DbProject : PythonProject {
  explicit DbProject(const std::string& code)
      : PythonProject{tool_file("f"),
                      {"python/tool_code.py", "from mxcp.runtime import db\n" + code}} {}
};

}  // namespace

TEST_CASE("db.execute: every type of DuckDB has its Python type") {
  DbProject project(
      "def f():\n"
      "    row, = db.execute('''SELECT\n"
      "      true AS bool, 1::TINYINT AS tiny, -2::BIGINT AS big, 18446744073709551615::UBIGINT AS "
      "u,\n"
      "      170141183460469231731687303715884105727::HUGEINT AS huge, sum(2::INTEGER) AS sum,\n"
      "      1.5::FLOAT AS float, 0.1::DOUBLE AS double, 12.34::DECIMAL(12,2) AS dec,\n"
      "      'x' AS text, 'ab'::BLOB AS blob, DATE '2024-01-31' AS d, TIME '12:34:56.5' AS t,\n"
      "      TIMESTAMP '2024-01-31 01:02:03.000004' AS ts,\n"
      "      TIMESTAMPTZ '2024-01-31 00:00:00+02' AS tz,\n"
      "      '00000000-0000-0000-0000-000000000007'::UUID AS id,\n"
      "      INTERVAL '1 month 2 days 3 seconds' AS span,\n"
      "      [1, NULL] AS list, [1, 2]::INTEGER[2] AS arr, {'a': 1, 'b': [{'c': NULL}]} AS "
      "struct,\n"
      "      MAP {'k': 1, 'l': 2} AS map, MAP {[1]: 'x'} AS map_of_lists,\n"
      "      'x'::ENUM('x', 'y') AS enum, '101'::BIT AS bit, NULL AS nothing,\n"
      "      union_value(n := 5) AS either, '{\"j\": 1}'::JSON AS json,\n"
      "      DATE 'infinity' AS forever, TIMESTAMP '-infinity' AS never''')\n"
      "    return {k: repr(v) for k, v in row.items()}\n");
  const auto result = project.call("f");
  REQUIRE_MESSAGE(result.ok(), (result.ok() ? "" : result.error().message));
  const auto at = [&](const char* name) {
    const Value* value = result->find(name);
    REQUIRE(value != nullptr);
    return *value->as_string();
  };
  CHECK(at("bool") == "True");
  CHECK(at("tiny") == "1");
  CHECK(at("big") == "-2");
  CHECK(at("u") == "18446744073709551615");
  CHECK(at("huge") == "170141183460469231731687303715884105727");
  CHECK(at("sum") == "2");
  CHECK(at("float") == "1.5");
  CHECK(at("double") == "0.1");
  CHECK(at("dec") == "12.34");
  CHECK(at("text") == "'x'");
  CHECK(at("blob") == "b'ab'");
  CHECK(at("d") == "datetime.date(2024, 1, 31)");
  CHECK(at("t") == "datetime.time(12, 34, 56, 500000)");
  CHECK(at("ts") == "datetime.datetime(2024, 1, 31, 1, 2, 3, 4)");
  CHECK(at("tz") == "datetime.datetime(2024, 1, 30, 22, 0, tzinfo=datetime.timezone.utc)");
  CHECK(at("id") == "UUID('00000000-0000-0000-0000-000000000007')");
  CHECK(at("span") == "datetime.timedelta(days=32, seconds=3)");
  CHECK(at("list") == "[1, None]");
  CHECK(at("arr") == "[1, 2]");
  CHECK(at("struct") == "{'a': 1, 'b': [{'c': None}]}");
  CHECK(at("map") == "{'k': 1, 'l': 2}");
  CHECK(at("map_of_lists") == "{'[1]': 'x'}");
  CHECK(at("enum") == "'x'");
  CHECK(at("bit") == "'101'");
  CHECK(at("nothing") == "None");
  CHECK(at("either") == "5");
  CHECK(at("json") == "'{\"j\": 1}'");
  CHECK(at("forever") == "'infinity'");
  CHECK(at("never") == "'-infinity'");
}

TEST_CASE("db.execute: parameters of every kind arrive as they are") {
  DbProject project(
      "import datetime as d, decimal, uuid\n"
      "def f():\n"
      "    values = [1, 2**70, 1.5, True, None, 'x', b'\\x00', d.date(2024, 1, 2), d.time(3, 4, 5, "
      "6),\n"
      "              d.datetime(2024, 1, 2, 3, 4, 5, 6), decimal.Decimal('12.50'), [1, 2], {'a': "
      "'b'},\n"
      "              uuid.UUID(int=3)]\n"
      "    out = []\n"
      "    for v in values:\n"
      "        out.append(db.execute('SELECT $v AS v', {'v': v})[0]['v'])\n"
      "    out.append(db.execute('SELECT ? + $2 AS v', [1, 2])[0]['v'])\n"
      "    out.append(db.execute('SELECT $d::INTERVAL AS v', params={'d': "
      "d.timedelta(hours=1)})[0]['v'])\n"
      "    aware = d.datetime(2024, 1, 1, 2, tzinfo=d.timezone(d.timedelta(hours=2)))\n"
      "    out.append(db.execute(query='SELECT $d::TIMESTAMPTZ AS v', params={'d': aware})[0]['v'] "
      "== aware)\n"
      "    return [repr(o) for o in out]\n");
  CHECK(
      project.json("f") ==
      R"x(["1","1180591620717411303424","1.5","True","None","'x'","b'\\x00'",)x"
      R"x("datetime.date(2024, 1, 2)","datetime.time(3, 4, 5, 6)",)x"
      R"x("datetime.datetime(2024, 1, 2, 3, 4, 5, 6)","12.5","[1, 2]","{'a': 'b'}",)x"
      R"x("UUID('00000000-0000-0000-0000-000000000003')","3","datetime.timedelta(seconds=3600)","True"])x");
}

TEST_CASE("db.execute: rows are plain dicts, in order, however many") {
  DbProject project(
      "def f():\n"
      "    rows = db.execute('SELECT i AS id, i * 2 AS id FROM range(5000) t(i) ORDER BY i')\n"
      "    return [len(rows), rows[0], rows[4999], type(rows[0]) is dict,\n"
      "            db.execute('SELECT 1 AS x WHERE false'),\n"
      "            db.execute('CREATE TABLE t(x INTEGER)'),\n"
      "            db.execute('INSERT INTO t VALUES (1), (2)'),\n"
      "            db.execute('SELECT sum(x) AS s FROM t')]\n");
  CHECK(project.json("f") ==
        R"([5000,{"id":0,"id_1":0},{"id":4999,"id_1":9998},true,[],[],[{"Count":2}],[{"s":3}]])");
}

TEST_CASE("db.execute: DECIMAL is a float, so that the page's arithmetic works") {
  DbProject project(
      "import statistics\n"
      "def f():\n"
      "    amounts = [r['a'] for r in db.execute('SELECT (i / 4)::DECIMAL(12,2) AS a FROM range(4) "
      "t(i)')]\n"
      "    return [amounts[1] * 1.1 > 0.2, round(statistics.stdev(amounts), 2),\n"
      "            db.execute('SELECT avg(x) AS a, sum(x) AS s FROM (SELECT 1::DECIMAL(12,2) AS x "
      "WHERE false)')]\n");
  CHECK(project.json("f") == R"([true,0.32,[{"a":null,"s":null}]])");
}

TEST_CASE("db.execute: DuckDB's errors are DuckDB's exceptions") {
  DbProject project(
      "def f():\n"
      "    import duckdb\n"
      "    out = []\n"
      "    for sql, params in [('SELECT * FROM nope', None), ('SELEC 1', None), ('SELECT nope()', "
      "None),\n"
      "                ('SELECT x', None), (\"SELECT 'a'::INTEGER\", None), ('SELECT $a', {}),\n"
      "                ('SELECT 1', {'b': 1})]:\n"
      "        try: db.execute(sql, params)\n"
      "        except duckdb.Error as e: out.append(type(e).__name__ + ' ' + "
      "str(e).split('\\n')[0][:30])\n"
      "    try: db.execute('SELECT $v', {'v': object()})\n"
      "    except TypeError as e: out.append(str(e)[:40])\n"
      "    for wrong in [(), (1,), ('SELECT 1', 5), ('a', {}, 1), ('SELECT 1', {1: 2})]:\n"
      "        try: db.execute(*wrong)\n"
      "        except TypeError as e: out.append('TypeError')\n"
      "    try: db.execute('SELECT 1', parms={})\n"
      "    except TypeError as e: out.append(str(e))\n"
      "    return out\n");
  const auto result = project.call("f");
  REQUIRE_MESSAGE(result.ok(), (result.ok() ? "" : result.error().detail));
  std::vector<std::string> lines;
  for (const Value& line : *result->as_array()) lines.push_back(*line.as_string());
  REQUIRE(lines.size() == 14);
  CHECK(lines[0].starts_with("CatalogException Catalog Error: Table with"));
  CHECK(lines[1].starts_with("ParserException Parser Error: syntax"));
  CHECK(lines[2].starts_with("CatalogException Catalog Error: Scalar"));
  CHECK(lines[3].starts_with("BinderException Binder Error: "));
  CHECK(lines[4].starts_with("ConversionException Conversion Error"));
  CHECK(lines[5].find("$a") != std::string::npos);
  CHECK(lines[6].find("'b'") != std::string::npos);
  CHECK(lines[7].starts_with("parameter 'v': a value of type object"));
  for (std::size_t i = 8; i < 13; ++i) CHECK(lines[i] == "TypeError");
  CHECK(lines[13] == "execute() got an unexpected argument 'parms'");
}

TEST_CASE("db.execute: an error that nobody catches is the call's, at the line of the call") {
  DbProject project("\n\ndef f():\n    db.execute('SELECT * FROM nope')\n");
  const auto result = project.call("f");
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().message.starts_with("Catalog Error: Table with name nope does not exist!"));
  CHECK(result.error().place == Place{"python/tool_code.py", 5, 0});
}

TEST_CASE("db.execute: works at import, in hooks, in coroutines and in threads of the user's") {
  PythonProject project{
      tool_file("f"),
      tool_file("g"),
      {"python/tool_code.py",
       "import asyncio, threading\n"
       "from mxcp.runtime import db, on_init\n"
       "at_import = db.execute('SELECT 1 AS x')\n"
       "@on_init\ndef init(): db.execute('CREATE TABLE made(x INTEGER)')\n"
       "@on_init\nasync def fill(): db.execute('INSERT INTO made VALUES (7)')\n"
       "def f():\n"
       "    seen = []\n"
       "    def run(): seen.append(db.execute('SELECT x FROM made'))\n"
       "    threads = [threading.Thread(target=run) for _ in range(4)]\n"
       "    for t in threads: t.start()\n"
       "    for t in threads: t.join()\n"
       "    return [at_import, seen]\n"
       "async def one(i): return db.execute('SELECT $i + x AS y FROM made', {'i': i})[0]['y']\n"
       "async def g(): return await asyncio.gather(*[one(i) for i in range(50)])\n"}};
  project.runtime.run_init_hooks();
  CHECK(project.json("f") == R"([[{"x":1}],[[{"x":7}],[{"x":7}],[{"x":7}],[{"x":7}]]])");
  const auto sums = project.call("g");
  REQUIRE(sums.ok());
  CHECK(sums->as_array()->size() == 50);
  CHECK(to_json(sums->as_array()->back()) == "56");
}

TEST_CASE("db.execute: cancelling a call interrupts its query") {
  DbProject project(
      "import threading\n"
      "def f(): return db.execute('SELECT count(*) AS n FROM range(100000000000) a, range(1000) "
      "b')\n");
  auto call = project.make_call("f", "{}");
  auto running = project.start(call);
  call->cancel->cancel();
  const auto result = running.get();
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == Code::kCancelled);
}

TEST_CASE("db.execute: who cancels a call may want the GIL") {
  DbProject project(
      "from mxcp import _core\n"
      "def f():\n"
      "    while True: _core.db_execute_with(_core.db_stop_token(), 'SELECT 1', None)\n");
  auto call = project.make_call("f", "{}");
  auto running = project.start(call);
  while (call->stage.now != invoke::Stage::kConnection) {
  }
  const CancelToken::Registration registration(call->cancel.get(), [] {
    for (int i = 0; i < 1000; ++i) const python::GilAcquire gil;
  });
  call->cancel->cancel();
  const auto result = running.get();
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == Code::kCancelled);
}

TEST_CASE("db.execute: more queries at a time than connections just wait") {
  PythonProject project(
      {tool_file("f"),
       {"python/tool_code.py",
        "from mxcp.runtime import db\n"
        "def f(): return db.execute('SELECT sum(i) AS s FROM range(100000) t(i)')[0]['s']\n"}},
      true, {.threads = 16});
  std::vector<std::future<Result<Value>>> calls;
  for (int i = 0; i < 64; ++i) calls.push_back(project.start(project.make_call("f", "{}")));
  for (auto& call : calls) CHECK(project.text(call.get()) == "4999950000");
}

TEST_CASE("duckdb.connect: the project's own file is refused, others are not") {
  PythonProject project{
      tool_file("f"),
      tool_file("g"),
      {"python/tool_code.py",
       "import pathlib\n"
       "from mxcp.runtime import db, reload_duckdb\n"
       "root = pathlib.Path(__file__).parent.parent\n"
       "opened = []\n"
       "def managed(): return db.execute('SELECT path FROM duckdb_databases() WHERE NOT "
       "internal')[0]['path']\n"
       "def payload():\n"
       "    import duckdb\n"
       "    c = duckdb.connect(path)\n"
       "    opened.append(c)\n"
       "def f():\n"
       "    global path\n"
       "    import duckdb\n"
       "    from duckdb import connect as alias\n"
       "    path = managed()\n"
       "    out = []\n"
       "    for open_it in (duckdb.connect, alias):\n"
       "        for name in (path, pathlib.Path(path), path.replace('/data/', '/data/../data/')):\n"
       "            try: out.append(open_it(name))\n"
       "            except RuntimeError as e: out.append('mxcp.runtime.db' in str(e))\n"
       "    duckdb.connect(root / 'other.duckdb').execute('CREATE TABLE t AS SELECT 1')\n"
       "    out.append(duckdb.connect().execute('SELECT 42').fetchall())\n"
       "    reload_duckdb(payload)\n"
       "    return out\n"
       "def g():\n"
       "    try: return opened[0].execute('SELECT 1')\n"
       "    except Exception as e: return type(e).__name__\n"}};
  CHECK(project.json("f") == "[true,true,true,true,true,true,[[42]]]");
  // The payload may open it; what it leaves open is closed behind it.
  REQUIRE(project.services.reloads.size() == 1);
  project.services.close();
  const Status payload = project.services.reloads[0].first();
  CHECK_MESSAGE(payload.ok(), (payload.ok() ? "" : payload.error().detail));
  CHECK(project.json("g") == "\"ConnectionException\"");
}
