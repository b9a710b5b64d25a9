"""The check of every message (wire.py) is itself checked: it sees messages of all kinds in all revisions,
lets each pass, and rejects each as soon as it is spoiled."""

from __future__ import annotations

import copy
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import wire
from harness import Project
from http_harness import MODERN, PREFIX, HttpServer

pytestmark = pytest.mark.skipif(
    wire.schema_folder() is None, reason="no schemas: run script/protocol-schemas"
)

PROJECT = Path(__file__).parent / "clients" / "project"
LISTS = ["tools/list", "resources/list", "resources/templates/list", "prompts/list"]
ANSWERS = {
    "elicitation/create": {"action": "accept", "content": {"name": "Ada"}},
    "sampling/createMessage": {"role": "assistant", "model": "m", "content": {"type": "text", "text": "hello"}},
    "roots/list": {"roots": [{"uri": "file:///a"}]},
}  # fmt: skip
CALLS = [
    ("tools/call", {"name": "add", "arguments": {"a": 1}}),
    ("tools/call", {"name": "people", "arguments": {"n": 3}}),
    ("tools/call", {"name": "fails"}),
    ("tools/call", {"name": "picture"}),
    ("tools/call", {"name": "add", "arguments": {"a": "no number"}}),
    ("tools/call", {"name": "steps", "arguments": {"n": 2}}),
    ("resources/read", {"uri": "docs://logo"}),
    ("resources/read", {"uri": "people://7/nose"}),
    ("prompts/get", {"name": "letter", "arguments": {"to": "Ada"}}),
    ("completion/complete", {"ref": {"type": "ref/prompt", "name": "letter"}, "argument": {"name": "to", "value": "A"}}),
    ("tools/call", {"name": "nobody knows it"}),
    ("no/such/method", {}),
]  # fmt: skip
COMMON = {
    *LISTS, "tools/call", "resources/read", "prompts/get", "completion/complete", "notifications/progress",
    "notifications/message", "notifications/tools/list_changed", "notifications/resources/updated",
    "error -32602", "error -32601",
}  # fmt: skip
LEGACY_KINDS = COMMON | {
    "initialize", "ping", "logging/setLevel", "resources/subscribe", "sampling/createMessage", "roots/list",
}  # fmt: skip
KINDS = {
    "2024-11-05": LEGACY_KINDS,
    "2025-03-26": LEGACY_KINDS,
    "2025-06-18": LEGACY_KINDS | {"elicitation/create"},
    "2025-11-25": LEGACY_KINDS | {"elicitation/create"},
    MODERN: {
        *(f"{kind} complete" if "/" in kind and not kind.startswith("notifications") else kind
          for kind in COMMON),
        "server/discover complete", "tools/call input_required", "subscriptions/listen complete",
        "notifications/subscriptions/acknowledged", "error -32020", "error -32021", "error -32022",
    },
}  # fmt: skip


@pytest.fixture
def everything(tmp_path: Path) -> Project:
    shutil.copytree(PROJECT, tmp_path / "project")
    return Project(tmp_path / "project", tmp_path / "home")


# --- all kinds of messages -----------------------------------------------------------------------


def legacy_conversation(project: Project, revision: str) -> wire.Wire:
    with project.serve() as server:
        able = {"sampling": {}, "roots": {}, "elicitation": {}}
        who = {"name": "tests", "version": "1"}
        params = {"protocolVersion": revision, "capabilities": able, "clientInfo": who}
        assert server.request("initialize", params)["result"]["protocolVersion"] == revision
        server.send("notifications/initialized")
        answered = 0

        def answer_what_is_asked() -> bool:
            """Answers one more request of the server."""
            nonlocal answered
            asked = [one for one in list(server.notifications) if "id" in one]
            for one in asked[answered:]:
                answered += 1
                reply = {"jsonrpc": "2.0", "id": one["id"], "result": ANSWERS[one["method"]]}
                server.write(json.dumps(reply) + "\n")
            return True

        for method in ["ping", *LISTS]:
            assert "result" in server.request(method)
        assert "result" in server.request("logging/setLevel", {"level": "debug"})
        assert "result" in server.request("resources/subscribe", {"uri": "docs://hello"})
        for number, (method, params) in enumerate(CALLS):
            server.request(method, {**params, "_meta": {"progressToken": number}})
        questions = ["ask_model", "ask_roots"]
        if revision >= "2025-06-18":
            questions.append("ask_name")
        for name in questions:
            id = server.start_call(name)
            server.wait_until(
                lambda id=id: answer_what_is_asked() and server.answered(id), f"the answer of {name}"
            )
            assert not server.answer(id)["result"].get("isError"), server.answer(id)
        project.sql_tool("new", "SELECT 1")
        server.signal(1)
        for method in ("notifications/tools/list_changed", "notifications/resources/updated"):
            server.wait_until(
                lambda m=method: m in [one["method"] for one in server.notifications], method
            )
    return server.wire


