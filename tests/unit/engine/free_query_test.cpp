#include "engine/free_query.h"

#include <fstream>
#include <optional>

#include "engine/engine_fixture.h"

namespace mxcp::engine {
namespace {

using testing::Fixture;

// A database with things that read files, and files that hold a secret.
struct Stocked : Fixture {
  Stocked() {
    const auto write = [&](const std::string& name, const std::string& text) {
      std::ofstream(folder.path() / name) << text;
      return (folder.path() / name).string();
    };
    csv = write("leak.csv", "word,n\nhunter2,1\n");
    json = write("leak.json", "[{\"word\": \"hunter2\"}]");
    text = write("leak.txt", "hunter2");
    // Its name without the ending, for "/folder/leak"."csv".
    stem = (folder.path() / "leak").string();
    other = (folder.path() / "other.duckdb").string();
    set_up("ATTACH '" + other + "' AS o; CREATE TABLE o.t AS SELECT 'hunter2' AS word; DETACH o");
    set_up("CREATE TABLE t AS SELECT 1 AS i, 'a' AS name");
    set_up("CREATE VIEW v AS SELECT i FROM t");
    set_up("CREATE SCHEMA s; CREATE TABLE s.x AS SELECT 2 AS i");
    set_up("CREATE VIEW allowed AS FROM read_csv('" + csv + "')");
    set_up("CREATE MACRO any_csv(p) AS TABLE SELECT * FROM read_csv(p)");
    set_up("CREATE MACRO any_text(p) AS (SELECT max(content) FROM read_text(p))");
    set_up("CREATE MACRO deep(p) AS any_text('" + text + "') || p");
    set_up("CREATE MACRO named() AS TABLE FROM '" + csv + "'");
    set_up("CREATE MACRO sleeper(n) AS sleep_ms(n)");
    set_up("CREATE MACRO plus(x) AS x + 1, (x, y) AS x + y");
    set_up("CREATE MACRO few(n) AS TABLE SELECT * FROM t LIMIT n");
    set_up("CREATE MACRO twofold(x) AS x, (p, q) AS (SELECT max(content) FROM read_text(p))");
  }

  void set_up(const std::string& sql) {
    if (sql.find("sleep_ms") != std::string::npos && is_1_4()) return;  // has no such function
    const std::string result = run(sql);
    INFO(sql);
    REQUIRE_MESSAGE(result.find("Error") == std::string::npos, result);
  }

  // The rows, or the message of the error with its hint.
  std::string ask(std::string sql) {
    for (const auto& [name, path] : {std::pair{"CSV", &csv},
                                     {"JSON", &json},
                                     {"TEXT", &text},
                                     {"STEM", &stem},
                                     {"OTHER", &other}}) {
      for (std::size_t at; (at = sql.find(name)) != std::string::npos;) {
        sql.replace(at, std::string(name).size(), *path);
      }
    }
    Lease own = lease();
    std::string out;
    const auto read = run_free_query(own, sql, out, {});
    if (read.ok()) return out;
    return read.error().message + (read.error().hint.empty() ? "" : "; " + read.error().hint);
  }

