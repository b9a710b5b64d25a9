"""Limits of calls: time, rows, bytes, calls at once and per period."""

from __future__ import annotations

import contextlib
import functools
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from harness import Project, Server
from http_harness import MODERN, PREFIX, HttpServer

pytestmark = pytest.mark.stdio

ENDLESS = (
    "SELECT count(*) AS n FROM range(10000000) a, range(10000000) b WHERE a.range + b.range = 7"
)
ROWS = "SELECT i, i * 2 AS b, i::VARCHAR AS c FROM range(3000000) t(i)"


@pytest.fixture(params=["stdio", "http", "http-modern"])
def how(request: pytest.FixtureRequest) -> str:
    return request.param


@contextlib.contextmanager
def served(project: Project, how: str) -> Iterator[Server | HttpServer]:
    with project.serve() if how == "stdio" else HttpServer(project) as server:
        if how == "http-modern":
            server.modern = MODERN
        else:
            server.initialize()
        yield server


def limit_of(result: dict) -> dict:
    assert result["isError"] is True, result
    return result["_meta"]["mxcp/limit"]


def test_who_has_an_answer_may_call_again(project: Project, how: str) -> None:
    project.sql_tool("one", "SELECT 1 AS n", "limits: {concurrency: 1}")
    project.python_tool("py", "def py(): return 1", "limits: {concurrency: 1}")
    with served(project, how) as server:
        for name in ["one", "py"]:
            refused = sum(server.call(name)["isError"] for _ in range(300))
            assert refused == 0, name


def test_the_text_of_an_error_is_bounded(project: Project, how: str) -> None:
    project.sql_tool("sql", "SELECT error(repeat('x', 1000000)) AS n")
    project.python_tool("py", "def py(): raise ValueError('ä' * 1000000)")
    with served(project, how) as server:
        for name in ["sql", "py"]:
            result = server.call(name)
            assert result["isError"]
            text = result["content"][0]["text"]
            assert len(text) < 10_000
            assert "more bytes)" in text


def test_a_long_list_is_cut_and_says_so(project: Project, how: str) -> None:
    project.sql_tool("plain", ROWS, "limits: {max_rows: 100}")
    checked = "return: {type: array, items: {type: object, properties: {i: {type: integer, minimum: 0}}}}\n"
    project.sql_tool("checked", ROWS, checked + "limits: {max_rows: 100}")
    project.python_tool(
        "items", "def items(): return ({'i': i} for i in range(10**9))", "limits: {max_rows: 100}"
    )
    project.sql_tool("bytes", ROWS, "limits: {max_bytes: 1KB}")
    project.sql_tool("exact", "SELECT i FROM range(100) t(i)", "limits: {max_rows: 100}")
    with served(project, how) as server:
        for name in ["plain", "checked", "items"]:
            result = server.call(name)
            assert not result["isError"], result
            assert [row["i"] for row in json.loads(result["content"][0]["text"])] == list(
                range(100)
            )
            assert result["content"][1]["text"] == (
                "The result was cut after 100 rows (limits.max_rows of this tool): there is more. "
                "This tool has no parameters to ask for the rest."
            )
            assert result["_meta"]["mxcp/truncated"] == {
                "rows": 100,
                "limit": "max_rows",
                "value": "100",
            }
        result = server.call("bytes")
        rows = json.loads(result["content"][0]["text"])
        assert len(result["content"][0]["text"]) <= 1000 and rows[-1]["i"] == len(rows) - 1
        assert result["_meta"]["mxcp/truncated"] == {
            "rows": len(rows),
            "limit": "max_bytes",
            "value": "1 KB",
        }
        result = server.call("exact")
        assert len(result["content"]) == 1 and "mxcp/truncated" not in result.get("_meta", {})


def test_time_is_up(project: Project, how: str) -> None:
    project.sql_tool("query", ENDLESS, "limits: {timeout: 200ms}")
    project.python_tool(
        "waits",
        "import asyncio\nasync def waits():\n    await asyncio.Event().wait()",
        "limits: {timeout: 0.2}",
    )
    project.python_tool(
        "stuck",
        "import threading\nend = threading.Event()\ndef stuck():\n    end.wait(60)\n    return 1\n"
        "def release():\n    end.set()\n    return 1\n",
        "limits: {timeout: 200ms}",
    )
    project.write(
        {
            "tools/release.yml": "mxcp: 1\ntool:\n  name: release\n  language: python\n  source: {file: ../python/stuck.py}\n"
        }
    )
    project.sql_tool("after", "SELECT 1 AS a")
    with served(project, how) as server:
        for name in ["query", "waits", "stuck"]:
            result = server.call(name)
            assert limit_of(result) == {"limit": "timeout", "value": "200 ms"}
            assert (
                "was stopped after 200 ms (limits.timeout of this tool)"
                in result["content"][0]["text"]
            )
        assert server.value("after") == [{"a": 1}]
        assert server.value("release") == 1


