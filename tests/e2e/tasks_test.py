"""Tools that run as tasks, over stdio and HTTP."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from harness import ENDLESS, PATIENCE, Project, Server
from http_harness import LEGACY, MODERN, PREFIX, HttpServer

pytestmark = pytest.mark.stdio

EXTENSION = "io.modelcontextprotocol/tasks"
TASKS = {"extensions": {EXTENSION: {}}}
OVER = {"completed", "failed", "cancelled"}
JOBS = """
import asyncio, os
from mxcp.runtime import mcp

async def job(gate="", fails=False):
    await mcp.progress(1, 2, "half of it")
    open("started", "w").close()
    while gate and not os.path.exists(gate):
        await asyncio.sleep(0.01)
    if fails:
        raise ValueError("it broke")
    return {"done": True}

NAME = {"type": "object", "properties": {"name": {"type": "string"}}}
RUNS = []

async def asks(again=False):
    RUNS.append(1)
    answer = await mcp.elicit("Name?", NAME, key="name")
    if again:
        answer = await mcp.elicit("Name?", NAME, key="name")
    return f"Hello, {answer['content']['name']} ({len(RUNS)} run)"

def waits():
    answer = mcp.elicit("Name?", NAME, key="name")
    return f"Hello, {answer['content']['name']}"

async def needs_roots():
    return await mcp.roots()
"""


@pytest.fixture
def jobs(project: Project) -> Project:
    project.write({"python/jobs.py": JOBS})
    source = "source: {file: ../python/jobs.py}"

    def tool(name: str, task: str, more: str = "") -> None:
        project.write({f"tools/{name}.yml": (
            f"mxcp: 1\ntool:\n  name: {name}\n  language: python\n  task: {task}\n{more}  {source}\n"
        )})  # fmt: skip

    tool("job", "optional", "  parameters:\n    - {name: gate, type: string, default: ''}\n"
         "    - {name: fails, type: boolean, default: false}\n  return: {type: object}\n")  # fmt: skip
    tool("asks", "optional", "  parameters: [{name: again, type: boolean, default: false}]\n")
    tool("waits", "{support: required, questions: before}")
    tool("needs_roots", "optional")
    project.sql_tool(
        "endless", ENDLESS, "task: {support: required, ttl: 10m, poll_interval: 250ms}"
    )
    project.sql_tool("sum", "SELECT $a + $b AS sum", "task: optional\nparameters:\n"
                     "  - {name: a, type: integer}\n  - {name: b, type: integer}\nreturn: {type: integer}")  # fmt: skip
    return project


class Client:
    """One client over either transport."""

    def __init__(self, server: Server | HttpServer, capabilities: dict[str, Any] = TASKS):
        self.server, self.capabilities = server, capabilities
        server.modern = MODERN

    def request(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        meta = {PREFIX + "clientCapabilities": self.capabilities}
        return self.server.request(method, params, **meta)

    def call(
        self, name: str, more: dict[str, Any] | None = None, **arguments: Any
    ) -> dict[str, Any]:
        return self.request("tools/call", {"name": name, "arguments": arguments, **(more or {})})

    def begin(self, name: str, **arguments: Any) -> str:
        result = self.call(name, **arguments)["result"]
        assert result["resultType"] == "task" and result["status"] == "working", result
        return result["taskId"]

    def get(self, task: str) -> dict[str, Any]:
        result = self.request("tasks/get", {"taskId": task})["result"]
        assert result["resultType"] == "complete"
        return result

    def update(self, task: str, **responses: Any) -> None:
        self.request("tasks/update", {"taskId": task, "inputResponses": responses})["result"]

    def until(self, task: str, status: str | set[str]) -> dict[str, Any]:
        wanted = {status} if isinstance(status, str) else status
        poll(lambda: self.get(task)["status"] in wanted | OVER, f"a task {status}")
        found = self.get(task)
        assert found["status"] in wanted, found
        return found


@pytest.fixture(params=["stdio", "http"])
def server(jobs: Project, request: pytest.FixtureRequest) -> Iterator[Server | HttpServer]:
    with jobs.serve() if request.param == "stdio" else HttpServer(jobs) as server:
        yield server


def poll(condition: Callable[[], bool], what: str) -> None:
    """As a client does it; the harness's own waiting would hold up the answers."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.02)


def accepts_connections(server: HttpServer) -> bool:
    try:
        server.socket().close()
    except OSError:
        return False
    return True


def accept(**content: Any) -> dict[str, Any]:
    return {"action": "accept", "content": content}


def test_a_task_from_beginning_to_end(server: Server | HttpServer, jobs: Project) -> None:
    client = Client(server)
    capabilities = client.request("server/discover")["result"]["capabilities"]
    assert capabilities["extensions"] == {EXTENSION: {}}
    task = client.begin("job", gate="open")
    poll(lambda: client.get(task).get("statusMessage") == "half of it", "progress")
    (jobs.folder / "open").touch()
    done = client.until(task, "completed")
    assert done["result"]["structuredContent"] == {"done": True}
    assert done["result"]["isError"] is False
    assert json.loads(done["result"]["content"][0]["text"]) == {"done": True}
    assert done["ttlMs"] == 3_600_000 and done["pollIntervalMs"] == 1000
    assert done["createdAt"].endswith("Z") and done["createdAt"] <= done["lastUpdatedAt"]


