"""The measured tools, and what each of their calls must answer.

The formulas are those of project/data.sql. Every answer of every call is compared with them; a wrong
one is counted and shown, since a fast wrong answer is worth nothing.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent / "project"
DEPARTMENTS = ["Engineering", "Sales", "Support", "Finance", "Research"]


def minutes_after(month: str, minutes: int) -> str:
    days, minutes = divmod(minutes, 24 * 60)
    year, number = (int(part) for part in month.split("-"))
    lengths = [31, 29 if year % 4 == 0 else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    while days >= lengths[number - 1]:
        days -= lengths[number - 1]
        number += 1
    return f"{year}-{number:02}-{days + 1:02}T{minutes // 60:02}:{minutes % 60:02}:00"


def user(number: int) -> dict:
    return {
        "id": number,
        "name": f"User {number}",
        "email": f"user{number}@example.com",
        "department": DEPARTMENTS[number % 5],
        "created_at": minutes_after("2024-01", number),
    }


def order(number: int) -> dict:
    return {
        "id": number,
        "user_id": number % 5000 + 1,
        "amount": number * 37 % 10000 / 4,
        "status": {3: "pending", 4: "cancelled"}.get(number // 5000 % 5, "completed"),
        "created_at": minutes_after("2024-06", number),
    }


def pick(row: dict, *columns: str) -> dict:
    return {column: row[column] for column in columns}


def fingerprint(rows: list[dict]) -> int:
    """What native/floor.c sums up over the values it reads."""
    total = 0
    for row in rows:
        for value in row.values():
            if isinstance(value, str):
                total += sum(value.encode())
            elif isinstance(value, float):
                total += int(value * 100)
            else:
                total += value
    return total


@dataclass(frozen=True)
class Call:
    arguments: dict
    right: Callable[[object], bool]
    bound: list = ()  # the arguments of the floor's statements, one each
    rows: list = ()  # what those statements must read


@dataclass(frozen=True)
class Tool:
    name: str
    calls: list[Call]  # gone through in turn
    statement: str = ""  # the SQL of the floor; none for a tool without a database
    file: str = ""  # where the project has that SQL


def equals(expected) -> Callable[[object], bool]:
    return lambda answer: answer == expected


def get_user(number: int) -> Call:
    return Call({"id": number}, equals(user(number)), [number], [user(number)])


def list_orders(after: int) -> Call:
    rows = [order(number) for number in range(after + 1, after + 101)]
    return Call({"after_id": after}, equals(rows), [after], rows)


def user_lookup(number: int) -> Call:
    row = pick(user(number), "id", "name", "email")
    answer = {"found": True, "user": {**row, "domain": "example.com"}}
    return Call({"email": row["email"]}, equals(answer), [row["email"]], [row])


def batch_user_data(first: int) -> Call:
    numbers = list(range(first, first + 50))
    rows = [pick(user(number), "id", "name") for number in numbers]
    answer = [{"user_id": r["id"], "name": r["name"], "status": "found"} for r in rows]
    return Call({"user_ids": numbers}, equals(answer), numbers, rows)


def personalized_greeting(name: str) -> Call:
    def right(answer) -> bool:
        return answer["greeting"] == f"Hello {name}!" and "T" in answer["timestamp"]

    return Call({"name": name}, right)


IDS = [3 + 151 * step for step in range(66)]  # spread over the 10,000 users

TOOLS = {
    tool.name: tool
    for tool in [
        Tool(
            "get_user",
            [get_user(number) for number in IDS],
            "SELECT id, name, email, department, created_at FROM users WHERE id = $id",
            "sql/get_user.sql",
        ),
        Tool(
            "list_orders",
            [list_orders(after) for after in (-1, 20000, 45678, 77777)],
            "SELECT id, user_id, amount, status, created_at "
            "FROM orders WHERE id > $after_id ORDER BY id LIMIT 100",
            "tools/list_orders.yml",
        ),
        Tool(
            "personalized_greeting",
            [personalized_greeting(name) for name in ("Alice", "Bob", "Zoë")],
        ),
        Tool(
            "user_lookup",
            [user_lookup(number) for number in IDS],
            "SELECT id, name, email FROM users WHERE email = $email",
            "python/users.py",
        ),
        Tool(
            "batch_user_data",
            [batch_user_data(first) for first in (10, 1000, 9000)],
            "SELECT id, name FROM users WHERE id = $id",
            "python/users.py",
        ),
        Tool(
            "rows_1000",
            [
                Call(
                    {},
                    equals(1000000),
                    [],
                    [pick(order(number), "id", "user_id", "amount") for number in range(1000)],
                )
            ],
            "SELECT id, user_id, amount FROM orders WHERE id < 1000",
            "python/orders.py",
        ),
    ]
}


def answer_of(result: dict):
    """The value of a tools/call result, in whichever of the ways it is carried."""
    if result.get("isError"):
        raise ValueError(json.dumps(result)[:300])
    structured = result.get("structuredContent")
    if structured is not None:
        return structured["result"] if set(structured) == {"result"} else structured
    texts = [block["text"] for block in result["content"] if block["type"] == "text"]
    values = [_parsed(text) for text in texts]
    return values[0] if len(values) == 1 else values


def is_right(call: Call, response: dict) -> bool:
    try:
        return bool(call.right(answer_of(response["result"])))
    except (KeyError, TypeError, ValueError):
        return False


def _parsed(text: str):
    try:
        return json.loads(text)
    except ValueError:
        return text
