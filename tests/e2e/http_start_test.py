"""How the HTTP server starts: where it listens, what it reports, what keeps it from starting."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
from pathlib import Path

import duckdb
import pytest
from harness import COMMAND, PATIENCE, Project, environment
from http_harness import HttpServer
from http_raw import free_port, read_response, tools_of_http

pytestmark = pytest.mark.stdio


@pytest.fixture
def served(project: Project) -> Project:
    return tools_of_http(project)


# --- where it listens ----------------------------------------------------------------------------


def test_the_report_and_both_addresses_of_localhost(served: Project) -> None:
    with HttpServer(served) as server:
        assert server.report["status"] == "ok" and server.report["tools"] == 4
        assert server.url == f"http://localhost:{server.port}/mcp"
        assert server.http("GET", "/livez").json == {"status": "ok"}
        if socket.has_ipv6:
            try:
                connection = server.connect("::1")
                assert server.http("GET", "/livez", connection=connection).status == 200
            except OSError:
                pass  # this machine has no IPv6


def test_another_path_and_host(served: Project) -> None:
    with HttpServer(served, "--path", "tools/", "--host", "127.0.0.1") as server:
        assert server.url == f"http://127.0.0.1:{server.port}/tools"
        assert server.http("GET", "/mcp").status == 404
        server.initialize()
        assert server.value("add", a=1) == 2


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (["--path", "/a b"], "no request can ask for the path '/a b'"),
        (["--path", "/x?y"], "no request can ask for the path '/x?y'"),
        (["--path", "/x#y"], "no request can ask for the path '/x#y'"),
        (["--path", "/livez"], "a page of its own at '/livez'"),
        (["--path", "readyz/"], "a page of its own at '/readyz'"),
        (["--path", "/metrics", "--metrics", "false"], "a page of its own at '/metrics'"),
        (["--path", "/messages", "--transport", "sse"], "a page of its own at '/messages'"),
    ],
)
def test_a_path_that_cannot_be(served: Project, flags: list[str], text: str) -> None:
    ran = served.run("serve", "--port", "0", *flags)
    assert (ran.code, ran.stdout) == (2, "") and text in ran.stderr and "--path" in ran.stderr


def test_what_would_have_to_protect_the_server_is_not_ignored(served: Project) -> None:
    served.write({
        "config.yml": "mxcp: 1\nprojects: {test: {profiles: {default: {auth: {provider: github}}}}}\n",
        "mxcp-site.yml": Project.SITE + "profiles: {default: {audit: {enabled: true}}}\n",
    })  # fmt: skip
    ran = served.run("serve", "--port", "0", env={"MXCP_CONFIG": "config.yml"})
    assert (ran.code, ran.stdout) == (1, "")
    assert "'auth.provider: github' cannot be enforced" in ran.stderr and "config.yml" in ran.stderr
    assert "'audit.enabled' has no effect yet" in ran.stderr
    with served.serve(env={"MXCP_CONFIG": "config.yml"}) as server:
        server.initialize()
        assert server.value("add", a=1) == 2


@pytest.mark.parametrize("url", ["tools.example.com", "https://", "not an url", "ftp://a", "https://a?b",
                                 "https://a:x", "https://u@a"])  # fmt: skip
def test_a_base_url_that_is_none(served: Project, url: str) -> None:
    served.write({"config.yml": f"mxcp: 1\ntransport: {{http: {{base_url: '{url}'}}}}\n"})
    ran = served.run("serve", "--port", "0", env={"MXCP_CONFIG": "config.yml"})
    assert ran.code == 1 and f"'{url}' is no address of a server" in ran.stderr
    assert "config.yml:2:30" in ran.stderr


def test_nothing_is_announced_that_does_not_start(served: Project) -> None:
    served.python_tool("missing", "def another(): pass")
    ran = served.run("serve", "--port", "0")
    assert (ran.code, ran.stdout) == (1, "")
    assert ran.stderr.count("function 'missing' not found") == 1 and "1 problem" in ran.stderr


def test_host_and_port_out_of_the_configuration(served: Project) -> None:
    configured, given = free_port(), free_port()
    served.write({"config.yml": (
        f"mxcp: 1\ntransport: {{http: {{host: 127.0.0.1, port: {configured}}}}}\n"
    )})  # fmt: skip
    env = {"MXCP_CONFIG": str(served.folder / "config.yml")}
    for port, expected in [(None, configured), (given, given)]:
        with HttpServer(served, env=env, port=port) as server:
            assert server.url == f"http://127.0.0.1:{expected}/mcp"
            server.initialize()
            assert server.value("add", a=1) == 2


def test_the_report_of_what_keeps_it_from_starting(served: Project) -> None:
    served.write({"tools/bad.yml": "tool: {name: bad, source: {cod: SELECT 1}}\n"})
    ran = served.run("serve", "--json-output", "--port", "0")
    assert (ran.code, ran.stderr) == (1, "")
    assert ran.envelope() == {
        "status": "error",
        "message": "1 problem; the server does not start",
        "failed_endpoints": [
            {
                "path": "tools/bad.yml",
                "error": "tools/bad.yml:1:28: unknown key 'cod' in the source (did you mean 'code'?)",
            }
        ],
    }
    ran = served.run("serve", "--port", "0")
    assert (ran.code, ran.stdout) == (1, "") and "'--ignore-errors'" in ran.stderr
    with HttpServer(served, "--ignore-errors") as server:
        assert server.report["tools"] == 4 and "tools/bad.yml:1:28" in server.stderr


def test_the_report_has_everything_that_is_wrong(served: Project) -> None:
    """Mistakes in YAML, SQL and Python, and in imports, are told together, in one line of JSON."""
    served.sql_tool("unknown", "SELECT no_function(1)")
    served.python_tool("raises", "raise ValueError('at import')\ndef raises(): pass\n")
    for yaml in (False, True):
        if yaml:
            served.write({"tools/bad.yml": "tool: {name: bad, source: {cod: SELECT 1}}\n"})
        ran = served.run("serve", "--json-output", "--port", "0")
        assert ran.code == 1 and ran.stdout.count("\n") == 1, ran
        report = json.loads(ran.stdout)
        assert report["status"] == "error"
        errors = [one["error"] for one in report["failed_endpoints"]]
        wanted = ["no_function", "at import"] + ["unknown key 'cod'"] * yaml
        assert len(errors) == len(wanted), errors
        for text in wanted:
            assert sum(text in error for error in errors) == 1, (text, errors)
    # Nobody was answered, so stdout is not the protocol's.
    ran = served.run("serve", "--json-output", "--transport", "stdio")
    assert ran.code == 1 and json.loads(ran.stdout)["status"] == "error"


def test_any_failure_of_a_start_is_one_line(served: Project) -> None:
    with HttpServer(served) as server:
        ran = served.run("serve", "--json-output", "--port", str(server.port))
    assert ran.code == 1 and ran.stdout.count("\n") == 1
    assert "in use" in json.loads(ran.stdout)["error"]


def test_a_unix_socket(served: Project, tmp_path: Path) -> None:
    path = tmp_path / "s"
    with HttpServer(served, "--unix-socket", str(path)):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(str(path))
            client.sendall(b"GET /livez HTTP/1.1\r\nHost: whatever\r\n\r\n")
            assert read_response(client.makefile("rb")) == (200, '{"status":"ok"}\n')
        # A second server on a socket that is in use says so.
        ran = served.run("serve", "--unix-socket", str(path))
        assert ran.code == 1 and "is in use" in ran.stderr
    assert not path.exists()


def test_the_socket_of_another_server_stays(served: Project, tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as other:
        with HttpServer(served, "--unix-socket", str(path)):
            path.unlink()
            other.bind(str(path))
        assert path.exists()
        # One that takes no connections at the moment is alive all the same.
        other.listen(0)
        with socket.socket(socket.AF_UNIX) as client, socket.socket(socket.AF_UNIX) as waiting:
            client.connect(str(path))
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(str(path))
            ran = served.run("serve", "--unix-socket", str(path))
        assert ran.code == 1 and "is in use" in ran.stderr
        assert path.exists()


def test_another_server_on_the_other_address_of_localhost(served: Project) -> None:
    with socket.socket(socket.AF_INET6) as other:
        try:
            other.bind(("::1", 0))
        except OSError:
            return  # this machine has no IPv6
        other.listen()
        port = other.getsockname()[1]
        ran = served.run("serve", "--port", str(port))
        assert ran.code == 1 and f"port {port} on ::1 is in use" in ran.stderr


def test_a_port_that_is_taken(served: Project) -> None:
    with HttpServer(served) as server:
        ran = served.run("serve", "--port", str(server.port))
        assert ran.code == 1
        assert f"port {server.port} on 127.0.0.1 is in use" in ran.stderr
        assert "--port" in ran.stderr


@pytest.mark.parametrize("port", ["x", "70000", "-1"])
def test_a_port_that_is_none(served: Project, port: str) -> None:
    ran = served.run("serve", "--port", port)
    assert ran.code == 2 and "is no port" in ran.stderr


# --- what the system gives ----------------------------------------------------------------------


def started(project: Project, *command: str) -> subprocess.Popen[str]:
    """A server at a port of its own, started by hand."""
    return subprocess.Popen(
        [*command, *COMMAND, "serve"],
        cwd=project.folder, env=environment(project.home, project.env), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("flags", [["--tls-cert", "", "--tls-key", ""], ["--unix-socket", ""], ["--host", ""]])
def test_an_empty_option_is_not_taken_for_none(served: Project, flags: list[str]) -> None:
    ran = served.run("serve", "--port", "0", *flags)
    assert (ran.code, ran.stdout) == (2, "") and f"{flags[0]} is empty" in ran.stderr


def test_the_end_of_a_start_that_waits_for_the_database(served: Project) -> None:
    served.query("CREATE TABLE t (i INT)")
    with duckdb.connect(str(served.database)):
        served.write({"config.yml": f"mxcp: 1\ntransport: {{http: {{port: {free_port()}}}}}\n"})
        served.env["MXCP_CONFIG"] = "config.yml"
        server = started(served)
        assert server.stderr and "it is waited for" in server.stderr.readline()
        server.terminate()
        assert server.wait(PATIENCE) == 0
        assert server.stderr.read() == ""


def test_few_descriptors_are_kept_for_the_database(served: Project) -> None:
    port = free_port()
    served.write({"config.yml": f"mxcp: 1\ntransport: {{http: {{port: {port}}}}}\n"})
    served.env["MXCP_CONFIG"] = "config.yml"
    server = started(served, "prlimit", "--nofile=128:128")
    try:
        assert server.stdout and f":{port}/mcp" in server.stdout.readline()
        with contextlib.ExitStack() as clients:
            for _ in range(200):
                one = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
                clients.enter_context(one)
            one.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):  # 503, or closed at once
                assert one.recv(100)[:12] in (b"", b"HTTP/1.1 503")
    finally:
        server.terminate()
        _, errors = server.communicate(timeout=PATIENCE)
    assert "connections, since the process may have only 128 descriptors" in errors
