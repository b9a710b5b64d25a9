"""The same tools by hand on the official Python SDK: what one would write without mxcp.

    python sdk_server.py DATABASE PORT

In the SDK's fastest mode of one process: no sessions, answers in plain JSON. A connection to DuckDB for each
thread, statements executed by DuckDB's Python package. Run by an interpreter that has `mcp` and `duckdb`.
"""

import asyncio
import logging
import sys
import threading
import time
from datetime import datetime, timezone

import duckdb
import uvicorn
from mcp.server.mcpserver import MCPServer

database = duckdb.connect(sys.argv[1], read_only=True)
local = threading.local()
server = MCPServer("bench", log_level="ERROR")


def rows(sql: str, **parameters) -> list[dict]:
    cursor = getattr(local, "cursor", None)
    if cursor is None:
        cursor = local.cursor = database.cursor()
    cursor.execute(sql, parameters)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@server.tool()
def get_user(id: int) -> dict:
    return rows(
        "SELECT id, name, email, department, created_at FROM users WHERE id = $id", id=id
    )[0]


@server.tool()
def list_orders(after_id: int) -> list[dict]:
    return rows(
        "SELECT id, user_id, amount, status, created_at "
        "FROM orders WHERE id > $after_id ORDER BY id LIMIT 100",
        after_id=after_id,
    )


@server.tool()
def order_stats(min_amount: float) -> list[dict]:
    return rows(
        "SELECT status, count(*) AS orders, sum(amount) AS total "
        "FROM orders WHERE amount >= $min_amount GROUP BY status ORDER BY status",
        min_amount=min_amount,
    )


@server.tool()
def add_one(a: int) -> list[dict]:
    return rows("SELECT $a + 1 AS b", a=a)


@server.tool()
def rows_10000() -> list[dict]:
    return rows("SELECT id, user_id, amount, status, created_at FROM orders WHERE id < 10000")


@server.tool()
async def personalized_greeting(name: str, formal: bool = False) -> dict:
    # A coroutine is what the SDK is fastest with: a plain function goes through a thread.
    greeting = f"Good day, {name}." if formal else f"Hello {name}!"
    return {"greeting": greeting, "timestamp": datetime.now(timezone.utc).isoformat()}


@server.tool()
def user_lookup(email: str) -> dict:
    found = rows("SELECT id, name, email FROM users WHERE email = $email", email=email)
    if not found:
        return {"found": False, "user": None}
    return {"found": True, "user": {**found[0], "domain": email.rpartition("@")[2]}}


@server.tool()
def customer_analysis(customer_id: int) -> dict:
    user = rows("SELECT name FROM users WHERE id = $id", id=customer_id)[0]
    orders = rows(
        "SELECT count(*) AS orders, sum(amount) AS total FROM orders WHERE user_id = $id",
        id=customer_id,
    )[0]
    recent = rows(
        "SELECT amount FROM orders WHERE user_id = $id ORDER BY id DESC LIMIT 5", id=customer_id
    )
    return {**user, **orders, "recent": sum(row["amount"] for row in recent)}


@server.tool()
async def sleepy_async() -> str:
    await asyncio.sleep(0.05)
    return "slept-async"


@server.tool()
def sleepy_sync() -> str:
    time.sleep(0.05)
    return "slept-sync"


@server.tool()
def cpu_py() -> int:
    total = 0
    for i in range(20000):
        total += i & 7
    return total


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    app = server.streamable_http_app(json_response=True, stateless_http=True)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="error", access_log=False)
