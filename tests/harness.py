"""What the end-to-end tests share: the installed command, projects in temporary folders, and clients
for the server. Everything here runs the real program; nothing of it is imported."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import textwrap
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wire import Wire, schema_folder

REPOSITORY = Path(__file__).resolve().parents[1]
# The command under test: $MXCP_COMMAND, or the one beside the running Python.
COMMAND = shlex.split(os.environ.get("MXCP_COMMAND", "")) or [
    str(Path(sys.executable).parent / "mxcp")
]
# Sanitizer builds are slow; a test that waits this long for an answer has found a hang.
PATIENCE = 120.0

# A query that ends when it is stopped.
ENDLESS = "SELECT count(*) AS n FROM range(100000000000) t(i) WHERE i % 7 = 3"

# What a command keeps of the tests' own environment.
KEPT = ["PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH", "ASAN_OPTIONS", "UBSAN_OPTIONS"]


def environment(home: Path, extra: dict[str, str] | None = None) -> dict[str, str]:
    env = {name: os.environ[name] for name in KEPT if name in os.environ}
    env["HOME"] = str(home)
    env.update(extra or {})
    return env


@dataclass
class Ran:
    """A command that has ended."""

    args: list[str]
    code: int
    stdout: str
    stderr: str

    def __repr__(self) -> str:
        return (
            f"$ mxcp {shlex.join(self.args)}\n[exit {self.code}]\n"
            f"--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"
        )

    def ok(self) -> Ran:
        assert self.code == 0, self
        return self

    def envelope(self) -> dict[str, Any]:
        try:
            return json.loads(self.stdout, parse_constant=refuse_constant)
        except ValueError as error:
            raise AssertionError(f"stdout is not one JSON document: {error}\n{self}") from None

    @property
    def result(self) -> Any:
        """The payload of a success envelope."""
        envelope = self.envelope()
        assert (self.code, envelope["status"]) == (0, "ok"), self
        return envelope["result"]

    @property
    def error(self) -> str:
        """The text of a failure envelope."""
        envelope = self.envelope()
        assert (self.code, envelope["status"]) == (1, "error"), self
        return envelope["error"]


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


class Project:
    """A project folder and the command run in it."""

    SITE = "mxcp: 1\nproject: test\nprofile: default\n"

    def __init__(self, folder: Path, home: Path):
        self.folder = folder
        self.home = home
        self.env: dict[str, str] = {}
        folder.mkdir(parents=True, exist_ok=True)
        home.mkdir(parents=True, exist_ok=True)

    def write(self, files: dict[str, str]) -> Project:
        for path, text in files.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(dedent(text), encoding="utf-8")
        return self

    def sql_tool(self, name: str, sql: str, head: str = "") -> Project:
        """A tool with inline SQL; `head` is more YAML for it."""
        return self.write({f"tools/{name}.yml": tool_yaml(name, "sql", sql, head)})

    def usual_tools(self) -> Project:
        """`add`, which gives one more than its argument `a`, and `endless`."""
        head = "parameters: [{name: a, type: integer}]\nreturn: {type: integer}"
        self.sql_tool("add", "SELECT $a + 1 AS sum", head)
        return self.sql_tool("endless", ENDLESS)

    def python_tool(self, name: str, code: str, head: str = "") -> Project:
        """A tool whose function stands in python/<name>.py."""
        body = textwrap.indent(ended(dedent(head)), "  ")
        return self.write(
            {
                f"tools/{name}.yml": f"mxcp: 1\ntool:\n  name: {name}\n  language: python\n"
                f"{body}  source:\n    file: ../python/{name}.py\n",
                f"python/{name}.py": code,
            }
        )

    @property
    def database(self) -> Path:
        return self.folder / "data" / "db-default.duckdb"

    def run(
        self,
        *args: str,
        env: dict[str, str] | None = None,
        cwd: Path | str | None = None,
        input: str | None = None,
        timeout: float = PATIENCE,
    ) -> Ran:
        done = subprocess.run(
            [*COMMAND, *args],
            cwd=self.folder / (cwd or "."),
            env=environment(self.home, {**self.env, **(env or {})}),
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            timeout=timeout,
            encoding="utf-8",
        )
        return Ran(list(args), done.returncode, done.stdout, done.stderr)

    def tool(self, name: str, /, *flags: str, **params: Any) -> Ran:
        """`mxcp run tool NAME --json-output`; a value that is no text is given as JSON."""
        args = ["run", "tool", name]
        for key, value in params.items():
            text = value if isinstance(value, str) else json.dumps(value)
            args += ["--param", f"{key}={text}"]
        return self.run(*args, *flags, "--json-output")

    def query(self, sql: str, *flags: str) -> Any:
        return self.run("query", sql, *flags, "--json-output").result

    def serve(self, *flags: str, env: dict[str, str] | None = None) -> Server:
        return Server(self, flags, env or {})


def dedent(text: str) -> str:
    return textwrap.dedent(text.removeprefix("\n"))


def ended(text: str) -> str:
    return text + "\n" if text and not text.endswith("\n") else text


def tool_yaml(name: str, language: str, code: str, head: str = "") -> str:
    return (
        f"mxcp: 1\ntool:\n  name: {name}\n  language: {language}\n"
        + textwrap.indent(ended(dedent(head)), "  ")
        + "  source:\n    code: |\n"
        + textwrap.indent(dedent(code).rstrip("\n"), "      ")
        + "\n"
    )


class Requests(ABC):
    """What tests ask of a server, over whatever transport."""

    @abstractmethod
    def start(self, method: str, params: Any = None, **meta: Any) -> int:
        """Sends a request and does not wait for its answer; gives its id."""

    @abstractmethod
    def answer(self, id: Any) -> dict[str, Any]:
        """Waits for the answer to that request."""

    def request(self, method: str, params: Any = None, **meta: Any) -> dict[str, Any]:
        return self.answer(self.start(method, params, **meta))

    def start_call(self, name: str, arguments: dict[str, Any] | None = None, **meta: Any) -> int:
        return self.start("tools/call", {"name": name, "arguments": arguments or {}}, **meta)

    def call(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        """The result of tools/call; a protocol error fails the test."""
        response = self.answer(self.start_call(name, arguments))
        assert "result" in response, response
        return response["result"]

    def value(self, name: str, /, **arguments: Any) -> Any:
        """What a tool returned, from its text block."""
        result = self.call(name, **arguments)
        assert not result.get("isError"), result
        [block] = result["content"]
        assert block["type"] == "text", result
        try:
            return json.loads(block["text"], parse_constant=refuse_constant)
        except ValueError:
            return block["text"]

    def error(self, name: str, /, **arguments: Any) -> str:
        """The text of a tool's error."""
        result = self.call(name, **arguments)
        assert result.get("isError") is True, result
        [block] = result["content"]
        return block["text"]


