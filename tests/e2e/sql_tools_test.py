"""The built-in SQL tools: what they answer, and what they cannot be talked into."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from harness import Project

pytestmark = pytest.mark.stdio

TOOLS = ["execute_sql_query", "get_table_schema", "list_tables"]


@pytest.fixture
def stocked(project: Project) -> Project:
    project.database.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(project.database)) as connection:
        connection.execute(
            "CREATE TABLE users (id INTEGER NOT NULL, name VARCHAR, paid DECIMAL(12,2));"
            "INSERT INTO users VALUES (1, 'Ann', 1.50), (2, NULL, 1234567890.25);"
            "CREATE VIEW rich AS SELECT * FROM users WHERE paid > 100;"
            "CREATE SCHEMA s; CREATE TABLE s.other (x INTEGER[]);"
            "CREATE MACRO few(n) AS TABLE SELECT * FROM users LIMIT n; CREATE SEQUENCE seq;"
            "CREATE MACRO any_csv(p) AS TABLE SELECT * FROM read_csv(p);"
            "CREATE MACRO any_text(p) AS (SELECT max(content) FROM read_text(p))"
        )
    return project


def test_on_and_off(stocked: Project) -> None:
    def names(*flags: str) -> list[str]:
        with stocked.serve(*flags) as server:
            server.initialize()
            return [tool["name"] for tool in server.request("tools/list")["result"]["tools"]]

    stocked.sql_tool("own", "SELECT 1")
    assert names() == ["own"]
    assert names("--sql-tools", "true") == sorted([*TOOLS, "own"])
    stocked.write({"mxcp-site.yml": Project.SITE + "sql_tools: {enabled: true}\n"})
    assert names() == sorted([*TOOLS, "own"])
    assert names("--sql-tools", "false") == ["own"]


def test_descriptions_and_annotations(stocked: Project) -> None:
    site = "sql_tools: {enabled: true, list_tables: {description: What there is}}\n"
    stocked.write({"mxcp-site.yml": Project.SITE + site})
    with stocked.serve() as server:
        server.initialize()
        tools = {tool["name"]: tool for tool in server.request("tools/list")["result"]["tools"]}
    assert tools["list_tables"]["description"] == "What there is"
    assert "read" in tools["execute_sql_query"]["description"]
    assert all(tools[name]["annotations"]["readOnlyHint"] is True for name in TOOLS)


def test_the_project_s_own_tool_comes_first(stocked: Project) -> None:
    stocked.sql_tool("list_tables", "SELECT 'own' AS x", "return: {type: string}")
    with stocked.serve("--sql-tools", "true") as server:
        server.initialize()
        assert server.value("list_tables") == "own"
        assert "takes the place of the built-in" in server.stderr


def test_tables_and_columns(stocked: Project) -> None:
    with stocked.serve("--sql-tools", "true") as server:
        server.initialize()
        assert server.value("list_tables") == [
            {"name": "rich", "type": "VIEW"},
            {"name": "users", "type": "BASE TABLE"},
            {"name": "s.other", "type": "BASE TABLE"},
        ]
        assert server.value("get_table_schema", table_name="Users") == [
            {"name": "id", "type": "INTEGER", "nullable": False},
            {"name": "name", "type": "VARCHAR", "nullable": True},
            {"name": "paid", "type": "DECIMAL(12,2)", "nullable": True},
        ]
        assert server.value("get_table_schema", table_name="s.other")[0]["type"] == "INTEGER[]"
        message = server.error("get_table_schema", table_name="it's gone")
        assert "there is no table or view 'it's gone'; list_tables names them" in message


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT * FROM users ORDER BY id",
         [{"id": 1, "name": "Ann", "paid": 1.50}, {"id": 2, "name": None, "paid": 1234567890.25}]),
        ("FROM rich SELECT id;", [{"id": 2}]),
        ("WITH a AS (SELECT 1 AS x) SELECT * FROM a, range(2) r(i)", [{"x": 1, "i": 0}, {"x": 1, "i": 1}]),
        ("-- a comment\nSELECT count(*) AS n FROM s.other", [{"n": 0}]),
        ("SELECT * EXCLUDE (name, paid) FROM few(1)", [{"id": 1}]),
        ("SELECT u.id FROM users u WHERE id = (SELECT max(id) FROM main.users)", [{"id": 2}]),
        ("DESCRIBE s.other",
         [{"column_name": "x", "column_type": "INTEGER[]", "null": "YES", "key": None, "default": None, "extra": None}]),
        ("SELECT 1 AS a WHERE false", []),
    ],
)  # fmt: skip
def test_queries(stocked: Project, sql: str, rows: list[object]) -> None:
    with stocked.serve("--sql-tools", "true") as server:
        server.initialize()
        assert server.value("execute_sql_query", sql=sql) == rows


ESCAPES = [
    "INSERT INTO users VALUES (3, 'x', 0)",
    "DELETE FROM users",
    "WITH x AS (SELECT 1) DELETE FROM users",
    "CREATE TABLE mine AS SELECT 1",
    "DROP TABLE users",
    "SELECT 1; DROP TABLE users",
    "/* SELECT */ DROP TABLE users",
    "ATTACH 'SECRET' AS other",
    "COPY users TO 'OUT'",
    "EXPORT DATABASE 'OUT'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET threads = 3",
    "PRAGMA threads = 3",
    "CALL pragma_version()",
    "CHECKPOINT",
    "BEGIN",
    "COMMIT; DROP TABLE users",
    "EXPLAIN ANALYZE DELETE FROM users",
    "SELECT * FROM 'SECRET'",
    'SELECT * FROM "SECRET"',
    "SELECT * FROM read_text('SECRET')",
    "SELECT * FROM read_csv('SECRET')",
    "SELECT (SELECT max(content) FROM read_text('SECRET'))",
    "WITH a AS (SELECT * FROM read_text('SECRET')) SELECT * FROM a",
    "SELECT * FROM users WHERE EXISTS (FROM read_blob('SECRET'))",
    "SELECT * FROM users UNION ALL BY NAME FROM read_text('SECRET')",
    "DESCRIBE (FROM read_text('SECRET'))",
    "SUMMARIZE 'SECRET'",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM query('DROP TABLE users')",
    "SELECT * FROM query_table('SECRET')",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('FROM users'))",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM duckdb_settings()",
    "SELECT current_setting('temp_directory')",
    "SELECT nextval('seq')",
    "SELECT write_log('x')",
    "SELECT get_request_header('authorization')",
    "SELECT get_request_headers_json()",
    "SELECT get_user_external_token()",
    'WITH "SECRET" AS (SELECT * FROM "SECRET") SELECT * FROM "SECRET"',
    "SELECT * FROM (WITH \"SECRET\" AS (SELECT 1) SELECT 1), 'SECRET'",
    'WITH csv AS (SELECT 1) SELECT * FROM "STEM"."csv"',
    "SELECT * FROM any_csv('SECRET')",
    "SELECT any_text('SECRET')",
    "SELECT * FROM histogram('SECRET', password)",
    "FROM pg_catalog.pg_settings",
]


def test_escapes_are_refused(stocked: Project, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("password\nhunter2\n")
    out = tmp_path / "out"
    with stocked.serve("--sql-tools", "true") as server:
        server.initialize()
        before = server.value("execute_sql_query", sql="FROM users")
        for escape in ESCAPES:
            sql = escape.replace("SECRET", str(secret)).replace("OUT", str(out))
            sql = sql.replace("STEM", str(secret.with_suffix("")))
            result = server.call("execute_sql_query", sql=sql)
            assert result["isError"] is True, (sql, result)
            assert "hunter2" not in str(result), sql
        assert server.value("execute_sql_query", sql="FROM users") == before
        assert len(server.value("list_tables")) == 3
    assert not out.exists()


def test_mistakes_are_explained(stocked: Project) -> None:
    with stocked.serve("--sql-tools", "true") as server:
        server.initialize()
        ask = lambda sql: server.error("execute_sql_query", sql=sql)  # noqa: E731
        assert "syntax error" in ask("SELEC 1")
        assert "there is no table or view 'user'" in ask("SELECT * FROM user")
        assert "Candidate bindings" in ask("SELECT nam FROM users")
        assert "one SELECT on the tables and views" in ask("DROP TABLE users")
        assert "parameter 'sql'" in server.error("execute_sql_query", sql="")
        assert "there is no statement in it" in ask("--")
        assert "more than one statement" in ask("SELECT 1; SELECT 2")
        assert "PIVOT needs the values" in ask("PIVOT users ON name USING count(*)")


def test_long_results_are_cut_and_say_so(stocked: Project) -> None:
    with stocked.serve("--sql-tools", "true") as server:
        server.initialize()
        result = server.call("execute_sql_query", sql="SELECT i FROM range(1001) t(i)")
        assert len(result["structuredContent"]["result"]) == 1000
        assert "cut after 1000 rows" in result["content"][1]["text"]
        result = server.call("execute_sql_query", sql="SELECT i FROM range(1000) t(i)")
        assert len(result["structuredContent"]["result"]) == 1000
        assert len(result["content"]) == 1
        sql = "SELECT repeat('x', 300000) AS x FROM range(10)"
        result = server.call("execute_sql_query", sql=sql)
        assert len(result["structuredContent"]["result"]) == 3
        assert "cut after 3 rows" in result["content"][1]["text"]


def test_no_transaction_is_left_behind(stocked: Project) -> None:
    stocked.sql_tool("add", "INSERT INTO users VALUES (7, 'n', 1) RETURNING id")
    with stocked.serve("--sql-tools", "true") as server:
        server.initialize()
        for _ in range(20):
            server.value("execute_sql_query", sql="FROM users")
            server.error("execute_sql_query", sql="SELECT nope FROM users")
            assert server.value("add") == [{"id": 7}]
