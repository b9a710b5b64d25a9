#include "quality/derive.h"

#include <doctest/doctest.h>

#include "base/json.h"
#include "base/text.h"
#include "engine/engine_fixture.h"
#include "quality/sql_types.h"
#include "support/temp_project.h"
#include "types/shape.h"

using namespace mxcp;

namespace {

// A project with one tool, t.
class Derived {
 public:
  explicit Derived(const std::string& yaml, std::string_view setup = "",
                   const std::string& site = "mxcp: 1\nproject: test\nprofile: default\n")
      : files_({{"tools/t.yml", yaml}, {"mxcp-site.yml", site}}), project_(files_.load()) {
    engine::testing::set_search_path();
    engine::DatabaseOptions options;
    options.path = files_.root() / "data" / "db-default.duckdb";
    auto opened = engine::Database::open(std::move(options));
    REQUIRE(opened.ok());
    database_ = *std::move(opened);
    if (!setup.empty()) run(setup);
    first_ = quality::derive(project_, nullptr);
    second_ = quality::derive(first_, database_.get());
  }

  void run(std::string_view sql) {
    auto lease = database_->lease(engine::testing::soon());
    REQUIRE(lease.ok());
    const auto done = lease->execute(sql, {});
    REQUIRE_MESSAGE(done.ok(), (done.ok() ? "" : done.error().text()));
  }

  // readOnlyHint as it is listed: "true", "false", or "" when there is none.
  std::string hint() const {
    const auto tool = second_->find(project::EndpointKind::kTool, "t");
    REQUIRE(tool);
    if (!tool->annotations || !tool->annotations->read_only) return "";
    return *tool->annotations->read_only ? "true" : "false";
  }
  // The declaration of a row, as JSON Schema; "" when nothing was derived.
  std::string row() const {
    const auto tool = second_->find(project::EndpointKind::kTool, "t");
    REQUIRE(tool);
    CHECK(second_->types_derived());
    if (!tool->return_type) return "";
    const Value schema = tool->return_type->json_schema();
    return to_json(*schema.find("items"));
  }
  bool is_derived() const {
    return second_->find(project::EndpointKind::kTool, "t")->return_derived;
  }

 private:
  test::TempProject files_;
  std::shared_ptr<const project::Project> project_, first_, second_;
  std::shared_ptr<engine::Database> database_;
};

std::string tool(const std::string& sql, const std::string& head = "") {
  return "tool:\n  name: t\n" + head + "  source:\n    code: |\n      " + sql + "\n";
}

std::string hint_of(const std::string& sql, const std::string& head = "") {
  static const std::string kSetup =
      "CREATE TABLE t (i INTEGER); CREATE SEQUENCE s; CREATE VIEW reads AS SELECT i FROM t; "
      "CREATE VIEW \"next one\" AS SELECT nextval('s') AS n; CREATE VIEW above AS FROM \"next "
      "one\"; CREATE MACRO twice(x) AS x * 2; CREATE MACRO advance() AS \"nextval\"('s'); "
      "CREATE MACRO rows_of() AS TABLE SELECT advance() AS n";
  return Derived(tool(sql, head), kSetup).hint();
}

}  // namespace

TEST_CASE("a tool whose SQL only reads is marked as such") {
  CHECK(hint_of("SELECT 1 AS x") == "true");
  CHECK(hint_of("WITH a AS (SELECT 1) FROM a") == "true");
  CHECK(hint_of("SELECT 'INSERT' AS \"DELETE\" -- UPDATE") == "true");
  CHECK(hint_of("INSERT INTO t VALUES (1)") == "");
  CHECK(hint_of("WITH a AS (SELECT 1) INSERT INTO t FROM a") == "");
  CHECK(hint_of("SELECT 1; DELETE FROM t") == "");
  CHECK(hint_of("SELECT nextval('s') AS x") == "");
  CHECK(hint_of("COPY t TO 'x.csv'") == "");
  CHECK(hint_of("CREATE TABLE x (i INT)") == "");
}

