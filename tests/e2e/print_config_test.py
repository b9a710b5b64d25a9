"""`mxcp serve --print-config`: what it prints starts or reaches the server."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from harness import PATIENCE, Project, begin, environment

CLIENTS = ["claude-desktop", "claude-code", "cursor", "vscode", "codex", "windsurf"]


@pytest.fixture
def served(tmp_path: Path) -> Project:
    """A project in a folder whose name needs care."""
    folder = tmp_path / 'it\'s a "folder" of $HOME'
    made = Project(folder, tmp_path / "home")
    made.write({"mxcp-site.yml": "mxcp: 1\nproject: my project\nprofile: default\n"})
    return made.sql_tool("which", "SELECT current_database() AS name")


def printed(project: Project, client: str, *flags: str, **env: str) -> tuple[str, dict[str, Any]]:
    """The name of the one server, and its entry."""
    project.env = {**project.env, **env}
    ran = project.run("serve", "--print-config", client, *flags)
    assert ran.code == 0, ran
    assert ran.stderr.startswith("Belongs into ")
    if client == "codex":
        tomllib = pytest.importorskip("tomllib")
        servers = tomllib.loads(ran.stdout)["mcp_servers"]
    else:
        servers = json.loads(ran.stdout)["servers" if client == "vscode" else "mcpServers"]
    [(name, entry)] = servers.items()
    return name, entry


def speak(project: Project, entry: dict[str, Any], elsewhere: Path) -> list[dict[str, Any]]:
    """Starts what the entry says, as a client does; gives the answers to a call."""
    messages = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": begin("2025-11-25")},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "which"}},
    ]
    given = environment(project.home, {})
    given.pop("MXCP_CONFIG", None)
    ran = subprocess.run(
        [entry["command"], *entry["args"]],
        input="".join(json.dumps(message) + "\n" for message in messages),
        cwd=entry.get("cwd", elsewhere),
        env={**given, **entry.get("env", {})},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert ran.returncode == 0, ran
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.mark.parametrize("client", CLIENTS)
def test_what_is_printed_starts_the_server(served: Project, client: str, tmp_path: Path) -> None:
    name, entry = printed(served, client)
    assert name == "my project"
    assert entry.get("type") == ("stdio" if client in ("claude-code", "vscode") else None)
    assert Path(entry["command"]).is_absolute()
    [first, second] = speak(served, entry, tmp_path)
    assert first["result"]["serverInfo"]["title"] == "my project"
    assert second["result"]["content"][0]["text"] == '[{"name":"db-default"}]'


@pytest.mark.parametrize("client", ["cursor", "codex"])
def test_options_and_environment(served: Project, client: str, tmp_path: Path) -> None:
    served.write({"config.yml": "mxcp: 1\n"})
    _, entry = printed(served, client, "--profile", "other", "--no-watch", MXCP_CONFIG="config.yml")
    assert entry["env"] == {"MXCP_CONFIG": str(served.folder / "config.yml")}
    assert entry["args"][-3:] == ["--no-watch", "--profile", "other"]
    [_, answer] = speak(served, entry, tmp_path)
    assert answer["result"]["content"][0]["text"] == '[{"name":"db-other"}]'
    _, entry = printed(served, client, MXCP_PROFILE="third")
    [_, answer] = speak(served, entry, tmp_path)
    assert answer["result"]["content"][0]["text"] == '[{"name":"db-third"}]'


HTTP = "streamable-http"
URL = "http://localhost:8000/mcp"


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        ("claude-desktop", {"command": "npx", "args": ["-y", "mcp-remote", URL, "--allow-http"]}),
        ("claude-code", {"type": "http", "url": URL}),
        ("cursor", {"url": URL}),
        ("vscode", {"type": "http", "url": URL}),
        ("codex", {"url": URL}),
        ("windsurf", {"serverUrl": URL}),
    ],
)
def test_over_http(served: Project, client: str, expected: dict[str, Any]) -> None:
    assert printed(served, client, "--transport", HTTP)[1] == expected


@pytest.mark.parametrize(
    ("http", "flags", "url"),
    [
        ("{}", ["--port", "9000", "--path", "x/"], "http://localhost:9000/x"),
        ("{port: 9000, host: '::1'}", [], "http://[::1]:9000/mcp"),
        ("{}", ["--host", "0.0.0.0"], URL),
        ("{tls_cert: a, tls_key: b}", [], "https://localhost:8000/mcp"),
        ("{scheme: https}", [], "https://localhost:8000/mcp"),
        ("{base_url: 'https://tools.example/'}", [], "https://tools.example/mcp"),
        ("{base_url: 'https://tools.example/a/b'}", [], "https://tools.example/a/b"),
    ],
)
def test_urls(served: Project, http: str, flags: list[str], url: str) -> None:
    served.write({"config.yml": f"mxcp: 1\ntransport: {{http: {http}}}\n"})
    entry = printed(served, "cursor", "--transport", HTTP, *flags, MXCP_CONFIG="config.yml")[1]
    assert entry == {"url": url}


def test_the_transport_of_2024(served: Project) -> None:
    entry = printed(served, "claude-code", "--transport", "sse")[1]
    assert entry == {"type": "sse", "url": "http://localhost:8000/sse"}
    ran = served.run("serve", "--print-config", "codex", "--transport", "sse")
    assert ran.code == 2 and "does not speak HTTP+SSE" in ran.stderr


def test_mistakes(served: Project) -> None:
    ran = served.run("serve", "--print-config", "cursr")
    assert ran.code == 2 and "cursor" in ran.stderr and ran.stdout == ""
    for flags in (["--port", "0"], ["--unix-socket", "/tmp/x"]):
        ran = served.run("serve", "--print-config", "cursor", "--transport", HTTP, *flags)
        assert ran.code == 2 and "--port" in ran.stderr and ran.stdout == ""
