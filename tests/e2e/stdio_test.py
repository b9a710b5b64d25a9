"""The protocol over stdio, in raw messages: both eras, concurrency, cancellation, shutdown."""

from __future__ import annotations

import asyncio
import json
import signal

import duckdb
import jsonschema
import pytest
from harness import ENDLESS, Project, begin, official_client

pytestmark = pytest.mark.stdio

HANDSHAKE = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
MODERN = "2026-07-28"


@pytest.fixture
def served(project: Project) -> Project:
    project.sql_tool(
        "add",
        "SELECT $a + $b AS sum",
        """
        description: Adds
        annotations: {title: Addition, readOnlyHint: true, idempotentHint: true}
        parameters:
          - {name: a, type: integer, description: first}
          - {name: b, type: integer, default: 1, enum: [1, 2, 3]}
        return: {type: integer}
        """,
    )
    project.sql_tool("row", "SELECT 1 AS id, 'x' AS name",
                     "return: {type: object, properties: {id: {type: integer}, name: {type: string}}}")  # fmt: skip
    project.sql_tool("rows", "SELECT i AS id FROM range(3) t(i)",
                     "return: {type: array, items: {type: object, properties: {id: {type: integer}}}}")  # fmt: skip
    project.sql_tool("free", "SELECT 'two' AS word")
    project.sql_tool("endless", ENDLESS)
    project.python_tool("text", "def text(value):\n    return value\n",
                        "parameters: [{name: value, type: string}]\nreturn: {type: string}")  # fmt: skip
    return project


@pytest.mark.parametrize("version", HANDSHAKE)
def test_initialize(served: Project, version: str) -> None:
    with served.serve() as server:
        result = server.initialize(version)
        assert result["protocolVersion"] == version
        assert result["serverInfo"]["name"] and result["serverInfo"]["version"]
        assert {"tools", "logging"} <= set(result["capabilities"])
        assert server.request("ping")["result"] == {}
        assert server.value("add", a=41) == 42


def test_initialize_with_an_unknown_version(served: Project) -> None:
    with served.serve() as server:
        assert server.initialize("1999-01-01")["protocolVersion"] == "2025-11-25"


def test_a_client_without_handshake(served: Project) -> None:
    with served.serve() as server:
        server.modern = MODERN
        found = server.request("server/discover")["result"]
        assert found["resultType"] == "complete"
        assert MODERN in found["supportedVersions"] and "tools" in found["capabilities"]
        assert found["_meta"]["io.modelcontextprotocol/serverInfo"]["version"]
        result = server.call("add", a=2, b=3)
        assert result["resultType"] == "complete"
        assert result["structuredContent"] in (5, {"result": 5})
        listed = server.request("tools/list")["result"]
        assert listed["resultType"] == "complete" and "ttlMs" in listed and "cacheScope" in listed


def test_errors_of_the_era_without_handshake(served: Project) -> None:
    with served.serve() as server:
        meta = {"io.modelcontextprotocol/protocolVersion": "2099-01-01",
                "io.modelcontextprotocol/clientCapabilities": {}}  # fmt: skip
        error = server.request("tools/list", {"_meta": meta})["error"]
        assert error["code"] == -32022
        assert MODERN in error["data"]["supported"] and error["data"]["requested"] == "2099-01-01"
        meta = {"io.modelcontextprotocol/protocolVersion": MODERN}
        assert server.request("tools/list", {"_meta": meta})["error"]["code"] == -32602
        meta["io.modelcontextprotocol/clientCapabilities"] = {}
        assert server.request("initialize", {"_meta": meta})["error"]["code"] == -32601
        assert server.request("ping", {"_meta": meta})["error"]["code"] == -32601


def test_tools_list(served: Project) -> None:
    with served.serve() as server:
        server.initialize()
        tools = server.request("tools/list")["result"]["tools"]
        assert [tool["name"] for tool in tools] == ["add", "endless", "free", "row", "rows", "text"]
        add = tools[0]
        assert add["description"] == "Adds"
        assert add["annotations"] == {
            "title": "Addition",
            "readOnlyHint": True,
            "idempotentHint": True,
        }
        assert add["inputSchema"] == {
            "type": "object",
            "properties": {
                "a": {"type": "integer", "description": "first"},
                "b": {"type": "integer", "default": 1, "enum": [1, 2, 3]},
            },
            "required": ["a"],
            "additionalProperties": False,
        }
        assert add["outputSchema"]["properties"] == {"result": {"type": ["integer", "null"]}}
        # Nothing is declared: the columns of the SQL say it.
        [items] = [tools[2]["outputSchema"]["properties"]["result"]["items"]]
        assert items["properties"] == {"word": {"type": ["string", "null"]}}
        assert tools[3]["outputSchema"]["properties"]["name"] == {"type": ["string", "null"]}
        assert tools[1]["inputSchema"] == {"type": "object", "additionalProperties": False} or (
            tools[1]["inputSchema"] == {"type": "object", "properties": {}, "additionalProperties": False}
        )


