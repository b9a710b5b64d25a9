"""HTTP itself, in raw requests: limits, guards, order on a connection, disconnects, shutdown."""

from __future__ import annotations

import contextlib
import json
import select
import signal
import socket

import pytest
from harness import PATIENCE, Project
from http_harness import MODERN, HttpServer
from http_raw import call_message, free_port, raw_request, read_response, tools_of_http

pytestmark = pytest.mark.stdio


@pytest.fixture
def served(project: Project) -> Project:
    return tools_of_http(project)


# --- who may come in -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "localhost:{port}"}, 200),
        ({"Host": "127.0.0.1:{port}"}, 200),
        ({"Host": "[::1]:{port}"}, 200),
        ({"Host": "LOCALHOST"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Host": "localhost@evil.example"}, 403),
        ({"Host": ""}, 403),
        ({"Host": "localhost", "Origin": "http://localhost:3000"}, 200),
        ({"Host": "localhost", "Origin": "http://127.0.0.1"}, 200),
        ({"Host": "localhost", "Origin": "https://evil.example"}, 403),
        ({"Host": "localhost", "Origin": "null"}, 403),
    ],
)  # fmt: skip
def test_host_and_origin(served: Project, headers: dict[str, str], status: int) -> None:
    with HttpServer(served) as server:
        given = {name: value.format(port=server.port) for name, value in headers.items()}
        response = server.http("GET", "/livez", headers=given)
        assert response.status == status, response
        allowed = given.get("Origin") if status == 200 else None
        assert response.headers.get("access-control-allow-origin") == allowed


def test_hosts_of_a_server_for_others(served: Project) -> None:
    def status(server: HttpServer, host: str) -> int:
        return server.http("GET", "/livez", headers={"Host": host}).status

    with HttpServer(served, "--host", "0.0.0.0") as server:
        assert "transport.http.allowed_hosts" in server.stderr
        for host in ("localhost", "127.0.0.1", "10.1.2.3:80", "[fe80::1]", "backend", "a.internal"):
            assert status(server, host) == 200, host
        response = server.http("GET", "/livez", headers={"Host": "evil.example"})
        assert response.status == 403 and "allowed_hosts" in response.body
    served.write({"config.yml": """
        mxcp: 1
        transport: {http: {host: 0.0.0.0, allowed_hosts: [tools.example, "*.inside.example"]}}
        """})  # fmt: skip
    with HttpServer(served, env={"MXCP_CONFIG": str(served.folder / "config.yml")}) as server:
        assert server.stderr == ""
        for host in ("Tools.example:8000", "a.b.inside.example", "localhost", "10.1.2.3"):
            assert status(server, host) == 200, host
        for host in ("other.example", "inside.example"):
            assert status(server, host) == 403, host


def test_behind_a_proxy(served: Project) -> None:
    served.write({"config.yml": """
        mxcp: 1
        transport: {http: {base_url: "https://tools.example/mcp", trust_proxy: true}}
        projects: {test: {profiles: {default: {}}}}
        """})  # fmt: skip
    with HttpServer(served, env={"MXCP_CONFIG": str(served.folder / "config.yml")}) as server:

        def status(**headers: str) -> int:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            return server.http("GET", "/livez", headers=given).status

        assert status(Host="tools.example") == 200
        assert status(Host="backend", X_Forwarded_Host="tools.example") == 200
        assert status(Host="backend") == 200
        # Neither the proxy's word nor the host that was asked stands for the other.
        assert status(Host="backend", X_Forwarded_Host="evil.example") == 403
        assert status(Host="evil.example", X_Forwarded_Host="localhost") == 403
        evil = {"X_Forwarded_Host": "evil.example", "Origin": "http://evil.example"}
        assert status(Host="localhost", **evil) == 403
        assert status(Host="localhost", Origin="https://tools.example") == 200
        assert status(Host="localhost", Origin="https://evil.example") == 403


# --- limits --------------------------------------------------------------------------------------


def test_what_is_too_large(served: Project) -> None:
    with HttpServer(served) as server:
        assert server.http(headers={"X": "y" * 40_000}, body={}).status == 431
        # The size is refused before the body is sent.
        with server.socket() as client:
            client.sendall(
                b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n"
            )
            stream = client.makefile("rb")
            assert read_response(stream)[0] == 413
            assert stream.read() == b""  # and the connection is closed
        chunked = iter([b"x" * (1 << 20)] * 20)
        connection = server.connect()
        try:
            connection.request("POST", "/mcp", chunked, {"Content-Type": "application/json"},
                               encode_chunked=True)  # fmt: skip
            assert connection.getresponse().status == 413
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server closed while the client still sent
        connection.close()
        assert server.http("GET", "/livez").status == 200


