import asyncio
import time

from mxcp.runtime import db


async def sleepy_async() -> str:
    await asyncio.sleep(0.05)
    return "slept-async"


def sleepy_sync() -> str:
    time.sleep(0.05)
    return "slept-sync"


def cpu_py() -> int:
    total = 0
    for i in range(20000):
        total += i & 7
    return total


def customer_analysis(customer_id: int) -> dict:
    users = db.execute("SELECT name FROM users WHERE id = $id", {"id": customer_id})
    orders = db.execute(
        "SELECT count(*) AS orders, sum(amount) AS total FROM orders WHERE user_id = $id",
        {"id": customer_id},
    )
    recent = db.execute(
        "SELECT amount FROM orders WHERE user_id = $id ORDER BY id DESC LIMIT 5", {"id": customer_id}
    )
    return {
        "name": users[0]["name"],
        "orders": orders[0]["orders"],
        "total": orders[0]["total"],
        "recent": sum(row["amount"] for row in recent),
    }
