#include "engine/result_set.h"

#include "engine/engine_fixture.h"

namespace mxcp::engine {
namespace {

using testing::Fixture;

// Each type as JSON and as a Value, which written as JSON must be the same text.
void check(Fixture& f, const std::string& sql, const std::string& json) {
  CAPTURE(sql);
  CHECK(f.value("SELECT " + sql) == json);
  Lease lease = f.lease();
  auto rows = lease.execute("SELECT " + sql + " AS v", {});
  REQUIRE(rows.ok());
  auto list = rows_to_values(*rows);
  const Result<Value> value =
      list.ok() ? Result<Value>(Value(std::move(list->values))) : Result<Value>(list.error());
  REQUIRE(value.ok());
  CHECK(to_json(*value) == "[{\"v\":" + json + "}]");
}

TEST_CASE("every scalar type has one JSON text") {
  Fixture f;
  check(f, "true", "true");
  check(f, "(-128)::TINYINT", "-128");
  check(f, "(-32768)::SMALLINT", "-32768");
  check(f, "2147483647", "2147483647");
  check(f, "(-9223372036854775808)::BIGINT", "-9223372036854775808");
  check(f, "255::UTINYINT", "255");
  check(f, "65535::USMALLINT", "65535");
  check(f, "4294967295::UINTEGER", "4294967295");
  check(f, "18446744073709551615::UBIGINT", "18446744073709551615");
  check(f, "170141183460469231731687303715884105727::HUGEINT",
        "170141183460469231731687303715884105727");
  check(f, "(-170141183460469231731687303715884105728)::HUGEINT",
        "-170141183460469231731687303715884105728");
  check(f, "(-5)::HUGEINT", "-5");
  check(f, "340282366920938463463374607431768211455::UHUGEINT",
        "340282366920938463463374607431768211455");
  check(f, "0.1::FLOAT", "0.1");
  check(f, "0.1::DOUBLE", "0.1");
  check(f, "1::DOUBLE", "1.0");
  check(f, "1e300::DOUBLE", "1e+300");
  check(f, "'nan'::DOUBLE", "null");
  check(f, "'-inf'::FLOAT", "null");
  check(f, "'infinity'::DOUBLE", "null");
  check(f, "12.34::DECIMAL(4,2)", "12.34");
  check(f, "(-0.05)::DECIMAL(4,2)", "-0.05");
  check(f, "123456.789::DECIMAL(9,3)", "123456.789");
  check(f, "(-123456789012.345678)::DECIMAL(18,6)", "-123456789012.345678");
  check(f, "'12345678901234567890123456789012.345678'::DECIMAL(38,6)",
        "12345678901234567890123456789012.345678");
  check(f, "5::DECIMAL(10,0)", "5");
  check(f, "'say \"hi\"\\\n\t\x01 \u00e4\u6f22\U0001F600'",
        "\"say \\\"hi\\\"\\\\\\n\\t\\u0001 \u00e4\u6f22\U0001F600\"");
  check(f, "'twelve bytes'", "\"twelve bytes\"");
  check(f, "'thirteen byte'", "\"thirteen byte\"");
  check(f, "''", "\"\"");
  check(f, "'\\x00\\xFFab'::BLOB", "\"AP9hYg==\"");
  check(f, "'0101011'::BIT", "\"0101011\"");
  check(f, "'1111000011110000'::BIT", "\"1111000011110000\"");
  check(f, "'00000000-0000-0000-0000-000000000001'::UUID",
        "\"00000000-0000-0000-0000-000000000001\"");
  check(f, "'f2345678-1234-1234-1234-123456789abc'::UUID",
        "\"f2345678-1234-1234-1234-123456789abc\"");
  check(f, "'b'::ENUM('a', 'b', '\u00e4\"')", "\"b\"");
  check(f, "'\u00e4\"'::ENUM('a', 'b', '\u00e4\"')", "\"\u00e4\\\"\"");
  check(f, "'{\"a\": [1]}'::JSON", "\"{\\\"a\\\": [1]}\"");
}

TEST_CASE("an arbitrary-precision integer keeps its digits") {
  Fixture f;
  const std::string type = f.is_1_4() ? "VARINT" : "BIGNUM";
  check(f, "0::" + type, "0");
  check(f, "(-300)::" + type, "-300");
  check(f, "256::" + type, "256");
  check(f, "1000000000::" + type, "1000000000");
  check(f, "'-123456789012345678901234567890123456789012345678901234567890'::" + type,
        "-123456789012345678901234567890123456789012345678901234567890");
}

TEST_CASE("dates and times are ISO 8601") {
  Fixture f;
  check(f, "DATE '2024-02-29'", "\"2024-02-29\"");
  check(f, "DATE '1969-12-31'", "\"1969-12-31\"");
  check(f, "DATE '0001-01-01'", "\"0001-01-01\"");
  check(f, "'infinity'::DATE", "\"infinity\"");
  check(f, "'-infinity'::DATE", "\"-infinity\"");
  check(f, "TIME '13:45:00'", "\"13:45:00\"");
  check(f, "TIME '13:45:00.000100'", "\"13:45:00.000100\"");
  check(f, "TIME '24:00:00'", "\"24:00:00\"");
  check(f, "'13:45:00+02:00'::TIMETZ", "\"13:45:00+02:00\"");
  check(f, "'13:45:00.5-03:30'::TIMETZ", "\"13:45:00.500000-03:30\"");
  check(f, "TIMESTAMP '2024-01-31 13:45:00'", "\"2024-01-31T13:45:00\"");
  check(f, "TIMESTAMP '2024-01-31 13:45:00.123456'", "\"2024-01-31T13:45:00.123456\"");
  check(f, "TIMESTAMP '1969-12-31 23:59:59.999999'", "\"1969-12-31T23:59:59.999999\"");
  check(f, "'2024-01-31 13:45:01'::TIMESTAMP_S", "\"2024-01-31T13:45:01\"");
  check(f, "'2024-01-31 13:45:01.25'::TIMESTAMP_MS", "\"2024-01-31T13:45:01.250000\"");
  check(f, "'2024-01-31 13:45:01.123456789'::TIMESTAMP_NS", "\"2024-01-31T13:45:01.123456789\"");
  check(f, "'2024-01-31 13:45:01.5'::TIMESTAMP_NS", "\"2024-01-31T13:45:01.500000\"");
  check(f, "'1960-01-01 00:00:00.000000001'::TIMESTAMP_NS", "\"1960-01-01T00:00:00.000000001\"");
  check(f, "'2024-01-31 13:45:00+02'::TIMESTAMPTZ", "\"2024-01-31T11:45:00+00:00\"");
  check(f, "'infinity'::TIMESTAMP", "\"infinity\"");
  check(f, "'-infinity'::TIMESTAMPTZ", "\"-infinity\"");
  check(f, "'infinity'::TIMESTAMP_S", "\"infinity\"");
  check(f, "'10:00:00.123456789'::TIME_NS", "\"10:00:00.123456789\"");
  check(f, "INTERVAL 0 DAY", "\"PT0S\"");
  check(f, "INTERVAL 14 MONTH", "\"P1Y2M\"");
  check(f, "INTERVAL '1 day 02:03:04.5'", "\"P1DT2H3M4.5S\"");
  check(f, "INTERVAL '-1 day'", "\"P-1D\"");
  check(f, "INTERVAL '-00:00:01.25'", "\"PT-1.25S\"");
  check(f, "INTERVAL '-00:00:00.000001'", "\"PT-0.000001S\"");
  check(f, "INTERVAL '-90 minutes'", "\"PT-1H-30M\"");
}

TEST_CASE("nested types become lists and objects, NULL null at any depth") {
  Fixture f;
  check(f, "[1, NULL, 3]", "[1,null,3]");
  check(f, "[]::INTEGER[]", "[]");
  check(f, "[[1], NULL, []]", "[[1],null,[]]");
  check(f, "[1, 2]::INTEGER[2]", "[1,2]");
  check(f, "[[1, 2], [3, NULL]]::INTEGER[2][2]", "[[1,2],[3,null]]");
  check(f, "{'a': 1, 'b \"x\"': NULL, 'c': {'d': ['x', NULL]}}",
        "{\"a\":1,\"b \\\"x\\\"\":null,\"c\":{\"d\":[\"x\",null]}}");
  check(f, "row(1, 'x')", "[1,\"x\"]");
  check(f, "MAP {'k': 1, 'l': NULL}", "{\"k\":1,\"l\":null}");
  check(f, "MAP {1: 'a', 2: 'b'}", "{\"1\":\"a\",\"2\":\"b\"}");
  check(f, "MAP {DATE '2024-01-01': [1]}", "{\"2024-01-01\":[1]}");
  check(f, "MAP {'\\x00\\x01'::BLOB: 1}", "{\"AAE=\":1}");
  check(f, "MAP {[1, 2]: 'x'}", "{\"[1,2]\":\"x\"}");
  check(f, "MAP {}", "{}");
  check(f, "union_value(num := 5)", "5");
  check(f, "'x'::UNION(num INTEGER, str VARCHAR)", "\"x\"");
  check(f, "[5::UNION(num INTEGER, str VARCHAR), 'x'::UNION(num INTEGER, str VARCHAR), NULL]",
        "[5,\"x\",null]");
  for (const char* type : {"BOOLEAN",
                           "INTEGER",
                           "HUGEINT",
                           "DECIMAL(30,2)",
                           "DOUBLE",
                           "VARCHAR",
                           "BLOB",
                           "BIT",
                           "UUID",
                           "DATE",
                           "TIME",
                           "TIMETZ",
                           "TIMESTAMP",
                           "TIMESTAMPTZ",
                           "INTERVAL",
                           "ENUM('a')",
                           "INTEGER[]",
                           "INTEGER[2]",
                           "STRUCT(a INTEGER)",
                           "MAP(VARCHAR, INTEGER)",
                           "UNION(a INTEGER, b VARCHAR)",
                           "JSON",
                           "TIMESTAMP_NS"}) {
    check(f, std::string("NULL::") + type, "null");
  }
  check(f, "NULL", "null");
}

TEST_CASE("nested columns of many rows and chunks read the right elements") {
  Fixture f;
  // Rows 0, 4096 and 5000 lie in three chunks; every third list is NULL.
  const std::string sql =
      "SELECT i, CASE WHEN i % 3 = 1 THEN NULL ELSE [i, i + 1] END AS l, {'s': 'v' || i, 'n': "
      "[{'m': "
      "i}]} AS s, MAP {'k' || i: i} AS m FROM range(6000) t(i)";
  Lease lease = f.lease();
  auto rows = lease.execute(sql, {});
  REQUIRE(rows.ok());
  auto list = rows_to_values(*rows);
  const Result<Value> value =
      list.ok() ? Result<Value>(Value(std::move(list->values))) : Result<Value>(list.error());
  REQUIRE(value.ok());
  const Array& array = *value->as_array();
  REQUIRE(array.size() == 6000);
  CHECK(to_json(array[0]) ==
        "{\"i\":0,\"l\":[0,1],\"s\":{\"s\":\"v0\",\"n\":[{\"m\":0}]},\"m\":{\"k0\":0}}");
  CHECK(to_json(array[4096]) ==
        "{\"i\":4096,\"l\":null,\"s\":{\"s\":\"v4096\",\"n\":[{\"m\":4096}]},"
        "\"m\":{\"k4096\":4096}}");
  CHECK(to_json(array[5000]) ==
        "{\"i\":5000,\"l\":[5000,5001],\"s\":{\"s\":\"v5000\",\"n\":[{\"m\":"
        "5000}]},\"m\":{\"k5000\":5000}}");
  std::string json;
  auto again = lease.execute(sql, {});
  REQUIRE(again.ok());
  REQUIRE(rows_to_json(*again, json).ok());
  CHECK(json == to_json(*value));
}

TEST_CASE("dictionary and constant vectors come out flat") {
  Fixture f;
  CHECK(f.run("SELECT t.k, s.v, 'c' AS c FROM (VALUES (1, 'a'), (2, 'b'), (3, 'a')) t(k, g) JOIN "
              "(VALUES ('a', {'x': [1]}), ('b', NULL)) s(g, v) USING (g) ORDER BY k") ==
        "[{\"k\":1,\"v\":{\"x\":[1]},\"c\":\"c\"},{\"k\":2,\"v\":null,\"c\":\"c\"},{\"k\":3,\"v\":{"
        "\"x\":[1]},\"c\":\"c\"}]");
  CHECK(f.run("SELECT [1, 2] AS l, {'a': NULL} AS s FROM range(2)") ==
        "[{\"l\":[1,2],\"s\":{\"a\":null}},{\"l\":[1,2],\"s\":{\"a\":null}}]");
}

TEST_CASE("types that vectors do not show are cast") {
  Fixture f;
  // TIME_NS is unknown to the C API of 1.4, VARIANT and GEOMETRY to all.
  check(f, "{'a': [1, 2]}::VARIANT", f.is_1_4() ? "\"{'a': [1, 2]}\"" : "\"{\\\"a\\\":[1,2]}\"");
  CHECK(f.run("-- a comment; with 'quotes'\nSELECT 1 AS a, 5::VARIANT AS \"b \"\"q\" -- end") ==
        "[{\"a\":1,\"b \\\"q\":\"5\"}]");
  CHECK(f.run("SELECT $x AS x, $x::INTEGER::VARIANT AS v", {{"x", 7}}) ==
        "[{\"x\":7,\"v\":\"7\"}]");
  CHECK(f.run("SELECT 1; SELECT 5::VARIANT AS v") == "[{\"v\":\"5\"}]");
  if (f.is_1_4()) return;
  CHECK(f.run("CREATE TABLE t (v VARIANT); SELECT * FROM t") == "[]");
  CHECK(f.run("INSERT INTO t VALUES ({'a': 1}) RETURNING v")
            .starts_with("a result cannot be read: column 'v' has the type VARIANT (cast it"));
  CHECK(f.run("SELECT v FROM t;") == "[{\"v\":\"{\\\"a\\\":1}\"}]");
  check(f, "'POINT(1 2)'::GEOMETRY", "\"POINT (1 2)\"");
}

TEST_CASE("an error in a wrapped statement keeps its place") {
  Fixture f;
  CHECK(f.run("SELECT 5::VARIANT AS v,\n  ('x' || i)::INTEGER AS n FROM range(3) t(i)") ==
        "2:13: Conversion Error: Could not convert string 'x0' to INT32");
}

TEST_CASE("names of columns are unique and in order") {
  Fixture f;
  CHECK(f.run("SELECT 1 AS id, 2 AS id, 3 AS id_1, 4 AS id") ==
        "[{\"id\":1,\"id_2\":2,\"id_1\":3,\"id_3\":4}]");
  CHECK(f.run("SELECT 1 AS \"a\"\"b\\\"") == "[{\"a\\\"b\\\\\":1}]");
  CHECK(f.run("SELECT 1 AS a WHERE false") == "[]");
}

TEST_CASE("what a statement without rows gives") {
  Fixture f;
  CHECK(f.run("CREATE TABLE t (a INTEGER)") == "[]");
  CHECK(f.run("INSERT INTO t VALUES (1), (2)") == "[{\"Count\":2}]");
  CHECK(f.run("INSERT INTO t VALUES (3) RETURNING a * 2 AS b") == "[{\"b\":6}]");
  CHECK(f.run("UPDATE t SET a = a + 1") == "[{\"Count\":3}]");
  CHECK(f.run("DROP TABLE t") == "[]");
}

TEST_CASE("a single row or value") {
  Fixture f;
  Lease lease = f.lease();
  const auto single = [&](const char* sql, bool scalar) {
    auto rows = lease.execute(sql, {});
    REQUIRE(rows.ok());
    std::string out;
    const auto count = single_row_to_json(*rows, out, scalar);
    REQUIRE(count.ok());
    return *count == 1 ? out : std::to_string(*count) + " rows";
  };
  CHECK(single("SELECT 1 AS a, 'x' AS b", false) == "{\"a\":1,\"b\":\"x\"}");
  CHECK(single("SELECT 'x'", true) == "\"x\"");
  CHECK(single("SELECT NULL", true) == "null");
  CHECK(single("SELECT 1 WHERE false", false) == "0 rows");
  CHECK(single("SELECT * FROM range(5000)", true) == "5000 rows");
}

TEST_CASE("columns describe their types as DuckDB writes them") {
  Fixture f;
  Lease lease = f.lease();
  auto rows = lease.execute(
      "SELECT 1.5::DECIMAL(12,2) AS a, [1] AS b, [1,2]::BIGINT[2] AS c, {'x': 1, 'y z': 'q'} AS d, "
      "MAP "
      "{1: 'a'} AS e, 'a'::ENUM('a', 'it''s') AS f, '{}'::JSON AS g, TIMESTAMPTZ '2024-01-01' AS "
      "h, "
      "union_value(k := 1) AS i, row(1) AS j",
      {});
  REQUIRE(rows.ok());
  std::vector<std::string> names;
  for (const Column& column : rows->columns()) names.push_back(column.type.name);
  CHECK(names == std::vector<std::string>{"DECIMAL(12,2)", "INTEGER[]", "BIGINT[2]",
                                          "STRUCT(x INTEGER, \"y z\" VARCHAR)",
                                          "MAP(INTEGER, VARCHAR)", "ENUM('a', 'it''s')", "JSON",
                                          "TIMESTAMP WITH TIME ZONE", "UNION(k INTEGER)",
                                          "STRUCT(INTEGER)"});
}

}  // namespace
}  // namespace mxcp::engine