def test_what_stands_behind_the_body_is_no_header(served: Project) -> None:
    with HttpServer(served) as server:
        server.modern = MODERN
        message = server.message("tools/call", {"name": "add", "arguments": {"a": 1}}, 1)
        headers = {"Host": "localhost", "Content-Type": "application/json", **server.headers_for(message)}

        def status(trailer: str) -> int:
            body = json.dumps(message)
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if name != trailer)
            last = f"{trailer}: {headers[trailer]}\r\n" if trailer else ""
            with server.socket() as client:
                client.sendall(
                    f"POST /mcp HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\n"
                    f"{len(body):x}\r\n{body}\r\n0\r\n{last}\r\n".encode()
                )
                return read_response(client.makefile("rb"))[0]

        assert status("") == 200
        for name in ("Host", "Mcp-Method", "Content-Type"):
            assert status(name) in (400, 415), name


def test_a_large_request_holds_up_nobody(served: Project) -> None:
    with HttpServer(served) as server, server.socket() as client:
        server.initialize()
        values = [1] * 3_000_000
        large = raw_request(server, server.message("tools/call", {"name": "add", "arguments": {"a": values}}, 1))
        client.sendall(large)
        assert server.http("GET", "/livez").status == 200
        assert select.select([client], [], [], 0)[0] == []
        status, text = read_response(client.makefile("rb"))
        assert status == 200 and json.loads(text)["result"]["isError"] is True
        # A client that leaves meanwhile is no trouble.
        with server.socket() as leaves:
            leaves.sendall(large)
        server.wait_until(lambda: server.active_calls() == 0, "the request has ended")
        assert server.value("add", a=1) == 2


def test_accept_may_be_two_headers(served: Project) -> None:
    with HttpServer(served) as server:
        server.modern = MODERN
        message = server.message("subscriptions/listen", {"notifications": {"toolsListChanged": True}}, 1)
        headers = server.headers_for(message)
        headers.pop("Accept", None)
        request = raw_request(server, message)
        two = b"Accept: application/json\r\nAccept: text/event-stream\r\n"
        with server.socket() as client:
            client.sendall(request.replace(b"Content-Type:", two + b"Content-Type:", 1))
            assert client.makefile("rb").readline().split()[1] == b"200"


@pytest.mark.parametrize("endless", [b"1;a=", b"0\r\nX: "])
def test_heads_of_chunks_and_trailers_are_bounded(served: Project, endless: bytes) -> None:
    with HttpServer(served) as server, server.socket() as client:
        client.sendall(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + endless)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(64):
                client.sendall(b"x" * 65536)
        with contextlib.suppress(ConnectionResetError):
            assert read_response(client.makefile("rb"))[0] == 431
        assert server.http("GET", "/livez").status == 200