  std::string csv, json, text, stem, other;
};

TEST_CASE("a name is a common table expression only where SQL makes it one") {
  Stocked f;
  for (const char* const sql : {
           "WITH \"CSV\" AS (SELECT * FROM \"CSV\") SELECT * FROM \"CSV\"",
           "WITH RECURSIVE \"CSV\" AS (SELECT * FROM \"CSV\" UNION ALL SELECT 'x', 1 WHERE false) "
           "SELECT * FROM \"CSV\"",
           "SELECT * FROM (WITH \"CSV\" AS (SELECT 1) SELECT 1), 'CSV'",
           "SELECT * FROM 'CSV', (WITH \"CSV\" AS (SELECT 1) SELECT 1)",
           "SELECT * FROM 'CSV' WHERE EXISTS (WITH \"CSV\" AS (SELECT 1) SELECT 1)",
           "SELECT (WITH \"CSV\" AS (SELECT 1) SELECT 1), * FROM \"CSV\"",
           "SELECT (SELECT max(word) FROM \"CSV\") FROM (WITH \"CSV\" AS (SELECT 1) FROM \"CSV\")",
           "WITH a AS (SELECT * FROM \"CSV\"), \"CSV\" AS (SELECT 1) SELECT * FROM a",
           "FROM \"CSV\" UNION ALL (WITH \"CSV\" AS (SELECT 'a' AS word, 1 AS n) FROM \"CSV\")",
           "(WITH \"CSV\" AS (SELECT 'a' AS w, 1 AS n) FROM \"CSV\") UNION ALL FROM \"CSV\"",
           "(WITH \"CSV\" AS (SELECT 'a' AS w, 1 AS n) FROM \"CSV\") EXCEPT FROM \"CSV\"",
           "WITH \"x\" AS (WITH \"CSV\" AS (SELECT 1) FROM \"CSV\") SELECT * FROM x, \"CSV\"",
           "WITH \"CSV\" AS (SELECT 1) SELECT * FROM main.\"CSV\"",
           "SELECT * FROM t ORDER BY (WITH \"CSV\" AS (SELECT 1) SELECT 1), (SELECT n FROM "
           "\"CSV\")",
           "SELECT * FROM t LIMIT (SELECT n FROM 'CSV')",
           "SELECT list_transform([1], lambda x: (SELECT max(word) FROM \"CSV\"))",
           "SELECT * FROM t JOIN LATERAL (SELECT * FROM 'CSV') ON true",
           "SELECT * FROM t POSITIONAL JOIN 'CSV'",
           "PIVOT 'CSV' ON n IN (1) USING max(word)",
           "UNPIVOT 'CSV' ON n",
           "SUMMARIZE 'CSV'",
           "DESCRIBE 'CSV'",
           "WITH \"CSV\" AS (SELECT 1) SELECT * FROM (DESCRIBE \"CSV\")",
           "WITH \"CSV\" AS MATERIALIZED (FROM \"CSV\") FROM \"CSV\"",
           "WITH \"JSON\" AS (FROM \"JSON\") FROM \"JSON\"",
           "WITH \"OTHER\" AS (FROM \"OTHER\") FROM \"OTHER\"",
           "WITH \"file://CSV\" AS (FROM \"file://CSV\") FROM \"file://CSV\"",
           "EXPLAIN SELECT * FROM 'CSV'",
       }) {
    INFO(std::string(sql));
    const std::string answer = f.ask(sql);
    CHECK(answer.find("there is no table or view") != std::string::npos);
    CHECK(answer.find("hunter2") == std::string::npos);
  }
  CHECK(f.ask("WITH a AS (SELECT 7 AS x), b AS (FROM A) SELECT x FROM b") == "[{\"x\":7}]");
  CHECK(f.ask("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) "
              "SELECT max(n) AS m FROM r") == "[{\"m\":3}]");
  CHECK(f.ask("WITH a AS (SELECT 1 AS x) SELECT (SELECT max(x) FROM a) AS y, EXISTS (FROM a) AS z "
              "FROM t WHERE i IN (SELECT x FROM a) ORDER BY (SELECT x FROM a)") ==
        "[{\"y\":1,\"z\":true}]");
  CHECK(f.ask("WITH a AS (SELECT 1 AS x) (FROM a UNION ALL FROM a) ORDER BY x") ==
        "[{\"x\":1},{\"x\":1}]");
  CHECK(f.ask("WITH t AS (SELECT 9 AS i) SELECT i FROM t") == "[{\"i\":9}]");
}

TEST_CASE("a qualified name is a table that is exactly there") {
  Stocked f;
  f.set_up("CREATE TABLE csv AS SELECT 1 AS a; CREATE TABLE json AS SELECT 1 AS a");
  for (const char* const sql : {
           "WITH csv AS (SELECT 1) SELECT * FROM \"STEM\".\"csv\"",
           "SELECT * FROM \"STEM\".\"csv\"",
           "SELECT * FROM \"STEM\".json",
           "SELECT * FROM main.'CSV'",
           "SELECT * FROM test.main.\"CSV\"",
           "SELECT * FROM information_schema.\"CSV\"",
           "SELECT * FROM s.t",
           "SELECT * FROM x",
       }) {
    INFO(std::string(sql));
    const std::string answer = f.ask(sql);
    // 1.4 takes no text behind a dot.
    const bool refused = answer.find("there is no table or view") != std::string::npos ||
                         answer.starts_with("Parser Error");
    CHECK_MESSAGE(refused, answer);
    CHECK(answer.find("hunter2") == std::string::npos);
  }
  for (const char* const table : {"t", "T", "main.t", "test.t", "test.main.t"}) {
    CHECK(f.ask("SELECT i FROM " + std::string(table)) == "[{\"i\":1}]");
  }
  CHECK(f.ask("SELECT i FROM s.x") == "[{\"i\":2}]");
  CHECK(f.ask("SELECT i FROM test.s.x") == "[{\"i\":2}]");
  CHECK(f.ask("SELECT count(*) > 0 AS any FROM information_schema.tables") == "[{\"any\":true}]");
}

TEST_CASE("macros are looked through, views are the author's word") {
  Stocked f;
  for (const char* const sql :
       {"FROM any_csv('CSV')", "SELECT any_text('TEXT')", "SELECT deep('TEXT')",
        "SELECT main.deep('TEXT')", "FROM named()", "SELECT twofold('TEXT', 1)",
        "SELECT list_transform(['TEXT'], lambda p: deep(p))", "SELECT * FROM t, any_csv('CSV')",
        "SELECT * FROM histogram('CSV', n)", "SELECT * FROM histogram_values('CSV', n)",
        "SELECT json_serialize_plan('SELECT * FROM read_csv(''CSV'')')",
        "SELECT * FROM query_table('CSV')", "SELECT pg_sleep(0)"}) {
    INFO(std::string(sql));
    const std::string answer = f.ask(sql);
    CHECK(answer.find("hunter2") == std::string::npos);
    const bool refused = answer.find("is refused") != std::string::npos ||
                         answer.find("there is no table or view") != std::string::npos;
    CHECK_MESSAGE(refused, answer);
  }
  if (!f.is_1_4())
    CHECK(f.ask("SELECT sleeper(0)").starts_with("the function 'sleep_ms' is refused"));
  CHECK(f.ask("SELECT plus(1) AS a, plus(1, 2) AS b") == "[{\"a\":2,\"b\":3}]");
  CHECK(f.ask("SELECT i FROM few(1)") == "[{\"i\":1}]");
  CHECK(f.ask("SELECT list_sum([1, 2]) AS s") == "[{\"s\":3}]");
  CHECK(f.ask("SELECT word FROM allowed") == "[{\"word\":\"hunter2\"}]");
  CHECK(f.ask("SELECT i FROM v JOIN allowed ON i = n") == "[{\"i\":1}]");
}

TEST_CASE("settings and secrets are told by no view either") {
  Stocked f;
  for (const char* const sql :
       {"FROM pg_catalog.pg_settings", "FROM pg_settings", "SELECT current_setting('threads')",
        "FROM duckdb_secrets()", "FROM duckdb_settings()", "SELECT getvariable('x')"}) {
    INFO(std::string(sql));
    const std::string answer = f.ask(sql);
    CHECK_MESSAGE(answer.front() != '[', answer);
  }
}

TEST_CASE("what is harmless besides a SELECT, and words for what is not") {
  Stocked f;
  CHECK(f.ask("SHOW TABLES").find("\"t\"") != std::string::npos);
  CHECK(f.ask("SHOW ALL TABLES").find("\"few\"") == std::string::npos);
  CHECK(f.ask("DESCRIBE t").find("\"column_name\":\"i\"") != std::string::npos);
  CHECK(f.ask("SUMMARIZE t").find("\"column_name\":\"i\"") != std::string::npos);
  const std::string plan = f.ask("EXPLAIN SELECT * FROM t");
  CHECK_MESSAGE(plan.find("physical_plan") != std::string::npos, plan);
  CHECK(f.ask("PIVOT t ON i IN (1) USING max(name)") == "[{\"1\":\"a\"}]");
  CHECK(f.ask("PIVOT t ON i USING max(name)").starts_with("PIVOT needs the values of its columns"));
  for (const char* const empty : {"--", ";", " ; ", "/* x */"}) {
    CHECK(f.ask(empty).starts_with("there is no statement in it"));
  }
  CHECK(f.ask("SELECT 1; SELECT 2").starts_with("this is more than one statement"));
  CHECK(f.ask("EXPLAIN DELETE FROM t").starts_with("this statement does more than read"));
  CHECK(f.ask("EXPLAIN ANALYZE DELETE FROM t").find("Error") != std::string::npos);
  CHECK(f.ask("SELECT nam FROM t").find("Candidate bindings") != std::string::npos);
  CHECK(f.ask("SELECT i FROM t") == "[{\"i\":1}]");
}

}  // namespace
}  // namespace mxcp::engine
