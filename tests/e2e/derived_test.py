"""Facts about SQL tools that nobody typed: the hint and the output schema, and that no answer ever
violates what was listed."""

from __future__ import annotations

import json

import jsonschema
import pytest
from harness import Project

pytestmark = pytest.mark.stdio


@pytest.fixture
def project(tmp_path):
    project = Project(tmp_path / "project", tmp_path / "home").write({"mxcp-site.yml": Project.SITE})
    project.query("CREATE TABLE orders AS SELECT 1 AS id, 2.50 AS price, DATE '2024-01-01' AS day")
    return project


def listed(server):
    return {tool["name"]: tool for tool in server.request("tools/list")["result"]["tools"]}


def test_what_sql_says_is_listed(project):
    project.sql_tool("all_orders", "SELECT * FROM orders")
    project.sql_tool("some", "SELECT $a AS a FROM orders", "parameters: [{name: a, type: integer}]")
    project.sql_tool("pay", "DELETE FROM orders")
    project.sql_tool("notes", "SELECT id, NULL AS note, {'a': id, 'b': NULL} AS s FROM orders")
    project.sql_tool("pick", "SELECT 1 AS id, $v AS v", "parameters: [{name: v, type: array}]")
    project.sql_tool("add", "SELECT sum($i) OVER () AS r", "parameters: [{name: i, type: integer}]")
    project.sql_tool("free", "SELECT 1 AS x", "return: {type: array}\nannotations: {readOnlyHint: false}")
    with project.serve() as server:
        server.initialize()
        tools = listed(server)
        items = tools["all_orders"]["outputSchema"]["properties"]["result"]["items"]
        assert items["properties"]["price"] == {"type": ["number", "null"]}
        assert items["required"] == ["id", "price", "day"]
        assert tools["all_orders"]["annotations"] == {"readOnlyHint": True}
        assert "outputSchema" not in tools["pay"]
        assert "annotations" not in tools["pay"]
        assert tools["free"]["annotations"] == {"readOnlyHint": False}
        assert "items" not in tools["free"]["outputSchema"]["properties"]["result"]
        calls = [("all_orders", {}), ("some", {"a": 1}), ("some", {"a": None}), ("notes", {})]
        calls += [("pick", {"v": v}) for v in ([], [1], ["a", None], [{"a": 1}])]
        calls += [("add", {"i": i}) for i in (1, 2**63, 2**126, 2**127)]
        for name, args in calls:
            result = server.call(name, **args)
            jsonschema.validate(result["structuredContent"], tools[name]["outputSchema"])
            # The text is what it would be without a schema.
            assert json.loads(result["content"][0]["text"]) == result["structuredContent"]["result"]


def test_revisions_without_schemas_do_not_wait_for_the_start(project):
    """The module that hangs the start up until it is told; only there the list comes first."""
    project.sql_tool("all_orders", "SELECT * FROM orders")
    project.python_tool("other", "import os, time\nwhile not os.path.exists('go'): time.sleep(0.01)\n"
                                 "def other(): return 1\n")
    with project.serve() as server:
        server.initialize("2025-03-26")
        assert "outputSchema" not in listed(server)["all_orders"]
        project.write({"go": ""})
    (project.folder / "go").unlink()
    with project.serve() as server:
        server.initialize("2025-11-25")
        waiting = server.start("tools/list")
        assert server.request("ping")["result"] == {}
        assert not server.answered(waiting)
        project.write({"go": ""})
        tools = {tool["name"]: tool for tool in server.answer(waiting)["result"]["tools"]}
        assert "outputSchema" in tools["all_orders"]


def test_a_table_that_changes_meanwhile_makes_no_wrong_answer(project):
    project.sql_tool("all_orders", "SELECT * FROM orders")
    project.sql_tool("change", "CREATE OR REPLACE TABLE orders AS SELECT 'one' AS id")
    with project.serve() as server:
        server.initialize()
        listed(server)
        server.call("change")
        said = server.error("all_orders")
        assert "output validation failed" in said and "derived from the SQL" in said


def test_a_reload_derives_anew_and_tells_of_it(project):
    project.sql_tool("all_orders", "SELECT * FROM orders")
    project.python_tool(
        "remake",
        "import duckdb\nfrom mxcp.runtime import reload_duckdb\n"
        "def payload():\n"
        "    con = duckdb.connect('data/db-default.duckdb')\n"
        "    con.execute(\"CREATE OR REPLACE TABLE orders AS SELECT 'one' AS id\")\n"
        "    con.close()\n"
        "def remake():\n    reload_duckdb(payload_func=payload)\n    return 'ok'\n",
    )
    with project.serve() as server:
        server.initialize()
        before = listed(server)["all_orders"]
        assert server.value("remake") == "ok"
        changed = "notifications/tools/list_changed"
        server.wait_until(lambda: any(n["method"] == changed for n in server.notifications), changed)
        after = listed(server)["all_orders"]
        assert before != after
        assert server.value("all_orders") == [{"id": "one"}]


def test_the_table_of_an_init_hook_counts(project):
    project.sql_tool("made", "SELECT * FROM made")
    project.python_tool("other", "from mxcp.runtime import db, on_init\n"
                                 "@on_init\n"
                                 "def make(): db.execute('CREATE OR REPLACE TABLE made AS SELECT 7 AS n')\n"
                                 "def other(): return 1\n")
    with project.serve() as server:
        server.initialize()
        assert "outputSchema" in listed(server)["made"]