def test_content_and_structured_content(served: Project) -> None:
    with served.serve() as server:
        server.initialize()
        tools = {tool["name"]: tool for tool in server.request("tools/list")["result"]["tools"]}
        expected = {
            "add": ({"a": 1}, "2", {"result": 2}),
            "row": ({}, '{"id":1,"name":"x"}', {"id": 1, "name": "x"}),
            "rows": ({}, '[{"id":0},{"id":1},{"id":2}]',
                     {"result": [{"id": 0}, {"id": 1}, {"id": 2}]}),
            "text": ({"value": "a \"b\"\n"}, "a \"b\"\n", {"result": "a \"b\"\n"}),
        }  # fmt: skip
        for name, (arguments, text, structured) in expected.items():
            result = server.call(name, **arguments)
            assert result["content"] == [{"type": "text", "text": text}]
            assert result["structuredContent"] == structured
            jsonschema.validate(structured, tools[name]["outputSchema"])
            assert result.get("isError", False) is False
        free = server.call("free")
        assert free["content"] == [{"type": "text", "text": '[{"word":"two"}]'}]
        assert free["structuredContent"] == {"result": [{"word": "two"}]}


def test_arguments_as_models_send_them(served: Project) -> None:
    served.python_tool("take", "def take(s, a, o, i):\n    return [s, a, o, i]\n", """
        parameters:
          - {name: s, type: string}
          - {name: a, type: array, items: {type: integer}}
          - {name: o, type: object}
          - {name: i, type: integer}
        """)  # fmt: skip
    with served.serve() as server:
        server.initialize()
        # Lists and objects as JSON text, numbers as text, a number for a string.
        assert server.value("take", s=5, a="[1, 2]", o='{"k": null}', i="7") == ["5", [1, 2], {"k": None}, 7]
        # A text that looks like JSON stays a text where a text is declared.
        assert server.value("take", s='{"a": 1}', a=[], o={}, i=1.0)[0] == '{"a": 1}'
        error = server.error("take", s="x", a=["y"], o=[], i=1.5)
        assert all(word in error for word in ("a[0]", "o", "i", "1.5"))
        assert "extra" in server.error("add", a=1, extra=2)


def test_tool_errors(served: Project) -> None:
    served.python_tool("raises", "def raises():\n    raise ValueError('very wrong')\n")
    with served.serve() as server:
        server.initialize()
        text = server.error("raises")
        assert "raises" in text and "very wrong" in text and "Traceback" not in text
        unknown = server.answer(server.start_call("nope"))
        assert unknown["error"]["code"] == -32602 and "nope" in unknown["error"]["message"]
        assert "Traceback" in server.stderr


def test_json_rpc_errors(served: Project) -> None:
    with served.serve() as server:
        server.initialize()
        server.write("this is not JSON\n")
        assert server.answer(None)["error"]["code"] == -32700
        assert server.request("no/such/method")["error"]["code"] == -32601
        assert server.request("tools/call", {"arguments": {}})["error"]["code"] == -32602
        assert server.request("tools/call", [1])["error"]["code"] == -32602
        assert server.request("tools/list", {"cursor": "made up"})["error"]["code"] == -32602
        server.send("notifications/unknown", {"x": 1})
        server.write("\n")
        # The id comes back as it was, text or number.
        server.send("ping", id="text id")
        assert server.answer("text id")["result"] == {}
        assert server.request("ping")["result"] == {}


def test_batches_only_where_the_revision_has_them(served: Project) -> None:
    batch = '[{"jsonrpc":"2.0","id":91,"method":"ping"},{"jsonrpc":"2.0","id":92,"method":"ping"}]\n'
    with served.serve() as server:
        server.initialize("2025-03-26")
        server.write(batch)
        assert server.answer(91)["result"] == {} and server.answer(92)["result"] == {}
    with served.serve() as server:
        server.initialize("2025-06-18")
        server.write(batch)
        assert server.answer(None)["error"]["code"] == -32600