def modern_conversation(project: Project) -> wire.Wire:
    with HttpServer(project) as server:
        server.modern = MODERN
        server.wait_ready()
        for method in ["server/discover", *LISTS]:
            assert "result" in server.request(method)
        for number, (method, params) in enumerate(CALLS):
            server.request(
                method, params, progressToken=number, **{PREFIX + "logLevel": "info"}
            )
        able = {"elicitation": {}, "sampling": {}, "roots": {}}
        for name in ("ask_name", "ask_model", "ask_roots"):
            result = server.request("tools/call", {"name": name},
                                    **{PREFIX + "clientCapabilities": able})["result"]  # fmt: skip
            assert result["resultType"] == "input_required"
        assert server.request("tools/call", {"name": "ask_name"})["error"]["code"] == -32021
        unknown = server.request("ping", **{PREFIX + "protocolVersion": "2199-01-01"})
        assert unknown["error"]["code"] in (-32020, -32022)
        message = server.message("tools/list", id=1, **{PREFIX + "protocolVersion": "2199-01-01"})
        headers = {**server.headers_for(message), "MCP-Protocol-Version": "2199-01-01"}
        assert server.http(body=message, headers=headers).json["error"]["code"] == -32022
        message = server.message("tools/list", id=1)
        headers = {**server.headers_for(message), "Mcp-Method": "prompts/list"}
        assert server.http(body=message, headers=headers).json["error"]["code"] == -32020

        wanted = {"toolsListChanged": True, "resourceSubscriptions": ["docs://hello"]}
        message = server.message("subscriptions/listen", {"notifications": wanted}, "listening")
        with server.open_stream("POST", message, **server.headers_for(message)) as stream:
            assert stream.next()["method"] == "notifications/subscriptions/acknowledged"
            project.sql_tool("new", "SELECT 1")
            server.signal(1)
            heard = {stream.next()["method"] for _ in range(2)}
            assert heard == {"notifications/tools/list_changed", "notifications/resources/updated"}
            server.signal(15)
            assert stream.rest()[-1].message["id"] == "listening"
        server.wait()
    return server.wire


_seen: dict[str, wire.Wire] = {}
_making = threading.Lock()


@pytest.fixture
def conversation(everything: Project, revision: str) -> wire.Wire:
    with _making:
        if revision not in _seen:
            modern = revision == MODERN
            _seen[revision] = (
                modern_conversation(everything) if modern else legacy_conversation(everything, revision)
            )  # fmt: skip
    return _seen[revision]


# --- and how each can be wrong -------------------------------------------------------------------


def required_of(schema: wire.Schema, definition: Any) -> list[str]:
    """The keys that a definition demands, also where it refers to others."""
    while "$ref" in definition and "properties" not in definition:
        definition = schema.definitions[definition["$ref"].rpartition("/")[2]]
    keys = list(definition.get("required", []))
    for part in definition.get("allOf", []):
        keys += required_of(schema, part)
    return keys


def changes(message: dict[str, Any], part: str, keys: list[str]) -> Iterator[tuple[str, Any]]:
    """The message with one mistake each, and what the mistake is."""
    for where, value in [("jsonrpc", "1.0"), (part, 7)]:
        yield f"{where}: {value!r}", {**message, where: value}
    if "id" in message:
        yield "id: an object", {**message, "id": {"n": 1}}
    if part in message and isinstance(message[part], dict):
        if part != "error":
            yield "_meta: a text", {**message, part: {**message[part], "_meta": "text"}}
        for key in keys:
            assert key in message[part], f"{key} is missing in {message}"
            shorter = {name: value for name, value in message[part].items() if name != key}
            yield f"without {key}", {**message, part: shorter}
            if key != "data":  # of a log message: anything
                other = 7 if isinstance(message[part][key], dict) else {"of": {"no": ["type"]}}
                yield f"{key}: {other}", {**message, part: {**message[part], key: other}}


