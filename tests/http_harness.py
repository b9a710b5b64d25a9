"""`mxcp serve` over HTTP, spoken to in raw requests."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from harness import COMMAND, PATIENCE, Project, Requests, begin, environment, refuse_constant
from tap import HttpTap
from wire import Wire, schema_folder

LEGACY = "2025-11-25"
MODERN = "2026-07-28"
PREFIX = "io.modelcontextprotocol/"


@dataclass
class Response:
    status: int
    headers: dict[str, str]  # names in lower case
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body, parse_constant=refuse_constant)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The JSON-RPC messages, whether one answer or a stream."""
        if self.headers.get("content-type") == "text/event-stream":
            return [event.message for event in events_in(self.body.splitlines()) if event.data]
        return [self.json] if self.body else []


@dataclass
class Event:
    id: str | None
    data: str
    name: str = "message"

    @property
    def message(self) -> dict[str, Any]:
        return json.loads(self.data, parse_constant=refuse_constant)


def events_in(lines: Any) -> Iterator[Event]:
    id, data, name = None, [], "message"
    for line in lines:
        if not line:
            if data:
                yield Event(id, "\n".join(data), name)
            id, data, name = None, [], "message"
        elif line.startswith("id: "):
            id = line[4:]
        elif line.startswith("data: "):
            data.append(line[6:])
        elif line.startswith("event: "):
            name = line[7:]
        else:
            assert line.startswith((":", "retry: ")), line


