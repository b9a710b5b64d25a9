"""`mxcp serve` over https, with certificates made for the test."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import socket
import ssl
import subprocess
import warnings
from pathlib import Path
from typing import Any

import pytest
from harness import PATIENCE, Project
from http_harness import MODERN, HttpServer

pytestmark = [
    pytest.mark.stdio,
    pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl command"),
]


def openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=PATIENCE)


class Pair:
    """A self-signed certificate and its key."""

    def __init__(self, folder: Path):
        folder.mkdir()
        self.cert, self.key = folder / "server.pem", folder / "server.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-noenc", "-keyout", str(self.key), "-out", str(self.cert),
                "-subj", "/CN=tests", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                "-days", "2")  # fmt: skip

    @property
    def flags(self) -> list[str]:
        return ["--tls-cert", str(self.cert), "--tls-key", str(self.key)]

    @property
    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.cert))


CA = """
[ca]
default_ca = ours
[ours]
database = {folder}/index.txt
new_certs_dir = {folder}
default_md = sha256
rand_serial = yes
policy = any
[any]
commonName = supplied
"""


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path / "tls")


@pytest.fixture
def served(project: Project) -> Project:
    project.usual_tools()
    project.sql_tool("long_text", "SELECT repeat('x', $n) AS text",
                     "parameters: [{name: n, type: integer}]\nreturn: {type: string}")  # fmt: skip
    return project


def connect(server: HttpServer, context: ssl.SSLContext) -> ssl.SSLSocket:
    return context.wrap_socket(server.socket(), server_hostname="localhost")


def get(stream: ssl.SSLSocket, path: str = "/livez") -> bytes:
    stream.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    return stream.makefile("rb").read()


def serial(stream: ssl.SSLSocket) -> Any:
    return (stream.getpeercert() or {})["serialNumber"]


def test_requests_over_tls(served: Project, pair: Pair) -> None:
    with HttpServer(served, *pair.flags) as server:
        assert server.url == f"https://localhost:{server.port}/mcp"
        server.tls = pair.context
        server.initialize()
        assert server.value("add", a=41) == 42
        # More than one record, and more than the socket takes at once.
        assert server.value("long_text", n=5_000_000) == "x" * 5_000_000
        body = {"jsonrpc": "2.0", "method": "notifications/none", "params": {"x": "y" * 2_000_000}}
        assert server.http(body=body, headers=server.headers_for(body)).status == 202
        for _ in range(3):
            with connect(server, pair.context) as stream:
                assert stream.version() in ("TLSv1.2", "TLSv1.3")
                answer = get(stream)
                assert answer.startswith(b"HTTP/1.1 200 OK") and answer.endswith(
                    b'{"status":"ok"}\n'
                )


def test_versions_and_protocols(served: Project, pair: Pair) -> None:
    with HttpServer(served, *pair.flags) as server:
        context = pair.context
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["h2", "http/1.1"])
        with connect(server, context) as stream:
            assert (stream.version(), stream.selected_alpn_protocol()) == ("TLSv1.2", "http/1.1")
            assert b"200 OK" in get(stream)
        context = pair.context
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.raises(ssl.SSLError):
            connect(server, context)
        # Plain HTTP is told so, and garbage ends the connection.
        with server.socket() as plain:
            plain.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = plain.makefile("rb").read()
            head, _, body = answer.partition(b"\r\n\r\n")
            assert b"HTTP/1.1 400 Bad Request" in head and b"speaks https" in body
            assert b"Content-Length: %d\r\n" % len(body) in head
        with server.socket() as plain:
            plain.sendall(b"\x16\x03\x01\x00\x05hello, this is nothing")
            plain.makefile("rb").read()
        with connect(server, pair.context) as stream:
            assert b"200 OK" in get(stream)


def test_leaving_and_half_closing_over_tls(served: Project, pair: Pair) -> None:
    with HttpServer(served, *pair.flags) as server:
        server.tls = pair.context
        server.modern = MODERN
        message = server.message("tools/call", {"name": "endless", "arguments": {}}, 1)
        headers = {"Host": "localhost", "Content-Type": "application/json"}
        headers.update(server.headers_for(message))
        text = json.dumps(message)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        call = f"POST /mcp HTTP/1.1\r\n{lines}Content-Length: {len(text)}\r\n\r\n{text}".encode()
        with connect(server, pair.context) as stream:
            stream.sendall(call)
            server.wait_until(lambda: server.active_calls() == 1, "the query runs")
        server.wait_until(lambda: server.active_calls() == 0, "the query was stopped")
        # Bytes that are no TLS end the connection, also while its query runs and the client stays.
        with connect(server, pair.context) as stream:
            stream.sendall(call)
            server.wait_until(lambda: server.active_calls() == 1, "the query runs")
            socket.socket.sendall(stream, b"no TLS at all")
            server.wait_until(lambda: server.active_calls() == 0, "the query was stopped")
            server.wait_until(
                lambda: "mxcp_http_connections 1\n" in server.http("GET", "/metrics").body,
                "the connection was given up",
            )
        with connect(server, pair.context) as stream:
            stream.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            socket.socket.shutdown(stream, socket.SHUT_WR)
            assert b"200 OK" in stream.makefile("rb").readline()


def test_a_new_certificate_on_hangup(served: Project, pair: Pair, tmp_path: Path) -> None:
    with HttpServer(served, *pair.flags) as server:
        server.tls = pair.context
        server.wait_ready()
        kept = connect(server, server.tls)
        before = serial(kept)
        # A broken one changes nothing.
        good = pair.cert.read_bytes()
        pair.cert.write_text("no certificate")
        server.signal(signal.SIGHUP)
        server.wait_until(lambda: "the certificate before stays in use" in server.stderr, "the log")
        with connect(server, server.tls) as stream:
            assert serial(stream) == before
        status = server.wait_ready()
        assert "the certificate before stays in use" in status["certificate_error"]
        pair.cert.write_bytes(good)
        fresh = Pair(tmp_path / "other")
        shutil.copy(fresh.key, pair.key)
        shutil.copy(fresh.cert, pair.cert)
        server.tls = ssl.create_default_context()
        for file in (good.decode(), fresh.cert.read_text()):
            server.tls.load_verify_locations(cadata=file)
        server.signal(signal.SIGHUP)

        def renewed() -> bool:
            with connect(server, server.tls) as stream:
                return serial(stream) != before

        server.wait_until(renewed, "the new certificate")
        assert "certificate_error" not in server.http("GET", "/readyz").json
        # A connection of before goes on.
        assert b"200 OK" in get(kept)
        kept.close()


def refused(project: Project, *flags: str) -> str:
    ran = project.run("serve", "--port", "0", *flags)
    assert ran.code != 0
    return ran.stderr


def test_files_that_cannot_be_used(served: Project, pair: Pair, tmp_path: Path) -> None:
    other = Pair(tmp_path / "other")
    locked = tmp_path / "locked.key"
    openssl("pkey", "-in", str(pair.key), "-aes256", "-passout", "pass:x", "-out", str(locked))
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n")

    def said(cert: Path, key: Path) -> str:
        return refused(served, "--tls-cert", str(cert), "--tls-key", str(key))

    missing = tmp_path / "missing.pem"
    text = said(missing, pair.key)
    assert f"{missing}" in text and "No such file" in text and "--tls-cert takes" in text
    text = said(pair.cert, missing)
    assert f"{missing}" in text and "No such file" in text and "--tls-key takes" in text
    assert f"the certificate {broken} cannot be used" in said(broken, pair.key)
    assert f"the certificate {pair.key} cannot be used" in said(pair.key, pair.key)
    assert f"the key {pair.cert} cannot be used" in said(pair.cert, pair.cert)
    text = said(pair.cert, other.key)
    assert f"the key {other.key} does not belong to the certificate {pair.cert}" in text
    assert f"the key {locked} is encrypted with a password" in said(pair.cert, locked)
    assert "--tls-cert needs --tls-key" in refused(served, "--tls-cert", str(pair.cert))
    assert "--tls-key needs --tls-cert" in refused(served, "--tls-key", str(pair.key))


def test_a_certificate_that_is_over(served: Project, tmp_path: Path) -> None:
    old = Pair(tmp_path / "old")
    # What an authority of its own would have said some years ago.
    config, request = tmp_path / "ca.cnf", tmp_path / "request.pem"
    (tmp_path / "index.txt").touch()
    config.write_text(CA.format(folder=tmp_path))
    openssl("req", "-new", "-key", str(old.key), "-subj", "/CN=old", "-out", str(request))
    openssl("ca", "-config", str(config), "-selfsign", "-batch", "-notext",
            "-keyfile", str(old.key), "-in", str(request), "-out", str(old.cert),
            "-startdate", "20200101000000Z", "-enddate", "20210101000000Z")  # fmt: skip
    with HttpServer(served, *old.flags) as server:
        assert f"the certificate {old.cert} expired on Jan  1 00:00:00 2021" in server.stderr
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with connect(server, context) as stream:
            assert b"200 OK" in get(stream)


def test_out_of_the_user_configuration(served: Project, pair: Pair) -> None:
    config = pair.cert.parent / "config.yml"
    config.write_text("mxcp: 1\ntransport: {http: {tls_cert: server.pem, tls_key: server.key}}\n")
    with HttpServer(served, env={"MXCP_CONFIG": str(config)}) as server:
        assert server.url.startswith("https://")
        with connect(server, pair.context) as stream:
            assert b"200 OK" in get(stream)
    config.write_text("mxcp: 1\ntransport: {http: {tls_cert: server.pem}}\n")
    served.env = {"MXCP_CONFIG": str(config)}
    text = refused(served)
    assert "'tls_cert' needs 'tls_key'" in text and "config.yml:2:" in text


@pytest.mark.parametrize("transport", ["streamable-http", "sse"])
def test_the_official_client(served: Project, pair: Pair, transport: str) -> None:
    import httpx2
    from mcp.client.client import Client
    from mcp.client.sse import sse_client
    from mcp.client.streamable_http import streamable_http_client

    async def talk(url: str) -> None:
        def http_client(**options: Any) -> httpx2.AsyncClient:
            return httpx2.AsyncClient(verify=pair.context, **options)

        if transport == "sse":
            streams = sse_client(url, httpx_client_factory=http_client)
        else:
            streams = streamable_http_client(url, http_client=http_client())
        async with Client(streams, read_timeout_seconds=PATIENCE) as client:
            many = await asyncio.gather(*(client.call_tool("add", {"a": i}) for i in range(50)))
            assert [r.structured_content for r in many] == [{"result": i + 1} for i in range(50)]

    with HttpServer(served, "--transport", transport, *pair.flags) as server:
        asyncio.run(talk(server.url))
