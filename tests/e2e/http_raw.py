"""Raw requests and their answers, for the tests of HTTP itself."""

from __future__ import annotations

import json
import socket

from harness import Project
from http_harness import HttpServer


def tools_of_http(project: Project) -> Project:
    """Beside the usual ones: a text of any length, and a call that takes half a second."""
    project.usual_tools()
    project.sql_tool("long_text", "SELECT repeat('x', $n) AS text",
                     "parameters: [{name: n, type: integer}]\nreturn: {type: string}")  # fmt: skip
    nap = "import time\n\ndef nap():\n    time.sleep(0.5)\n    return 'rested'\n"
    return project.python_tool("nap", nap, "return: {type: string}")


def call_message(server: HttpServer, name: str, arguments: dict, id: int = 1) -> dict:
    return server.message("tools/call", {"name": name, "arguments": arguments}, id)


def raw_request(server: HttpServer, message: dict, host: str = "localhost") -> bytes:
    body = json.dumps(message).encode()
    headers = {"Host": host, "Content-Type": "application/json", **server.headers_for(message)}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    server.wire.sent(body, server.session or "")
    return f"POST /mcp HTTP/1.1\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


def read_response(stream, server: HttpServer | None = None) -> tuple[int, str]:
    status = int(stream.readline().split()[1])
    length = 0
    while (line := stream.readline().strip()) != b"":
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    text = stream.read(length).decode()
    if server and "jsonrpc" in text:
        server.wire.received(json.loads(text), server.session or "")
    return status, text


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
