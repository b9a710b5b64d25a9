"""The tutorial page, promise by promise.

The project is written from the page's own code blocks (tutorial.py); every command the page prints is
run as printed.
"""

from __future__ import annotations

import math
import os
import re
import shlex
import shutil
from importlib import metadata

import pytest
import tutorial
from harness import Project
from tutorial_data import AMOUNTS, USERS, Api, check_analysis, check_greeting, fetched, use_api

SHARED = tutorial.REPOSITORY.parent / "shared" / "seed" / tutorial.PAGE.name

# --- the page itself ---------------------------------------------------------------------------


def test_our_copy_is_the_page() -> None:
    if SHARED.exists():
        assert tutorial.PAGE.read_text() == SHARED.read_text()
    assert len(tutorial.blocks(tutorial.PAGE.read_text())) == 30


def test_the_example_has_the_files_as_printed() -> None:
    for path, printed in tutorial.page_files().items():
        assert (tutorial.EXAMPLE / path).read_text() == printed, path


PAGE_COMMANDS = [
    line
    for block in tutorial.blocks(tutorial.PAGE.read_text())
    if block.language == "bash"
    for line in block.code.splitlines()
    if line and not line.startswith("#")
]


def test_the_page_prints_six_commands() -> None:
    assert len(PAGE_COMMANDS) == 6


@pytest.mark.parametrize("command", PAGE_COMMANDS)
def test_every_command_of_the_page_runs_as_printed(shared_page: Project, command: str) -> None:
    program, *args = shlex.split(command)
    assert program == "mxcp"
    shared_page.run(*args).ok()


def test_the_duckdb_in_use(shared_page: Project) -> None:
    """script/test runs this file with the newest and with the oldest DuckDB."""
    expected = os.environ.get("MXCP_EXPECT_DUCKDB") or metadata.version("duckdb")
    assert shared_page.query("SELECT version() AS v") == [{"v": f"v{expected}"}]
    assert f"DuckDB {expected}\n" in shared_page.run("--version").stdout


# --- step 1 ------------------------------------------------------------------------------------


def test_step_1_greets(shared_page: Project) -> None:
    informal = "Hi Alice! How are you doing?"
    formal = "Good day, Alice. How may I assist you?"
    run = shared_page.tool
    check_greeting(run("personalized_greeting", name="Alice").result, informal)
    check_greeting(run("personalized_greeting", name="Alice", formal="true").result, formal)
    check_greeting(run("personalized_greeting", name="Alice", formal="false").result, informal)


def test_step_1_says_what_is_wrong_with_the_arguments(shared_page: Project) -> None:
    assert "name" in shared_page.tool("personalized_greeting").error
    wrong = shared_page.tool("personalized_greeting", name="A", formal="perhaps").error
    assert "formal" in wrong and "perhaps" in wrong
    unknown = shared_page.tool("personalized_greeting", name="A", fromal="true").error
    assert "fromal" in unknown and "did you mean 'formal'?" in unknown


def test_step_1_text_output_shows_the_greeting(shared_page: Project) -> None:
    ran = shared_page.run("run", "tool", "personalized_greeting", "--param", "name=Alice").ok()
    assert "Hi Alice! How are you doing?" in ran.stdout


# --- step 2 ------------------------------------------------------------------------------------


def test_step_2_looks_up_a_user(shared_page: Project) -> None:
    assert shared_page.tool("user_lookup", email="alice@example.com").result == {
        "found": True,
        "user": {
            "id": 1,
            "name": "Alice",
            "email": "alice@example.com",
            "domain": "example.com",
        },
    }


def test_step_2_unknown_and_null(shared_page: Project) -> None:
    assert shared_page.tool("user_lookup", email="nobody@example.com").result == {
        "found": False,
        "user": None,
    }
    user = shared_page.tool("user_lookup", email="unknown@example.com").result["user"]
    assert user == {"id": 7, "name": None, "email": "unknown@example.com", "domain": "example.com"}


def test_step_2_refuses_what_is_no_email(shared_page: Project) -> None:
    error = shared_page.tool("user_lookup", email="alice").error
    assert "email" in error and "alice" in error


# --- step 3 ------------------------------------------------------------------------------------