def test_an_object_of_many_members_stops_nobody(served: Project) -> None:
    with HttpServer(served) as server:
        server.initialize()
        members = ",".join(f'"k{n}":{n}' for n in range(500_000))
        body = f'{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{{members}}}}}'
        assert len(body) > 5_000_000
        # Minutes, were they looked through for each.
        assert server.http(body=body.encode()).status in (200, 400)
        assert server.http("GET", "/livez").status == 200


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        ("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
        ("GET /livez HTTP/1.0\r\n\r\n", 200),
        ("GET /livez HTTP/1.1\r\n\r\n", 400),
        ("GET /livez HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400),
        ("GET /livez HTTP/1.0\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 400),
        ("GET /livez HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nOrigin: http://evil.example\r\n\r\n", 400),
        ("GET http://localhost/livez HTTP/1.1\r\nHost: evil.example\r\n\r\n", 200),
        ("GET HTTP://127.0.0.1:80/livez/?x HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
        ("GET http://evil.example/livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 403),
        ("GET http://evil.example/livez HTTP/1.0\r\n\r\n", 403),
        ("GET http:///livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 403),
        ("GET http://localhost/livez HTTP/1.1\r\n\r\n", 400),
        ("GET /livez HTTP/3.0\r\nHost: localhost\r\n\r\n", 505),
        ("garbage\r\n\r\n", 400),
        ("GET /livez HTTP/1.1\r\nHost: localhost\r\nBad Header: x\r\n\r\n", 400),
        ("POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
        ("POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", 400),
        ("GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        ("PUT /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 405),
        ("POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", 415),
        ("POST /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", 406),
    ],
)  # fmt: skip
def test_odd_requests(served: Project, request_text: str, status: int) -> None:
    with HttpServer(served) as server, server.socket() as client:
        client.sendall(request_text.encode())
        assert read_response(client.makefile("rb"), server)[0] == status
        assert server.http("GET", "/livez").status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (["Transfer-Encoding: xchunked"], 400),
        (["Transfer-Encoding: gzip"], 400),
        (["Transfer-Encoding: identity"], 400),
        (["Transfer-Encoding:"], 400),
        (["Transfer-Encoding: chunked, identity"], 400),
        (["Transfer-Encoding: gzip, chunked"], 501),
        (["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], 400),
        (["Transfer-Encoding: x", "Transfer-Encoding: chunked"], 400),
        (["Transfer-Encoding: chunked", "Content-Length: 0"], 400),
        (["Transfer-Encoding: x", "Content-Length: 0"], 400),
        (["Content-Length: 0", "Transfer-Encoding: x"], 400),
        (["Content-Length: 0", "Content-Length: 0"], 400),
        (["Content-Length: 0", "Content-Length: 36"], 400),
        (["Content-Length: 0, 0"], 400),
        (["Content-Length: +0"], 400),
    ],
)
@pytest.mark.parametrize("start", ["POST /mcp", "GET /livez"])
def test_a_body_whose_end_is_uncertain_hides_no_request(
    served: Project, start: str, headers: list[str], status: int
) -> None:
    with HttpServer(served) as server, server.socket() as client:
        lines = [f"{start} HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
        hidden = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
        client.sendall(("\r\n".join([*lines, *headers]) + "\r\n\r\n" + hidden).encode())
        stream = client.makefile("rb")
        assert read_response(stream)[0] == status
        assert stream.read() == b""  # what followed was not answered, and the connection is closed


@pytest.mark.parametrize(("path", "status"), [("/livez", 200), ("/mcp", 405), ("/nothing", 404)])
def test_an_answer_to_head_has_no_body(served: Project, path: str, status: int) -> None:
    with HttpServer(served) as server, server.socket() as client:
        stream = client.makefile("rb")
        for method in ("HEAD", "GET"):
            # What a body would bring is taken for the next answer on the connection.
            target = path if method == "HEAD" else "/livez"
            client.sendall(f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            line = stream.readline()
            assert line.startswith(b"HTTP/1.1 "), line
            assert int(line.split()[1]) == (status if method == "HEAD" else 200)
            headers = {}
            while (line := stream.readline().strip()) != b"":
                name, _, value = line.partition(b": ")
                headers[name] = value
            length = int(headers[b"Content-Length"])
            assert length > 0
            if method == "GET":
                assert stream.read(length) == b'{"status":"ok"}\n'


def test_a_body_in_many_small_pieces_and_expect(served: Project) -> None:
    with HttpServer(served) as server, server.socket() as client:
        server.initialize()
        message = raw_request(server, call_message(server, "add", {"a": 6}))
        head, _, body = message.partition(b"\r\n\r\n")
        client.sendall(head + b"\r\nExpect: 100-continue\r\n\r\n")
        stream = client.makefile("rb")
        assert stream.readline() == b"HTTP/1.1 100 Continue\r\n" and stream.readline() == b"\r\n"
        for byte in body:
            client.sendall(bytes([byte]))
        status, text = read_response(stream, server)
        assert status == 200 and json.loads(text)["result"]["structuredContent"] == {"result": 7}


def test_requests_sent_ahead_are_answered_in_order(served: Project) -> None:
    with HttpServer(served) as server, server.socket() as client:
        server.initialize()
        messages = [call_message(server, "nap", {}, 1)]
        messages += [call_message(server, "add", {"a": i}, i) for i in range(2, 300)]
        client.sendall(b"".join(raw_request(server, message) for message in messages))
        stream = client.makefile("rb")
        answers = [json.loads(read_response(stream, server)[1]) for _ in messages]
        assert [answer["id"] for answer in answers] == list(range(1, 300))
        assert answers[-1]["result"]["structuredContent"] == {"result": 300}


def test_a_client_that_does_not_read_costs_nobody_else_anything(served: Project) -> None:
    with HttpServer(served) as server, server.socket() as lazy:
        server.initialize()
        size = 3_000_000
        request = raw_request(server, call_message(server, "long_text", {"n": size}, 1000))
        for id in range(1000, 1020):
            lazy.sendall(request.replace(b'"id": 1000', b'"id": %d' % id))
        for i in range(50):
            assert server.value("add", a=i) == i + 1
        stream = lazy.makefile("rb")
        for _ in range(20):
            answer = json.loads(read_response(stream, server)[1])
            assert len(answer["result"]["content"][0]["text"]) == size


# --- disconnect and shutdown ---------------------------------------------------------------------


def test_a_modern_client_that_leaves_cancels_its_query(served: Project) -> None:
    with HttpServer(served) as server:
        server.modern = MODERN
        with server.socket() as client:
            client.sendall(raw_request(server, call_message(server, "endless", {})))
            server.wait_until(lambda: server.active_calls() == 1, "the query runs")
        server.wait_until(lambda: server.active_calls() == 0, "the query was stopped")


def test_an_older_client_that_leaves_cancels_nothing(served: Project) -> None:
    with HttpServer(served) as server:
        server.initialize()
        with server.socket() as client:
            client.sendall(raw_request(server, call_message(server, "endless", {}, 77)))
            server.wait_until(lambda: server.active_calls() == 1, "the query runs")
        assert server.value("add", a=1) == 2
        assert server.active_calls() == 1
        assert server.post("notifications/cancelled", {"requestId": 77}).status == 202
        server.wait_until(lambda: server.active_calls() == 0, "the query was stopped")


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_client_that_only_ends_its_side_is_answered(served: Project, version: str) -> None:
    with HttpServer(served) as server:
        server.initialize()
        messages = [call_message(server, "nap", {}, 1), call_message(server, "add", {"a": 1}, 2)]
        with server.socket() as client:
            # Both are sent ahead; the connection ends with HTTP/1.0.
            for message in messages if version == "1.1" else messages[:1]:
                text = raw_request(server, message)
                client.sendall(text.replace(b"HTTP/1.1", b"HTTP/" + version.encode()))
            client.shutdown(socket.SHUT_WR)
            stream = client.makefile("rb")
            answer = json.loads(read_response(stream)[1])
            assert answer["result"]["structuredContent"] == {"result": "rested"}
            if version == "1.1":
                answer = json.loads(read_response(stream)[1])
                assert answer["result"]["structuredContent"] == {"result": 2}
            assert stream.read() == b""
        # Half a request is none.
        with server.socket() as client:
            client.sendall(raw_request(server, messages[0])[:-5])
            client.shutdown(socket.SHUT_WR)
            assert client.recv(1) == b""
        with server.socket() as client:
            client.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            client.shutdown(socket.SHUT_WR)
            assert read_response(client.makefile("rb"))[0] == 200


def test_a_modern_client_that_ends_its_side_has_left(served: Project) -> None:
    with HttpServer(served) as server:
        server.modern = MODERN
        with server.socket() as client:
            client.sendall(raw_request(server, call_message(server, "endless", {})))
            server.wait_until(lambda: server.active_calls() == 1, "the query runs")
            client.shutdown(socket.SHUT_WR)
            server.wait_until(lambda: server.active_calls() == 0, "the query was stopped")
            assert client.recv(1) == b""


@pytest.mark.parametrize("leave", ["close", "end"])
def test_without_sessions_a_client_that_leaves_cancels(served: Project, leave: str) -> None:
    """Nobody else could have the answer."""
    with HttpServer(served, "--stateless") as server:
        with server.socket() as client:
            client.sendall(raw_request(server, call_message(server, "endless", {})))
            server.wait_until(lambda: server.active_calls() == 1, "the query runs")
            if leave == "end":
                client.shutdown(socket.SHUT_WR)
                assert client.recv(1) == b""
        server.wait_until(lambda: server.active_calls() == 0, "the query was stopped")


def test_a_cancelled_request_gets_no_message(served: Project) -> None:
    with HttpServer(served) as server:
        server.initialize()
        id = server.start_call("endless")
        server.wait_until(lambda: server.active_calls() == 1, "the query runs")
        server.post("notifications/cancelled", {"requestId": id})
        response = server._running.pop(id).result(PATIENCE)
        assert (response.status, response.messages) == (200, [])


def test_sigterm_lets_running_calls_end(served: Project) -> None:
    with HttpServer(served) as server:
        server.initialize()
        id = server.start_call("nap")
        idle = server.connect()
        idle.connect()
        server.wait_until(lambda: server.active_calls() == 1, "the call runs")
        server.signal(signal.SIGTERM)
        assert server.answer(id)["result"]["content"][0]["text"] == "rested"
        assert server.wait() == 0
        assert idle.sock.recv(1) == b""
        with pytest.raises(OSError):
            server.http("GET", "/livez")


def test_sigterm_cancels_what_does_not_end(served: Project) -> None:
    with HttpServer(served) as server:
        server.initialize()
        id = server.start_call("endless")
        server.wait_until(lambda: server.active_calls() == 1, "the call runs")
        server.signal(signal.SIGTERM)
        result = server.answer(id)["result"]
        assert result["isError"] and "shutting down" in result["content"][0]["text"]
        assert server.wait() == 0


def test_sigterm_answers_for_a_function_that_cannot_be_stopped(project: Project) -> None:
    project.python_tool("busy", """
        import time

        def busy():
            time.sleep(600)
        """)  # fmt: skip
    with HttpServer(project) as server:
        server.initialize()
        id = server.start_call("busy")
        server.wait_until(lambda: server.active_calls() == 1, "the call runs")
        server.signal(signal.SIGTERM)
        result = server.answer(id)["result"]
        assert result["isError"] and "shutting down" in result["content"][0]["text"]
        assert server.wait() == 0


def test_a_hook_that_hangs_does_not_keep_the_process(project: Project) -> None:
    project.python_tool("one", """
        import time
        from mxcp.runtime import on_shutdown

        def one():
            return 1

        @on_shutdown
        def forever():
            time.sleep(600)
        """)  # fmt: skip
    with HttpServer(project) as server:
        server.initialize()
        assert server.value("one") == 1
        server.signal(signal.SIGTERM)
        server.wait(1)
        assert "a hook, an import or an atexit handler still runs" in server.stderr


def test_readiness_while_starting(project: Project) -> None:
    project.python_tool("t", "def t():\n    return 1\n")
    gate = project.folder / "gate"
    project.write({"python/hooks.py": f"""
        import os, time
        from mxcp.runtime import on_init

        @on_init
        def wait():
            while not os.path.exists({str(gate)!r}):
                time.sleep(0.01)
        """})  # fmt: skip
    with HttpServer(project, port=free_port(), starting=True) as server:
        server.wait_until(server.answers, "the port is open")
        response = server.http("GET", "/readyz")
        assert (response.status, response.json["status"]) == (503, "starting")
        assert server.http("GET", "/livez").status == 200
        server.initialize()  # answered before the start is over
        id = server.start_call("t")
        gate.touch()
        assert server.answer(id)["result"]["content"][0]["text"] == "1"
        assert server.wait_ready()["status"] == "ready"
        server.read_report()
        assert server.report["status"] == "ok"


# --- reload --------------------------------------------------------------------------------------


def test_a_reload_under_load_loses_no_call(served: Project) -> None:
    with HttpServer(served) as server:
        server.initialize()
        server.wait_ready()
        reloads = 5
        for number in range(1, reloads + 1):
            ids = [server.start_call("add", {"a": i}) for i in range(200)]
            server.signal(signal.SIGHUP)
            answers = [server.answer(id)["result"] for id in ids]
            assert [a.get("structuredContent") for a in answers] == [
                {"result": i + 1} for i in range(200)
            ]
            server.wait_until(
                lambda n=number: server.http("GET", "/readyz").json["reloads"] == n, "the reload"
            )


def test_connections_beyond_the_limit_are_told_so(served: Project) -> None:
    import resource

    with HttpServer(served) as server:
        limit = 2048
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < 2 * limit:
            pytest.skip("too few descriptors here")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, limit + 500), hard))
        held = []
        try:
            for _ in range(limit):
                held.append(server.socket())
            # All of them have been taken when the last answers.
            held[-1].sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert read_response(held[-1].makefile("rb"))[0] == 200
            with server.socket() as refused:
                assert read_response(refused.makefile("rb"))[0] == 503
        finally:
            for client in held:
                client.close()
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        server.wait_until(lambda: server.http("GET", "/livez").status == 200, "room again")
