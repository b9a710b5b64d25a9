"""What is called over HTTP: the tools, the arguments, and what has to be in the answers.

`right` compares a whole answer; each tool's calls pass it before the load begins. Under load the generator
looks for the expected texts in every answer.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import expected

OVERLAY = Path(__file__).resolve().parent / "http_project"
PREFIX = "io.modelcontextprotocol/"
LEGACY, MODERN = "2025-11-25", "2026-07-28"


@dataclass(frozen=True)
class Call:
    arguments: dict
    right: Callable[[object], bool]
    texts: tuple[str, ...]  # in every answer
    bound: tuple = ()  # the argument of the floor's statements


@dataclass(frozen=True)
class Tool:
    name: str
    kind: str  # of its row: sql, python, db, async, sync, cpu
    calls: list[Call]
    statements: tuple[str, ...] = ()  # the floor: executed once each for a call
    file: str = ""
    faster: tuple[str, ...] = ()  # the same statements in a form that DuckDB executes faster


def equals(value: object) -> Callable[[object], bool]:
    return lambda answer: answer == value


def close(value: dict) -> Callable[[object], bool]:
    def right(answer) -> bool:
        return answer.keys() == value.keys() and all(
            abs(answer[k] - v) < 1e-6 if isinstance(v, float) else answer[k] == v
            for k, v in value.items()
        )

    return right


def from_stdio(name: str, kind: str, texts: Callable[[expected.Call], tuple[str, ...]]) -> Tool:
    tool = expected.TOOLS[name]
    calls = [
        Call(c.arguments, c.right, texts(c), tuple(c.bound))
        for c in tool.calls
        if all(text.isascii() for text in texts(c))  # others may be written as \\u....
    ]
    return Tool(name, kind, calls, (tool.statement,) if tool.statement else (), tool.file)


def stats() -> list[dict]:
    found: dict[str, list[float]] = {}
    for number in range(100000):
        order = expected.order(number)
        found.setdefault(order["status"], []).append(order["amount"])
    return [{"status": s, "orders": len(a), "total": sum(a)} for s, a in sorted(found.items())]


def right_stats(answer) -> bool:
    wanted = stats()
    return len(answer) == len(wanted) and all(
        close(w)(a) for a, w in zip(answer, wanted, strict=True)
    )


def analysis(number: int) -> Call:
    amounts = [expected.order(number - 1 + 5000 * turn)["amount"] for turn in range(20)]
    answer = {
        "name": f"User {number}",
        "orders": 20,
        "total": sum(amounts),
        "recent": sum(amounts[-5:]),
    }
    return Call({"customer_id": number}, close(answer), (f"User {number}",), (number,))


IDS = expected.IDS
TOOLS = {
    tool.name: tool
    for tool in [
        from_stdio("get_user", "sql", lambda c: (f"user{c.arguments['id']}@example.com",)),
        from_stdio("list_orders", "sql", lambda c: tuple(str(c.rows[i]["created_at"]) for i in (0, 99))),
        Tool("order_stats", "sql", [Call({"min_amount": 0}, right_stats, ("60000", "cancelled"), (0.0,))],
             ("SELECT status, count(*) AS orders, sum(amount) AS total "
              "FROM orders WHERE amount >= $min_amount GROUP BY status ORDER BY status",),
             "tools/order_stats.yml"),
        Tool("add_one", "sql", [Call({"a": n}, equals([{"b": n + 1}]), (str(n + 1),), (n,)) for n in IDS],
             ("SELECT $a + 1 AS b",), "tools/add_one.yml", ("SELECT ($a::BIGINT) + 1 AS b",)),
        from_stdio("personalized_greeting", "python", lambda c: (f"Hello {c.arguments['name']}!",)),
        from_stdio("user_lookup", "db", lambda c: (c.arguments["email"],)),
        Tool("customer_analysis", "db", [analysis(n) for n in IDS if n <= 5000],
             ("SELECT name FROM users WHERE id = $id",
              "SELECT count(*) AS orders, sum(amount) AS total FROM orders WHERE user_id = $id",
              "SELECT amount FROM orders WHERE user_id = $id ORDER BY id DESC LIMIT 5"),
             "python/http_tools.py"),
        Tool("sleepy_async", "async", [Call({}, equals("slept-async"), ("slept-async",))]),
        Tool("sleepy_sync", "sync", [Call({}, equals("slept-sync"), ("slept-sync",))]),
        Tool("cpu_py", "cpu", [Call({}, equals(70000), ("70000",))]),
        Tool("rows_10000", "large",
             [Call({}, lambda answer: answer == [expected.order(n) for n in range(10000)],
                   (expected.order(9999)["created_at"],))]),
        # How many rows take two seconds is found out before.
        Tool("slow", "slow", [Call({"n": 1000}, lambda answer: answer[0]["n"] > 0, ())]),
    ]
}  # fmt: skip


def message(tool: str, arguments: dict, modern: bool, id: int = 1000000000) -> bytes:
    params: dict = {"name": tool, "arguments": arguments}
    if modern:
        params["_meta"] = {PREFIX + "protocolVersion": MODERN, PREFIX + "clientCapabilities": {}}
    request = {"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}
    return json.dumps(request, separators=(",", ":")).encode()
