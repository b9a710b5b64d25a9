"""/metrics, read by the parser of Prometheus' own client."""

from __future__ import annotations

import json
import signal
import time
from typing import Any

import pytest
from harness import Project
from http_harness import MODERN, HttpServer

pytest.importorskip("prometheus_client")

from prometheus_client.parser import text_string_to_metric_families  # noqa: E402

pytestmark = pytest.mark.stdio


@pytest.fixture
def served(project: Project) -> Project:
    project.usual_tools()
    project.python_tool("bad", "def bad():\n    raise ValueError('no')\n")
    project.write({"resources/odd.yml": """
        mxcp: 1
        resource:
          uri: 'odd://"{id}"'
          parameters: [{name: id, type: string}]
          source: {code: "SELECT $id AS id"}
        """,
        "prompts/letter.yml": """
        mxcp: 1
        prompt:
          name: letter
          parameters: [{name: to, type: string, completion: "SELECT 'Ada' AS name"}]
          messages: [{prompt: "Write to {{ to }}"}]
        """})  # fmt: skip
    return project


class Samples:
    def __init__(self, server: HttpServer):
        response = server.http("GET", "/metrics")
        assert response.status == 200
        assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        self.families = {f.name: f for f in text_string_to_metric_families(response.body)}
        self._values = {
            (s.name, tuple(sorted(s.labels.items()))): s.value
            for f in self.families.values()
            for s in f.samples
        }
        assert len(self._values) == sum(len(f.samples) for f in self.families.values())

    def __call__(self, name: str, /, **labels: str) -> float | None:
        return self._values.get((name, tuple(sorted(labels.items()))))

    def labels(self, name: str) -> list[dict[str, str]]:
        return [dict(labels) for known, labels in self._values if known == name]


def test_what_is_counted(served: Project) -> None:
    before = time.time()
    with HttpServer(served) as server:
        server.initialize()
        server.wait_ready()
        for i in range(5):
            server.value("add", a=i)
        server.error("add", a="x")
        server.error("bad")
        assert "error" in server.request("tools/call", {"name": "made-up", "arguments": {}})
        server.request("made/up")
        server.request("resources/read", {"uri": 'odd://"7"'})
        asked = {
            "ref": {"type": "ref/prompt", "name": "letter"},
            "argument": {"name": "to", "value": "A"},
        }
        assert "Ada" in json.dumps(server.request("completion/complete", asked)["result"])
        server.modern = MODERN
        id = server.start_call("endless")
        server.wait_until(lambda: server.active_calls() == 1, "the query runs")
        samples = Samples(server)
        tool = {"kind": "tool"}
        assert samples("mxcp_running_calls") == 1
        assert samples("mxcp_calls_total", **tool, name="add", outcome="ok") == 5
        assert samples("mxcp_calls_total", **tool, name="add", outcome="invalid_arguments") == 1
        assert samples("mxcp_calls_total", **tool, name="bad", outcome="python") == 1
        odd = {"kind": "resource", "name": 'odd://"{id}"'}
        assert samples("mxcp_calls_total", **odd, outcome="ok") == 1
        assert samples("mxcp_call_duration_seconds_count", **tool, name="add") == 6
        assert samples("mxcp_call_duration_seconds_bucket", **tool, name="add", le="+Inf") == 6
        assert samples.families["mxcp_call_duration_seconds"].type == "histogram"
        assert samples("mxcp_requests_total", method="initialize", outcome="ok") == 1
        assert samples("mxcp_requests_total", method="completion/complete", outcome="ok") == 1
        # What clients make up is no label.
        assert samples("mxcp_requests_total", method="", outcome="error") == 1
        assert samples("mxcp_requests_total", method="tools/call", outcome="error") == 1
        # Nor is a completion a call of what it completes.
        assert {(label["kind"], label["name"]) for label in samples.labels("mxcp_calls_total")} <= {
            ("", ""),
            ("tool", "add"),
            ("tool", "bad"),
            ("resource", 'odd://"{id}"'),
        }
        assert samples("mxcp_database_connections_busy") == 1
        assert (samples("mxcp_database_connections") or 0) >= 1
        assert samples("mxcp_database_waiting") == 0
        assert samples("mxcp_sessions") == 1
        assert (samples("mxcp_http_connections") or 0) >= 2
        assert samples("mxcp_http_streams") == 0
        assert (samples("mxcp_http_responses_total", status="200") or 0) >= 9
        assert samples("mxcp_http_responses_total", status="202") == 1
        assert samples("mxcp_reloads_total", outcome="ok") == 0
        assert samples("mxcp_project_problems") == 0
        assert samples("mxcp_endpoints", kind="tool") == 3
        assert (samples("process_resident_memory_bytes") or 0) > 1 << 20
        assert (samples("process_cpu_seconds_total") or 0) > 0
        assert (samples("process_open_fds") or 0) > 5
        assert before - 60 < (samples("process_start_time_seconds") or 0) < time.time() + 60
        server.modern = None
        message = server.message("ping")  # for its headers
        with server.open_stream(**server.headers_for(message)):
            assert Samples(server)("mxcp_http_streams") == 1
        server.wait_until(lambda: Samples(server)("mxcp_http_streams") == 0, "the stream ended")
        server.signal(signal.SIGTERM)
        assert server.answer(id)["result"]["isError"]
        assert server.wait() == 0