def test_errors(server: Server | HttpServer) -> None:
    client = Client(server)
    broken = client.until(client.begin("job", fails=True), "completed")["result"]
    assert broken["isError"] is True and "it broke" in broken["content"][0]["text"]
    wrong = client.until(client.begin("sum", a="x", b=1), "completed")["result"]
    assert wrong["isError"] is True and "expected an integer" in wrong["content"][0]["text"]
    failed = client.until(client.begin("needs_roots"), "failed")
    assert failed["error"]["code"] == -32021 and "result" not in failed
    for method in ("tasks/get", "tasks/cancel"):
        assert client.request(method, {"taskId": "no"})["error"]["code"] == -32602


def test_sql_runs_as_a_task_and_is_interrupted(server: Server | HttpServer) -> None:
    client = Client(server)
    done = client.until(client.begin("sum", a=40, b=2), "completed")["result"]
    assert done["structuredContent"] == {"result": 42}
    task = client.begin("endless")
    assert client.get(task)["ttlMs"] == 600_000 and client.get(task)["pollIntervalMs"] == 250
    assert client.request("tasks/cancel", {"taskId": task})["result"]["resultType"] == "complete"
    assert client.get(task)["status"] == "cancelled"
    # The query is stopped as well: nothing runs any more.
    if isinstance(server, HttpServer):
        poll(lambda: server.active_calls() == 0, "the query interrupted")


def test_questions_within_a_task(server: Server | HttpServer) -> None:
    client = Client(server, {**TASKS, "elicitation": {}})
    task = client.begin("asks")
    asked = client.until(task, "input_required")["inputRequests"]
    assert asked["name"]["method"] == "elicitation/create"
    assert asked["name"]["params"]["message"] == "Name?"
    client.update(task, name=accept(name="Ada"))
    # The function went on where it had asked.
    assert client.until(task, "completed")["result"]["content"][0]["text"] == "Hello, Ada (1 run)"

    task = client.begin("asks", again=True)
    client.until(task, "input_required")
    client.update(task, name=accept(name="Ada"))
    poll(lambda: "name-2" in client.get(task).get("inputRequests", {}), "a new key")
    client.update(task, **{"name-2": accept(name="Eva")})
    assert "Eva" in client.until(task, "completed")["result"]["content"][0]["text"]


def test_questions_before_a_task(server: Server | HttpServer) -> None:
    client = Client(server, {**TASKS, "elicitation": {}})
    first = client.call("waits")["result"]
    assert first["resultType"] == "input_required" and "taskId" not in first
    more = {"inputResponses": {"name": accept(name="Ada")}, "requestState": first["requestState"]}
    begun = client.call("waits", more)["result"]
    assert begun["resultType"] == "task" and "requestState" not in begun
    done = client.until(begun["taskId"], "completed")
    assert done["result"]["content"][0]["text"] == "Hello, Ada"


def test_who_may_have_tasks(server: Server | HttpServer) -> None:
    client = Client(server)
    task = client.begin("job", gate="never")
    other = Client(server, {})
    assert other.call("sum", a=1, b=2)["result"]["structuredContent"] == {"result": 3}
    refused = other.call("endless")["error"]
    assert refused["code"] == -32021
    assert refused["data"]["requiredCapabilities"] == {"extensions": {EXTENSION: {}}}
    for method in ("tasks/get", "tasks/update", "tasks/cancel"):
        params = {"taskId": task, "inputResponses": {}}
        assert other.request(method, params)["error"]["code"] == -32021
    client.request("tasks/cancel", {"taskId": task})
    server.modern = None
    server.initialize(LEGACY)
    assert server.value("sum", a=1, b=2) == 3
    assert server.request("tools/call", {"name": "endless"})["error"]["code"] == -32601


def test_listening_to_a_task(jobs: Project) -> None:
    with HttpServer(jobs) as server:
        client = Client(server, {**TASKS, "elicitation": {}})
        task = client.begin("asks")
        client.until(task, "input_required")
        message = server.message(
            "subscriptions/listen",
            {"notifications": {"taskIds": [task, "unknown"]}},
            id="l",
            **{PREFIX + "clientCapabilities": client.capabilities},
        )
        with server.open_stream("POST", message, **server.headers_for(message)) as stream:
            assert stream.next()["params"]["notifications"] == {"taskIds": [task]}
            now = stream.next()
            assert now["method"] == "notifications/tasks"
            assert now["params"]["_meta"] == {PREFIX + "subscriptionId": "l"}
            assert now["params"]["status"] == "input_required"
            assert now["params"]["inputRequests"] == client.get(task)["inputRequests"]
            client.update(task, name=accept(name="Ada"))
            assert stream.next()["params"]["status"] == "working"
            last = stream.next()["params"]
            assert last["status"] == "completed"
            assert "Hello, Ada" in last["result"]["content"][0]["text"]