@pytest.mark.parametrize("revision", wire.REVISIONS)
def test_each_kind_passes_and_none_passes_spoiled(conversation: wire.Wire, revision: str) -> None:
    conversation.verdict()
    kinds = {kind: seen for (of, kind), seen in conversation.seen.items() if of == revision}
    assert KINDS[revision] <= set(kinds), KINDS[revision] - set(kinds)
    schema = wire.schema(revision)
    spoiled = 0
    for kind, (message, request) in kinds.items():
        assert schema.complaints(message, request) == [], kind
        part = "params" if "method" in message else "result" if "result" in message else "error"
        if part == "params":
            definition = schema.definitions[schema.methods[message["method"]]]
            required = required_of(schema, definition["properties"].get("params", {}))
        elif part == "error":
            required = ["code", "message"]
        else:
            name = "InputRequiredResult" if "input_required" in kind else schema.results.get(request)
            required = required_of(schema, schema.definitions[name]) if name else []
        for what, wrong in changes(copy.deepcopy(message), part, required):
            assert schema.complaints(wrong, request), f"{kind}, {what}, was not noticed: {wrong}"
            spoiled += 1
    assert spoiled > 5 * len(KINDS[revision])


def test_what_a_revision_does_not_have() -> None:
    def complaints(revision: str, message: Any, request: str | None = None) -> list[str]:
        return wire.schema(revision).complaints(message, request)

    def result(**members: Any) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": 1, "result": members}

    audio = result(content=[{"type": "audio", "data": "AAAA", "mimeType": "audio/wav"}])
    assert complaints("2024-11-05", audio, "tools/call")
    assert not complaints("2025-03-26", audio, "tools/call")
    link = result(content=[{"type": "resource_link", "uri": "a://b", "name": "b"}])
    assert complaints("2025-03-26", link, "tools/call")
    assert not complaints("2025-06-18", link, "tools/call")
    rows = result(content=[], structuredContent=[1])
    assert complaints("2025-11-25", rows, "tools/call")
    assert not complaints(MODERN, result(content=[], structuredContent=[1], resultType="complete"), "tools/call")
    assert complaints("2025-11-25", result(content=[], resultType="complete"), "tools/call")
    assert complaints("2025-06-18", [result()])  # a batch
    ask = {"jsonrpc": "2.0", "id": 1, "method": "elicitation/create",
           "params": {"message": "?", "requestedSchema": {"type": "object", "properties": {}}}}  # fmt: skip
    assert complaints("2025-03-26", ask) and complaints(MODERN, ask)
    assert not complaints("2025-06-18", ask)
    no_base64 = result(content=[{"type": "image", "data": "?", "mimeType": "image/png"}])
    assert complaints("2025-11-25", no_base64, "tools/call")


def test_a_result_has_to_match_the_schema_that_was_listed() -> None:
    def talk(structured: Any) -> wire.Wire:
        one = wire.Wire()
        for id, request, answer in [
            (1, {"method": "initialize", "params": {}},
             {"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "s", "version": "1"}}),
            (2, {"method": "tools/list"},
             {"tools": [{"name": "t", "inputSchema": {"type": "object"},
                         "outputSchema": {"type": "object", "properties": {"n": {"type": "integer"}}}}]}),
            (3, {"method": "tools/call", "params": {"name": "t"}}, {"content": [], **structured}),
        ]:  # fmt: skip
            one.sent(json.dumps({"jsonrpc": "2.0", "id": id, **request}))
            one.received({"jsonrpc": "2.0", "id": id, "result": answer})
        return one

    talk({"structuredContent": {"n": 1}}).verdict()
    for wrong in ({"structuredContent": {"n": "1"}}, {}):
        with pytest.raises(AssertionError, match="2025-11-25 tools/call t"):
            talk(wrong).verdict()
