"""The official Python client, through both transports and both eras, about everything it knows."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from harness import PATIENCE, Project, official_client
from http_harness import MODERN, HttpServer
from mcp.client.client import Client
from mcp.shared.exceptions import MCPError

from mcp import types

MODES = ["legacy", "auto", MODERN]
ADDED = "mxcp: 1\ntool: {name: added, source: {code: SELECT 7 AS n}}\n"


class Heard:
    """What the server said by itself."""

    def __init__(self) -> None:
        self.logs: list[Any] = []
        self.changes = 0
        self.arrived = asyncio.Condition()

    async def log(self, params: types.LoggingMessageNotificationParams) -> None:
        async with self.arrived:
            self.logs.append(params.data)
            self.arrived.notify_all()

    async def message(self, message: Any) -> None:
        async with self.arrived:
            self.changes += isinstance(message, types.ToolListChangedNotification)
            self.arrived.notify_all()

    async def until(self, condition: Any) -> None:
        async with self.arrived:
            await asyncio.wait_for(self.arrived.wait_for(condition), PATIENCE)


async def elicit(context: Any, params: Any) -> types.ElicitResult:
    return types.ElicitResult(action="accept", content={"name": "Ada"})


async def sample(context: Any, params: Any) -> types.CreateMessageResult:
    text = types.TextContent(type="text", text="of the model")
    return types.CreateMessageResult(role="assistant", content=text, model="m")


async def roots(context: Any) -> types.ListRootsResult:
    return types.ListRootsResult(roots=[types.Root(uri="file:///a")])


async def text_of(client: Client, name: str, /, **arguments: Any) -> str:
    result = await client.call_tool(name, arguments)
    assert not result.is_error, result
    return result.content[0].text


async def talk(project: Project, client: Client, heard: Heard, modern: bool) -> None:
    assert client.protocol_version == (MODERN if modern else "2025-11-25")
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert len(tools) == 10 and tools["add"].input_schema["properties"]["b"]["default"] == 1

    result = await client.call_tool("add", {"a": 2, "b": 3})
    assert (result.structured_content, result.content[0].text) == ({"result": 5}, "5")
    result = await client.call_tool("people", {"n": 1000})
    assert result.structured_content["result"][999] == {"id": 999, "name": "Person 999"}
    assert await text_of(client, "greet", name="Zoë \u2028 🦆") == "Hello, Zoë \u2028 🦆!"
    result = await client.call_tool("fails", {})
    assert result.is_error and "this always fails" in result.content[0].text
    assert (await client.call_tool("add", {"a": "x"})).is_error
    with pytest.raises(MCPError, match="nobody"):
        await client.call_tool("nobody", {})
    blocks = (await client.call_tool("picture", {})).content
    assert [block.type for block in blocks] == ["text", "image", "resource_link"]
    many = await asyncio.gather(*(client.call_tool("add", {"a": a}) for a in range(50)))
    assert [one.structured_content for one in many] == [{"result": a + 1} for a in range(50)]

    listed = (await client.list_resources()).resources
    assert sorted(str(one.uri) for one in listed) == ["docs://hello", "docs://logo"]
    [template] = (await client.list_resource_templates()).resource_templates
    assert template.uri_template == "people://{id}/{part}"
    [hello] = (await client.read_resource("docs://hello")).contents
    assert (hello.text, hello.mime_type) == ("Hello!", "text/plain")
    [logo] = (await client.read_resource("docs://logo")).contents
    assert base64.b64decode(logo.blob) == b"\x89PNG\r\n\x1a\n"
    [person] = (await client.read_resource("people://7/nose")).contents
    assert json.loads(person.text) == {"id": 7, "part": "nose"}
    with pytest.raises(MCPError, match="nothing"):
        await client.read_resource("docs://nothing")

    [letter] = (await client.list_prompts()).prompts
    assert [(one.name, bool(one.required)) for one in letter.arguments] == [("to", True), ("tone", False)]
    got = await client.get_prompt("letter", {"to": "Ada"})
    assert [m.content.text for m in got.messages] == ["Write a warm letter to Ada."]
    with pytest.raises(MCPError, match="to"):
        await client.get_prompt("letter", {})
    prompt = types.PromptReference(type="ref/prompt", name="letter")
    found = await client.complete(prompt, {"name": "to", "value": "Ad"})
    assert found.completion.values == ["Ada", "Adele"]
    ref = types.ResourceTemplateReference(type="ref/resource", uri="people://{id}/{part}")
    found = await client.complete(ref, {"name": "part", "value": "n"})
    assert found.completion.values == ["name", "nose", "number"]

    assert await progress_of(project, client, 3) == [(1, 3, "step 1"), (2, 3, "step 2"), (3, 3, "step 3")]
    if not modern:
        await client.set_logging_level("info")
        heard.logs.clear()
        await text_of(client, "steps", n=2)
        await heard.until(lambda: len(heard.logs) == 2)
        assert heard.logs == ["step 1", "step 2"]
        await client.set_logging_level("error")

    assert await text_of(client, "ask_name") == "Hello, Ada!"
    assert await text_of(client, "ask_model") == "of the model"
    assert json.loads(await text_of(client, "ask_roots")) == ["file:///a"]

    endless = asyncio.create_task(client.call_tool("endless", {}))
    assert await text_of(client, "add", a=1) == "2"
    endless.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await endless
    assert await text_of(client, "add", a=2) == "3"

    if modern:
        async with client.listen(tools_list_changed=True) as events:
            project.write({"tools/added.yml": ADDED})
            await asyncio.wait_for(anext(aiter(events)), PATIENCE)
    else:
        project.write({"tools/added.yml": ADDED})
        await heard.until(lambda: heard.changes)
    assert "added" in [tool.name for tool in (await client.list_tools()).tools]
    assert json.loads(await text_of(client, "added")) == [{"n": 7}]


async def progress_of(project: Project, client: Client, n: int) -> list[Any]:
    """A call that is answered when all of its progress was heard."""
    steps: list[Any] = []
    file = project.folder / f"heard-{n}"

    async def progress(done: float, total: float | None, message: str | None) -> None:
        steps.append((done, total, message))
        if done == n:
            file.touch()

    result = await client.call_tool("steps", {"n": n, "heard": str(file)}, progress_callback=progress)
    assert result.content[0].text == "done"
    return steps


def options(heard: Heard) -> dict[str, Any]:
    return {
        "elicitation_callback": elicit,
        "sampling_callback": sample,
        "list_roots_callback": roots,
        "logging_callback": heard.log,
    }


@contextlib.asynccontextmanager
async def over_http(url: str, mode: str, heard: Heard) -> AsyncIterator[Client]:
    async with Client(url, mode=mode, read_timeout_seconds=PATIENCE, message_handler=heard.message,
                      **options(heard)) as client:  # fmt: skip
        yield client


@pytest.mark.parametrize("mode", MODES)
def test_over_stdio(everything: Project, mode: str) -> None:
    async def run() -> None:
        heard = Heard()
        async with official_client(everything, mode, heard.message, **options(heard)) as client:
            await talk(everything, client, heard, mode != "legacy")

    asyncio.run(run())


@pytest.mark.parametrize("mode", MODES)
def test_over_http(everything: Project, mode: str) -> None:
    async def run(url: str) -> None:
        heard = Heard()
        async with over_http(url, mode, heard) as client:
            await talk(everything, client, heard, mode != "legacy")

    with HttpServer(everything) as server, server.tapped() as relay:
        server.wait_ready()
        asyncio.run(run(relay.url))
        server.wait_until(lambda: server.active_calls() == 0, "the cancelled query was stopped")


def test_a_stream_that_was_cut_is_taken_up_again(everything: Project) -> None:
    async def run(url: str) -> None:
        async with over_http(url, "legacy", Heard()) as client:
            steps = await progress_of(everything, client, 5)
            assert [done for done, _, _ in steps] == [1, 2, 3, 4, 5]

    with HttpServer(everything) as server, server.tapped() as relay:
        relay.cut_after(b'"total":5')
        asyncio.run(run(relay.url))
        assert relay.cuts == 1