def test_tasks_count_when_the_server_stops(jobs: Project) -> None:
    with HttpServer(jobs) as server:
        client = Client(server)
        client.begin("job", gate="open")
        poll(lambda: (jobs.folder / "started").exists(), "the job running")
        assert server.active_calls() == 1
        server.signal(signal.SIGTERM)
        # It is waited for.
        poll(lambda: not accepts_connections(server), "the stop")
        (jobs.folder / "open").touch()
        server.wait(0)
        assert "cancelling" not in server.stderr


@pytest.mark.parametrize("how", ["definitions", "code", "everything"])
def test_a_task_outlives_a_reload(jobs: Project, how: str) -> None:
    with HttpServer(jobs) as server:
        client = Client(server)
        task = client.begin("job", gate="open")
        poll(lambda: (jobs.folder / "started").exists(), "the job running")
        asks = Client(server, {**TASKS, "elicitation": {}})

        def reloads(key: str) -> Any:
            return server.http("GET", "/readyz").json[key]

        if how == "definitions":
            # Taken up under the running task, although its own tool is gone.
            (jobs.folder / "tools/job.yml").unlink()
            poll(lambda: reloads("reloads") > 0, "the change taken up")
            assert "job" not in str(client.request("tools/list")["result"]["tools"])
            assert client.call("sum", a=1, b=2)["result"]["resultType"] == "task"
        elif how == "code":
            jobs.write({"python/jobs.py": JOBS.replace("Hello, ", "Good day, ")})
            poll(lambda: reloads("reloads") > 0, "the change taken up beside the task")
        else:
            server.signal(signal.SIGHUP)
            poll(lambda: reloads("status") == "reloading", "the reload waiting for the task")
        assert client.get(task)["status"] == "working"
        (jobs.folder / "open").touch()
        done = client.until(task, "completed")
        assert done["result"]["structuredContent"] == {"done": True}
        poll(lambda: reloads("status") == "ready" and reloads("reloads") > 0, "the reload's end")
        assert "cancelling" not in server.stderr
        # What it was still knows who asks for it, and new ones begin.
        assert client.get(task)["result"] == done["result"]
        asked = asks.begin("asks")
        asks.until(asked, "input_required")
        asks.update(asked, name=accept(name="Ada"))
        greeting = "Good day, Ada (1 run)" if how == "code" else "Hello, Ada (1 run)"
        assert asks.until(asked, "completed")["result"]["content"][0]["text"] == greeting


def test_how_many_tasks_there_may_be_and_how_long(jobs: Project) -> None:
    jobs.write({"mxcp-site.yml": Project.SITE + (
        "tasks: {ttl: 90s, poll_interval: 2s, max_running: 2, max_kept: 3}\n"
    )})  # fmt: skip
    with jobs.serve() as server:
        client = Client(server)
        done = client.until(client.begin("sum", a=1, b=2), "completed")
        assert (done["ttlMs"], done["pollIntervalMs"]) == (90_000, 2000)
        tasks = [client.begin("endless") for _ in range(2)]
        # What a tool says itself counts more.
        assert client.get(tasks[0])["ttlMs"] == 600_000
        refused = client.call("endless")["error"]
        assert "too many tasks are running (the limit is 2)" in refused["message"]
        # One that need not be a task is answered directly.
        assert client.call("sum", a=1, b=2)["result"]["structuredContent"] == {"result": 3}
        for task in tasks:
            client.request("tasks/cancel", {"taskId": task})
        full = "too many tasks are kept (the limit is 3)"
        poll(lambda: full in client.call("endless")["error"]["message"], "the queries are stopped")


def test_a_cancelled_task_has_its_place_until_its_work_ends(jobs: Project) -> None:
    jobs.write({"mxcp-site.yml": Project.SITE + "tasks: {max_running: 2}\n"})
    jobs.python_tool("busy", """
        import os, time

        def busy():
            while not os.path.exists("open"):
                time.sleep(0.01)
        """, "task: required")  # fmt: skip
    with jobs.serve() as server:
        client = Client(server)
        for _ in range(2):
            task = client.begin("busy")
            client.request("tasks/cancel", {"taskId": task})
            assert client.get(task)["status"] == "cancelled"
        refused = client.call("busy")["error"]["message"]
        assert "too many tasks are running (the limit is 2)" in refused
        (jobs.folder / "open").touch()
        poll(lambda: "result" in client.call("busy"), "the work has ended")


def test_a_task_that_waits_for_an_answer_does_not_hold_up_the_end(jobs: Project) -> None:
    with HttpServer(jobs) as server:
        client = Client(server, {**TASKS, "elicitation": {}})
        client.until(client.begin("asks"), "input_required")
        server.signal(signal.SIGTERM)
        server.wait(0)
        assert "cancelling" not in server.stderr


def test_an_endless_task_is_interrupted_at_the_deadline(jobs: Project) -> None:
    with jobs.serve() as server:
        client = Client(server)
        task = client.begin("endless")
        assert client.get(task)["status"] == "working"
        server.end_of_input()
        server.signal(signal.SIGTERM)  # no patience
        server.wait(0)
