"""Servers over HTTP: of a side, of the official SDK, of nothing but HTTP."""

import http.client
import json
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

from bench import expected, http_tools, processes, programs
from bench.client import INITIALIZE
from bench.http_tools import LEGACY, MODERN
from bench.processes import BenchError
from bench.side import Side

JSON_OR_STREAM = "application/json, text/event-stream"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class HttpServer:
    """A server process that answers MCP on a port. `sessions` are those that load is spread over."""

    def __init__(self, name: str, command: list, cwd: Path, env: dict, log: Path, port: int = 0):
        self.name = name
        self.port = port or free_port()
        self.sessions: list[str] = []
        self.log = log
        with open(log, "ab") as errors:
            self.process = processes.start(
                [str(part).replace("PORT", str(self.port)) for part in command],
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
            )
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + 60
        while True:
            if self.process.poll() is not None or time.monotonic() > end:
                said = self.log.read_text(errors="replace")[-1500:]
                raise BenchError(f"{self.name} did not start:\n{said}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)

    @property
    def pid(self) -> int:
        return self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        processes.stop(self.process)

    # ---- requests

    def post(self, message: bytes, headers: dict, connection=None) -> tuple[int, dict, bytes]:
        own = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        given = {"Content-Type": "application/json", "Accept": JSON_OR_STREAM, **headers}
        try:
            own.request("POST", "/mcp", message, given)
            got = own.getresponse()
            return got.status, {k.lower(): v for k, v in got.getheaders()}, got.read()
        except (OSError, http.client.HTTPException) as error:
            raise BenchError(f"{self.name}: {error!r}") from error
        finally:
            if not connection:
                own.close()

    def get(self, path: str) -> dict:
        own = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            own.request("GET", path)
            return json.loads(own.getresponse().read())
        finally:
            own.close()

    def open_session(self, connection=None) -> str:
        message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}
        status, headers, body = self.post(json.dumps(message).encode(), {}, connection)
        if status != 200:
            raise BenchError(f"{self.name}: initialize was answered with {status} {body[:300]!r}")
        session = headers.get("mcp-session-id", "-")
        note = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'
        self.post(note, self.session_headers(session), connection)
        return session

    def close_session(self, session: str) -> None:
        own = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        own.request("DELETE", "/mcp", headers=self.session_headers(session))
        own.getresponse().read()
        own.close()

    def session_headers(self, session: str) -> dict:
        headers = {"MCP-Protocol-Version": LEGACY}
        return headers if session == "-" else {**headers, "Mcp-Session-Id": session}

    def need_sessions(self, count: int) -> list[str]:
        while len(self.sessions) < count:
            self.sessions.append(self.open_session())
        return self.sessions[:count]

    def call(self, tool: str, arguments: dict, modern: bool = False) -> dict:
        """The response; a JSON-RPC error or another status is an error of the bench."""
        headers = self.session_headers(self.need_sessions(1)[0])
        if modern:
            headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": tool}
        status, kind, body = self.post(http_tools.message(tool, arguments, modern, 1), headers)
        if kind.get("content-type", "").startswith("text/event-stream"):
            lines = [line[5:] for line in body.splitlines() if line.startswith(b"data:") and line[5:].strip()]
            body = lines[-1] if lines else b""
        try:
            return json.loads(body)
        except ValueError:
            raise BenchError(f"{self.name}: {tool}: {status} {body[:300]!r}") from None

    def check(self, tool: http_tools.Tool, modern: bool = False) -> None:
        """Whole answers, before the load looks at a part of each."""
        for call in tool.calls[:5]:
            response = self.call(tool.name, call.arguments, modern)
            try:
                answer = expected.answer_of(response["result"])
                good = call.right(answer)
            except (KeyError, TypeError, ValueError):
                good = False
            if not good:
                raise BenchError(f"{self.name}: {tool.name}{call.arguments} gave {str(response)[:300]}")

    # ---- load

    def load(self, work: Path, tools: list[http_tools.Tool], connections: int, seconds: float,
             *, warm_up: float = 0.2, most: int = 0, rate: float = 0, modern: bool = False) -> "Load":  # fmt: skip
        sessions = ["-"] if modern else self.need_sessions(connections)
        return Load(self, work, tools, connections, seconds, warm_up, most, rate, modern, sessions)