def test_a_connection_that_never_comes_counts(project: Project) -> None:
    for i in range(64):
        project.sql_tool(f"busy{i}", ENDLESS)
    project.sql_tool("waits", "SELECT 1 AS a", "limits: {timeout: 100ms}")
    with project.serve() as server:
        server.initialize()
        busy = [server.start_call(f"busy{i}") for i in range(64)]
        assert "was stopped after 100 ms" in server.error("waits")
        for id in busy:
            server.send("notifications/cancelled", {"requestId": id})


def test_too_many_at_once(project: Project, how: str) -> None:
    project.python_tool(
        "wait",
        "import threading\nend = threading.Event()\ndef wait():\n    end.wait(60)\n    return 1\n"
        "def release():\n    end.set()\n    return 1\n",
        "limits: {concurrency: 1}",
    )
    project.write(
        {
            "tools/release.yml": "mxcp: 1\ntool:\n  name: release\n  language: python\n  source: {file: ../python/wait.py}\n"
        }
    )
    with served(project, how) as server:
        first = server.start_call("wait")
        if isinstance(server, HttpServer):  # where requests may overtake each other
            server.wait_until(lambda: server.active_calls() == 1, "the first call runs")
        refused = server.call("wait")
        assert limit_of(refused) == {"limit": "concurrency", "value": "1", "retryAfterSeconds": 1}
        assert "retry after 1 second" in refused["content"][0]["text"]
        server.value("release")
        assert server.answer(first)["result"]["isError"] is False
        assert server.value("wait") == 1


def test_too_many_in_a_while(project: Project, how: str) -> None:
    project.sql_tool("few", "SELECT 1 AS a", "limits: {rate: 3/h}")
    project.sql_tool("many", "SELECT 1 AS a")
    with served(project, how) as server:
        for _ in range(3):
            assert server.value("few") == [{"a": 1}]
        limit = limit_of(server.call("few"))
        assert limit["limit"] == "rate" and limit["value"] == "3 per hour"
        assert 1100 <= limit["retryAfterSeconds"] <= 1200
        assert server.value("many") == [{"a": 1}]


def call_ask(server: HttpServer, **params: Any) -> Any:
    """A round of the tool `ask`, by a client of 2026-07-28 that can be asked."""
    server.modern = MODERN
    able = {PREFIX + "clientCapabilities": {"elicitation": {}}}
    params = {"name": "ask", "arguments": {}, **params}
    return server.post("tools/call", params, 1, **able).json["result"]


def test_the_rounds_of_a_call_that_asks_count_once(project: Project) -> None:
    project.python_tool("ask", """
        from mxcp.runtime import mcp

        async def ask():
            return [(await mcp.elicit(text))["action"] for text in ("One?", "Two?")]
        """, "limits: {rate: 1/h}")  # fmt: skip
    with HttpServer(project) as server:
        call = functools.partial(call_ask, server)

        def answer(asked: Any) -> Any:
            answers = {key: {"action": "accept"} for key in asked["inputRequests"]}
            return {"inputResponses": answers, "requestState": asked["requestState"]}

        first = call()
        second = call(**answer(first))
        assert call(**answer(second))["content"][0]["text"] == '["accept","accept"]'
        # Who answers twice calls again.
        for params in (answer(second), answer(first), {}):
            assert limit_of(call(**params))["limit"] == "rate"


def test_rounds_without_answers_count_as_calls(project: Project) -> None:
    project.python_tool("ask", """
        from mxcp.runtime import mcp

        async def ask():
            return (await mcp.elicit("One?"))["action"]
        """, "limits: {rate: 2/h}")  # fmt: skip
    with HttpServer(project) as server:
        call = functools.partial(call_ask, server)

        first = call()
        second = call(requestState=first["requestState"], inputResponses={"another": {}})
        assert second["resultType"] == "input_required"
        assert limit_of(call(requestState=second["requestState"]))["limit"] == "rate"


def test_run_says_it_too(project: Project) -> None:
    project.sql_tool("t", ROWS, "limits: {max_rows: 2}")
    project.sql_tool("slow", ENDLESS, "limits: {timeout: 100ms}")
    ran = project.run("run", "tool", "t").ok()
    assert "Note: The result was cut after 2 rows" in ran.stderr
    envelope = project.tool("t").ok().envelope()
    assert len(envelope["result"]) == 2
    assert envelope["truncated"]["rows"] == 2 and envelope["truncated"]["limit"] == "max_rows"
    assert "was stopped after 100 ms" in project.tool("slow").error


def test_what_cannot_be_cut(project: Project) -> None:
    limits = "limits: {max_bytes: 100}"
    project.sql_tool("text", "SELECT repeat('x', 1000)", "return: {type: string}\n" + limits)
    project.sql_tool("object", "SELECT repeat('x', 1000) AS x", "return: {type: object}\n" + limits)
    project.sql_tool("row", "SELECT repeat('x', 1000) AS x", limits)
    project.sql_tool(
        "image",
        "SELECT repeat('AAAA', 1000)",
        "content: {type: image, mime_type: image/png}\n" + limits,
    )
    for name in ["text", "object", "row", "image"]:
        assert "the result is too large" in project.tool(name).error


