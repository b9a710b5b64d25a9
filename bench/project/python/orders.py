import statistics

from mxcp.runtime import db


def rows_1000() -> int:
    rows = db.execute("SELECT id, user_id, amount FROM orders WHERE id < 1000")
    return sum(row["id"] + row["user_id"] for row in rows)


def customer_summary(customer_id: int) -> dict:
    users = db.execute("SELECT name FROM users WHERE id = $id", {"id": customer_id})
    orders = db.execute("SELECT amount FROM orders WHERE user_id = $id", {"id": customer_id})
    amounts = [order["amount"] for order in orders]
    return {
        "name": users[0]["name"],
        "orders": len(amounts),
        "total": sum(amounts),
        "median": statistics.median(amounts),
    }
