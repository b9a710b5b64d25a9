"""The protocol over HTTP: sessions of the handshake revisions, single requests of 2026-07-28, streams,
and the official client on both."""

from __future__ import annotations

import asyncio
import json
from http.client import HTTPResponse
from typing import Any

import pytest
from harness import PATIENCE, Project
from http_harness import LEGACY, MODERN, PREFIX, HttpServer

pytestmark = pytest.mark.stdio

HANDSHAKE = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
STEPS = """
from mcp_steps import gate
from mxcp.runtime import mcp

async def steps(n, wait=False):
    for i in range(n):
        await mcp.progress(i + 1, n)
        await mcp.info(f"step {i + 1}")
        if wait and i == 0:
            await gate()
    return "done"
"""
GATE = """
import asyncio, os

async def gate():
    while not os.path.exists("gate"):
        await asyncio.sleep(0.01)
"""


@pytest.fixture
def served(project: Project) -> Project:
    project.usual_tools()
    project.python_tool("steps", STEPS,
                        "parameters:\n  - {name: n, type: integer}\n  - {name: wait, type: boolean, default: false}")  # fmt: skip
    project.write({"python/mcp_steps.py": GATE})
    project.write({"resources/user.yml": """
        mxcp: 1
        resource:
          uri: "users://{id}/näme"
          parameters: [{name: id, type: integer}]
          source: {code: "SELECT $id AS id"}
        """})  # fmt: skip
    return project


def gate(project: Project) -> None:
    (project.folder / "gate").touch()


# --- sessions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", HANDSHAKE)
def test_a_session(served: Project, version: str) -> None:
    with HttpServer(served) as server:
        assert server.initialize(version)["protocolVersion"] == version
        assert server.session and server.session.isascii() and len(server.session) >= 32
        assert server.request("ping")["result"] == {}
        assert server.value("add", a=41) == 42
        again = server.session
        server.initialize(version)
        assert server.session != again


def test_the_life_of_a_session(served: Project) -> None:
    with HttpServer(served) as server:
        server.initialize()
        known = server.session
        server.session = None
        response = server.post("ping", id=1)
        assert response.status == 400 and "Mcp-Session-Id is missing" in response.body
        server.session = "made-up"
        response = server.post("ping", id=1)
        assert response.status == 404 and response.json["id"] == 1
        server.session = known
        assert server.http("DELETE", headers=server.headers_for({"method": ""})).status == 204
        assert server.post("ping", id=1).status == 404
        assert server.http("DELETE", headers=server.headers_for({"method": ""})).status == 404


def test_ending_a_session_ends_what_runs_in_it(served: Project) -> None:
    with HttpServer(served) as server:
        server.initialize()
        headers = server.headers_for({"method": ""})
        with server.open_stream(**headers) as listening:
            id = server.start_call("endless")
            server.wait_until(lambda: server.active_calls() == 1, "the query runs")
            assert server.http("DELETE", headers=headers).status == 204
            assert server._running.pop(id).result(PATIENCE).messages == []
            assert [event for event in listening.rest() if event.data] == []
        server.wait_until(lambda: server.active_calls() == 0, "the query was stopped")


def test_the_version_header_of_a_session(served: Project) -> None:
    with HttpServer(served) as server:
        server.initialize()
        server.version = "1999-01-01"
        response = server.post("ping", id=1)
        assert response.status == 400 and "1999-01-01" in response.json["error"]["message"]
        # Clients before 2025-06-18 send none.
        message = server.message("ping", id=2)
        response = server.http(body=message, headers={"Mcp-Session-Id": server.session or ""})
        assert response.json == {"jsonrpc": "2.0", "id": 2, "result": {}}
        # GET and DELETE say it, too.
        known = {"Mcp-Session-Id": server.session or "", "Accept": "text/event-stream"}
        for method in ("GET", "DELETE"):
            response = server.http(method, headers={**known, "MCP-Protocol-Version": "1999-01-01"})
            assert response.status == 400 and "1999-01-01" in response.json["error"]["message"]
        with server.open_stream(**known, MCP_Protocol_Version=LEGACY) as stream:
            assert stream.status == 200
        assert server.http("DELETE", headers=known).status == 204


