// A statement that was run before may run in another form. Nobody can tell: not from its values,
// nor from the types of its columns, nor from its errors.
#include "engine/typed_form.h"

#include "engine_fixture.h"

using namespace mxcp;
using namespace mxcp::engine;
using namespace mxcp::engine::testing;

namespace {

// What a client sees, and the columns' types.
std::string seen(Lease& lease, const std::string& sql, const types::Arguments& arguments) {
  auto rows = lease.execute(sql, arguments);
  std::string types;
  if (rows.ok()) {
    for (const Column& column : rows->columns())
      types += column.name + ":" + column.type.name + " ";
  }
  return types + outcome_of(std::move(rows));
}

}  // namespace

TEST_CASE("a statement that is run again answers like one that is run for the first time") {
  Fixture f;
  f.run("CREATE TABLE t AS SELECT i AS id, 'name ' || i AS name FROM range(10) r(i)");
  const std::vector<std::string> statements = {
      "SELECT $a + 1 AS b",
      "SELECT $a AS b",
      "SELECT $a",
      "SELECT $a + 1 AS b, $c AS c",
      "SELECT typeof($a) AS t, [$a, 1] AS l, {'x': $a} AS s",
      "SELECT coalesce($a, 1) AS v",
      "SELECT $a + 1::TINYINT AS v",
      "SELECT abs($a) AS v",
      "SELECT greatest($a, DATE '2020-01-01') AS v",
      "SELECT name, $a AS a FROM t WHERE id = $c",
      "SELECT name FROM t WHERE $a IS NULL OR id = $c",
      "SELECT * FROM range($a) LIMIT $c",  // not sorted: 2147483648 rows take their time
      "SELECT $a AS x, count(*) AS n FROM t GROUP BY 1",
      "SELECT CASE WHEN $a THEN 'yes' ELSE 'no' END AS v",
      "SELECT $a * 1000000000 AS v",
      "FROM (SELECT $a - $c AS v) SELECT v, v AS w",
      "VALUES ($a, 1), (2, $c)",
  };
  const std::vector<Value> values = {
      1,       2147483647,  std::int64_t{2147483648},   -5,         2.5, true, "5", "x",
      Value(), Date{18262}, Value(ExactNumber{"1.50"}), Array{1, 2}};
  Lease cached = f.lease();
  Lease fresh = f.lease();
  int number = 0;
  for (const std::string& sql : statements) {
    for (const Value& a : values) {
      // Twice: the second execution is the first that can have another form.
      for (int i = 0; i < 2; ++i) {
        types::Arguments arguments = {{"a", a}};
        if (sql.find("$c") != std::string::npos) arguments.emplace_back("c", i + 1);
        CAPTURE(sql);
        CAPTURE(to_json(a));
        // Another text, so that nothing of it is known.
        const std::string unknown = sql + " -- " + std::to_string(++number);
        CHECK(seen(cached, sql, arguments) == seen(fresh, unknown, arguments));
      }
    }
  }
}

TEST_CASE("arguments may change their types between executions, and macros their meaning") {
  Fixture f;
  Lease lease = f.lease();
  f.run("CREATE TABLE t (a INTEGER)");
  const auto again = [&](const std::string& sql, const Value& a) {
    std::string out;
    for (int i = 0; i < 3; ++i) out = outcome_of(lease.execute(sql, {{"a", a}}));
    return out;
  };
  CHECK(again("SELECT $a + 1 AS b", 1) == "[{\"b\":2}]");
  CHECK(again("SELECT $a + 1 AS b", 2.5) == "[{\"b\":3.5}]");
  CHECK(again("SELECT $a + 1 AS b", std::int64_t{3000000000}) == "[{\"b\":3000000001}]");
  CHECK(again("SELECT $a + 1 AS b", 7) == "[{\"b\":8}]");
  CHECK(again("SELECT $a + 1 AS b", 2147483647).find("Overflow") != std::string::npos);
  CHECK(again("SELECT $a + 1 AS b", 8) == "[{\"b\":9}]");
  // It follows the catalogue.
  f.run("CREATE MACRO m(x) AS x + 1");
  CHECK(again("SELECT m($a) AS b", 1) == "[{\"b\":2}]");
  f.run("CREATE OR REPLACE MACRO m(x) AS x + 10");
  CHECK(again("SELECT m($a) AS b", 1) == "[{\"b\":11}]");
}

TEST_CASE("typed forms and the statements they are made of share a small cache") {
  Fixture f({.statements_per_connection = 1});
  Lease lease = f.lease();
  for (int round = 0; round < 4; ++round) {
    for (const Value& a : {Value(1), Value(2.5), Value(std::int64_t{3000000000})}) {
      CHECK(outcome_of(lease.execute("SELECT $a AS v", {{"a", a}})) ==
            "[{\"v\":" + to_json(a) + "}]");
    }
  }
}