class HttpServer(Requests):
    """The server process; an exit status other than 0 fails the test unless it is asked for.

    port: 0 is any that is free; None leaves it to the configuration.
    starting: the server is there as soon as it answers, before the report that its start is over.
    """

    def __init__(
        self,
        project: Project,
        *flags: str,
        env: dict[str, str] | None = None,
        port: int | None = 0,
        starting: bool = False,
    ):
        self.stderr_path = project.home / f"stderr-{id(self)}.log"
        given = [] if port is None else ["--port", str(port)]
        with open(self.stderr_path, "wb") as errors:
            self.process = subprocess.Popen(
                [*COMMAND, "serve", *given, "--json-output", *flags],
                cwd=project.folder,
                env=environment(project.home, {**project.env, **(env or {})}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        self.port, self.path = port or 0, "/mcp"
        if not starting:
            self.read_report()
        self.tls: ssl.SSLContext | None = None  # for a server that speaks https
        self.session: str | None = None
        self.version = LEGACY
        self.modern: str | None = None
        self._pool = ThreadPoolExecutor(80)
        self._running: dict[int, Future[Response]] = {}
        self._next_id = 0
        self._expected_code: int | None = 0
        self.wire = Wire()

    def read_report(self) -> None:
        assert self.process.stdout
        line = self.process.stdout.readline().decode()
        assert line, f"the server did not start:\n{self.stderr}"
        self.report = json.loads(line)
        self.url = self.report.get("url", "")
        parts = urlsplit(self.url)
        self.port, self.path = parts.port or 0, parts.path

    def answers(self) -> bool:
        try:
            return self.http("GET", "/livez").status == 200
        except OSError:
            return False

    @property
    def stderr(self) -> str:
        return self.stderr_path.read_text(encoding="utf-8", errors="replace")

    # --- HTTP ---------------------------------------------------------------------------------

    def connect(self, host: str = "127.0.0.1") -> http.client.HTTPConnection:
        if self.tls:
            return http.client.HTTPSConnection(
                "localhost", self.port, timeout=PATIENCE, context=self.tls
            )
        return http.client.HTTPConnection(host, self.port, timeout=PATIENCE)

    def socket(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def http(
        self,
        method: str = "POST",
        path: str | None = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
        connection: http.client.HTTPConnection | None = None,
    ) -> Response:
        """One request; a body that is no text or bytes is sent as JSON."""
        given = {"Accept": "application/json, text/event-stream", **(headers or {})}
        if body is not None and not isinstance(body, str | bytes):
            body = json.dumps(body)
        if body is not None:
            given.setdefault("Content-Type", "application/json")
        if isinstance(body, str):
            # With HTTP+SSE the answer comes on another connection.
            sent = {name.lower(): value for name, value in given.items()}
            self.wire.sent(body, sent.get("mcp-session-id", ""))
        own = connection or self.connect()
        try:
            own.request(method, path or self.path, body, given)
            got = own.getresponse()
            text = got.read().decode()
            response = Response(got.status, {k.lower(): v for k, v in got.getheaders()}, text)
        finally:
            if connection is None:
                own.close()
        self._check(given, body, response)
        return response

    def _check(self, headers: dict[str, str], body: Any, response: Response) -> None:
        """The messages of a response against their schema."""
        sent = {name.lower(): value for name, value in headers.items()}
        session = response.headers.get("mcp-session-id") or sent.get("mcp-session-id", "")
        kind = response.headers.get("content-type", "")
        if kind.startswith(("application/json", "text/event-stream")) and "jsonrpc" in response.body:
            for message in response.messages:
                self.wire.received(message, session, body if isinstance(body, str) else None)

    def open_stream(self, method: str = "GET", body: Any = None, **headers: str) -> Stream:
        return Stream(self, method, body, {k.replace("_", "-"): v for k, v in headers.items()})

    @contextlib.contextmanager
    def tapped(self) -> Iterator[HttpTap]:
        """For a client that is not ours: its messages are checked at the end."""
        with HttpTap(self.port, self.path) as tap:
            yield tap
        assert schema_folder() is None or tap.check() > 0

    # --- messages -----------------------------------------------------------------------------

    def message(
        self, method: str, params: Any = None, id: Any = None, **meta: Any
    ) -> dict[str, Any]:
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        if id is not None:
            message["id"] = id
        params = dict(params or {})
        if self.modern:
            meta = {
                PREFIX + "protocolVersion": self.modern,
                PREFIX + "clientCapabilities": {},
                **meta,
            }
        if meta:
            params["_meta"] = meta
        if params:
            message["params"] = params
        return message

    def headers_for(self, message: dict[str, Any]) -> dict[str, str]:
        if not self.modern:
            session = {"Mcp-Session-Id": self.session} if self.session else {}
            return {"MCP-Protocol-Version": self.version, **session}
        headers = {"MCP-Protocol-Version": self.modern, "Mcp-Method": message["method"]}
        params = message.get("params", {})
        key = {
            "tools/call": "name",
            "prompts/get": "name",
            "resources/read": "uri",
            "tasks/get": "taskId",
            "tasks/update": "taskId",
            "tasks/cancel": "taskId",
        }.get(message["method"])
        name = params.get(key)
        if name is not None:
            plain = name.isascii() and name.isprintable() and name == name.strip()
            encoded = base64.b64encode(name.encode()).decode()
            headers["Mcp-Name"] = name if plain else f"=?base64?{encoded}?="
        return headers

    def post(self, method: str, params: Any = None, id: Any = None, **meta: Any) -> Response:
        message = self.message(method, params, id, **meta)
        return self.http(body=message, headers=self.headers_for(message))

    def initialize(self, version: str = LEGACY) -> dict[str, Any]:
        self.session, self.version = None, version
        response = self.post("initialize", begin(version), id="begin")
        assert response.status == 200, response
        self.session = response.headers.get("mcp-session-id")
        assert self.post("notifications/initialized").status == 202
        return response.json["result"]

    def start(self, method: str, params: Any = None, **meta: Any) -> int:
        self._next_id += 1
        id = self._next_id
        self._running[id] = self._pool.submit(lambda: self.post(method, params, id, **meta))
        return id

    def answer(self, id: int) -> dict[str, Any]:
        response = self._running.pop(id).result(PATIENCE)
        answer = response.messages[-1]
        assert answer["id"] == id, response
        return answer

    def wait_ready(self) -> dict[str, Any]:
        return self.wait_until(lambda: self.http("GET", "/readyz").status == 200, "ready") and (
            self.http("GET", "/readyz").json
        )

    def wait_until(self, condition: Any, what: str) -> bool:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"never: {what}\n{self.stderr}"
            assert self.process.poll() is None, f"the server ended before: {what}\n{self.stderr}"
            time.sleep(0.01)
        return True

    def active_calls(self) -> int:
        return self.http("GET", "/readyz").json["active_calls"]

    # --- ending -------------------------------------------------------------------------------

    def streams(self) -> int:
        """Answers that go on."""
        metrics = self.http("GET", "/metrics").body
        return int(re.search(r"^mxcp_http_streams (\d+)$", metrics, re.M)[1])

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self, expected: int | None = 0) -> int:
        self._expected_code = expected
        code = self.process.wait(PATIENCE)
        if expected is not None:
            assert code == expected, f"exit {code}, expected {expected}\n{self.stderr}"
        return code

    def __enter__(self) -> HttpServer:
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        try:
            if self.process.poll() is None:
                self.process.terminate()
                if kind is None:
                    self.wait(self._expected_code)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self._pool.shutdown(wait=False)
        if kind is None:
            self.wire.verdict()


class Stream:
    """An open SSE response."""

    def __init__(self, server: HttpServer, method: str, body: Any, headers: dict[str, str]):
        self.connection = server.connect()
        given = {
            "Accept": "text/event-stream"
            if method == "GET"
            else "application/json, text/event-stream"
        }
        if body is not None:
            given["Content-Type"] = "application/json"
        given.update(headers)
        self.last_id = ""  # of the events that were read
        self._wire, self._body = server.wire, json.dumps(body) if body else None
        self._session = headers.get("Mcp-Session-Id", "")
        self.connection.request(method, server.path, json.dumps(body) if body else None, given)
        self.response = self.connection.getresponse()
        self.status = self.response.status
        self.headers = {k.lower(): v for k, v in self.response.getheaders()}
        self._events = self._checked(line.decode().rstrip("\n") for line in self.response)

    def _checked(self, lines: Iterator[str]) -> Iterator[Event]:
        for event in events_in(lines):
            self.last_id = event.id or self.last_id
            if event.data and event.name == "message":
                self._wire.received(event.message, self._session, self._body)
            yield event

    def event(self) -> Event:
        return next(self._events)

    def next(self) -> dict[str, Any]:
        """The next message; events that only carry an id are skipped."""
        while True:
            event = self.event()
            if event.data:
                return event.message

    def rest(self) -> list[Event]:
        return list(self._events)

    def close(self) -> None:
        # Also the socket that the response holds on to.
        self.response.close()
        self.connection.close()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()