def test_cancelled_calls_and_reloads(served: Project) -> None:
    with HttpServer(served) as server:
        server.initialize()
        server.wait_ready()
        id = server.start_call("endless")
        server.wait_until(lambda: server.active_calls() == 1, "the query runs")
        server.post("notifications/cancelled", {"requestId": id})
        server.wait_until(lambda: server.active_calls() == 0, "the query was stopped")
        server.value("add", a=1)
        samples = Samples(server)
        assert samples("mxcp_calls_total", kind="tool", name="endless", outcome="cancelled") == 1
        assert samples("mxcp_requests_total", method="tools/call", outcome="cancelled") == 1

        def reloads(outcome: str) -> float | None:
            return Samples(server)("mxcp_reloads_total", outcome=outcome)

        broken = served.folder / "tools" / "broken.yml"
        broken.write_text("tool: {name: broken}\n")
        server.wait_until(lambda: reloads("failed") == 1, "the failed reload")
        assert Samples(server)("mxcp_last_reload_failed") == 1
        # What an endpoint was called goes with it.
        broken.unlink()
        for path in served.folder.glob("tools/endless.*"):
            path.unlink()
        server.wait_until(lambda: Samples(server)("mxcp_last_reload_failed") == 0, "the reload")
        server.wait_until(
            lambda: (
                {label["name"] for label in Samples(server).labels("mxcp_calls_total")} == {"add"}
            ),
            "the endpoint is forgotten",
        )


def test_problems_of_the_project(served: Project) -> None:
    served.write({"tools/broken.yml": "tool: {name: broken}\n"})
    with HttpServer(served, "--ignore-errors") as server:
        samples = Samples(server)
        assert (samples("mxcp_project_problems") or 0) > 0
        assert samples("mxcp_endpoints", kind="tool") == 3


@pytest.mark.parametrize(
    ("flags", "http", "there"),
    [
        ([], "{}", True),
        (["--metrics", "false"], "{}", False),
        ([], "{metrics: false}", False),
        (["--metrics", "true"], "{metrics: false}", True),
        (["--host", "0.0.0.0"], "{}", False),
        (["--host", "0.0.0.0"], "{metrics: true}", True),
        ([], "{base_url: 'https://tools.example'}", False),
        ([], "{trust_proxy: true}", False),
        (["--transport", "sse"], "{}", True),
    ],
)
def test_where_it_is(served: Project, flags: list[str], http: str, there: bool) -> None:
    served.write({"config.yml": f"mxcp: 1\ntransport: {{http: {http}}}\n"})
    env: dict[str, Any] = {"MXCP_CONFIG": str(served.folder / "config.yml")}
    with HttpServer(served, *flags, env=env) as server:
        assert server.http("GET", "/metrics").status == (200 if there else 404)
        assert server.http("GET", "/metrics", headers={"Host": "evil.example"}).status == 403