def test_content_blocks_are_cut_like_data(project: Project) -> None:
    blocks = """
        from mxcp.runtime import mcp

        def images():
            return [mcp.image(b"x" * 30_000, "image/png") for _ in range(6)]
        """
    project.python_tool("images", blocks, "limits: {max_rows: 3, max_bytes: 100KB}")
    with project.serve() as server:
        server.initialize()
        result = server.call("images")
        cut = result["_meta"]["mxcp/truncated"]
        assert (cut["limit"], cut["rows"]) == ("max_bytes", 2)
        assert [block["type"] for block in result["content"]].count("image") == 2


def test_an_async_generator_is_asked_for_no_more_than_needed(project: Project) -> None:
    for name, word in [("waits", "async def"), ("plain", "def")]:
        project.python_tool(
            name,
            f"""
            import sys

            {word} {name}():
                given = 0
                try:
                    while True:
                        given += 1
                        yield given
                finally:
                    print("closed after", given, file=sys.stderr)
            """,
            "limits: {max_rows: 3}",
        )
        ran = project.tool(name)
        assert ran.result == [1, 2, 3] and ran.envelope()["truncated"]["rows"] == 3
        assert "closed after 4\n" in ran.stderr


def test_an_endless_async_generator_lets_others_run_and_ends(project: Project) -> None:
    project.python_tool(
        "endless",
        """
        import sys

        async def endless():
            try:
                while True:
                    yield sum(range(1000))
            finally:
                print("endless has ended", file=sys.stderr, flush=True)
        """,
    )
    project.python_tool("quick", "async def quick(): return 1")
    with project.serve() as server:
        server.initialize()
        doomed = server.start_call("endless")
        assert server.value("quick") == 1
        assert not server.answered(doomed)
        server.send("notifications/cancelled", {"requestId": doomed})
        server.wait_for_log("endless has ended")
        assert server.value("quick") == 1


def test_a_list_of_blocks_is_cut_like_data(project: Project) -> None:
    code = """
        from mxcp.runtime import mcp

        def {name}():
            return ["see:"] + [mcp.link(f"docs://{{i}}") for i in range({n})]
        """
    project.python_tool("few", code.format(name="few", n=300), "limits: {max_rows: 3}")
    project.python_tool("many", code.format(name="many", n=300))
    ran = project.tool("few")
    assert [block["type"] for block in ran.result] == ["text", "resource_link", "resource_link"]
    truncated = ran.envelope()["truncated"]
    assert (truncated["rows"], truncated["limit"], truncated["value"]) == (3, "max_rows", "3")
    assert "more than 256 content blocks" in project.tool("many").error


def test_memory_stays_where_it_is(project: Project) -> None:
    """3,000,000 rows asked for, 10,000 given: what is not given is not held."""
    wide = ", ".join(f"i + {n} AS c{n}" for n in range(10))
    project.sql_tool(
        "wide",
        f"SELECT {wide} FROM range($n) t(i)",
        "parameters: [{name: n, type: integer}]\nlimits: {max_rows: 10000}",
    )
    with project.serve() as server:
        server.initialize()
        server.call("wide", n=20000)

        def peak() -> int:
            status = open(f"/proc/{server.process.pid}/status").read()
            return int(status.split("VmHWM:")[1].split()[0]) // 1024

        before = peak()
        for _ in range(3):
            assert server.call("wide", n=3_000_000)["_meta"]["mxcp/truncated"]["rows"] == 10000
        assert peak() - before < 100  # MB; all of them would be some 300 MB of text alone


def test_cancelled_at_random_moments(project: Project) -> None:
    project.sql_tool("endless", ENDLESS)
    project.sql_tool(
        "short",
        "SELECT $n::BIGINT AS n, count(*) AS c FROM range(20000)",
        "parameters: [{name: n, type: integer}]",
    )
    chance = random.Random(7)
    with project.serve() as server:
        server.initialize()
        for round in range(300):
            doomed = server.start_call("endless")
            kept = [server.start_call("short", {"n": n}) for n in range(chance.randrange(3))]
            for _ in range(chance.randrange(2000)):
                pass
            server.send("notifications/cancelled", {"requestId": doomed})
            for n, id in enumerate(kept):
                rows = json.loads(server.answer(id)["result"]["content"][0]["text"])
                assert rows == [{"n": n, "c": 20000}], round
            assert doomed not in server.order
        # All connections are free again.
        assert server.value("short", n=1) == [{"n": 1, "c": 20000}]


def test_mistakes_are_explained(project: Project) -> None:
    project.sql_tool(
        "t",
        "SELECT 1 AS a",
        "limits: {timeout: 5 seconds, max_row: 3, rate: 10, max_bytes: 10M, concurrency: 0}",
    )
    report = project.run("validate").stdout
    for text in [
        "write '5s'",
        "did you mean 'max_rows'?",
        "'10/s', '10/m' or '10/h'",
        "write '10MB'",
        "'none' switches it off",
    ]:
        assert text in report, report