def test_broken_messages(served: Project) -> None:
    with HttpServer(served) as server:
        server.initialize()
        headers = server.headers_for({"method": ""})
        for body, code in [
            ("{", -32700),
            ("[]", -32600),
            ("7", -32600),
            ('{"jsonrpc":"1.0"}', -32600),
        ]:
            response = server.http(body=body, headers=headers)
            assert (response.status, response.json["error"]["code"]) == (400, code)
        # What a method says about its parameters is an answer like any other.
        response = server.post("tools/call", {"name": "nope"}, id=9)
        assert (response.status, response.json["error"]["code"]) == (200, -32602)
        assert server.post("no/such", id=9).status == 200


def test_a_batch(served: Project) -> None:
    with HttpServer(served) as server:
        server.initialize("2025-03-26")
        calls = [
            server.message("tools/call", {"name": "add", "arguments": {"a": i}}, i)
            for i in range(3)
        ]
        response = server.http(body=calls, headers=server.headers_for({"method": ""}))
        found = {answer["id"]: answer["result"]["content"][0]["text"] for answer in response.json}
        assert found == {0: "1", 1: "2", 2: "3"}
        notes = [server.message("notifications/initialized")] * 2
        assert server.http(body=notes, headers=server.headers_for({"method": ""})).status == 202
        server.initialize("2025-06-18")
        assert server.http(body=calls, headers=server.headers_for({"method": ""})).status == 400


@pytest.mark.parametrize("flags", [(), ("--stateless",)])
def test_a_batch_whose_requests_are_all_cancelled(served: Project, flags: tuple[str, ...]) -> None:
    with HttpServer(served, *flags) as server:
        server.initialize("2025-03-26")
        batch = [
            server.message("tools/call", {"name": "endless"}, 1),
            server.message("notifications/cancelled", {"requestId": 1}),
        ]
        headers = server.headers_for({"method": ""})
        response = server.http(body=batch, headers=headers)
        assert (response.status, response.messages) == (200, [])
        # A client that takes no stream has no message to wait for, either.
        response = server.http(body=batch, headers={**headers, "Accept": "application/json"})
        assert (response.status, response.body) == (202, "")
        server.wait_until(lambda: server.active_calls() == 0, "the queries were stopped")


def test_ending_a_session_ends_its_batches(served: Project) -> None:
    with HttpServer(served) as server:
        server.initialize("2025-03-26")
        headers = server.headers_for({"method": ""})
        batch = [server.message("tools/call", {"name": "endless"}, i) for i in (1, 2)]
        running = server._pool.submit(lambda: server.http(body=batch, headers=headers))
        server.wait_until(lambda: server.active_calls() == 2, "the queries run")
        assert server.http("DELETE", headers=headers).status == 204
        assert running.result(PATIENCE).messages == []
        server.wait_until(lambda: server.active_calls() == 0, "the queries were stopped")


def test_progress_and_log_make_a_stream(served: Project) -> None:
    with HttpServer(served) as server:
        server.initialize()
        response = server.post(
            "tools/call", {"name": "steps", "arguments": {"n": 2}}, 5, progressToken="p"
        )
        assert response.headers["content-type"] == "text/event-stream"
        assert [m.get("method", m.get("id")) for m in response.messages] == [
            "notifications/progress", "notifications/message",
            "notifications/progress", "notifications/message", 5,
        ]  # fmt: skip
        # A client that takes JSON only gets the answer.
        message = server.message("tools/call", {"name": "steps", "arguments": {"n": 2}}, 6)
        headers = {**server.headers_for(message), "Accept": "application/json"}
        response = server.http(body=message, headers=headers)
        assert response.headers["content-type"] == "application/json"
        assert response.json["id"] == 6
        # And one that takes streams only, a stream.
        message = server.message("ping", id=7)
        headers = {**server.headers_for(message), "Accept": "text/event-stream"}
        assert server.http(body=message, headers=headers).messages == [
            {"jsonrpc": "2.0", "id": 7, "result": {}}
        ]


