"""Every message of a server against the official JSON schema of its revision.

The schemas come out of a package (script/protocol-schemas); $MXCP_SCHEMAS names their folder, or they lie
in build/cache. Where there are none, messages are not checked, and wire_test.py is skipped and says so;
script/test always has them.

A `Wire` is one conversation: it is told what the client sends and what the server answers, and complains of
a message that its revision does not allow. The clients of harness.py and http_harness.py have one each,
and for clients that are not ours `tap.py` listens.
"""

from __future__ import annotations

import base64
import binascii
import copy
import json
import os
import threading
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

REVISIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"]
MODERN = "2026-07-28"
VERSION = "io.modelcontextprotocol/protocolVersion"
SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"
# Messages of extensions, which the schemas do not have.
EXTENSION_METHODS = {"notifications/tasks"}
EXTENSION_RESULTS = {"task"}


def schema_folder() -> Path | None:
    given = os.environ.get("MXCP_SCHEMAS")
    if given:
        return Path(given)
    cached = Path(__file__).resolve().parents[1] / "build" / "cache" / "protocol-schemas"
    found = sorted(cached.glob(f"*/{MODERN}.json"))
    return found[-1].parent if found else None


FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("byte", raises=(binascii.Error, ValueError))
def is_base64(value: Any) -> bool:
    return not isinstance(value, str) or base64.b64decode(value, validate=True) is not None


class Schema:
    """One revision."""

    def __init__(self, revision: str, document: dict[str, Any]):
        self.revision = revision
        self.key = "$defs" if "$defs" in document else "definitions"
        self.definitions: dict[str, Any] = document[self.key]
        self._document = document
        self._class = jsonschema.validators.validator_for(document)
        self._validators: dict[str, Any] = {}
        self.methods: dict[str, str] = {}  # of a request or notification: its definition
        self.results: dict[str, str] = {}  # of a request: the definition of its result
        self.errors: dict[int, str] = {}
        for name, one in self.definitions.items():
            method = one.get("properties", {}).get("method", {}).get("const")
            if method and name not in ("Request", "Notification"):
                self.methods[method] = name
                result = name.removesuffix("Request") + "Result"
                if name.endswith("Request"):
                    self.results[method] = result if result in self.definitions else "EmptyResult"
            for part in one.get("properties", {}).get("error", {}).get("allOf", []):
                code = part.get("properties", {}).get("code", {}).get("const")
                if code is not None:
                    self.errors[code] = name
        if "EmptyResult" not in self.definitions:
            self.results = {m: r for m, r in self.results.items() if r != "EmptyResult"}
        self.from_server = self._sent_by_server()

    def _sent_by_server(self) -> set[str]:
        """The methods that a server may send."""
        names: set[str] = set()
        for union in ("ServerRequest", "ServerNotification"):
            one = self.definitions.get(union, {})
            for part in one.get("anyOf", [one]):
                names.add(part.get("$ref", "").rpartition("/")[2])
        return {method for method, name in self.methods.items() if name in names}

    def check(self, definition: str, value: Any) -> list[str]:
        validator = self._validators.get(definition)
        if validator is None:
            root = {"$ref": f"#/{self.key}/{definition}", self.key: self.definitions}
            if "$schema" in self._document:
                root["$schema"] = self._document["$schema"]
            validator = self._class(root, format_checker=FORMATS)
            self._validators[definition] = validator
        return [
            f"{definition}{error.json_path.removeprefix('$')}: {error.message[:300]}"
            for error in validator.iter_errors(value)
        ]

    def first_of(self, *names: str) -> str:
        return next(name for name in names if name in self.definitions)

    def complaints(self, message: Any, request: str | None = None) -> list[str]:
        """What is wrong with a message of a server; `request` is the method that it answers."""
        if isinstance(message, list):
            if self.revision not in ("2024-11-05", "2025-03-26"):
                return ["this revision has no batches"]
            return [why for one in message for why in self.complaints(one, request)]
        if "method" in message:
            method = message["method"]
            if method in EXTENSION_METHODS and self.revision == MODERN:
                return self.check("JSONRPCNotification", message)
            if method not in self.from_server:
                return [f"a server sends no '{method}' in {self.revision}"]
            envelope = "JSONRPCRequest" if "id" in message else "JSONRPCNotification"
            return self.check(envelope, message) + self.check(self.methods[method], message)
        if "error" in message:
            if message.get("id") is None:
                # Of a message whose id could not be read. JSON-RPC wants null there; the schemas of the
                # older revisions know neither null nor none.
                message = {**message, "id": 0}
            error = message["error"]
            code = error.get("code") if isinstance(error, dict) else None
            name = self.errors.get(code) if isinstance(code, int) else None
            return self.check(
                name or self.first_of("JSONRPCErrorResponse", "JSONRPCError"), message
            )
        complaints = self.check(
            self.first_of("JSONRPCResultResponse", "JSONRPCResponse"), message
        )
        result = message.get("result")
        kind = result.get("resultType") if isinstance(result, dict) else None
        if not isinstance(kind, str | None):
            return [*complaints, "resultType is no text"]
        if self.revision != MODERN and kind is not None:
            complaints.append(f"resultType is no word of {self.revision}")
        if kind == "input_required" and self.revision == MODERN:
            return complaints + self.check("InputRequiredResult", result)
        if kind in EXTENSION_RESULTS and self.revision == MODERN:
            return complaints
        if request in self.results:
            complaints += self.check(self.results[request], result)
        return complaints


