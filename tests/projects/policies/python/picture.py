from mxcp.runtime import mcp


def picture():
    return mcp.image(b"\x89PNG", "image/png")
