"""Listens to the official clients: what they and the server say passes unchanged, and a copy of it goes
through wire.py.

Over stdio it is a program between the two, which writes what it hears into a file:

    python tap.py LOG mxcp serve --transport stdio

Over HTTP it is an `HttpTap`, a relay of bytes in front of the server's port. It can also cut a response in
two, as a bad network does.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# --- stdio ----------------------------------------------------------------------------------------


def main(log: str, *command: str) -> int:
    """Relays lines; ends as the command ends, and tells it when it is to end."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        with open(log, "ab", buffering=0) as out:
            threading.Thread(target=_up, args=(process, out), daemon=True).start()
            for line in process.stdout:
                out.write(b"<" + line)
                with contextlib.suppress(OSError):
                    os.write(1, line)
        code = process.wait()
    os._exit(code)  # the other thread may still wait for a line


def _up(process: subprocess.Popen[bytes], out: Any) -> None:
    assert process.stdin
    with contextlib.suppress(OSError):
        for line in sys.stdin.buffer:
            out.write(b">" + line)
            process.stdin.write(line)
            process.stdin.flush()
    with contextlib.suppress(OSError):
        process.stdin.close()


def check_stdio(log: Path) -> int:
    """Fails when a message in the file is none of its revision; the number of messages."""
    from wire import Wire

    wire = Wire()
    for line in log.read_bytes().splitlines():
        if line.startswith(b">"):
            wire.sent(line[1:])
        else:
            wire.received(json.loads(line[1:]))
    wire.verdict()
    return wire.checked


# --- HTTP -----------------------------------------------------------------------------------------


class HttpTap:
    """Use it in a `with`; clients connect to `url` instead of the server's."""

    def __init__(self, port: int, path: str = "/mcp"):
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}{path}"
        self._connections: list[dict[str, bytearray]] = []
        self._lock = threading.Lock()
        self._cut_after: bytes | None = None
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, text: bytes) -> None:
        """The next event with this text is the last that its connection carries."""
        self._cut_after = text

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._port))
                record = {"up": bytearray(), "down": bytearray()}
                with self._lock:
                    self._connections.append(record)
                for one in (client, server):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._relay, args=(client, server, record["up"], False),
                                 daemon=True).start()  # fmt: skip
                threading.Thread(target=self._relay, args=(server, client, record["down"], True),
                                 daemon=True).start()  # fmt: skip

    def _relay(self, source: socket.socket, to: socket.socket, copy: bytearray, down: bool) -> None:
        cut = False
        with contextlib.suppress(OSError):
            while not cut and (data := source.recv(1 << 16)):
                with self._lock:
                    seen = len(copy)
                    copy += data
                    text = self._cut_after
                    at = copy.find(text, max(0, seen - 4096)) if down and text else -1
                    end = copy.find(b"\n\n", at) if at >= 0 else -1
                    if end >= 0:
                        data, cut = data[: end + 2 - seen], True
                        del copy[end + 2 :]
                        self._cut_after = None
                        self.cuts += 1
                to.sendall(data)
        for one in (source, to) if cut else (to,):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR if cut else socket.SHUT_WR)

    def check(self) -> int:
        """Fails when a message is none of its revision; the number of messages."""
        from wire import Wire

        wire = Wire()
        with self._lock:
            exchanges = [pair for record in self._connections for pair in _exchanges(record)]
        # Which revision a session has is only said once: handshakes first.
        exchanges.sort(key=lambda pair: b'"initialize"' not in pair[0].body)
        for request, response in exchanges:
            session = response.headers.get("mcp-session-id") or request.headers.get(
                "mcp-session-id", ""
            )
            for message in response.messages():
                wire.received(message, session, request.body.decode())
        wire.verdict()
        return wire.checked

    def __enter__(self) -> HttpTap:
        return self

    def __exit__(self, *_: Any) -> None:
        self._listener.close()


class _Message:
    def __init__(self, head: bytes, body: bytes):
        self.body = body
        self.first, *lines = head.decode("latin-1").split("\r\n")
        self.headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
        }

    def messages(self) -> list[Any]:
        kind = self.headers.get("content-type", "")
        if kind.startswith("application/json") and b"jsonrpc" in self.body:
            return [json.loads(self.body)]
        if kind.startswith("text/event-stream"):
            lines = self.body.decode().splitlines()
            return [json.loads(line[6:]) for line in lines if line[6:] and line.startswith("data: ")]
        return []


def _exchanges(record: dict[str, bytearray]) -> list[tuple[_Message, _Message]]:
    answers = [one for one in _messages(bytes(record["down"])) if " 100 " not in one.first]
    return list(zip(_messages(bytes(record["up"])), answers, strict=False))


def _messages(data: bytes) -> Iterator[_Message]:
    """The HTTP messages of one direction; the last may be incomplete."""
    while data:
        head, found, data = data.partition(b"\r\n\r\n")
        if not found:
            return
        message = _Message(head, b"")
        length = message.headers.get("content-length")
        if message.headers.get("transfer-encoding") == "chunked":
            while data:
                size, _, data = data.partition(b"\r\n")
                count = int(size, 16)
                message.body += data[:count]
                data = data[count + 2 :]
                if count == 0:
                    break
        elif length is not None:
            message.body, data = data[: int(length)], data[int(length) :]
        elif message.headers.get("content-type", "").startswith("text/event-stream"):
            message.body, data = data, b""
        yield message


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