def test_step_3_calls_the_api_with_the_secret(page: Project, api: Api) -> None:
    use_api(page, api)
    assert page.tool("fetch_external_data", query="a b&c").result == {
        "status": "success",
        "data": [{"title": "first", "score": 0.5}, {"title": "second", "score": 1}],
    }
    assert api.requests == [("/search", {"q": ["a b&c"]}, "Bearer your-api-key-here")]


def test_step_3_api_errors_are_values(page: Project, api: Api) -> None:
    use_api(page, api)
    api.status = 503
    result = page.tool("fetch_external_data", query="x").result
    assert (result["status"], result["data"]) == ("error", [])
    assert "503" in result["error"]


def test_step_3_a_reply_of_another_shape_is_explained(page: Project, api: Api) -> None:
    use_api(page, api)
    api.reply = {"items": []}
    error = page.tool("fetch_external_data", query="x").error
    assert 'data: expected an array, got {"items":[]}' in error


def test_step_3_without_the_secret(page: Project) -> None:
    (page.home / ".mxcp" / "config.yml").unlink()
    assert page.tool("fetch_external_data", query="x").result == {
        "status": "error",
        "data": [],
        "error": "API key not configured",
    }


def test_step_3_a_config_for_another_project_is_noticed(page: Project) -> None:
    """The page's project name must match; a mismatch would silently lose the secrets."""
    config = page.home / ".mxcp" / "config.yml"
    config.write_text(config.read_text().replace("my-project:", "my-projekt:"))
    ran = page.tool("fetch_external_data", query="x")
    assert ran.result["error"] == "API key not configured"
    assert "my-project" in ran.stderr and "my-projekt" in ran.stderr


def test_step_3_get_secret_with_one_and_two_arguments(page: Project) -> None:
    page.python_tool(
        "ask_secrets",
        """
        from mxcp.runtime import config

        def ask_secrets():
            return [
                config.get_secret("api_credentials"),
                config.get_secret("api_credentials", "api_key"),
                config.get_secret("api_credentials", "nope"),
                config.get_secret("api_credentials", "nope", "instead"),
                config.get_secret("nope"),
                config.get_secret("nope", "api_key"),
            ]
        """,
    )
    assert page.tool("ask_secrets").result == [
        {"api_key": "your-api-key-here", "api_url": "https://api.example.com"},
        "your-api-key-here",
        None,
        "instead",
        None,
        None,
    ]


# --- step 4 ------------------------------------------------------------------------------------


def test_step_4_awaits_the_coroutine(shared_page: Project) -> None:
    run = shared_page.tool
    assert run("batch_user_data", user_ids=[1, 2, 99, 7]).result == fetched(1, 2, 99, 7)
    assert run("batch_user_data", user_ids=[3]).result == fetched(3)
    fifty = [i % 10 for i in range(50)]
    assert run("batch_user_data", user_ids=fifty).result == fetched(*fifty)


def test_step_4_checks_the_array(shared_page: Project) -> None:
    run = shared_page.tool
    assert "at least 1" in run("batch_user_data", user_ids=[]).error
    assert "at most 50" in run("batch_user_data", user_ids=list(range(51))).error
    assert "user_ids[1]" in run("batch_user_data", user_ids=[1, "x"]).error
    assert "user_ids" in run("batch_user_data", user_ids="[1, 2").error


# --- step 5 ------------------------------------------------------------------------------------


def test_step_5_hooks_run_around_a_command_and_print_to_its_terminal(page: Project) -> None:
    ran = page.run("run", "tool", "cached_lookup", "--param", "key=motto").ok()
    said = re.findall(r"(Initializing service|Service initialized|Cleaning up|Service cleaned)",
                      ran.stdout + ran.stderr)  # fmt: skip
    assert said == [
        "Initializing service", "Service initialized", "Cleaning up", "Service cleaned",
    ]  # fmt: skip


def test_step_5_prints_stay_out_of_the_envelope(page: Project) -> None:
    ran = page.tool("cached_lookup", key="motto")
    assert ran.result == {"source": "database", "value": "measure twice"}
    assert "Initializing service..." in ran.stderr and "Service cleaned up" in ran.stderr