def test_a_client_comes_back_for_the_rest(served: Project) -> None:
    with HttpServer(served) as server:
        server.initialize()
        message = server.message(
            "tools/call", {"name": "steps", "arguments": {"n": 3, "wait": True}}, 5, progressToken=1
        )
        headers = server.headers_for(message)
        with server.open_stream("POST", message, **headers) as stream:
            # The first event only says where to come back to.
            first = stream.event()
            assert first.data == "" or first.id
            last = [stream.event(), stream.event()][-1]
        gate(served)
        with server.open_stream(**headers, Last_Event_ID=last.id or "") as stream:
            texts = [event.message for event in stream.rest() if event.data]
        assert texts[-1]["id"] == 5
        assert texts[-1]["result"]["content"] == [{"type": "text", "text": "done"}]
        assert [m["params"]["progress"] for m in texts if m.get("method") == "notifications/progress"] == [2, 3]  # fmt: skip


def test_list_changes_reach_the_listening_stream(served: Project) -> None:
    with HttpServer(served) as server:
        server.initialize()
        server.wait_ready()
        headers = server.headers_for({"method": ""})
        with server.open_stream(**headers) as stream:
            assert stream.status == 200
            served.sql_tool("new", "SELECT 1")
            server.signal(1)
            assert stream.next() == {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}
        assert "new" in [t["name"] for t in server.request("tools/list")["result"]["tools"]]
        # Several may listen; each message is on one of their streams.
        changed = {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}
        with server.open_stream(**headers) as first:
            with server.open_stream(**headers) as second:
                served.sql_tool("newer", "SELECT 2")
                assert second.next() == changed
            # Where the later one has left, the earlier one hears what follows, and only that.
            server.wait_until(lambda: server.streams() == 1, "the stream has ended")
            served.sql_tool("newest", "SELECT 3")
            assert first.next() == changed
            # Whoever comes back to a stream takes it over.
            with server.open_stream(**headers, Last_Event_ID=first.last_id):
                assert [event for event in first.rest() if event.data] == []


def test_what_get_needs(served: Project) -> None:
    with HttpServer(served) as server:
        server.initialize()
        assert server.http("GET").status == 400
        assert server.http("GET", headers={"Mcp-Session-Id": "no"}).status == 404
        headers = {"Mcp-Session-Id": server.session or "", "Accept": "application/json"}
        assert server.http("GET", headers=headers).status == 406


def test_without_sessions(served: Project) -> None:
    with HttpServer(served, "--stateless") as server:
        # Nobody could be told of changes, so none are promised.
        capabilities = server.initialize()["capabilities"]
        assert (capabilities["tools"], capabilities["resources"]) == ({}, {})
        uri = {"uri": "users://7/näme"}
        assert server.request("resources/subscribe", uri)["error"]["code"] == -32601
        assert server.session is None
        assert server.value("add", a=1) == 2
        assert server.request("ping")["result"] == {}
        assert server.http("GET").status == 405 and server.http("DELETE").status == 405
        server.version = "2025-03-26"
        assert "outputSchema" not in server.request("tools/list")["result"]["tools"][0]


# --- 2026-07-28 ----------------------------------------------------------------------------------


def test_a_single_request(served: Project) -> None:
    with HttpServer(served) as server:
        server.modern = MODERN
        response = server.post("server/discover", id="d")
        assert "mcp-session-id" not in response.headers
        assert MODERN in response.json["result"]["supportedVersions"]
        assert server.value("add", a=1) == 2
        # Names that a header cannot hold are encoded.
        found = server.request("resources/read", {"uri": "users://7/näme"})["result"]
        assert found["contents"][0]["text"] == '[{"id":7}]'
        assert server.http("GET", headers={"MCP-Protocol-Version": MODERN}).status == 405
        assert server.http("DELETE", headers={"MCP-Protocol-Version": MODERN}).status == 405
        # A session id means nothing.
        message = server.message("tools/list", id=1)
        headers = {**server.headers_for(message), "Mcp-Session-Id": "made-up"}
        assert server.http(body=message, headers=headers).status == 200


CALL = {"name": "add", "arguments": {"a": 1}}