TEST_CASE("functions, macros and views are looked through for the hint") {
  CHECK(hint_of("SELECT twice(i) AS v, uuid() AS u FROM reads") == "true");
  CHECK(hint_of("SELECT * FROM read_csv('x.csv') t(a)") == "");  // it cannot be prepared
  CHECK(hint_of("SELECT * FROM range(3) t(nextval_)") == "true");
  for (const char* const sql :
       {"SELECT \"nextval\"('s') AS v", "SELECT \"next one\".n FROM \"next one\"", "FROM above",
        "SELECT advance() AS v", "FROM rows_of()", "FROM query('SELECT nextval(''s'')')",
        "FROM query_table('above')", "SELECT * FROM force_checkpoint()",
        "SELECT write_log('a') AS v", "SELECT * FROM enable_logging()", "FROM checkpoint ()",
        "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('FROM above'))"}) {
    CAPTURE(sql);
    CHECK(hint_of(sql) == "");
  }
}

TEST_CASE("an annotation that is given stays, and plugins may do anything") {
  CHECK(hint_of("SELECT 1 AS x", "  annotations: {readOnlyHint: false}\n") == "false");
  CHECK(hint_of("SELECT 1 AS x", "  annotations: {title: T}\n") == "true");
  CHECK(Derived(tool("SELECT f(1) AS x"), "",
                "mxcp: 1\nproject: p\nprofile: default\nplugin: [{name: a, module: b}]\n")
            .hint() == "");
}

TEST_CASE("the columns of the statement are the return type of a tool that declares none") {
  Derived derived(tool("SELECT id, name, price, day, tags, i, b, id FROM orders"),
                  "CREATE TABLE orders (id INTEGER, name VARCHAR, price DECIMAL(9,2), day DATE, "
                  "tags VARCHAR[], i STRUCT(a INTEGER), b BOOLEAN)");
  CHECK(derived.row() ==
        R"({"type":"object","properties":{"id":{"type":"integer"},"name":{"type":"string"},)"
        R"("price":{"type":"number"},"day":{"type":"string"},)"
        R"("tags":{"type":"array","items":{"type":"string"}},)"
        R"("i":{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]},)"
        R"("b":{"type":"boolean"},"id_1":{"type":"integer"}},)"
        R"("required":["id","name","price","day","tags","i","b","id_1"]})");
  CHECK(derived.is_derived());
}

TEST_CASE("a return type that is declared stays") {
  const Derived derived(tool("SELECT 1 AS x", "  return: {type: array}\n"));
  CHECK(!derived.is_derived());
}

TEST_CASE("nothing is derived from what is not known") {
  CHECK(Derived(tool("SELECT * FROM not_there")).row() == "");
  CHECK(Derived(tool("INSERT INTO t VALUES (1)"), "CREATE TABLE t (i INTEGER)").row() == "");
  CHECK(Derived(tool("CREATE TEMP TABLE q AS SELECT 1 AS a; SELECT * FROM q")).row() == "");
  CHECK(Derived("tool:\n  name: t\n  language: python\n  source: {code: 'def t(): return 1'}\n")
            .row() == "");
}

TEST_CASE("what depends on the arguments is left open") {
  const std::string one = "  parameters: [{name: x, type: number}]\n";
  CHECK(Derived(tool("SELECT $x AS a, 1 AS b", one)).row() ==
        R"({"type":"object","properties":{"a":{"type":"number"},"b":{"type":"integer"}},)"
        R"("required":["a","b"]})");
  // A list of anything: its column may be of any type, and the others keep theirs.
  const std::string b =
      R"({"type":"object","properties":{"b":{"type":"integer"}},"required":["b"]})";
  CHECK(Derived(tool("SELECT $x AS a, 1 AS b", "  parameters: [{name: x, type: array}]\n")).row() ==
        b);
  CHECK(Derived(tool("SELECT NULL AS a, 1 AS b")).row() == b);
  CHECK(Derived(tool("SELECT NULL AS a")).row() == R"({"type":"object","required":["a"]})");
  CHECK(Derived(tool("SELECT {'a': NULL, 'b': 1} AS s")).row() ==
        R"({"type":"object","properties":{"s":)" + b + R"(},"required":["s"]})");
}

