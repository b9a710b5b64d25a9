import asyncio
import base64

from mxcp.runtime import mcp


def test_simple_text():
    return "This is a simple text response for testing."


async def test_tool_with_logging():
    await mcp.info("Tool execution started")
    await asyncio.sleep(0.05)
    await mcp.info("Tool processing data")
    await asyncio.sleep(0.05)
    await mcp.info("Tool execution completed")
    return "done"


async def test_tool_with_progress():
    for step in (0, 50, 100):
        await mcp.progress(step, 100)
        await asyncio.sleep(0.05)
    return "done"


def test_error_handling():
    raise ValueError("This tool intentionally returns an error for testing")


PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
WAV = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAAAAA=="


def test_image_content():
    return mcp.image(PNG)


def test_audio_content():
    return mcp.audio(WAV)


def test_embedded_resource():
    return mcp.resource(
        "test://embedded-resource", "This is an embedded resource content.", "text/plain"
    )


def test_multiple_content_types():
    return [
        "Multiple content types test:",
        mcp.image(PNG),
        mcp.resource(
            "test://mixed-content-resource", '{"test":"data","value":123}', "application/json"
        ),
    ]


def static_binary():
    return base64.b64decode(PNG)


async def test_reconnection():
    await mcp.release(retry=0.1)
    await asyncio.sleep(0.2)
    return "fetched by the client that came back"