@pytest.mark.parametrize(
    ("method", "headers", "status", "code"),
    [
        ("tools/call", {}, 200, None),
        ("tools/call", {"Mcp-Name": "  add\t"}, 200, None),
        ("tools/call", {"Mcp-Name": "=?base64?YWRk?="}, 200, None),
        ("tools/call", {"mcp-name": None}, 400, -32020),
        ("tools/call", {"Mcp-Name": "Add"}, 400, -32020),
        ("tools/call", {"Mcp-Name": "=?base64?YWR?="}, 400, -32020),
        ("tools/call", {"Mcp-Name": "=?base64?YW!k?="}, 400, -32020),
        ("tools/call", {"Mcp-Method": "tools/list"}, 400, -32020),
        ("tools/call", {"Mcp-Method": "TOOLS/CALL"}, 400, -32020),
        ("tools/call", {"Mcp-Method": None}, 400, -32020),
        ("tools/call", {"MCP-Protocol-Version": None}, 400, -32020),
        ("tools/call", {"MCP-Protocol-Version": LEGACY}, 400, -32020),
        ("no/such", {}, 404, -32601),
        ("ping", {}, 404, -32601),
        ("initialize", {}, 404, -32601),
        ("logging/setLevel", {}, 404, -32601),
        ("resources/subscribe", {}, 404, -32601),
    ],
)
def test_the_headers_say_what_the_body_says(
    served: Project, method: str, headers: dict[str, str | None], status: int, code: int | None
) -> None:
    with HttpServer(served) as server:
        server.modern = MODERN
        message = server.message(method, CALL, 3)
        given = {name.lower(): value for name, value in server.headers_for(message).items()}
        given.update({name.lower(): value for name, value in headers.items()})
        sent = {name: value for name, value in given.items() if value is not None}
        response = server.http(body=message, headers=sent)
        assert (response.status, response.json.get("error", {}).get("code")) == (status, code), (
            response
        )
        assert response.json["id"] == 3


@pytest.mark.parametrize(
    ("meta", "code"),
    [
        ({PREFIX + "protocolVersion": MODERN}, -32602),
        ({PREFIX + "clientCapabilities": {}}, -32602),
        ({}, -32602),
        (None, -32602),
        ({PREFIX + "protocolVersion": "2099-01-01", PREFIX + "clientCapabilities": {}}, -32022),
    ],
)
def test_what_a_request_must_say_about_itself(
    served: Project, meta: dict | None, code: int
) -> None:
    with HttpServer(served) as server:
        message = {"jsonrpc": "2.0", "id": "m", "method": "tools/list", "params": {}}
        if meta is not None:
            message["params"] = {"_meta": meta}
        version = (meta or {}).get(PREFIX + "protocolVersion", MODERN)
        headers = {"MCP-Protocol-Version": version, "Mcp-Method": "tools/list"}
        response = server.http(body=message, headers=headers)
        assert (response.status, response.json["error"]["code"]) == (400, code), response
        assert response.json["id"] == "m"
        if code == -32022:
            assert MODERN in response.json["error"]["data"]["supported"]


@pytest.mark.parametrize(
    "header", ["Mcp-Name", "Mcp-Method", "MCP-Protocol-Version", "Mcp-Session-Id", "mcp-param-x"]
)
@pytest.mark.parametrize("value", ["add", "other"])
def test_a_header_of_the_protocol_is_there_once(served: Project, header: str, value: str) -> None:
    """Whoever routes by the second of two would see another request than we serve."""
    with HttpServer(served) as server:
        server.initialize()
        older = server.message("tools/call", CALL, 3)
        server.modern = MODERN
        newer = server.message("tools/call", CALL, 3)
        for message, code in ((newer, -32020), (older, -32600)):
            server.modern = MODERN if message is newer else None
            given = {name.lower(): value for name, value in server.headers_for(message).items()}
            lines = list(given.items()) + [(header, value)]
            if header.lower() not in given:
                lines.append((header, value))
            status, answer = raw_post(server, lines, message)
            assert (status, answer["error"]["code"], answer["id"]) == (400, code, 3), answer
            assert header.lower() in answer["error"]["message"]