TEST_CASE("an integer that is too large for a sum of integers") {
  const auto row = [](const std::string& sql, const std::string& type) {
    return Derived(tool(sql, "  parameters: [{name: x, " + type + "}]\n")).row();
  };
  const auto one = [](const std::string& type) {
    return R"({"type":"object","properties":{"v":{"type":")" + type + R"("}},"required":["v"]})";
  };
  // DuckDB adds UHUGEINT, which begins at 2^127, as DOUBLE.
  CHECK(row("SELECT sum($x) OVER () AS v", "type: integer") == one("number"));
  CHECK(row("SELECT sum($x) OVER () AS v", "type: integer, maximum: 1000") == one("integer"));
  CHECK(row("SELECT list_sum($x) AS v", "type: array, items: {type: integer}") == one("number"));
  CHECK(row("SELECT $x * 2 AS v", "type: integer") == one("integer"));
}

TEST_CASE("no argument makes a column that its type does not fit") {
  // The type of column v, "" when anything may come.
  const auto column = [](const std::string& sql, const std::string& types) -> std::string {
    std::string head = "  parameters:\n";
    char name = 'x';
    for (const std::string_view type : split(types, ' ')) {
      head += std::string("    - {name: ") + name++ + ", type: " + std::string(type) + "}\n";
    }
    const std::string row = Derived(tool(sql, head)).row();
    CAPTURE(row);
    const std::size_t at = row.find("\"v\":{\"type\":\"");
    if (at == std::string::npos) return row.empty() ? "none" : "";
    return row.substr(at + 13, row.find('"', at + 13) - at - 13);
  };
  for (const char* const sql :
       {"SELECT coalesce($x, 1) AS v", "SELECT ifnull($x, 1) AS v", "SELECT greatest($x, 1) AS v",
        "SELECT if(true, $x, 1) AS v", "SELECT CASE WHEN $x > 0 THEN $x ELSE 0 END AS v",
        "WITH a AS (SELECT coalesce($x, 0) AS v) FROM a", "SELECT (SELECT coalesce($x, 0)) AS v"}) {
    CAPTURE(sql);
    CHECK(column(sql, "number") == "number");
    CHECK(column(sql, "integer") == "integer");
  }
  // From 2^127 on DuckDB adds them as DOUBLE.
  CHECK(column("SELECT $x + $y AS v", "integer integer") == "number");
  CHECK(column("SELECT $x + $y AS v", "integer number") == "number");
  CHECK(column("SELECT $x || 'a' AS v", "string") == "string");
  CHECK(column("SELECT len($x) AS v", "array") == "integer");
  CHECK(column("SELECT $x[1] AS v", "array") == "");
  CHECK(column("SELECT coalesce($x[1], 1) AS v", "array") == "");
  CHECK(column("SELECT coalesce($x.b, 1) AS v", "object") == "");
  // An integer beside a text makes an integer of it, null beside a text does not.
  CHECK(column("SELECT coalesce($x, $y) AS v", "integer string") == "");
  CHECK(column("SELECT [$x, 1] AS v", "number") == "array");
}

TEST_CASE("declarations that fit two columns") {
  using types::Kind;
  const auto of = [](Kind kind) {
    types::TypeSpec spec;
    spec.kind = kind;
    return spec;
  };
  CHECK(quality::common(of(Kind::kInteger), of(Kind::kNumber))->kind == Kind::kNumber);
  CHECK(quality::common(of(Kind::kString), of(Kind::kString))->kind == Kind::kString);
  CHECK(!quality::common(of(Kind::kString), of(Kind::kBoolean)));
  const auto object = [&](Kind a) {
    types::TypeSpec spec = of(Kind::kObject);
    spec.properties = {{"a", of(a)}, {"b", of(Kind::kInteger)}};
    spec.required = {"a", "b"};
    return spec;
  };
  // Of a member that fits none nothing is left.
  const auto both = quality::common(object(Kind::kInteger), object(Kind::kString));
  CHECK(both->properties.size() == 1);
  CHECK(both->required == std::vector<std::string>{"b"});
}
