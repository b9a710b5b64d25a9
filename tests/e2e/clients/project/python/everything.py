"""One tool for each thing that a client has to understand."""

import asyncio
import os

from mxcp.runtime import mcp

NAME = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
PNG = bytes.fromhex("89504e470d0a1a0a")


def greet(name):
    return f"Hello, {name}!"


def fails():
    raise ValueError("this always fails")


async def steps(n, heard):
    """Clients may forget about progress as soon as they have the answer, so this waits until they say that
    they have heard all of it."""
    for i in range(n):
        await mcp.progress(i + 1, n, f"step {i + 1}")
        await mcp.info(f"step {i + 1}")
    while heard and not os.path.exists(heard):
        await asyncio.sleep(0.01)
    return "done"


async def ask_name():
    answer = await mcp.elicit("What is your name?", NAME)
    return f"Hello, {answer['content']['name']}!" if answer["action"] == "accept" else "Hello!"


async def ask_model():
    return (await mcp.sample("Say hello", 10))["content"]["text"]


async def ask_roots():
    return [root["uri"] for root in await mcp.roots()]


def picture():
    return ["a picture:", mcp.image(PNG), mcp.link("docs://hello", title="Hello")]


def logo():
    return PNG