def begin(version: str) -> dict[str, Any]:
    """The parameters of initialize."""
    return {
        "protocolVersion": version,
        "capabilities": {},
        "clientInfo": {"name": "tests", "version": "1"},
    }


class Server(Requests):
    """`mxcp serve --transport stdio`, spoken to in raw JSON-RPC.

    Every line of its stdout must be a JSON-RPC message that its revision allows (wire.py); another one fails
    the test when the server is closed, as does an exit status other than 0 unless the test asks for it.
    """

    def __init__(self, project: Project, flags: tuple[str, ...], env: dict[str, str]):
        self.stderr_path = project.home / f"stderr-{id(self)}.log"
        with open(self.stderr_path, "wb") as errors:
            self.process = subprocess.Popen(
                [*COMMAND, "serve", "--transport", "stdio", *flags],
                cwd=project.folder,
                env=environment(project.home, {**project.env, **env}),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        self.stray: list[str] = []
        self.wire = Wire()
        self.notifications: list[dict[str, Any]] = []
        self.modern: str | None = None  # the revision of requests without a handshake
        self._arrived = threading.Condition()
        self._responses: dict[Any, dict[str, Any]] = {}
        self.order: list[Any] = []  # ids in the order in which they were answered
        self._ended = False
        self._next_id = 0
        self._expected_code: int | None = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    # --- reading ------------------------------------------------------------------------------

    def _read(self) -> None:
        assert self.process.stdout
        for raw in self.process.stdout:
            line = raw.decode("utf-8", errors="replace").rstrip("\n")
            try:
                message = json.loads(line, parse_constant=refuse_constant)
                assert isinstance(message, list) or message.get("jsonrpc") == "2.0"
            except (ValueError, AssertionError, AttributeError):
                self.stray.append(line)
                continue
            self.wire.received(message)
            with self._arrived:
                for one in message if isinstance(message, list) else [message]:
                    if "method" in one:
                        self.notifications.append(one)
                    else:
                        key = json.dumps(one.get("id"))
                        assert key not in self._responses, f"two answers for id {key}"
                        self._responses[key] = one
                        self.order.append(one.get("id"))
                self._arrived.notify_all()
        with self._arrived:
            self._ended = True
            self._arrived.notify_all()

    def wait_until(self, condition: Any, what: str = "the condition") -> None:
        with self._arrived:
            done = self._arrived.wait_for(lambda: condition() or self._ended, PATIENCE)
            assert done and condition(), f"the server ended or hung before {what}\n{self.stderr}"

    @property
    def stderr(self) -> str:
        return self.stderr_path.read_text(encoding="utf-8", errors="replace")

    def wait_for_log(self, text: str) -> str:
        """Waits until stderr contains the text; gives all of stderr."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.stderr:
            assert time.monotonic() < deadline and (self.process.poll() is None), (
                f"'{text}' did not appear on stderr:\n{self.stderr}"
            )
            time.sleep(0.01)
        return self.stderr

    # --- speaking -----------------------------------------------------------------------------

    def write(self, text: str) -> None:
        assert self.process.stdin
        for line in text.splitlines():
            self.wire.sent(line)
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def send(self, method: str, params: Any = None, id: Any = None) -> None:
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        if id is not None:
            message["id"] = id
        if self.modern and id is not None:
            params = dict(params or {})
            params["_meta"] = {
                "io.modelcontextprotocol/protocolVersion": self.modern,
                "io.modelcontextprotocol/clientCapabilities": {},
                **params.get("_meta", {}),
            }
        if params is not None:
            message["params"] = params
        self.write(json.dumps(message) + "\n")

    def start(self, method: str, params: Any = None, **meta: Any) -> int:
        """Sends a request and does not wait for its answer."""
        self._next_id += 1
        if meta:
            params = {**(params or {}), "_meta": meta}
        self.send(method, params, id=self._next_id)
        return self._next_id

    def answer(self, id: Any) -> dict[str, Any]:
        key = json.dumps(id)
        self.wait_until(lambda: key in self._responses, f"the answer to request {id}")
        return self._responses[key]

    def answered(self, id: Any) -> bool:
        return json.dumps(id) in self._responses

    def initialize(self, version: str = "2025-11-25") -> dict[str, Any]:
        response = self.request("initialize", begin(version))
        self.send("notifications/initialized")
        return response["result"]

    # --- ending -------------------------------------------------------------------------------

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def end_of_input(self) -> None:
        assert self.process.stdin
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()

    def wait(self, expected: int | None = 0) -> int:
        """Waits for the end of the process, which nobody forces."""
        self._expected_code = expected
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        if expected is not None:
            assert code == expected, f"exit {code}, expected {expected}\n{self.stderr}"
        return code

    def __enter__(self) -> Server:
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        try:
            self.end_of_input()
            if kind is None and self.process.poll() is None:
                self.wait(self._expected_code)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self._reader.join(PATIENCE)
        if kind is None:
            assert self.stray == [], f"lines on stdout that are no protocol: {self.stray}"
            self.wire.verdict()


def tapped(project: Project) -> tuple[list[str], Path]:
    """The command of a server over stdio for a client that is not ours, and where its messages are written;
    `tap.check_stdio` checks them."""
    log = project.home / f"messages-{time.monotonic_ns()}.log"
    tap = str(Path(__file__).with_name("tap.py"))
    return [sys.executable, tap, str(log), *COMMAND, "serve", "--transport", "stdio"], log


@contextlib.asynccontextmanager
async def official_client(
    project: Project, mode: str = "auto", hear: Any = None, **options: Any
):
    """The `mcp` package's client on a server of this project.

    mode: "auto" (asks the server), "legacy" (the handshake), or a revision without handshake.
    hear: is called with each notification.
    """
    import tap
    from mcp.client.client import Client
    from mcp.client.stdio import StdioServerParameters, stdio_client

    broken: list[Exception] = []

    async def on_message(message: Any) -> None:
        if isinstance(message, Exception):
            broken.append(message)
        elif hear:
            await hear(message)

    command, log = tapped(project)
    parameters = StdioServerParameters(
        command=command[0],
        args=command[1:],
        env=environment(project.home, project.env),
        cwd=project.folder,
    )
    with open(project.home / "client-stderr.log", "w") as errors:
        transport = stdio_client(parameters, errlog=errors)
        async with Client(
            transport,
            mode=mode,
            read_timeout_seconds=PATIENCE,
            message_handler=on_message,
            **options,
        ) as client:
            yield client
    assert not broken, f"the client could not read: {broken}"
    assert schema_folder() is None or tap.check_stdio(log) > 0