def raw_post(server: HttpServer, headers: list[tuple[str, str]], message: dict) -> tuple[int, Any]:
    body = json.dumps(message)
    head = [("Host", "localhost"), ("Content-Type", "application/json")]
    head += [("Content-Length", str(len(body))), *headers]
    text = "".join(f"{name}: {value}\r\n" for name, value in head)
    with server.socket() as client:
        client.sendall(f"POST /mcp HTTP/1.1\r\n{text}\r\n{body}".encode())
        response = HTTPResponse(client)
        response.begin()
        return response.status, json.loads(response.read())


def test_notifications_and_responses_of_a_modern_client(served: Project) -> None:
    with HttpServer(served) as server:
        headers = {"MCP-Protocol-Version": MODERN}
        note = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
        assert server.http(body=note, headers=headers).status == 202
        assert (
            server.http(body={"jsonrpc": "2.0", "id": 1, "result": {}}, headers=headers).status
            == 400
        )
        assert server.http(body=[note], headers=headers).status == 400


def test_a_subscription(served: Project) -> None:
    with HttpServer(served) as server:
        server.modern = MODERN
        server.wait_ready()
        wanted = {"notifications": {"toolsListChanged": True, "promptsListChanged": True}}
        message = server.message("subscriptions/listen", wanted, "s-1")
        with server.open_stream("POST", message, **server.headers_for(message)) as stream:
            assert stream.headers["x-accel-buffering"] == "no"
            tag = {PREFIX + "subscriptionId": "s-1"}
            assert stream.next() == {
                "jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged",
                "params": {"_meta": tag, "notifications": {"toolsListChanged": True}},
            }  # fmt: skip
            served.sql_tool("new", "SELECT 1")
            server.signal(1)
            assert stream.next() == {
                "jsonrpc": "2.0", "method": "notifications/tools/list_changed", "params": {"_meta": tag},
            }  # fmt: skip
            # The end of the server is the answer.
            server.signal(15)
            [last] = stream.rest()
            assert last.message["id"] == "s-1"
            assert last.message["result"]["_meta"][PREFIX + "subscriptionId"] == "s-1"
        assert server.wait() == 0


def test_a_subscription_needs_a_stream(served: Project) -> None:
    with HttpServer(served) as server:
        server.modern = MODERN
        message = server.message("subscriptions/listen", {"notifications": {}}, 3)
        headers = {**server.headers_for(message), "Accept": "application/json"}
        response = server.http(body=message, headers=headers)
        assert (response.status, response.json["id"]) == (406, 3)
        assert "text/event-stream" in response.json["error"]["message"]


def test_log_messages_are_asked_for(served: Project) -> None:
    with HttpServer(served) as server:
        server.modern = MODERN
        call = {"name": "steps", "arguments": {"n": 1}}
        assert server.post("tools/call", call, 1).headers["content-type"] == "application/json"
        response = server.post("tools/call", call, 1, **{PREFIX + "logLevel": "info"})
        assert [m.get("method") for m in response.messages] == ["notifications/message", None]
        assert all("id: " not in line for line in response.body.splitlines())


# --- the official client -------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["auto", "legacy", MODERN])
@pytest.mark.parametrize("flags", [[], ["--stateless"]], ids=["", "stateless"])
def test_the_official_client(served: Project, mode: str, flags: list[str]) -> None:
    from mcp.client.client import Client

    heard: list[float] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        heard.append(done)

    async def talk(url: str) -> None:
        async with Client(url, mode=mode, read_timeout_seconds=PATIENCE) as client:
            result = await client.call_tool("add", {"a": 1})
            assert result.structured_content == {"result": 2}
            names = [tool.name for tool in (await client.list_tools()).tools]
            assert names == ["add", "endless", "steps"]
            read = await client.read_resource("users://7/näme")
            assert read.contents[0].text == '[{"id":7}]'
            result = await client.call_tool("steps", {"n": 3}, progress_callback=progress)
            assert result.content[0].text == "done" and heard == [1, 2, 3]
            many = await asyncio.gather(*(client.call_tool("add", {"a": i}) for i in range(50)))
            assert [r.structured_content for r in many] == [{"result": i + 1} for i in range(50)]

    with HttpServer(served, *flags) as server, server.tapped() as tap:
        asyncio.run(talk(tap.url))