class Load:
    """A running load generator (native/loadgen.c)."""

    _number = 0

    def __init__(self, server, work, tools, connections, seconds, warm_up, most, rate, modern, sessions):
        Load._number += 1
        self._spec, self._sessions = work / f"load-{Load._number}.spec", work / f"load-{Load._number}.sessions"
        self._spec.write_bytes(spec(server.port, tools, modern))
        self._sessions.write_text("\n".join(sessions) + "\n")
        self._patience = seconds + warm_up + 60
        self._process = processes.start(
            [work / "loadgen", server.port, connections, warm_up, seconds, most, rate, self._spec, self._sessions],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def running(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        """Nothing more is sent; what is in flight still counts."""
        self._process.terminate()

    def result(self) -> dict:
        try:
            out, err = self._process.communicate(timeout=self._patience)
        except subprocess.TimeoutExpired as error:
            raise BenchError("the load generator did not end") from error
        finally:
            processes.stop(self._process, patience=0)
            self._spec.unlink(missing_ok=True)
            self._sessions.unlink(missing_ok=True)
        if self._process.returncode != 0:
            raise BenchError(f"loadgen: {err.strip()}")
        return json.loads(out)


def spec(port: int, tools: list[http_tools.Tool], modern: bool) -> bytes:
    """The tools' calls, interleaved."""
    head = (
        f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Accept: {JSON_OR_STREAM}\r\nMCP-Protocol-Version: {MODERN if modern else LEGACY}\r\n"
    ).encode()
    out = b"HEAD %d\n" % len(head) + head
    for number in range(max(len(tool.calls) for tool in tools)):
        for tool in tools:
            call = tool.calls[number % len(tool.calls)]
            own = f"Mcp-Method: tools/call\r\nMcp-Name: {tool.name}\r\n".encode() if modern else b""
            body = http_tools.message(tool.name, call.arguments, modern)
            out += b"CALL %d %d %d\n" % (len(own), len(body), len(call.texts)) + own + body
            for text in call.texts:
                out += b"%d\n" % len(text.encode()) + text.encode()
    return out


# ---- the servers


def project_for_http(side: Side) -> Path:
    """The side's project and data with the tools that only the HTTP rows call."""
    folder = side.folder.with_name(side.folder.name + "-http")
    if not folder.exists():
        shutil.copytree(side.folder, folder)
        shutil.copytree(http_tools.OVERLAY, folder, dirs_exist_ok=True)
    return folder


def of_side(side: Side, folder: Path, *flags: str, name: str = "") -> HttpServer:
    command = [side.command, "serve", "--transport", "streamable-http", "--port", "PORT", *flags]
    server = HttpServer(name or side.name, command, folder, side.env, side.log)
    return server


def of_sdk(side: Side, work: Path) -> HttpServer:
    """By the interpreter of our side, whose environment has the SDK for the tests."""
    if not side.about["mcp"] or not side.about["mcp"].startswith("2."):
        raise BenchError(f"the SDK 2.x is not installed beside {side.command} (script/bootstrap does)")
    database = work / "sdk.duckdb"
    if not database.exists():
        [source] = (side.folder / "data").glob("*.duckdb")
        shutil.copy(source, database)
    script = Path(__file__).with_name("sdk_server.py")
    return HttpServer("sdk", [side.python, script, database, "PORT"], work, side.env, work / "sdk.log")


def of_nothing(work: Path) -> HttpServer:
    """Boost.Beast alone, which sends back what it gets."""
    return HttpServer("echo", [programs.echo(work), "PORT", "2"], work, {}, work / "echo.log")


class SlowCaller:
    """Calls a slow tool again and again beside the load, until told to stop."""

    def __init__(self, server: HttpServer, arguments: dict):
        self._server, self._arguments = server, arguments
        self._over = threading.Event()
        self.seconds: list[float] = []
        self._session = server.need_sessions(1)[0]
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._over.is_set():
            began = time.perf_counter()
            self._server.call("slow", self._arguments)
            self.seconds.append(time.perf_counter() - began)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join(60)
