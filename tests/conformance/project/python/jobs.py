"""Tools that may run as tasks. Nothing in here knows whether they do."""

import asyncio

from mxcp.runtime import mcp


async def slow_compute(seconds, label):
    for second in range(int(seconds)):
        await mcp.progress(second, seconds, f"{label or 'computing'}: second {second + 1}")
        await asyncio.sleep(1)
    return f"computed for {seconds} seconds"


async def failing_job():
    await asyncio.sleep(1)
    raise ValueError("this job always fails")


async def protocol_error_job():
    """Needs the roots of a client that does not declare any."""
    await asyncio.sleep(0.2)
    return await mcp.roots()


async def confirm_delete(filename):
    schema = {"type": "object", "properties": {"confirm": {"type": "boolean"}}}
    answer = await mcp.elicit(f"Delete {filename}?", schema)
    confirmed = answer["action"] == "accept" and answer["content"].get("confirm")
    return f"{filename} is deleted" if confirmed else f"{filename} is kept"


async def multi_input():
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    answers = await mcp.ask(
        first=mcp.elicitation("What is the first name?", schema),
        second=mcp.elicitation("What is the second name?", schema),
    )
    return [answer["content"]["name"] for answer in answers.values()]


async def test_tool_with_task():
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    answer = await mcp.elicit("What is your name?", schema, key="user_name")
    await asyncio.sleep(0.2)
    return f"Hello, {answer['content']['name']}!"
