"""What user code may say to the client beyond data: content blocks, questions, changed resources."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from typing import Any

import pytest
from harness import PATIENCE, Project, begin, official_client
from http_harness import LEGACY, MODERN, PREFIX, HttpServer

pytestmark = pytest.mark.stdio

CODE = """
from mxcp.runtime import mcp

async def greet():
    answer = await mcp.elicit("What is your name?", {"type": "object", "properties": {"name": {"type": "string"}}})
    return f"Hello, {answer['content']['name']}!" if answer["action"] == "accept" else "Hello, whoever!"

def greet_sync():
    return mcp.elicit("What is your name?")["action"]

async def two_steps():
    first = await mcp.elicit("One?", key="one")
    second = await mcp.sample("Two?", 10, key="two")
    third = await mcp.roots()
    return [first["action"], second["content"]["text"], len(third)]

async def at_once():
    answers = await mcp.ask(b=mcp.elicitation("B?"), a=mcp.list_roots())
    return sorted(answers)

def stubborn():
    try:
        return mcp.elicit("Name?")["action"]
    except Exception as error:
        return str(error)

def picture():
    return mcp.image(b"\\x89PNG")

def mixed():
    return ["see:", mcp.link("test://a", title="A"), {"n": 1}, mcp.resource("test://b", b"\\x00", "application/x"),
            mcp.audio("AAAA", audience=["user"])]

def declared():
    return mcp.text("x")
