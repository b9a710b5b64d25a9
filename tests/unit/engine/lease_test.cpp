#include <sys/resource.h>

#include <csignal>
#include <optional>

#include "engine/engine_fixture.h"

namespace mxcp::engine {
namespace {

using testing::Fixture;
using testing::outcome_of;
using types::Arguments;

// While it lives no file of this process can become longer.
class NoFilesGrow {
 public:
  NoFilesGrow() : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit none{0, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &none);
  }
  ~NoFilesGrow() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  NoFilesGrow(const NoFilesGrow&) = delete;
  NoFilesGrow& operator=(const NoFilesGrow&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST_CASE("parameters of every kind arrive with their SQL type") {
  Fixture f;
  const auto typed = [&](Value value) {
    return f.run("SELECT typeof($x) AS t, $x::VARCHAR AS v", {{"x", std::move(value)}});
  };
  const auto row = [](const std::string& type, const std::string& text) {
    return "[{\"t\":\"" + type + "\",\"v\":" + text + "}]";
  };
  CHECK(typed(true) == row("BOOLEAN", "\"true\""));
  CHECK(typed(41) == row("INTEGER", "\"41\""));
  CHECK(typed(-2147483648) == row("INTEGER", "\"-2147483648\""));
  CHECK(typed(std::int64_t{2147483648}) == row("BIGINT", "\"2147483648\""));
  CHECK(typed(ExactNumber{"170141183460469231731687303715884105727"}) ==
        row("HUGEINT", "\"170141183460469231731687303715884105727\""));
  CHECK(typed(ExactNumber{"-9223372036854775809"}) == row("HUGEINT", "\"-9223372036854775809\""));
  CHECK(typed(ExactNumber{"340282366920938463463374607431768211455"}) ==
        row("UHUGEINT", "\"340282366920938463463374607431768211455\""));
  CHECK(typed(ExactNumber{"12345678901234567.89"}) ==
        row("DECIMAL(19,2)", "\"12345678901234567.89\""));
  CHECK(typed(ExactNumber{"-0.00000000000000000001"}) ==
        row("DECIMAL(21,20)", "\"-0.00000000000000000001\""));
  CHECK(typed(ExactNumber{"1.5e-3"}) == row("DECIMAL(5,4)", "\"0.0015\""));
  CHECK(typed(ExactNumber{"1e400"}) == row("DOUBLE", "\"inf\""));
  CHECK(typed(0.1) == row("DOUBLE", "\"0.1\""));
  CHECK(typed("\u00e4 'x'") == row("VARCHAR", "\"\u00e4 'x'\""));
  CHECK(typed("") == row("VARCHAR", "\"\""));
  CHECK(typed(std::string("a\0b", 3)) == row("VARCHAR", "\"a\\u0000b\""));
  CHECK(typed(Date{19753}) == row("DATE", "\"2024-01-31\""));
  CHECK(typed(Time{49500000000}) == row("TIME", "\"13:45:00\""));
  CHECK(typed(Time{49500000000, true, 7200}) == row("TIME WITH TIME ZONE", "\"13:45:00+02\""));
  CHECK(typed(Timestamp{1706708700000001}) == row("TIMESTAMP", "\"2024-01-31 13:45:00.000001\""));
  CHECK(f.run("SELECT typeof($x) AS t, epoch_us($x) AS v",
              {{"x", Timestamp{1706708700000001, true, 7200}}}) ==
        row("TIMESTAMP WITH TIME ZONE", "1706708700000001"));
  CHECK(typed(Bytes{std::string("\x00\xff", 2)}) == row("BLOB", "\"\\\\x00\\\\xFF\""));
  CHECK(typed(RawJson{"{\"a\":1}"}) == row("VARCHAR", "\"{\\\"a\\\":1}\""));
}

TEST_CASE("lists and objects") {
  Fixture f;
  const auto typed = [&](Value value) {
    return f.run("SELECT typeof($x) AS t, $x AS v", {{"x", std::move(value)}});
  };
  CHECK(typed(Array{1, 2}) == "[{\"t\":\"INTEGER[]\",\"v\":[1,2]}]");
  CHECK(typed(Array{1, nullptr, 2.5}) == "[{\"t\":\"DOUBLE[]\",\"v\":[1.0,null,2.5]}]");
  CHECK(typed(Array{1, std::int64_t{1} << 40}) == "[{\"t\":\"BIGINT[]\",\"v\":[1,1099511627776]}]");
  CHECK(typed(Array{1, ExactNumber{"0.25"}}) == "[{\"t\":\"DECIMAL(12,2)\[]\",\"v\":[1.00,0.25]}]");
  CHECK(typed(Array{"a", nullptr}) == "[{\"t\":\"VARCHAR[]\",\"v\":[\"a\",null]}]");
  CHECK(typed(Array{"a", 1, true}) == "[{\"t\":\"VARCHAR[]\",\"v\":[\"a\",\"1\",\"true\"]}]");
  CHECK(typed(Array{Array{1}, Array{}, nullptr}) ==
        "[{\"t\":\"INTEGER[][]\",\"v\":[[1],[],null]}]");
  CHECK(typed(Array{Date{0}}) == "[{\"t\":\"DATE[]\",\"v\":[\"1970-01-01\"]}]");
  CHECK(typed(Object{{"a", 1}, {"b", Array{"x"}}, {"c", nullptr}})
            .find("\"v\":{\"a\":1,\"b\":[\"x\"],\"c\":null}") != std::string::npos);
  CHECK(typed(Array{Object{{"a", 1}}, Object{{"a", 2.5}, {"b", "y"}}})
            .find("\"v\":[{\"a\":1.0,\"b\":null},{\"a\":2.5,\"b\":\"y\"}]") != std::string::npos);
  CHECK(typed(Array{1, Array{2}}) ==
        "parameter $x: the elements of a list must be of one kind: this one mixes lists or objects "
        "with something else");
  CHECK(typed(Object{}) == R"x([{"t":"MAP(VARCHAR, VARCHAR)","v":{}}])x");
  CHECK(typed(Array{Object{}, Object{{"a", 1}}}) ==
        R"x([{"t":"STRUCT(a INTEGER)[]","v":[{"a":null},{"a":1}]}])x");

  CHECK(f.run("SELECT i FROM range(10) t(i) WHERE i IN (SELECT unnest($ids)) ORDER BY i",
              {{"ids", Array{3, 5, 99}}}) == "[{\"i\":3},{\"i\":5}]");
  CHECK(f.run("SELECT i FROM range(10) t(i) WHERE i IN (SELECT unnest($ids))",
              {{"ids", Array{}}}) == "[]");
  CHECK(f.run("SELECT list_contains($ids, 3) AS a, len($ids) AS b", {{"ids", Array{}}}) ==
        "[{\"a\":false,\"b\":0}]");
  CHECK(f.run("SELECT list_contains($ids, 3) AS a, len($ids) AS b",
              {{"ids", Array{nullptr, nullptr}}}) == "[{\"a\":false,\"b\":2}]");
}

TEST_CASE("objects with many members, and with different ones") {
  Fixture f;
  const auto run = [&](Value value) { return f.run("SELECT $x AS v", {{"x", std::move(value)}}); };
  const auto object = [](int begin, int end) {
    Object out;
    for (int i = begin; i != end; i += begin < end ? 1 : -1) out.add("k" + std::to_string(i), i);
    return out;
  };
  CHECK(run(object(0, 10000)).ends_with(",\"k9999\":9999}}]"));
  // Members that come in another order, or are missing.
  CHECK(f.run("SELECT $x[2].k7 AS a, $x[2].k60 AS b, $x[1].k60 AS c, $x[3].k61 AS d",
              {{"x", Array{object(0, 50), object(60, 0), object(61, 62)}}}) ==
        R"([{"a":7,"b":60,"c":null,"d":61}])");
  // Each would have the members of all.
  Array different;
  for (int i = 0; i < 200'000; ++i) different.push_back(object(i, i + 1));
  const std::string refused =
      "parameter $x: the objects of this list have too many different members: as STRUCTs each of "
      "them would have all (give it as JSON text instead, and read that with DuckDB's JSON "
      "functions)";
  CHECK(run(Array(different.begin(), different.begin() + 2000)) == refused);
  CHECK(run(different) == refused);
  for (Value& item : different) item = Array{Object{{"inner", std::move(item)}}};
  CHECK(run(std::move(different)) == refused);
}

TEST_CASE("objects that no STRUCT can be are refused") {
  Fixture f;
  const auto run = [&](Value value) { return f.run("SELECT $x AS v", {{"x", std::move(value)}}); };
  CHECK(run(Object{{std::string("a\0b", 3), 1}, {"c", 2}}) ==
        "parameter $x: an object has a member with a NUL character in its name, which no STRUCT "
        "can have");
  CHECK(run(Array{Object{{"", 1}}}) ==
        "parameter $x: the name of an object's only member is empty: DuckDB would take the object "
        "for a list");
  CHECK(run(Object{{"", 1}, {"a", 2}}) == R"([{"v":{"":1,"a":2}}])");
}

TEST_CASE("the usual ways to use a parameter") {
  Fixture f;
  f.run("CREATE TABLE t AS SELECT i::INTEGER AS id, 'n' || i AS name FROM range(5) r(i)");
  const char* optional = "SELECT id FROM t WHERE $x IS NULL OR id = $x ORDER BY id LIMIT 2";
  CHECK(f.run(optional, {{"x", nullptr}}) == "[{\"id\":0},{\"id\":1}]");
  CHECK(f.run(optional, {{"x", 3}}) == "[{\"id\":3}]");
  CHECK(f.run(optional, {{"x", nullptr}}) == "[{\"id\":0},{\"id\":1}]");
  CHECK(f.run("SELECT $x IS NULL AS n", {{"x", nullptr}}) == "[{\"n\":true}]");
  CHECK(f.run("SELECT DATE '2024-01-31' - $days AS d", {{"days", 30}}) ==
        "[{\"d\":\"2024-01-01\"}]");
  CHECK(f.run("SELECT count(*) AS n FROM range($n)", {{"n", 7}}) == "[{\"n\":7}]");
  CHECK(f.run("SELECT id FROM t ORDER BY id LIMIT $n OFFSET $o", {{"n", 1}, {"o", 2}}) ==
        "[{\"id\":2}]");
  CHECK(f.run("SELECT name FROM t WHERE name LIKE '%' || $p || '%'", {{"p", "n4"}}) ==
        "[{\"name\":\"n4\"}]");
  // DuckDB's names do not distinguish case.
  CHECK(f.run("SELECT $X + $x AS s", {{"x", 4}}) == "[{\"s\":8}]");

  const fs::path csv = f.folder.path() / "data.csv";
  REQUIRE(write_file(csv, "a,b\n1,x\n2,y\n").ok());
  CHECK(f.run("SELECT * FROM read_csv_auto($file)", {{"file", csv.string()}}) ==
        "[{\"a\":1,\"b\":\"x\"},{\"a\":2,\"b\":\"y\"}]");
  REQUIRE(write_file(csv, "c\n2024-01-01\n").ok());
  CHECK(f.run("SELECT * FROM read_csv_auto($file)", {{"file", csv.string()}}) ==
        "[{\"c\":\"2024-01-01\"}]");
}

TEST_CASE("the same statement with changing types of its parameter") {
  Fixture f;
  Lease lease = f.lease();
  const auto run = [&](Value value) {
    return outcome_of(lease.execute("SELECT $x AS x, typeof($x) AS t", {{"x", std::move(value)}}));
  };
  for (int round = 0; round < 3; ++round) {
    CHECK(run(1) == "[{\"x\":1,\"t\":\"INTEGER\"}]");
    CHECK(run("a") == "[{\"x\":\"a\",\"t\":\"VARCHAR\"}]");
    CHECK(run(1.5) == "[{\"x\":1.5,\"t\":\"DOUBLE\"}]");
    CHECK(run(Array{1}) == "[{\"x\":[1],\"t\":\"INTEGER[]\"}]");
    CHECK(run(Date{0}) == "[{\"x\":\"1970-01-01\",\"t\":\"DATE\"}]");
    CHECK(run(nullptr).starts_with("[{\"x\":null,"));
  }
}

TEST_CASE("names that are missing, unused or positional") {
  Fixture f;
  CHECK(f.run("SELECT $user_id", {{"userid", 1}}) ==
        "the SQL uses the parameter $user_id, which is not given (did you mean 'userid'?)");
  CHECK(f.run("SELECT 1", {{"x", 1}}) == "the parameter 'x' is given, but the SQL does not use $x");
  CHECK(f.run("SELECT 1 AS a", {{"x", 1}}, {.allow_unused = true}) == "[{\"a\":1}]");
  CHECK(f.run("SELECT ?", {{"x", 1}}) ==
        "the SQL uses the positional parameter $1 (or ?), but parameters are given by name (write "
        "$name instead)");
  // DuckDB would give both the value of one.
  CHECK(f.run("SELECT $n AS low, $N AS high", {{"n", 1}, {"N", 2}}) ==
        "the parameters 'n' and 'N' are one to DuckDB, which ignores the case of names (rename one "
        "of them)");
  // Found before the first statement runs.
  CHECK(f.run("CREATE TABLE t (a INTEGER); SELECT $ab", {{"abc", 1}}) ==
        "the SQL uses the parameter $ab, which is not given (did you mean 'abc'?)");
  CHECK(f.run("CREATE TABLE t (a INTEGER); SELECT 1", {{"a", 1}}).starts_with("the parameter 'a'"));
  CHECK(f.run("SELECT count(*) AS n FROM duckdb_tables()") == "[{\"n\":0}]");
}

TEST_CASE("several statements: each with its own names, the last one's rows") {
  Fixture f;
  CHECK(f.run("CREATE TABLE t (a INTEGER);\nINSERT INTO t VALUES ($a), ($b);\n-- done; really\n"
              "SELECT a FROM t WHERE a > $a;;",
              {{"a", 1}, {"b", 2}}) == "[{\"a\":2}]");
  CHECK(f.run("SELECT 1 AS x; INSERT INTO t VALUES (9)") == "[{\"Count\":1}]");
  CHECK(f.run("INSERT INTO t VALUES (10); SELECT nosuch FROM t; INSERT INTO t VALUES (11)")
            .starts_with("1:35: Binder Error: Referenced column \"nosuch\" not found"));
  CHECK(f.run("SELECT max(a) AS m FROM t") == "[{\"m\":10}]");
  // A syntax error anywhere: nothing runs.
  CHECK(f.run("INSERT INTO t VALUES (12);\nSELEC 1") ==
        "2:1: Parser Error: syntax error at or near \"SELEC\"");
  CHECK(f.run("SELECT max(a) AS m FROM t") == "[{\"m\":10}]");
  // The rows of an earlier statement are all produced, though nobody reads them.
  f.run("CREATE SEQUENCE s");
  CHECK(f.run("SELECT nextval('s') FROM range(5000); SELECT currval('s') AS c") ==
        "[{\"c\":5000}]");
}

TEST_CASE("places of errors are lines and characters of the source") {
  Fixture f;
  f.run("CREATE TABLE nums AS SELECT 1 AS a");
  CHECK(f.run("SELEC 1") == "1:1: Parser Error: syntax error at or near \"SELEC\"");
  CHECK(f.run("SELECT\t'\u00e4\u6f22', nosuch\nFROM nums")
            .starts_with("1:14: Binder Error: Referenced column \"nosuch\" not found in FROM "
                         "clause!\nCandidate "));
  CHECK(f.run("\n-- \u00e9\n /* x; */ SELECT b FROM nums").starts_with("3:18: Binder Error:"));
  CHECK(
      f.run("SELECT 1;\n\nSELECT\t'\u00e4', nosuch\nFROM nums").starts_with("3:13: Binder Error:"));
  CHECK(f.run("SELECT 1;\nSELECT * FROM numz") ==
        "2:15: Catalog Error: Table with name numz does not exist!\nDid you mean \"nums\"?");
  CHECK(f.run("SELECT " + std::string(300, 'x') + " FROM nums").starts_with("1:8: Binder Error:"));
  CHECK(f.run("SELECT 1,\n  ('x' || a)::INTEGER FROM nums") ==
        "2:13: Conversion Error: Could not convert string 'x1' to INT32");
  CHECK(f.run("SELECT 'abc").starts_with("1:8: Parser Error: unterminated"));
  CHECK(f.run("") == "the SQL is empty: there is no statement in it");
  CHECK(f.run(" -- nothing\n;") == "the SQL is empty: there is no statement in it");
  CHECK(f.run(std::string_view("SELECT 1;\n\0 SELECT 2", 20)) ==
        "2:1: the SQL contains a NUL character");
  // At run time, in a chunk that is read later.
  CHECK(
      f.run("SELECT CASE WHEN i < 5000 THEN 1 ELSE error('late') END AS v FROM range(6000) t(i)") ==
      "Invalid Input Error: late");
  CHECK(f.run("INSERT INTO nums VALUES (1, 2)").find("2 values were supplied") !=
        std::string::npos);
}

TEST_CASE("an error does not spoil the statement or the connection") {
  Fixture f;
  Lease lease = f.lease();
  const auto run = [&](Value x) {
    return outcome_of(lease.execute("SELECT $x::INTEGER AS v", {{"x", std::move(x)}}));
  };
  CHECK(run("12") == "[{\"v\":12}]");
  CHECK(run("ab").find("Could not convert string 'ab' to INT32") != std::string::npos);
  CHECK(run("13") == "[{\"v\":13}]");
  CHECK(outcome_of(lease.execute("SELECT nosuch", {})).find("nosuch") != std::string::npos);
  CHECK(run(14) == "[{\"v\":14}]");
}

TEST_CASE("a cached statement follows the catalogue") {
  Fixture f;
  Lease one = f.lease();
  Lease other = f.lease();
  const auto read = [&] { return outcome_of(one.execute("SELECT * FROM t", {})); };
  const auto change = [&](const char* sql) { return outcome_of(other.execute(sql, {})); };
  REQUIRE(change("CREATE TABLE t (a INTEGER, b VARCHAR); INSERT INTO t VALUES (1, 'x')") ==
          "[{\"Count\":1}]");
  CHECK(read() == "[{\"a\":1,\"b\":\"x\"}]");
  CHECK(read() == "[{\"a\":1,\"b\":\"x\"}]");
  change("ALTER TABLE t ADD COLUMN c DECIMAL(4,2) DEFAULT 7.5");
  CHECK(read() == "[{\"a\":1,\"b\":\"x\",\"c\":7.50}]");
  change("ALTER TABLE t ALTER c TYPE DECIMAL(6,3)");
  CHECK(read() == "[{\"a\":1,\"b\":\"x\",\"c\":7.500}]");
  change("ALTER TABLE t RENAME b TO bb");
  CHECK(read() == "[{\"a\":1,\"bb\":\"x\",\"c\":7.500}]");
  change("DROP TABLE t");
  CHECK(read().starts_with("1:15: Catalog Error: Table with name t does not exist!"));
  change("CREATE TABLE t (z DOUBLE)");
  CHECK(read() == "[]");
  change("DROP TABLE t; CREATE VIEW t AS SELECT 1 AS v");
  CHECK(read() == "[{\"v\":1}]");
  change("CREATE OR REPLACE VIEW t AS SELECT [2] AS w");
  CHECK(read() == "[{\"w\":[2]}]");
  // In a transaction: seen by the others when it is committed.
  change("BEGIN; CREATE OR REPLACE VIEW t AS SELECT 3 AS u");
  CHECK(read() == "[{\"w\":[2]}]");
  change("COMMIT");
  CHECK(read() == "[{\"u\":3}]");
  change("CREATE MACRO m(x) AS x + 1");
  CHECK(outcome_of(one.execute("SELECT m(1) AS r", {})) == "[{\"r\":2}]");
  change("CREATE OR REPLACE MACRO m(x) AS x + 10");
  CHECK(outcome_of(one.execute("SELECT m(1) AS r", {})) == "[{\"r\":11}]");
}

TEST_CASE("more statements than the cache holds") {
  Fixture f({.statements_per_connection = 2});
  Lease lease = f.lease();
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 5; ++i) {
      const std::string n = std::to_string(i);
      CHECK(outcome_of(lease.execute("SELECT " + n + " + $x AS v", {{"x", round}})) ==
            "[{\"v\":" + std::to_string(i + round) + "}]");
    }
  }
}

TEST_CASE("a transaction that is left open is rolled back for the next caller") {
  Fixture f({.max_connections = 1});
  f.run("CREATE TABLE t (a INTEGER)");
  {
    Lease lease = f.lease();
    CHECK(outcome_of(lease.execute("BEGIN", {})) == "[]");
    CHECK(outcome_of(lease.execute("INSERT INTO t VALUES (1)", {})) == "[{\"Count\":1}]");
  }
  CHECK(f.run("SELECT count(*) AS n FROM t") == "[{\"n\":0}]");
  {
    Lease lease = f.lease();
    outcome_of(lease.execute("BEGIN", {}));
    outcome_of(lease.execute("SELECT error('x')", {}));  // the transaction is aborted
  }
  CHECK(f.run("SELECT count(*) AS n FROM t") == "[{\"n\":0}]");
  CHECK(f.run("BEGIN; INSERT INTO t VALUES (2); COMMIT") == "[]");
  CHECK(f.run("SELECT count(*) AS n FROM t") == "[{\"n\":1}]");
  CHECK(f.database->stats().connections == 1);
}

TEST_CASE("what a caller does to its session ends with it") {
  Fixture f({.max_connections = 1});
  for (const char* create :
       {"CREATE TEMP TABLE x AS SELECT 1 AS a", "create or replace temporary table x (a INTEGER)",
        "/* c */ CREATE TEMPORARY VIEW x AS SELECT 1 AS a"}) {
    CAPTURE(create);
    CHECK(f.run(create).starts_with("["));
    CHECK(f.run("SELECT * FROM x").find("does not exist") != std::string::npos);
  }
  CHECK(f.run("CREATE TEMP TABLE x AS SELECT 1 AS a; SELECT * FROM x") == "[{\"a\":1}]");
  CHECK(f.run("SELECT * FROM x").find("does not exist") != std::string::npos);
  CHECK(f.run("CREATE SCHEMA other; USE other; CREATE TABLE inside (a INTEGER)") == "[]");
  CHECK(f.run("SELECT * FROM inside").find("does not exist") != std::string::npos);
  CHECK(f.run("SET VARIABLE v = 3") == "[]");
  CHECK(f.run("SELECT getvariable('v') AS v") == "[{\"v\":null}]");
  CHECK(f.run("PREPARE p AS SELECT 1") == "[]");
  CHECK(f.run("EXECUTE p").find("does not exist") != std::string::npos);
  // PIVOT makes a temporary type behind the scenes.
  CHECK(f.run("PIVOT (VALUES ('a', 1), ('b', 2)) t(k, v) ON k USING sum(v)") ==
        "[{\"a\":1,\"b\":2}]");
  CHECK(f.run("SELECT count(*) AS n FROM duckdb_types() WHERE type_name LIKE '%pivot%'") ==
        "[{\"n\":0}]");
}

TEST_CASE("a seed that a caller set is not the next one's") {
  Fixture f({.max_connections = 1});
  const auto seeded = [&](const char* sql) {
    CAPTURE(sql);
    f.run(sql);
    const std::string first = f.value("SELECT random()");
    f.run(sql);
    CHECK(f.value("SELECT random()") != first);
  };
  seeded("SELECT setseed(0.42)");
  seeded("SELECT 1 WHERE \"SetSeed\"(0.42) IS NULL");
  f.run("CREATE TABLE t (a INTEGER)");
  seeded("INSERT INTO t SELECT 1 WHERE setseed(0.42) IS NULL");
}

TEST_CASE("what EXPLAIN ANALYZE makes is not the next caller's") {
  Fixture f({.max_connections = 1});
  for (const char* create : {"EXPLAIN ANALYZE CREATE TEMP TABLE x AS SELECT 1 AS a",
                             "EXPLAIN (ANALYZE) CREATE TEMP TABLE x AS SELECT 1 AS a"}) {
    CAPTURE(create);
    f.run(create);
    CHECK(f.run("SELECT * FROM x").find("does not exist") != std::string::npos);
  }
}

TEST_CASE("a plain statement keeps its connection") {
  Fixture f;
  f.run("CREATE TABLE t (a INTEGER)");
  const auto id = [&] { return f.value("SELECT current_connection_id()"); };
  const std::string first = id();
  f.run("SELECT 1");
  f.run("SELECT nosuch");
  f.run("INSERT INTO t VALUES (1)");
  f.run("BEGIN; COMMIT");
  CHECK(id() == first);
  CHECK(f.database->stats().connections == 1);
  f.run("SET threads=1");
  CHECK(id() != first);
}

TEST_CASE("a result that is not read to its end") {
  Fixture f({.max_connections = 1});
  {
    Lease lease = f.lease();
    auto rows = lease.execute("SELECT * FROM range(10000000)", {});
    REQUIRE(rows.ok());
    REQUIRE(rows->next_chunk().ok());
  }
  CHECK(f.run("SELECT 1 AS a") == "[{\"a\":1}]");
  Lease lease = f.lease();
  auto unread = lease.execute("SELECT * FROM range(10000000)", {});
  REQUIRE(unread.ok());
  CHECK(outcome_of(lease.execute("SELECT 2 AS a", {})) == "[{\"a\":2}]");
  CHECK(outcome_of(std::move(unread)) ==
        "the rows were not read before the next statement was run");
}

TEST_CASE("rows that outlive their lease") {
  Fixture f;
  std::optional<Lease> lease(f.lease());
  auto rows = lease->execute("SELECT * FROM range(10000000)", {});
  REQUIRE(rows.ok());
  lease.reset();
  CHECK(outcome_of(std::move(rows)) == "the rows were not read before the next statement was run");
  CHECK(f.run("SELECT 1 AS a") == "[{\"a\":1}]");
}

TEST_CASE("a parameter in places of different types") {
  Fixture f;
  f.run("CREATE TABLE t (a VARCHAR, b VARCHAR)");
  const Arguments x = {{"x", "abc"}};
  for (int i = 0; i < 2; ++i) {
    CHECK(f.run("SELECT format('<{}>', $x) AS a, $x::VARCHAR AS b", x) ==
          "[{\"a\":\"<abc>\",\"b\":\"abc\"}]");
    CHECK(f.run("SELECT {'m': $x} AS a, $x::VARCHAR AS b", x) ==
          "[{\"a\":{\"m\":\"abc\"},\"b\":\"abc\"}]");
    CHECK(f.run("-- $x\nSELECT '$x' AS q, format('{}', $x) || 'a' AS a,\n $x::VARCHAR AS b, "
                "$x::INTEGER",
                x) == "3:22: Conversion Error: Could not convert string 'abc' to INT32");
    CHECK(f.run("SELECT $x, upper($x)", x) == "[{\"$x\":\"abc\",\"upper($x)\":\"ABC\"}]");
    // In another case, and by position.
    CHECK(f.run("SELECT format('{}', $X) || 'a' AS a, $x::VARCHAR AS b", x) ==
          "[{\"a\":\"abca\",\"b\":\"abc\"}]");
    CHECK(f.run("SELECT format('{}', $1) || 'a' AS a, $1::VARCHAR AS b", {{"1", "abc"}}) ==
          "[{\"a\":\"abca\",\"b\":\"abc\"}]");
    CHECK(f.run("SELECT $1, $1", {{"1", "abc"}}) == "[{\"$1\":\"abc\",\"$1_1\":\"abc\"}]");
    CHECK(f.run("SELECT $1, $2, upper($1)", {{"1", "abc"}, {"2", 5}}) ==
          "[{\"$1\":\"abc\",\"$2\":5,\"upper($1)\":\"ABC\"}]");
    CHECK(
        f.run("SELECT substr(v, $n) AS s, count(*) AS c FROM (VALUES ('ab'), ('cb')) t(v) GROUP BY "
              "substr(v, $n)",
              {{"n", 2}}) == "[{\"s\":\"b\",\"c\":2}]");
    if (!f.is_1_4()) {
      CHECK(f.run("SELECT $x::VARCHAR AS a, $x::VARIANT AS b", x) ==
            "[{\"a\":\"abc\",\"b\":\"\\\"abc\\\"\"}]");
    }
    CHECK(f.run("INSERT INTO t SELECT format('{}', $x), $x::VARCHAR", x) == "[{\"Count\":1}]");
    CHECK(f.run("SELECT 1; SELECT count(DISTINCT $x) AS a, $x::VARCHAR AS b", x) ==
          "[{\"a\":1,\"b\":\"abc\"}]");
  }
}

TEST_CASE("a database that DuckDB gave up is opened again") {
  Fixture f;
  f.run("CREATE TABLE t (a VARCHAR, b VARCHAR); INSERT INTO t VALUES ('1', '2')");
  // As on a full disk: what DuckDB cannot write at a checkpoint ends the database.
  std::string first;
  {
    const NoFilesGrow full;
    first = f.run("CHECKPOINT");
  }
  CAPTURE(first);
  CHECK(first.starts_with("FATAL Error"));
  CHECK(first.find("Stack Trace") == std::string::npos);
  CHECK(f.run("SELECT * FROM t") == "[{\"a\":\"1\",\"b\":\"2\"}]");
}

TEST_CASE("preparing tells about a source without running it") {
  Fixture f;
  f.run("CREATE TABLE t (id INTEGER, price DECIMAL(8,2))");
  Lease lease = f.lease();
  {
    auto info = lease.prepare("SELECT id, price AS p FROM t WHERE id = $id AND $name = 'x'");
    REQUIRE(info.ok());
    REQUIRE(info->size() == 1);
    const StatementInfo& s = (*info)[0];
    REQUIRE(s.parameters.size() == 2);
    CHECK(s.parameters[0].name == "id");
    CHECK(s.parameters[1].name == "name");
    REQUIRE(s.columns.size() == 2);
    CHECK(s.columns[1].name == "p");
    CHECK(s.columns[1].type.name == "DECIMAL(8,2)");
    CHECK(s.read_only);
    CHECK(s.offset == 0);
  }
  {
    // What $x is, only a value tells: DuckDB does not know the columns before.
    auto info = lease.prepare("SELECT id FROM t WHERE $x IS NULL");
    REQUIRE(info.ok());
    CHECK((*info)[0].columns.empty());
    CHECK((*info)[0].parameters[0].type.empty());
    auto typed =
        lease.prepare("SELECT id, $y AS y, $x || 'a' AS x FROM t WHERE $x IS NULL LIMIT $n",
                      {{"x", "abc"}, {"y", 1.5}, {"n", 1}});
    REQUIRE(typed.ok());
    REQUIRE((*typed)[0].columns.size() == 3);
    CHECK((*typed)[0].columns[1].name == "y");
    CHECK((*typed)[0].columns[1].type.name == "DOUBLE");
    // 1.4 cannot tell the type of what is NULL, as every value is here.
    CHECK((*typed)[0].columns[2].type.name == (f.is_1_4() ? "" : "VARCHAR"));
    CHECK((*typed)[0].parameters.size() == 3);
    CHECK(!(*typed)[0].refused);
  }
  {
    auto info = lease.prepare("SELECT $a::INTEGER AS a");
    REQUIRE(info.ok());
    CHECK((*info)[0].parameters[0].type == "INTEGER");
  }
  {
    auto info = lease.prepare("  -- first\n  INSERT INTO t VALUES ($a, 1); DELETE FROM t;");
    REQUIRE(info.ok());
    REQUIRE(info->size() == 2);
    CHECK((*info)[0].offset == 13);
    CHECK(!(*info)[0].read_only);
    CHECK((*info)[1].offset == 43);
    CHECK((*info)[1].parameters.empty());
  }
  {
    auto info = lease.prepare("CREATE TEMP TABLE n AS SELECT 1 AS a; SELECT a FROM n WHERE a = $x");
    REQUIRE(info.ok());
    REQUIRE(info->size() == 2);
    REQUIRE((*info)[1].parameters.size() == 1);
    CHECK((*info)[1].parameters[0].name == "x");
    CHECK((*info)[1].columns.empty());
    CHECK((*info)[1].read_only);
  }
  {
    auto info = lease.prepare("EXPLAIN ANALYZE INSERT INTO t VALUES (1, 1)");
    REQUIRE(info.ok());
    CHECK(!(*info)[0].read_only);
    CHECK((*lease.prepare("EXPLAIN SELECT 1"))[0].read_only);
    CHECK((*lease.prepare("FROM t"))[0].read_only);
    CHECK(!(*lease.prepare("CREATE TABLE u (a INTEGER)"))[0].read_only);
  }
  CHECK(f.value("SELECT count(*) FROM t") == "0");

  auto missing = lease.prepare("SELECT 1;\nSELECT * FROM nosuch");
  REQUIRE(!missing.ok());
  CHECK(is_missing_object(missing.error()));
  CHECK(missing.error().place.line == 2);
  CHECK(missing.error().place.column == 15);
  auto wrong = lease.prepare("SELECT id FORM t");
  REQUIRE(!wrong.ok());
  CHECK(!is_missing_object(wrong.error()));
}

TEST_CASE("a statement is planned for values as they will be bound, and not run") {
  Fixture f;
  f.run("CREATE TABLE t (d DATE, id INTEGER, l INTEGER[]); CREATE SEQUENCE s");
  Lease lease = f.lease();
  const auto type_of = [&](std::string_view sql, const Value& x) -> std::string {
    const auto info = lease.prepare(sql, {{"x", x}});
    REQUIRE_MESSAGE(info.ok(), (info.ok() ? "" : info.error().text()));
    const StatementInfo& last = info->back();
    if (last.refused) return "refused: " + last.refused->message.substr(0, 30);
    std::string names;
    for (const Column& column : last.columns) names += column.name + ":" + column.type.name + " ";
    return names;
  };
  // DuckDB's own inference from the text says INTEGER.
  CHECK(type_of("SELECT coalesce($x, 1) AS v", 1.5) == "v:DOUBLE ");
  CHECK(type_of("SELECT coalesce($x, 1) AS v", 1) == "v:INTEGER ");
  CHECK(type_of("SELECT coalesce($x, 1) AS v", ExactNumber{"1.25"}) == "v:DECIMAL(12,2) ");
  // A text is cast where one is needed; a number is not.
  // 1.4 says INTEGER of what is NULL, too, so that is no answer there.
  const std::string integer = f.is_1_4() ? "" : "INTEGER";
  CHECK(type_of("SELECT id FROM t WHERE $x IS NULL OR d >= $x", "") == "id:" + integer + " ");
  CHECK(type_of("SELECT id % $x AS v, greatest(d, $x) AS w FROM t", "") != "");
  CHECK(type_of("SELECT id FROM t WHERE d >= $x", 1).starts_with("refused: Binder Error"));
  CHECK(type_of("SELECT l[$x] FROM t", 1.5).starts_with("refused: Binder Error"));
  if (!f.is_1_4()) {
    CHECK(type_of("SELECT $x.b", Object{{"a", 1}}).starts_with("refused: Binder Error"));
  }
  CHECK(type_of("SELECT $x.a AS v, $x.a, $x.a", Object{{"a", 1}}) ==
        "v:" + integer + " ($x).a:" + integer + " ($x).a_1:" + integer + " ");
  CHECK(type_of("INSERT INTO t(id) SELECT nextval('s') + $x", 1) == "");
  CHECK(type_of("SELECT nextval('s') + $x AS v", 1) == "v:BIGINT ");
  CHECK(f.value("SELECT nextval('s')") == "1");
  CHECK(f.value("SELECT count(*) FROM t") == "0");

  CHECK(lease.has_cast(Date{}, "TIMESTAMP"));
  CHECK(!lease.has_cast(1, "DATE"));
  CHECK(!lease.has_cast(Array{1}, "INTEGER"));
  CHECK(lease.has_cast("no date", "DATE"));
}

TEST_CASE("integers that no type of DuckDB holds are an error, not another number") {
  Fixture f;
  const auto bound = [&](const Value& x) {
    return f.run("SELECT $x AS x, typeof($x) AS t", {{"x", x}});
  };
  const Value most = ExactNumber{"340282366920938463463374607431768211455"};
  CHECK(bound(most) == "[{\"x\":340282366920938463463374607431768211455,\"t\":\"UHUGEINT\"}]");
  for (const char* const text :
       {"340282366920938463463374607431768211456", "340282366920938463463374607431768211461",
        "1000000000000000000000000000000000000000", "-170141183460469231731687303715884105729"}) {
    const Value huge = ExactNumber{text};
    for (const Value& value : {huge, Value(Array{huge}), Value(Object{{"a", huge}})}) {
      const std::string said = bound(value);
      CAPTURE(said);
      CHECK(said.starts_with("parameter $x: the integer " + std::string(text) + " does not fit"));
    }
  }
  CHECK(bound(Array{5, most}) ==
        "[{\"x\":[5,340282366920938463463374607431768211455],\"t\":\"UHUGEINT[]\"}]");
  CHECK(bound(Array{-5, most}).find("no integer type") != std::string::npos);
  // As in SQL, a fraction or an exponent beyond DECIMAL is the nearest DOUBLE.
  CHECK(bound(ExactNumber{"1e-50", true}) == "[{\"x\":1e-50,\"t\":\"DOUBLE\"}]");
  CHECK(bound(ExactNumber{"1e40"}) == "[{\"x\":1e+40,\"t\":\"DOUBLE\"}]");
}

TEST_CASE("a duration is an INTERVAL where one is needed") {
  Fixture f;
  const auto value = [&](std::string_view sql, const char* x) { return f.run(sql, {{"x", x}}); };
  CHECK(value("SELECT $x::INTERVAL AS v", "P1DT2H30M") == "[{\"v\":\"P1DT2H30M\"}]");
  CHECK(value("SELECT $x::INTERVAL AS v", "P1Y2M3D") == "[{\"v\":\"P1Y2M3D\"}]");
  CHECK(value("SELECT $x::INTERVAL AS v", "P2W") == "[{\"v\":\"P14D\"}]");
  CHECK(value("SELECT $x::INTERVAL AS v", "PT0.5S") == "[{\"v\":\"PT0.5S\"}]");
  CHECK(value("SELECT $x::INTERVAL AS v", "1 day") == "[{\"v\":\"P1D\"}]");
  CHECK(value("SELECT $x AS v", "P1D") == "[{\"v\":\"P1D\"}]");
}

TEST_CASE("a pivot can be prepared") {
  Fixture f;
  f.run("CREATE TABLE t AS SELECT 'a' AS k, 1 AS v");
  Lease lease = f.lease();
  CHECK(lease.prepare("PIVOT t ON k USING sum(v)").ok());
}

}  // namespace
}  // namespace mxcp::engine