def test_resources_and_prompts(project: Project) -> None:
    project.write({
        "resources/hello.yml": """
            mxcp: 1
            resource:
              uri: docs://hello
              name: hello
              description: A greeting
              mime_type: text/markdown
              return: {type: string}
              source: {code: "SELECT '# Hello'"}
            """,
        "resources/user.yml": """
            mxcp: 1
            resource:
              uri: "users://{id}"
              parameters: [{name: id, type: integer}]
              return: {type: object}
              source: {code: SELECT $id AS id}
            """,
        "prompts/letter.yml": """
            mxcp: 1
            prompt:
              name: letter
              description: A letter
              parameters:
                - {name: to, type: string, description: Who}
                - {name: tone, type: string, default: warm}
              messages:
                - {role: system, prompt: "Be {{ tone }}."}
                - {role: user, prompt: "Write to {{ to }}."}
                - {role: assistant, prompt: Gladly.}
                - {type: resource, prompt: "docs://hello"}
            """,
    })  # fmt: skip
    with project.serve() as server:
        server.initialize()

        def error(method: str, params: dict) -> tuple[int, str]:
            answer = server.request(method, params)["error"]
            return answer["code"], answer["message"]

        # A URI without placeholders is a resource, one with them a template.
        assert server.request("resources/list")["result"]["resources"] == [
            {
                "uri": "docs://hello",
                "name": "hello",
                "description": "A greeting",
                "mimeType": "text/markdown",
            }
        ]
        [template] = server.request("resources/templates/list")["result"]["resourceTemplates"]
        assert (template["uriTemplate"], template["name"]) == ("users://{id}", "users://{id}")
        hello = {"uri": "docs://hello", "mimeType": "text/markdown", "text": "# Hello"}
        read = server.request("resources/read", {"uri": "docs://hello"})["result"]
        assert read == {"contents": [hello]}
        read = server.request("resources/read", {"uri": "users://7"})["result"]
        assert read["contents"] == [
            {"uri": "users://7", "mimeType": "application/json", "text": '{"id":7}'}
        ]
        code, message = error("resources/read", {"uri": "docs://other"})
        assert code == -32002 and "docs://other" in message
        code, message = error("resources/read", {"uri": "users://x"})
        assert code == -32602 and "'id': expected an integer" in message
        assert error("resources/read", {"uri": "users://../7"})[0] == -32002

        [letter] = server.request("prompts/list")["result"]["prompts"]
        assert letter == {
            "name": "letter",
            "description": "A letter",
            "arguments": [
                {"name": "to", "description": "Who", "required": True},
                {"name": "tone", "required": False},
            ],
        }
        got = server.request("prompts/get", {"name": "letter", "arguments": {"to": "Ada"}})["result"]
        texts = [("user", "Be warm."), ("user", "Write to Ada."), ("assistant", "Gladly.")]
        assert got["messages"] == [
            *({"role": role, "content": {"type": "text", "text": text}} for role, text in texts),
            {"role": "user", "content": {"type": "resource", "resource": hello}},
        ]
        code, message = error("prompts/get", {"name": "letter"})
        assert code == -32602 and "'to' is missing" in message
        code, message = error("prompts/get", {"name": "lettre"})
        assert code == -32602 and "did you mean 'letter'?" in message


def test_tools_list_in_pages(project: Project) -> None:
    for n in range(250):
        project.sql_tool(f"tool_{n:03}", "SELECT 1")
    with project.serve() as server:
        server.initialize()
        names, cursor, pages = [], None, 0
        while True:
            params = {} if cursor is None else {"cursor": cursor}
            result = server.request("tools/list", params)["result"]
            names += [tool["name"] for tool in result["tools"]]
            pages += 1
            if (cursor := result.get("nextCursor")) is None:
                break
        assert names == [f"tool_{n:03}" for n in range(250)] and pages > 1


def test_calls_are_answered_as_they_finish(served: Project) -> None:
    with served.serve() as server:
        server.initialize()
        slow = [server.start_call("endless") for _ in range(2)]
        quick = [server.start_call("add", {"a": n}) for n in range(20)]
        for n, id in enumerate(quick):
            assert server.answer(id)["result"]["structuredContent"] == {"result": n + 1}
        assert not any(server.answered(id) for id in slow)
        for id in slow:
            server.send("notifications/cancelled", {"requestId": id})