"""
BLOCKS = {
    "picture": [{"type": "image", "data": "iVBORw==", "mimeType": "image/png"}],
    "mixed": [
        {"type": "text", "text": "see:"},
        {"type": "resource_link", "uri": "test://a", "name": "test://a", "title": "A"},
        {"type": "text", "text": '{"n":1}'},
        {
            "type": "resource",
            "resource": {"uri": "test://b", "mimeType": "application/x", "blob": "AA=="},
        },
        {
            "type": "audio",
            "data": "AAAA",
            "mimeType": "audio/wav",
            "annotations": {"audience": ["user"]},
        },
    ],
}


@pytest.fixture
def served(project: Project) -> Project:
    names = [
        "greet",
        "greet_sync",
        "two_steps",
        "at_once",
        "stubborn",
        "picture",
        "mixed",
        "declared",
    ]
    for name in names:
        head = "  return: {type: string}\n" if name == "declared" else ""
        project.write({f"tools/{name}.yml": f"mxcp: 1\ntool:\n  name: {name}\n  language: python\n{head}"
                                            "  source: {file: ../python/tools.py}\n"})  # fmt: skip
    project.write({"python/tools.py": CODE})
    project.write({"resources/icon.yml": """
        mxcp: 1
        resource:
          uri: test://icon
          mime_type: image/png
          return: {type: string}
          source:
            code: |
              SELECT '\\x89PNG'::BLOB AS icon
        """})  # fmt: skip
    project.write({"prompts/look.yml": """
        mxcp: 1
        prompt:
          name: look
          messages:
            - {type: image, prompt: "test://icon"}
            - {type: audio, prompt: "data:audio/wav;base64,AAAA"}
        """})  # fmt: skip
    return project


# --- content -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(BLOCKS))
def test_content_blocks(served: Project, name: str) -> None:
    assert served.tool(name).result == BLOCKS[name]
    with served.serve() as server:
        server.initialize()
        assert server.call(name) == {"content": BLOCKS[name], "isError": False}
        # What clients may rely on cannot be data and pictures at once.
        assert "leave out 'return:'" in server.error("declared")


NO_BLOCKS = {
    "mcp.text(None)": "'text' of a text must be text",
    "mcp.text(5)": "'text' of a text must be text",
    "mcp.image(None)": "'data' of an image must be base64 text",
    "['a', mcp.image('no base64')]": "block 2: 'data' of an image must be base64 text",
    "mcp.image(b'', None)": "'mimeType' of an image must be a MIME type",
    "mcp.image(b'x', 'text/plain')": "'mimeType' of an image must be one of 'image/', got 'text/plain'",
    "mcp.audio({})": "'data' of a sound must be base64 text",
    "mcp.resource('a://b', 5)": "'blob' of a resource must be base64 text",
    "mcp.resource(None, 'x')": "'uri' of a resource must be a URI",
    "mcp.link(None)": "'uri' of a link must be a URI",
    "mcp.link('a://b', 5)": "'name' of a link must be text",
    "mcp.link('a://b', mime_type='text/plain')": "no 'mime_type' of a link (did you mean 'mimeType'?)",
    "mcp.text('a', priority='high')": "'priority' of the annotations must be a number from 0 to 1",
    "mcp.text('a', priority=float('nan'))": "'priority' of the annotations must be a number from 0 to 1",
    "mcp.text('a', audience='user')": "'audience' of the annotations must be a list of 'user'",
    "mcp.text('a', colour='red')": "there is no 'colour' of the annotations",
    "{'@mxcp.content': True, 'type': 'video'}": "a block has no type 'video'",
    "{'@mxcp.content': True, 'type': 'image', 'data': ''}": "'mimeType' of an image is missing",
    "{'a': mcp.image(b'x')}": "a content block stands inside of data",
    "[mcp.text('a'), {'a': [mcp.text('b')]}]": "block 2: a content block stands inside of data",
}


@pytest.mark.parametrize("value", NO_BLOCKS)
def test_a_block_that_mcp_does_not_have_is_told(project: Project, value: str) -> None:
    project.python_tool("t", f"from mxcp.runtime import mcp\n\ndef t():\n    return {value}\n")
    assert NO_BLOCKS[value] in project.tool("t").error


def test_members_of_a_link_may_be_none(project: Project) -> None:
    code = "from mxcp.runtime import mcp\n\ndef t():\n    return mcp.link('a://b', title=None)\n"
    project.python_tool("t", code)
    assert project.tool("t").result == [{"type": "resource_link", "uri": "a://b", "name": "a://b"}]


def test_binary_resources_and_media_in_prompts(served: Project) -> None:
    with served.serve() as server:
        server.initialize()
        found = server.request("resources/read", {"uri": "test://icon"})["result"]["contents"]
        assert found == [{"uri": "test://icon", "mimeType": "image/png", "blob": "iVBORw=="}]
        messages = server.request("prompts/get", {"name": "look"})["result"]["messages"]
        assert messages == [
            {"role": "user", "content": BLOCKS["picture"][0]},
            {"role": "user", "content": {"type": "audio", "data": "AAAA", "mimeType": "audio/wav"}},
        ]


# --- questions -----------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def client_of(project: Project, mode: str, how: str, **options: Any):
    if how == "stdio":
        async with official_client(project, mode, **options) as client:
            yield client
        return
    from mcp.client.client import Client

    with HttpServer(project) as server, server.tapped() as tap:
        async with Client(
            tap.url, mode=mode, read_timeout_seconds=PATIENCE, **options
        ) as client:
            yield client


@pytest.mark.parametrize("mode", ["legacy", MODERN])
@pytest.mark.parametrize("how", ["stdio", "http"])
def test_the_official_client_answers(served: Project, mode: str, how: str) -> None:
    from mcp import types

    async def elicit(context: Any, params: Any) -> Any:
        return types.ElicitResult(action="accept", content={"name": "Ada"})

    async def sample(context: Any, params: Any) -> Any:
        text = types.TextContent(type="text", text="of the model")
        return types.CreateMessageResult(role="assistant", content=text, model="m")

    async def roots(context: Any) -> Any:
        return types.ListRootsResult(roots=[types.Root(uri="file:///a")])

    async def talk() -> None:
        options = {
            "elicitation_callback": elicit,
            "sampling_callback": sample,
            "list_roots_callback": roots,
        }
        async with client_of(served, mode, how, **options) as client:

            async def text(name: str) -> str:
                result = await client.call_tool(name, {})
                assert not result.is_error, result
                return result.content[0].text

            assert await text("greet") == "Hello, Ada!"
            assert await text("greet_sync") == "accept"
            assert await text("two_steps") == '["accept","of the model",1]'
            assert await text("at_once") == '["a","b"]'

    asyncio.run(talk())


def test_a_client_that_cannot_be_asked(served: Project) -> None:
    with HttpServer(served) as server:
        server.initialize()
        assert "does not declare" in server.value("stubborn")
        server.modern = MODERN
        response = server.post("tools/call", {"name": "stubborn"}, 1)
        assert (response.status, response.json["error"]["code"]) == (400, -32021)
        assert response.json["error"]["data"] == {"requiredCapabilities": {"elicitation": {}}}
    assert "there is no client to ask" in served.tool("greet_sync").error


def test_a_client_that_takes_no_stream_is_not_asked(served: Project) -> None:
    with HttpServer(served) as server:
        able = {**begin(LEGACY), "capabilities": {"elicitation": {}}}
        server.session = server.post("initialize", able, id="begin").headers["mcp-session-id"]
        message = server.message("tools/call", {"name": "stubborn"}, 1)
        headers = {**server.headers_for(message), "Accept": "application/json"}
        result = server.http(body=message, headers=headers).json["result"]
        assert "its Accept does not list text/event-stream" in result["content"][0]["text"]


def test_a_question_that_nobody_waits_for_is_taken_back(served: Project) -> None:
    with HttpServer(served) as server:
        able = {**begin(LEGACY), "capabilities": {"elicitation": {}, "roots": {}}}
        server.session = server.post("initialize", able, id="begin").headers["mcp-session-id"]
        headers = server.headers_for({"method": ""})

        def taken_back(id: str) -> dict[str, Any]:
            params = {"requestId": id}
            return {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}

        message = server.message("tools/call", {"name": "at_once"}, 1)
        with server.open_stream("POST", message, **headers) as stream:
            questions = [stream.next(), stream.next()]
            asked = {question["method"]: question["id"] for question in questions}
            refusal = {"code": -1, "message": "no"}
            answer = {"jsonrpc": "2.0", "id": asked["roots/list"], "error": refusal}
            assert server.http(body=answer, headers=headers).status == 202
            assert stream.next() == taken_back(asked["elicitation/create"])
            assert stream.next()["result"]["isError"] is True
        # Where the stream of the call has ended, whoever listens is told.
        message = server.message("tools/call", {"name": "greet"}, 2)
        with (
            server.open_stream(**headers) as listening,
            server.open_stream("POST", message, **headers) as stream,
        ):
            question = stream.next()
            assert server.post("notifications/cancelled", {"requestId": 2}).status == 202
            assert [event for event in stream.rest() if event.data] == []
            assert listening.next() == taken_back(question["id"])


def test_rounds_over_http(served: Project) -> None:
    with HttpServer(served) as server:
        server.modern = MODERN
        able = {PREFIX + "clientCapabilities": {"elicitation": {}, "sampling": {}, "roots": {}}}

        def call(**params: Any) -> Any:
            return server.post("tools/call", {"name": "two_steps", **params}, 1, **able).json

        first = call()["result"]
        assert first["resultType"] == "input_required"
        assert [*first["inputRequests"]] == ["one"]
        # Code that asked is not told by an ordinary exception, so it cannot go on by mistake.
        asked = server.post("tools/call", {"name": "stubborn"}, 1, **able).json["result"]
        assert asked["resultType"] == "input_required"

        second = call(
            inputResponses={"one": {"action": "cancel"}}, requestState=first["requestState"]
        )["result"]
        assert [*second["inputRequests"]] == ["two"]
        model = {"role": "assistant", "model": "m", "content": {"type": "text", "text": "t"}}
        third = call(inputResponses={"two": model}, requestState=second["requestState"])["result"]
        [(key, request)] = third["inputRequests"].items()
        assert request == {"method": "roots/list", "params": {}}
        last = call(inputResponses={key: {"roots": []}}, requestState=third["requestState"])[
            "result"
        ]
        assert last["content"][0]["text"] == '["cancel","t",0]'

        spoiled = third["requestState"][:-6] + "AAAA=="
        for state in (spoiled, "", 7):
            answer = call(inputResponses={}, requestState=state)
            assert answer["error"]["code"] == -32602, state
        # It belongs to the tool that was called.
        answer = server.post(
            "tools/call", {"name": "greet", "requestState": third["requestState"]}, 1, **able
        )
        assert answer.json["error"]["code"] == -32602


def test_changed_resources(served: Project) -> None:
    with HttpServer(served) as server:
        server.initialize(LEGACY)
        server.wait_ready()
        assert server.request("resources/subscribe", {"uri": "test://icon"})["result"] == {}
        with server.open_stream(**server.headers_for({"method": ""})) as stream:
            server.signal(1)
            assert stream.next() == {
                "jsonrpc": "2.0",
                "method": "notifications/resources/updated",
                "params": {"uri": "test://icon"},
            }


# --- resources -----------------------------------------------------------------------------------

PNG = "iVBORw=="


def test_contents_are_text_or_blob_whatever_their_type(project: Project) -> None:
    of = {  # by its name: the type, what the function returns, what is sent
        "lines": ("application/jsonl", "'{\"a\": 1}'", {"text": '{"a": 1}'}),
        "table": ("TEXT/CSV", "'a,b'", {"text": "a,b"}),
        "notes": ("application/x-notes", "'hello you'", {"text": "hello you"}),
        "paper": ("application/pdf", "b'%PDF'", {"blob": "JVBERg=="}),
        "readme": ("text/markdown", "b'# Hi'", {"text": "# Hi"}),
        "bytes": (None, "b'\\x89PNG'", {"blob": PNG, "mimeType": "application/octet-stream"}),
        "pixels": ("image/png", f"'{PNG}'", {"blob": PNG}),
        "words": ("image/png", "'hello world!'", "gave text that is no base64"),
        "rows": ("Image/PNG", "[{'a': 1}]", "gave data that is no bytes"),
    }
    for name, (mime_type, value, _) in of.items():
        mime = f"  mime_type: {mime_type}\n" if mime_type else ""
        project.write({
            f"resources/{name}.yml": f"mxcp: 1\nresource:\n  uri: test://{name}\n  name: {name}\n"
                                     f"{mime}  language: python\n  source: {{file: ../python/{name}.py}}\n",
            f"python/{name}.py": f"def {name}():\n    return {value}\n",
        })  # fmt: skip
    with project.serve() as server:
        server.initialize()
        for name, (mime_type, _, sent) in of.items():
            answer = server.request("resources/read", {"uri": f"test://{name}"})
            if isinstance(sent, str):
                assert sent in answer["error"]["message"], name
            else:
                [contents] = answer["result"]["contents"]
                assert contents == {"uri": f"test://{name}", "mimeType": mime_type, **sent}, name


def test_media_of_a_prompt_are_what_they_are_said_to_be(served: Project) -> None:
    wrong = {
        "data": ("image", "data:image/png;base64,hello world!", "must be base64 of a type 'image/'"),
        "sound": ("audio", "data:image/png;base64,AAAA", "must be base64 of a type 'audio/'"),
        "icon": ("audio", "test://icon", "is no audio"),
    }
    for name, (kind, prompt, _) in wrong.items():
        served.write({f"prompts/{name}.yml": f"mxcp: 1\nprompt:\n  name: {name}\n  messages:\n"
                                             f"    - {{type: {kind}, prompt: '{prompt}'}}\n"})  # fmt: skip
    with served.serve() as server:
        server.initialize()
        for name, (_, _, text) in wrong.items():
            assert text in server.request("prompts/get", {"name": name})["error"]["message"]


# --- content that the YAML declares --------------------------------------------------------------


def declared_tool(project: Project, name: str, content: str, source: str, more: str = "") -> None:
    project.write({f"tools/{name}.yml": f"mxcp: 1\ntool:\n  name: {name}\n  content: {content}\n{more}"
                                        f"  source: {source}\n"})  # fmt: skip


@pytest.fixture
def blocks(project: Project) -> Project:
    project.write({"python/tools.py": """
        def sound():
            return b"RIFF"
        def wrong():
            return "no base64"
        def nothing():
            return None
        """})  # fmt: skip
    python = "{file: ../python/tools.py}\n  language: python"
    image = "{type: image, mime_type: image/png, annotations: {audience: [user]}}"
    declared_tool(project, "badge", image, r"{code: 'SELECT ''\x89PNG''::BLOB WHERE $id = 1'}",
                  "  parameters: [{name: id, type: integer}]\n"
                  "  tests: [{name: shows, arguments: [{key: id, value: 1}], result_length: 1}]\n")  # fmt: skip
    declared_tool(project, "encoded", "{type: image, mime_type: image/png}",
                  r"{code: 'SELECT to_base64(''\x89PNG''::BLOB)'}")  # fmt: skip
    declared_tool(project, "sound", "{type: audio, mime_type: audio/wav}", python)
    declared_tool(project, "wrong", "{type: audio, mime_type: audio/wav}", python)
    declared_tool(project, "nothing", "{type: audio, mime_type: audio/wav}", python)
    declared_tool(project, "report", '{type: resource, uri: "reports://{name}/q1"}',
                  "{code: 'SELECT {a: $name} AS report'}", "  parameters: [{name: name, type: string}]\n")  # fmt: skip
    declared_tool(project, "find", "{type: resource_link, mime_type: text/markdown}",
                  "{code: 'SELECT ''docs://'' || i AS uri, ''Doc '' || i AS title FROM range(3) t(i)'}",
                  "  limits: {max_rows: 2}\n")  # fmt: skip
    return project


IMAGE = {"type": "image", "data": "iVBORw==", "mimeType": "image/png"}


def test_a_result_is_the_content_that_the_yaml_declares(blocks: Project) -> None:
    link = {"type": "resource_link", "mimeType": "text/markdown"}
    expected: dict[str, list[Any]] = {
        "badge": [IMAGE | {"annotations": {"audience": ["user"]}}],
        "encoded": [IMAGE],
        "sound": [{"type": "audio", "data": "UklGRg==", "mimeType": "audio/wav"}],
        "report": [
            {
                "type": "resource",
                "resource": {
                    "uri": "reports://a%20b%2Fc/q1",
                    "mimeType": "application/json",
                    "text": '{"a":"a b/c"}',
                },
            }
        ],
        "find": [
            link | {"uri": "docs://0", "name": "docs://0", "title": "Doc 0"},
            link | {"uri": "docs://1", "name": "docs://1", "title": "Doc 1"},
        ],
    }
    arguments: dict[str, dict[str, Any]] = {"badge": {"id": 1}, "report": {"name": "a b/c"}}
    with blocks.serve() as server:
        server.initialize()
        listed = server.request("tools/list")["result"]["tools"]
        assert not any("outputSchema" in tool for tool in listed)
        for name, content in expected.items():
            answer = server.call(name, **arguments.get(name, {}))
            assert answer["isError"] is False
            assert "structuredContent" not in answer
            if name == "find":
                notice = answer["content"].pop()["text"]
                assert notice.startswith("The result was cut after 2 rows (limits.max_rows of this")
            assert answer["content"] == content
        assert "expected one row, got 0" in server.error("badge", id=2)
        assert "the text is not base64" in server.error("wrong")
        assert "the result is null" in server.error("nothing")
    assert blocks.tool("badge", id=1).result == expected["badge"]
    assert blocks.run("test", "tool", "badge").code == 0
    assert blocks.run("validate").code == 0


def test_declared_content_in_older_revisions(blocks: Project) -> None:
    with blocks.serve() as server:
        server.initialize("2024-11-05")
        [sound] = server.call("sound")["content"]
        assert sound["type"] == "resource"
        assert sound["resource"]["blob"] == "UklGRg=="
        assert server.call("find")["content"][0] == {"type": "text", "text": "Doc 0: docs://0"}


# --- answers that do not fit, and elicitation by URL ---------------------------------------------


def test_what_does_not_fit_is_asked_again(served: Project) -> None:
    answers = [
        {},
        {"name": 5},
        {"name": "Bo"},
    ]

    async def elicit(context: Any, params: Any) -> Any:
        from mcp import types

        return types.ElicitResult(action="accept", content=answers.pop(0))

    async def scenario() -> None:
        async with client_of(served, MODERN, "stdio", elicitation_callback=elicit) as client:
            result = await client.call_tool("greet_required", {})
            assert result.content[0].text == "Hello, Bo!"

    served.write({"tools/greet_required.yml": "mxcp: 1\ntool:\n  name: greet_required\n  language: python\n"
                                              "  source: {file: ../python/required.py}\n",
                  "python/required.py": """
        from mxcp.runtime import mcp

        async def greet_required():
            answer = await mcp.elicit("Name?", {"type": "object", "required": ["name"],
                                                "properties": {"name": {"type": "string"}}})
            return f"Hello, {answer['content']['name']}!"
        """})  # fmt: skip
    asyncio.run(scenario())
    assert answers == []


def test_elicitation_in_the_modes_of_the_client(served: Project) -> None:
    served.write({"tools/visit.yml": "mxcp: 1\ntool:\n  name: visit\n  language: python\n  parameters:\n"
                                     "    - {name: url, type: string, default: https://example.com/in}\n"
                                     "  source: {file: ../python/visit.py}\n",
                  "python/visit.py": """
        from mxcp.runtime import mcp

        async def visit(url):
            answer = await mcp.elicit("Sign in", url=url, elicitation_id="e1")
            await mcp.elicitation_complete("e1")
            return answer["action"]
        """})  # fmt: skip
    asked = {"mode": "url", "url": "https://example.com/in", "message": "Sign in"}
    with HttpServer(served) as server:
        server.modern = MODERN

        def call(name: str, capability: Any, **params: Any) -> Any:
            able = {PREFIX + "clientCapabilities": {"elicitation": capability}}
            return server.post("tools/call", {"name": name, **params}, 1, **able).json

        def missing(answer: Any) -> Any:
            assert answer["error"]["code"] == -32021
            return answer["error"]["data"]["requiredCapabilities"]

        assert missing(call("greet", {"url": {}})) == {"elicitation": {"form": {}}}
        assert missing(call("visit", {})) == {"elicitation": {"url": {}}}
        first = call("visit", {"url": {}})["result"]
        [(key, request)] = first["inputRequests"].items()
        assert request == {"method": "elicitation/create", "params": asked}
        last = call("visit", {"url": {}}, inputResponses={key: {"action": "accept"}},
                    requestState=first["requestState"])  # fmt: skip
        assert last["result"]["content"][0]["text"] == "accept"
        bad = call("visit", {"url": {}}, arguments={"url": "/in"})["result"]
        assert "url must be an absolute https URL" in bad["content"][0]["text"]


def test_a_schema_that_describes_no_object_is_told_before_anybody_is_asked(project: Project) -> None:
    project.python_tool(
        "ask",
        "from mxcp.runtime import mcp\n\n\nasync def ask():\n"
        "    return await mcp.elicit('Who?', {'name': {'type': 'string'}})\n",
    )
    with project.serve() as server:
        server.request("initialize", {**begin("2025-11-25"), "capabilities": {"elicitation": {}}})
        server.send("notifications/initialized")
        assert "the schema of an elicitation describes an object" in server.error("ask")


@pytest.mark.parametrize("field", [{"type": "object", "properties": {}}, {"enum": ["a"]},
                                   {"type": "array", "items": {"type": "string"}}, "string"])  # fmt: skip
def test_a_field_that_no_form_has_is_told_before_anybody_is_asked(
    project: Project, field: object
) -> None:
    project.python_tool(
        "ask",
        "from mxcp.runtime import mcp\n\n\nasync def ask():\n"
        f"    schema = {{'type': 'object', 'properties': {{'where': {field!r}}}}}\n"
        "    return await mcp.elicit('Who?', schema)\n",
    )
    with project.serve() as server:
        server.request("initialize", {**begin("2025-11-25"), "capabilities": {"elicitation": {}}})
        server.send("notifications/initialized")
        assert "clients have no form for 'where': a field is a string" in server.error("ask")


SAMPLES = {
    "'Hi'": [{"role": "user", "content": {"type": "text", "text": "Hi"}}],
    "mcp.text('Hi')": [{"role": "user", "content": {"type": "text", "text": "Hi"}}],
    "['Hi', mcp.image(b'PNG')]": [
        {"role": "user", "content": {"type": "text", "text": "Hi"}},
        {"role": "user", "content": {"type": "image", "data": "UE5H", "mimeType": "image/png"}},
    ],
    "[{'role': 'assistant', 'content': 'Hi'}]": [
        {"role": "assistant", "content": {"type": "text", "text": "Hi"}}
    ],
    "[{'role': 'system', 'content': 'Hi'}]": "the role of a message is 'user' or 'assistant'",
    "[5]": "a model is given texts, images and sounds",
    "[mcp.link('a://b')]": "a model is given texts, images and sounds",
    "[{'role': 'user'}]": "a model is given texts, images and sounds",
    "'Hi', 0": "max_tokens is a number of tokens, got 0",
}


@pytest.mark.parametrize("given", SAMPLES)
def test_what_the_model_of_the_client_is_given(project: Project, given: str) -> None:
    project.python_tool(
        "ask", f"from mxcp.runtime import mcp\n\n\nasync def ask():\n    return await mcp.sample({given})\n"
    )
    with HttpServer(project) as server:
        server.modern = MODERN
        able = {PREFIX + "clientCapabilities": {"sampling": {}}}
        result = server.post("tools/call", {"name": "ask", "arguments": {}}, 1, **able).json["result"]
        if isinstance(SAMPLES[given], str):
            assert SAMPLES[given] in result["content"][0]["text"]
        else:
            [request] = result["inputRequests"].values()
            assert request["params"]["messages"] == SAMPLES[given]


# --- questions that nobody answers ---------------------------------------------------------------


def test_unanswered_questions_leave_threads_for_others(project: Project) -> None:
    project.python_tool("ask", """
        from mxcp.runtime import mcp

        def ask():
            return mcp.elicit("Really?")["action"]
        """)  # fmt: skip
    project.python_tool("plain", "def plain(): return 1")
    with HttpServer(project) as server:
        able = {**begin("2025-11-25"), "capabilities": {"elicitation": {}}}
        response = server.post("initialize", able, id=0)
        server.session = response.headers["mcp-session-id"]
        asked = [server.start("tools/call", {"name": "ask", "arguments": {}}) for _ in range(65)]
        server.wait_until(lambda: any(server._running[id].done() for id in asked), "one is refused")
        assert server.value("plain") == 1
        refused = [id for id in asked if server._running[id].done()]
        assert len(refused) == 1 and server.active_calls() == 64
        text = server.answer(refused[0])["result"]["content"][0]["text"]
        assert "64 plain functions wait for the answers of their clients already" in text


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_reload_does_not_wait_for_people(project: Project, kind: str) -> None:
    project.python_tool("ask", f"""
        from mxcp.runtime import mcp

        {kind} ask():
            return {"await" if "async" in kind else ""} mcp.elicit("Really?")
        """)  # fmt: skip
    project.python_tool("plain", "def plain(): return 1")
    with HttpServer(project) as server:
        able = {**begin("2025-11-25"), "capabilities": {"elicitation": {}}}
        server.session = server.post("initialize", able, id=0).headers["mcp-session-id"]
        asked = server.start("tools/call", {"name": "ask", "arguments": {}})
        server.wait_until(lambda: server.active_calls() == 1, "the user is asked")
        began = time.monotonic()
        server.signal(signal.SIGHUP)
        ended = lambda: server.http("GET", "/readyz").json["reloads"] == 1  # noqa: E731
        server.wait_until(ended, "the reload has ended")
        assert server.value("plain") == 1
        # 5 seconds for the user, and a little; not the 90 that a running query gets.
        assert 4.5 < time.monotonic() - began < 20
        result = server.answer(asked)["result"]
        assert result["isError"] and "reload" in result["content"][0]["text"]