def without(node: Any, gone: set[str]) -> Any:
    """The schema without references to some of its definitions."""
    if isinstance(node, list):
        return [
            without(one, gone)
            for one in node
            if not (isinstance(one, dict) and one.get("$ref", "").rpartition("/")[2] in gone)
        ]
    if isinstance(node, dict):
        return {key: without(value, gone) for key, value in node.items()}
    return node


def first_revision(next_one: dict[str, Any]) -> dict[str, Any]:
    """2024-11-05: 2025-03-26 without audio, annotations of tools, batches, `completions`, and the message
    of progress. That is all in which the published schemas of the two differ."""
    document = copy.deepcopy(next_one)
    definitions = document["definitions"]
    del definitions["Tool"]["properties"]["annotations"]
    del definitions["ProgressNotification"]["properties"]["params"]["properties"]["message"]
    del definitions["ServerCapabilities"]["properties"]["completions"]
    gone = {"AudioContent", "ToolAnnotations", "JSONRPCBatchRequest", "JSONRPCBatchResponse"}
    for name in gone:
        del definitions[name]
    message = definitions["JSONRPCMessage"]
    message["anyOf"] = [one for one in message["anyOf"] if one.get("type") != "array"]
    return without(document, gone)


def numbers_are_numbers(document: dict[str, Any]) -> dict[str, Any]:
    """Bounds of a number that is asked for were integers by mistake; mended in later publications."""
    definitions = document.get("$defs") or document["definitions"]
    for name in ("minimum", "maximum", "default"):
        one = definitions.get("NumberSchema", {}).get("properties", {}).get(name, {})
        if one.get("type") == "integer":
            one["type"] = "number"
    return document


@cache
def schema(revision: str) -> Schema:
    folder = schema_folder()
    assert folder, "no schemas: run script/protocol-schemas"
    if revision == "2024-11-05":
        text = (folder / "2025-03-26.json").read_text(encoding="utf-8")
        return Schema(revision, first_revision(json.loads(text)))
    text = (folder / f"{revision}.json").read_text(encoding="utf-8")
    return Schema(revision, numbers_are_numbers(json.loads(text)))