def test_cancelling_stops_the_query(served: Project) -> None:
    with served.serve() as server:
        server.initialize()
        for _ in range(20):
            id = server.start_call("endless")
            server.send("notifications/cancelled", {"requestId": id, "reason": "enough"})
        id = server.start_call("endless")
        assert server.value("add", a=1) == 2
        server.send("notifications/cancelled", {"requestId": id})
        server.send("notifications/cancelled", {"requestId": 123456})
        # No connection stayed behind with a running query: all of them answer.
        ids = [server.start_call("add", {"a": n}) for n in range(50)]
        for n, id in enumerate(ids):
            assert server.answer(id)["result"]["structuredContent"] == {"result": n + 1}
        server.end_of_input()
        server.wait()
        cancelled = [one for one in range(1, 23) if one not in (22,) and server.answered(one)]
        assert len([one for one in cancelled if one <= 21]) <= 1  # only `initialize` was answered


def test_cancelling_a_coroutine(project: Project) -> None:
    project.python_tool(
        "wait",
        """
        import asyncio

        async def wait():
            print("the coroutine runs")
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                print("the coroutine was cancelled")
                raise
        """,
    )
    with project.serve() as server:
        server.initialize()
        id = server.start_call("wait")
        server.wait_for_log("the coroutine runs")
        server.send("notifications/cancelled", {"requestId": id})
        server.wait_for_log("the coroutine was cancelled")
        assert not server.answered(id)


def test_progress_of_a_query(served: Project) -> None:
    served.sql_tool("long", "SELECT count(*) AS n FROM range(300000000) t(i) WHERE i % 7 = 3",
                    "return: {type: integer}")  # fmt: skip
    with served.serve() as server:
        server.initialize()
        assert json.loads(
            server.answer(server.start_call("long", progressToken="p"))["result"]["content"][0]["text"]
        ) == 42857143  # fmt: skip
        values = [m["params"]["progress"] for m in server.notifications
                  if m["method"] == "notifications/progress"]  # fmt: skip
        assert values == sorted(set(values)) and all(0 <= value < 100 for value in values)


def test_end_of_input_waits_for_answers(served: Project) -> None:
    with served.serve() as server:
        server.initialize()
        ids = [server.start_call("add", {"a": n}) for n in range(30)]
        server.end_of_input()
        server.wait()
        assert all(server.answered(id) for id in ids)


HOOK = """
from mxcp.runtime import on_shutdown

@on_shutdown
def note():
    print("the hook ran")
"""
LONG = {
    "coroutine": "import asyncio\nasync def long():\n    print('it runs')\n    await asyncio.sleep(600)\n",
    "function": "import time\ndef long():\n    print('it runs')\n    time.sleep(600)\n",
    "query": "from mxcp.runtime import db\ndef long():\n    print('it runs')\n"
    "    return db.execute('SELECT count(*) FROM range(100000000) a, range(100000000) b')\n",
    "question": "from mxcp.runtime import mcp\nasync def long():\n    print('it runs')\n"
    "    return await mcp.elicit('Who?')\n",
}


@pytest.mark.parametrize("kind", LONG)
def test_end_of_input_ends_what_runs(project: Project, kind: str) -> None:
    """Clients wait some seconds, then they kill; the next server wants the database."""
    project.python_tool("long", LONG[kind])
    project.write({"python/hook.py": HOOK})
    with project.serve() as server:
        capabilities = {"capabilities": {"elicitation": {}}}
        server.request("initialize", {**begin("2025-11-25"), **capabilities})
        server.send("notifications/initialized")
        server.start_call("long")
        server.wait_for_log("it runs")
        server.end_of_input()
        server.wait()
        assert "the hook ran" in server.stderr


@pytest.mark.parametrize("kind", LONG)
def test_sigterm_answers_what_does_not_end(project: Project, kind: str) -> None:
    project.python_tool("long", LONG[kind])
    with project.serve() as server:
        capabilities = {"capabilities": {"elicitation": {}}}
        server.request("initialize", {**begin("2025-11-25"), **capabilities})
        server.send("notifications/initialized")
        id = server.start_call("long")
        server.wait_for_log("it runs")
        server.signal(signal.SIGTERM)
        result = server.answer(id)["result"]
        assert result["isError"] and "shutting down" in result["content"][0]["text"]
        server.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_the_server_cleanly(served: Project, number: int) -> None:
    with served.serve() as server:
        server.initialize()
        server.value("add", a=1)
        server.signal(number)
        server.wait(0)


