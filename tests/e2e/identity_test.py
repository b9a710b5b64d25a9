"""What SQL and Python know of a request is of that request, whoever asks at the same time on the same connections."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

from harness import Project
from http_harness import HttpServer

TOOLS = {
    "direct": "SELECT get_request_header('X-Owner') AS owner",
    "view": "SELECT owner FROM mine",
    "macro": "SELECT owner() AS owner",
    "filter": "SELECT owner FROM orders WHERE owner = get_request_header('x-owner') AND $n > 0",
}


def test_parallel_requests_see_only_their_own_headers(project: Project) -> None:
    owners = [f"owner{i}" for i in range(12)]
    values = ", ".join(f"('{owner}')" for owner in owners)
    project.run(
        "query",
        f"CREATE TABLE orders AS FROM (VALUES {values}) t(owner)",
    ).ok()
    for name, sql in TOOLS.items():
        parameters = "parameters: [{name: n, type: integer}]\n" if "$n" in sql else ""
        project.sql_tool(name, sql, parameters + "return: {type: array, items: {type: object}}")
    project.python_tool(
        "in_python",
        "import asyncio\n\nfrom mxcp.runtime import db, on_init\n\n\n"
        "@on_init\ndef views():\n"
        "    # Functions of the request exist in the server only: so the view is made here.\n"
        "    db.execute(\"CREATE OR REPLACE VIEW mine AS FROM orders WHERE owner = get_request_header('x-owner')\")\n"
        "    db.execute(\"CREATE OR REPLACE MACRO owner() AS get_request_header('x-owner')\")\n\n\n"
        "async def in_python():\n"
        "    await asyncio.sleep(0.01)\n"
        "    return db.execute(\"SELECT get_request_header('x-owner') AS owner\")\n",
        "return: {type: array, items: {type: object}}",
    )
    with HttpServer(project, "--stateless") as server:
        server.wait_ready()

        def ask(number: int) -> tuple[str, str, str]:
            owner, tool = owners[number % 12], [*TOOLS, "in_python"][number // 12 % 5]
            arguments = {"n": number + 1} if tool == "filter" else {}
            message = server.message("tools/call", {"name": tool, "arguments": arguments}, number)
            headers = {**server.headers_for(message), "x-OWNER": owner}
            answer = server.http(body=message, headers=headers).messages[-1]
            return tool, owner, answer["result"]["content"][0]["text"]

        with ThreadPoolExecutor(16) as pool:
            for tool, owner, text in pool.map(ask, range(600)):
                assert json.loads(text) == [{"owner": owner}], tool
