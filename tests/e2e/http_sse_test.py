"""The transport of 2024-11-05 (HTTP+SSE): a stream of events, and an endpoint to post to."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import pytest
from harness import PATIENCE, Project, Requests, begin
from http_harness import HttpServer, Response

pytestmark = pytest.mark.stdio

STEPS = """
from mxcp.runtime import mcp

async def steps(n):
    for i in range(n):
        await mcp.progress(i + 1, n)
    return "done"
"""


class Client(Requests):
    """One session: its stream, and what is posted to it."""

    def __init__(self, server: HttpServer):
        self.server = server
        self.stream = server.open_stream()
        assert self.stream.status == 200
        assert self.stream.headers["content-type"] == "text/event-stream"
        first = self.stream.event()
        assert first.name == "endpoint"
        self.endpoint = first.data
        self.notifications: list[dict[str, Any]] = []
        self._responses: dict[Any, dict[str, Any]] = {}
        self._next_id = 0

    def post(self, message: Any, **headers: str) -> Response:
        return self.server.http("POST", self.endpoint, message, headers)

    def notify(self, method: str, params: Any = None) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params or {}}
        assert self.post(message).status == 202

    def start(self, method: str, params: Any = None, **meta: Any) -> int:
        self._next_id += 1
        params = {**(params or {}), **({"_meta": meta} if meta else {})}
        message = {"jsonrpc": "2.0", "id": self._next_id, "method": method, "params": params}
        response = self.post(message)
        assert (response.status, response.body) == (202, "Accepted")
        return self._next_id

    def answer(self, id: Any) -> dict[str, Any]:
        while id not in self._responses:
            event = self.stream.event()
            assert event.name == "message"
            message = event.message
            if "method" in message:
                self.notifications.append(message)
            else:
                self._responses[message.get("id")] = message
        return self._responses.pop(id)

    def initialize(self, version: str = "2024-11-05") -> dict[str, Any]:
        result = self.request("initialize", begin(version))["result"]
        self.notify("notifications/initialized")
        return result

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: Any) -> None:
        self.stream.close()


@pytest.fixture
def served(project: Project) -> Project:
    project.usual_tools()
    project.python_tool("steps", STEPS, "parameters: [{name: n, type: integer}]")
    project.python_tool("nap", "import time\n\ndef nap():\n    time.sleep(0.5)\n    return 'rested'\n",
                        "return: {type: string}")  # fmt: skip
    return project


def sse(project: Project, *flags: str, **more: Any) -> HttpServer:
    return HttpServer(project, "--transport", "sse", *flags, **more)


@pytest.mark.parametrize("version", ["2024-11-05", "2025-11-25"])
def test_a_session(served: Project, version: str) -> None:
    with sse(served) as server:
        assert server.report["transport"] == "sse"
        assert server.url == f"http://localhost:{server.port}/sse"
        with Client(server) as client, Client(server) as other:
            prefix, _, session = client.endpoint.partition("=")
            assert prefix == "/messages/?session_id" and len(session) >= 32
            assert client.initialize(version)["protocolVersion"] == version
            assert client.request("ping")["result"] == {}
            assert client.value("add", a=41) == 42
            ids = [client.start_call("add", {"a": i}) for i in range(20)]
            assert [client.answer(id)["result"]["content"][0]["text"] for id in ids] == [
                str(i + 1) for i in range(20)
            ]
            answer = client.answer(client.start_call("steps", {"n": 3}, progressToken="p"))
            assert answer["result"]["content"][0]["text"] == "done"
            assert [n["params"]["progress"] for n in client.notifications] == [1, 2, 3]
            # The other session heard nothing of that.
            assert other.request("ping")["id"] == 1


def test_what_a_post_needs(served: Project) -> None:
    with sse(served) as server, Client(server) as client:
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}

        def status(path: str = client.endpoint, body: Any = ping, **headers: str) -> int:
            return server.http("POST", path, body, headers).status

        assert status("/messages/") == 400
        assert status("/messages/?session=x") == 400
        assert status("/messages/?session_id=" + "0" * 32) == 404
        assert status(body="{") == 400
        assert status(**{"Content-Type": "text/plain"}) == 415
        assert status(Host="evil.example") == 403
        assert status(Origin="https://evil.example") == 403
        assert server.http("GET", client.endpoint).status == 405
        assert server.http("POST", "/sse", ping).status == 405
        assert server.http("POST", "/mcp", ping).status == 404
        assert server.http("GET", "/sse", headers={"Accept": "application/json"}).status == 406
        assert server.http("GET", "/sse", headers={"Host": "evil.example"}).status == 403
        # An extra key in the query does no harm, and the path also goes without its slash.
        assert status(client.endpoint.replace("?", "?a=b&")) == 202
        assert client.answer(1)["result"] == {}
        assert status(client.endpoint.replace("/?", "?")) == 202
        assert client.answer(1)["result"] == {}
        # What is no request is answered on the stream.
        assert status(body={"jsonrpc": "1.0"}) == 202
        assert client.answer(None)["error"]["code"] == -32600


def test_a_batch(served: Project) -> None:
    with sse(served) as server, Client(server) as client:
        client.initialize("2025-03-26")
        calls = [{"jsonrpc": "2.0", "id": i, "method": "ping"} for i in (10, 11)]
        assert client.post(calls).status == 202
        assert {answer["id"] for answer in client.stream.event().message} == {10, 11}


def test_closing_the_stream_ends_the_session(served: Project) -> None:
    with sse(served) as server:
        client = Client(server)
        client.initialize()
        client.start_call("endless")
        server.wait_until(lambda: server.active_calls() == 1, "the query runs")
        client.stream.close()
        server.wait_until(lambda: server.active_calls() == 0, "the query was stopped")
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        server.wait_until(lambda: client.post(ping).status == 404, "the session has ended")


def test_a_request_is_cancelled(served: Project) -> None:
    with sse(served) as server, Client(server) as client:
        client.initialize()
        id = client.start_call("endless")
        server.wait_until(lambda: server.active_calls() == 1, "the query runs")
        client.notify("notifications/cancelled", {"requestId": id})
        server.wait_until(lambda: server.active_calls() == 0, "the query was stopped")
        assert client.request("ping")["result"] == {}
        assert client._responses == {}


def test_list_changes(served: Project) -> None:
    with sse(served) as server, Client(server) as client:
        client.initialize()
        server.wait_ready()
        served.sql_tool("new", "SELECT 1")
        server.signal(signal.SIGHUP)
        changed = {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}
        assert client.stream.next() == changed


def test_sigterm_lets_running_calls_end(served: Project) -> None:
    with sse(served) as server, Client(server) as client, Client(server) as idle:
        client.initialize()
        id = client.start_call("nap")
        server.wait_until(lambda: server.active_calls() == 1, "the call runs")
        server.signal(signal.SIGTERM)
        assert idle.stream.rest() == []
        assert client.answer(id)["result"]["content"][0]["text"] == "rested"
        assert client.stream.rest() == []
        assert server.wait() == 0


def test_another_path(served: Project) -> None:
    with sse(served, "--path", "events/") as server:
        assert server.url.endswith("/events")
        with Client(server) as client:
            client.initialize()
            assert client.value("add", a=1) == 2


def test_out_of_the_user_configuration(served: Project) -> None:
    served.write({"config.yml": "mxcp: 1\ntransport: {provider: sse}\n"})
    with HttpServer(served, env={"MXCP_CONFIG": str(served.folder / "config.yml")}) as server:
        with Client(server) as client:
            client.initialize()
            assert client.value("add", a=1) == 2


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_official_client(served: Project, mode: str) -> None:
    from mcp.client.client import Client as OfficialClient
    from mcp.client.sse import sse_client

    heard: list[float] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        heard.append(done)

    async def talk(url: str) -> None:
        async with OfficialClient(
            sse_client(url), mode=mode, read_timeout_seconds=PATIENCE
        ) as client:
            result = await client.call_tool("add", {"a": 1})
            assert result.structured_content == {"result": 2}
            names = [tool.name for tool in (await client.list_tools()).tools]
            assert names == ["add", "endless", "nap", "steps"]
            result = await client.call_tool("steps", {"n": 3}, progress_callback=progress)
            assert result.content[0].text == "done" and heard == [1, 2, 3]
            many = await asyncio.gather(*(client.call_tool("add", {"a": i}) for i in range(50)))
            assert [r.structured_content for r in many] == [{"result": i + 1} for i in range(50)]

    with sse(served) as server:
        asyncio.run(talk(server.url))