def test_a_running_query_does_not_hold_up_the_end(served: Project) -> None:
    with served.serve() as server:
        server.initialize()
        server.start_call("endless")
        server.value("add", a=1)
        server.signal(signal.SIGTERM)
        server.signal(signal.SIGTERM)
        assert server.wait(None) in (0, 128 + signal.SIGTERM)


def test_end_before_anything_was_said(served: Project) -> None:
    with served.serve() as server:
        server.end_of_input()
        server.wait(0)


def test_a_broken_project_does_not_start(served: Project) -> None:
    served.write({"tools/bad.yml": "tool: {name: bad, source: {cod: SELECT 1}}\n"})
    ran = served.run("serve", "--transport", "stdio")
    assert ran.code == 1 and ran.stdout == "" and "tools/bad.yml:1:28" in ran.stderr
    with served.serve("--ignore-errors") as server:
        server.initialize()
        tools = server.request("tools/list")["result"]["tools"]
        assert "bad" not in [tool["name"] for tool in tools] and len(tools) == 6


def test_a_locked_database_is_named_with_its_holder(served: Project) -> None:
    import os

    served.query("CREATE TABLE t (i INT)")
    with duckdb.connect(str(served.database)):
        ran = served.run("query", "SELECT 1", "--json-output")
        assert "db-default.duckdb" in ran.error and str(os.getpid()) in ran.error
        # Tools that do not need the database work all the same.
        assert served.tool("text", value="x").result == "x"


def test_a_server_waits_for_the_database_of_the_one_before(served: Project) -> None:
    """Clients start a server anew before the old one is gone."""
    with served.serve() as before:
        before.initialize()
        assert before.value("add", a=1) == 2
        with served.serve() as server:
            server.initialize()
            call = server.start_call("add", {"a": 2})
            server.wait_for_log(f"is in use by process {before.process.pid}")
            assert not server.answered(call)
            before.end_of_input()
            before.wait()
            assert server.answer(call)["result"]["structuredContent"] == {"result": 3}


def test_the_database_is_waited_for_once(served: Project) -> None:
    served.query("CREATE TABLE t (i INT)")
    with duckdb.connect(str(served.database)):
        ran = served.run("serve", "--port", "0")
        assert ran.code == 1 and ran.stderr.count("it is waited for") == 1, ran


def test_a_file_that_is_no_database(served: Project) -> None:
    served.database.parent.mkdir(exist_ok=True)
    served.database.write_bytes(b"certainly not a database" * 400)
    error = served.run("query", "SELECT 1", "--json-output").error
    assert "db-default.duckdb" in error and "not a" in error


def test_large_messages(served: Project) -> None:
    with served.serve() as server:
        server.initialize()
        long = "ü" * 1_000_000
        assert server.value("text", value=long) == long


@pytest.mark.parametrize("mode", ["auto", "legacy", MODERN])
def test_the_official_client(served: Project, mode: str) -> None:
    async def talk() -> None:
        async with official_client(served, mode) as client:
            result = await client.call_tool("row", {})
            assert result.structured_content == {"id": 1, "name": "x"}
            names = [tool.name for tool in (await client.list_tools()).tools]
            assert names == ["add", "endless", "free", "row", "rows", "text"]

    asyncio.run(talk())


def test_options_of_http_are_said_to_change_nothing(project: Project) -> None:
    project.sql_tool("one", "SELECT 1 AS n")
    with project.serve("--port", "9", "--unix-socket", "/nowhere/s", "--stateless") as server:
        server.initialize()
        assert server.value("one") == [{"n": 1}]
    for option in ("--port", "--unix-socket", "--stateless"):
        assert f"{option} changes nothing for the transport stdio" in server.stderr


def test_a_request_that_is_nested_too_deeply_is_answered(project: Project) -> None:
    project.usual_tools()
    with project.serve() as server:
        server.initialize()
        deep = json.loads("[" * 70 + "]" * 70)
        answer = server.request("tools/call", {"name": "add", "arguments": {"a": deep}})
        assert answer["error"]["code"] == -32700
        assert server.value("add", a=1) == 2