@pytest.mark.stdio
def test_step_5_in_a_server(page: Project) -> None:
    with page.serve() as server:
        server.initialize()
        motto = {"source": "database", "value": "measure twice"}
        assert server.value("cached_lookup", key="motto") == motto
        # The module keeps its globals between calls: the second answer comes from its cache.
        assert server.value("cached_lookup", key="motto") == {**motto, "source": "cache"}
        assert server.value("cached_lookup", key="x") == {"source": "none", "value": None}
        assert server.value("cached_lookup", key="empty") == {"source": "database", "value": None}
        assert server.stderr.count("Initializing service...") == 1
        assert "Cleaning up service..." not in server.stderr
        server.end_of_input()
        server.wait()
    assert server.stray == []
    assert server.stderr.count("Service initialized") == 1
    assert server.stderr.count("Cleaning up service...") == 1
    assert server.stderr.count("Service cleaned up") == 1


# --- step 6 ------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", USERS)
def test_step_6_analyses_every_user(shared_page: Project, user: int) -> None:
    check_analysis(shared_page.tool("customer_analysis", customer_id=user).result, user)


def test_step_6_unknown_customer(shared_page: Project) -> None:
    assert shared_page.tool("customer_analysis", customer_id=99).result == {
        "error": "Customer not found"
    }
    assert "customer_id" in shared_page.tool("customer_analysis", customer_id="1.5").error


def test_step_6_compares_decimals_as_numbers(page: Project) -> None:
    """The page multiplies an average of DECIMALs by 1.1: with decimal.Decimal that would raise."""
    page.query("UPDATE orders SET amount = 20.50 WHERE user_id = 1")
    insight = page.tool("customer_analysis", customer_id=1).result["insights"]
    assert insight["spending_trend"] == "stable"
    page.query(
        "UPDATE orders SET amount = 1000 - amount * row.n FROM (SELECT id AS i, "
        "row_number() OVER (ORDER BY created_at) AS n FROM orders WHERE user_id = 1) AS row "
        "WHERE id = row.i"
    )
    insight = page.tool("customer_analysis", customer_id=1).result["insights"]
    assert insight["spending_trend"] == "decreasing"


# --- step 7 ------------------------------------------------------------------------------------


def test_step_7_reports_problems_as_values(shared_page: Project) -> None:
    run = shared_page.tool
    assert run("safe_operation", param="item1").result == {
        "status": "success",
        "data": {"key": "item1", "value": 12.5, "noted_at": "2024-06-01T12:00:00.250000"},
    }
    assert run("safe_operation", param="item2").result == {
        "status": "success",
        "data": {"key": "item2", "value": None, "noted_at": None},
    }
    assert run("safe_operation", param="nothing").result == {
        "status": "not_found",
        "error": "No data found for key: nothing",
    }
    assert run("safe_operation", param="ab").result == {
        "status": "error",
        "error": "Parameter must be at least 3 characters",
    }


def test_step_7_a_database_error_is_caught_and_logged(page: Project) -> None:
    page.query("DROP TABLE data")
    ran = page.tool("safe_operation", param="item1")
    assert ran.result == {"status": "error", "error": "An internal error occurred"}
    assert "Operation failed: " in ran.stderr and "data" in ran.stderr
    assert "safe_tools" in ran.stderr  # the logger's name


# --- verification ------------------------------------------------------------------------------


def test_verification(shared_page: Project) -> None:
    report = shared_page.run("validate", "--json-output").result
    assert report["status"] == "ok"
    assert {file["status"] for file in report["validated"]} == {"ok"}
    assert len(report["validated"]) == 11
    tests = shared_page.run("test", "--json-output").result
    assert tests["status"] == "ok" and tests["tests_run"] == 7
    [greeting] = [e for e in tests["endpoints"] if e["endpoint"] == "tool/personalized_greeting"]
    assert greeting["test_results"]["tests"][0]["status"] == "passed"


# --- step 8 ------------------------------------------------------------------------------------


def test_step_8_needs_a_server(shared_page: Project) -> None:
    error = shared_page.tool("update_analytics_data").error
    assert "reload_duckdb" in error and "mxcp serve" in error


