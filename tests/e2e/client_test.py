"""What user code may say to the client beyond data: content blocks, questions, changed resources."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from harness import PATIENCE, Project, official_client
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