class Wire:
    """One conversation. Sessions over HTTP share one, since requests say which they belong to."""

    def __init__(self) -> None:
        self.on = schema_folder() is not None
        self.complaints: list[str] = []
        self.checked = 0
        # By (revision, what it is), the last message of its kind: for tests about the tests.
        self.seen: dict[tuple[str, str], tuple[Any, str | None]] = {}
        self._lock = threading.Lock()
        self._pending: dict[str, tuple[str, str | None]] = {}
        self._outputs: dict[tuple[str, str], Any] = {}  # (revision, tool): its output schema
        self._negotiated: dict[str, str] = {}  # by session; "" is that of stdio

    # --- what the client sends ------------------------------------------------------------------

    def sent(self, text: str | bytes, session: str = "") -> None:
        try:
            message = json.loads(text)
        except ValueError:
            return
        for one in message if isinstance(message, list) else [message]:
            if isinstance(one, dict) and "id" in one and isinstance(one.get("method"), str):
                with self._lock:
                    self._pending[session + json.dumps(one["id"])] = self._expected(one, session)

    def _expected(self, request: dict[str, Any], session: str) -> tuple[str, str | None]:
        params = request.get("params")
        params = params if isinstance(params, dict) else {}
        meta = params.get("_meta")
        version = meta.get(VERSION) if isinstance(meta, dict) else None
        tool = params.get("name") if request["method"] == "tools/call" else None
        name = f"{request['method']} {tool}" if isinstance(tool, str) else request["method"]
        if isinstance(version, str):
            return name, MODERN
        return name, self._negotiated.get(session)

    # --- what the server sends ------------------------------------------------------------------

    def received(self, message: Any, session: str = "", request: str | None = None) -> None:
        """`request` is the text that this message is in answer to, where the transport knows it."""
        if not self.on:
            return
        for one in message if isinstance(message, list) else [message]:
            with self._lock:
                self._received(one, session, request)

    def _received(self, message: Any, session: str, request: str | None) -> None:
        name, revision = self._answers(message, session, request)
        method, _, tool = name.partition(" ")
        if method == "initialize" and isinstance(message.get("result"), dict):
            revision = message["result"].get("protocolVersion")
            if revision not in REVISIONS:
                self._complain("InitializeResult: no known revision", message)
                return
            self._negotiated[session] = revision
        # Before a handshake, and for a revision that nobody knows, an error may be of either era.
        allowed = [revision] if revision else ["2025-11-25", MODERN]
        found: list[str] = []
        for one in allowed:
            found = schema(one).complaints(message, method or None)
            if not found:
                break
        revision = one
        self.checked += 1
        if not found and isinstance(message.get("result"), dict):
            found = self._output(revision, method, tool, message["result"])
        if found:
            self._complain(f"{revision} {name}: {'; '.join(found[:6])}", message)
        kind = message.get("method") or (f"error {message['error'].get('code')}" if "error" in message
                                         else f"{method} {message.get('result', {}).get('resultType', '')}".strip())  # fmt: skip
        self.seen[(revision, kind)] = (message, method or None)
        if message.get("method", "").endswith("/list_changed"):
            self._outputs.clear()

    def _answers(
        self, message: dict[str, Any], session: str, request: str | None
    ) -> tuple[str, str | None]:
        """The method (and tool) that a message answers, and the revision that it has to be of."""
        if "method" not in message:
            found = self._pending.pop(session + json.dumps(message.get("id")), None)
            if found:
                return found
        elif SUBSCRIPTION in (message.get("params") or {}).get("_meta", {}):
            return "", MODERN
        if request is not None:
            try:
                asked = json.loads(request)
            except ValueError:
                asked = None
            if isinstance(asked, dict) and isinstance(asked.get("method"), str):
                name, revision = self._expected(asked, session)
                return ("" if "method" in message else name), revision
        return "", self._negotiated.get(session)

    def _output(self, revision: str, method: str, tool: str, result: dict[str, Any]) -> list[str]:
        """A structured result matches the schema that the tool was listed with."""
        if method == "tools/list":
            for one in result["tools"]:
                if "outputSchema" in one:
                    self._outputs[(revision, one["name"])] = one["outputSchema"]
        declared = self._outputs.get((revision, tool)) if method == "tools/call" else None
        if declared is None or result.get("isError") or result.get("resultType", "complete") != "complete":  # fmt: skip
            return []
        if "structuredContent" not in result:
            return [f"{tool} has an output schema, and this result is not structured"]
        checker = jsonschema.Draft202012Validator(declared)
        return [f"structuredContent{e.json_path[1:]}: {e.message[:300]}"
                for e in checker.iter_errors(result["structuredContent"])]  # fmt: skip

    def _complain(self, why: str, message: Any) -> None:
        self.complaints.append(f"{why}\n  in {json.dumps(message, ensure_ascii=False)[:1500]}")

    def verdict(self) -> None:
        with self._lock:
            assert not self.complaints, "messages that their revision does not allow:\n" + "\n".join(
                self.complaints[:10]
            )