@pytest.mark.stdio
def test_step_8_as_printed_reports_what_the_payload_lacks(page: Project) -> None:
    """Neither dbt nor /staging exists here: the reload says so and the server goes on."""
    page.env["PATH"] = "/usr/bin:/bin"
    with page.serve() as server:
        server.initialize()
        assert server.value("update_analytics_data") == {
            "status": "scheduled",
            "message": "Data refresh will complete in background",
        }
        log = server.wait_for_log("Updating analytics data")
        assert "FileNotFoundError" in log and "dbt" in log
        assert server.value("user_lookup", email="alice@example.com")["found"] is True
        # And again: a failed reload does not stand in the way of the next one.
        assert server.value("update_analytics_data")["status"] == "scheduled"
        assert server.value("user_lookup", email="bob@example.com")["found"] is True


# --- step 9 ------------------------------------------------------------------------------------


def test_step_9_plugins(page: Project) -> None:
    assert page.tool("use_plugin_functions").result == {"plugins": ["my_custom_plugin"]}
    page.python_tool(
        "ask_plugin",
        """
        from mxcp.runtime import plugins

        def ask_plugin():
            return [plugins.get("my_custom_plugin").some_method(), plugins.get("another")]
        """,
    )
    assert page.tool("ask_plugin").result == ["called", None]


def test_step_9_as_printed_without_any_plugin(page: Project) -> None:
    site = page.folder / "mxcp-site.yml"
    site.write_text(site.read_text().split("plugin:")[0])
    assert page.tool("use_plugin_functions").result == {"plugins": []}


# --- step 10 -----------------------------------------------------------------------------------


def test_step_10_imports_shared_modules(shared_page: Project) -> None:
    run = shared_page.tool
    assert run("validate_customer", email="a@b.co", phone="555.123.4567").result == {
        "email_valid": True,
        "phone_formatted": "(555) 123-4567",
    }
    assert run("validate_customer", email="a@b", phone="12-3").result == {
        "email_valid": False,
        "phone_formatted": "12-3",
    }


# --- practices ---------------------------------------------------------------------------------


def test_practice_5_the_managed_file_is_not_opened_twice(page: Project) -> None:
    page.python_tool(
        "own_connection",
        """
        import duckdb
        from mxcp.runtime import db

        def own_connection(path: str) -> dict:
            db.execute("SELECT 1")
            connection = duckdb.connect(path)
            connection.execute("CREATE TABLE t AS SELECT 41 + 1 AS n")
            return {"n": connection.execute("SELECT n FROM t").fetchone()[0]}
        """,
        "parameters: [{name: path, type: string}]",
    )
    for managed in [str(page.database), "data/db-default.duckdb", "data/../data/db-default.duckdb"]:
        error = page.tool("own_connection", path=managed).error
        assert "mxcp.runtime" in error and "reload_duckdb" in error
    assert page.tool("own_connection", path=str(page.home / "other.duckdb")).result == {"n": 42}
    assert page.tool("own_connection", path=":memory:").result == {"n": 42}


def test_practices_as_printed(page: Project) -> None:
    [practice] = [
        block.code
        for block in tutorial.blocks(tutorial.PAGE.read_text())
        if "# CORRECT - Access DB" in block.code
    ]
    correct = practice[: practice.index("# INCORRECT")]
    page.python_tool(
        "get_user_data",
        "from mxcp.runtime import db\n" + correct,
        "parameters: [{name: user_id, type: integer}]",
    )
    assert page.tool("get_user_data", user_id=5).result == {
        "id": 5,
        "name": "Erin",
        "email": "erin@example.com",
        "department": "Research",
        "created_at": "2024-04-05T08:15:30.500000",
    }
    assert page.tool("get_user_data", user_id=99).result is None


# --- migration ---------------------------------------------------------------------------------


def test_migration_from_sql_to_python(page: Project) -> None:
    total = sum(sum(amounts) for amounts in AMOUNTS.values()) + 9999.99 + 49.90
    [row] = page.tool("get_total").result
    assert list(row) == ["total"] and math.isclose(row["total"], total)
    shutil.copyfile(page.folder / "migration/get-total.yml", page.folder / "tools/get-total.yml")
    page.run("validate").ok()
    result = page.tool("get_total").result
    assert list(result) == ["total"] and math.isclose(result["total"], total)
    page.query("DELETE FROM orders")
    assert page.tool("get_total").result == {"total": None}
