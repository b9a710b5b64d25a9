"""A client of an MCP server over stdio that does as little as it can while the clock runs.

Requests are encoded before and answers parsed after the measured time, which is: one write, waiting,
and reading up to the end of the answer's line. What that alone costs, the row `pipe` shows.
"""

import json
import os
import select
import subprocess
import time
from pathlib import Path

from bench import processes
from bench.processes import BenchError

PROTOCOL = "2025-11-25"
INITIALIZE = {
    "protocolVersion": PROTOCOL,
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "1"},
}


class Client:
    def __init__(self, command, cwd: Path, env: dict, log: Path):
        self.started = time.perf_counter()
        with open(log, "ab") as errors:
            self.process = processes.start(
                command,
                cwd=cwd,
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                bufsize=0,
            )
        self.stray = 0  # lines on stdout that are not JSON
        self._log = log
        self._buffer = b""
        self._last_id = 0
        self._in = self.process.stdin.fileno()
        self._out = self.process.stdout.fileno()
        self._poll = select.poll()
        self._poll.register(self._out, select.POLLIN)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.stdin.close()
        processes.stop(self.process)

    @property
    def pid(self) -> int:
        return self.process.pid

    def since_start(self) -> float:
        return time.perf_counter() - self.started

    def initialize(self, timeout: float) -> dict:
        response, _ = self.request("initialize", INITIALIZE, timeout)
        if "result" not in response:
            raise BenchError(f"initialize was answered with {json.dumps(response)[:300]}")
        self._write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
        return response["result"]

    def tool_names(self, timeout: float) -> list[str]:
        names, cursor = [], None
        while True:
            params = {"cursor": cursor} if cursor else {}
            result = self.request("tools/list", params, timeout)[0].get("result", {"tools": []})
            names += [tool["name"] for tool in result["tools"]]
            cursor = result.get("nextCursor")
            if not cursor or len(names) > 10000:
                return names

    def call(self, tool: str, arguments: dict, timeout: float = 60) -> tuple[dict, float]:
        return self.request("tools/call", {"name": tool, "arguments": arguments}, timeout)

    def request(self, method: str, params: dict, timeout: float) -> tuple[dict, float]:
        """The response and the seconds from before the write until its last byte was read."""
        self._last_id += 1
        message = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params}
        data = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        begin = time.perf_counter()
        self._write(data)
        while True:
            line = self._line(begin + timeout)
            seconds = time.perf_counter() - begin
            try:
                response = json.loads(line)
            except ValueError:
                self.stray += 1
                continue
            if isinstance(response, dict) and response.get("id") == self._last_id:
                return response, seconds

    def _write(self, data: bytes) -> None:
        try:
            os.write(self._in, data)
        except BrokenPipeError:
            raise self._ended() from None

    def _line(self, deadline: float) -> bytes:
        while True:
            line, newline, rest = self._buffer.partition(b"\n")
            if newline:
                self._buffer = rest
                return line
            left = deadline - time.perf_counter()
            if left <= 0 or not self._poll.poll(left * 1000):
                raise BenchError("the server did not answer in time")
            data = os.read(self._out, 1 << 20)
            if not data:
                raise self._ended()
            self._buffer += data

    def _ended(self) -> BenchError:
        said = self._log.read_text(errors="replace")[-800:] if self._log.exists() else ""
        return BenchError(f"the server ended; the end of its log:\n{said}")
