"""Calls, errors of SQL functions and reloads leave no objects behind.

A reference that is not given back keeps its object alive: objects are counted by the garbage
collector, references to objects that take part in every call by sys.getrefcount.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from harness import Project

pytestmark = pytest.mark.stdio

SLOW = "asan" in os.environ.get("MXCP_COMMAND", "")
CALLS = 500 if SLOW else 10_000
ERRORS = 100 if SLOW else 2_000
RELOADS = 3 if SLOW else 12

SITE = Project.SITE + "plugin:\n  - {name: p, module: the_plugin}\n"

PLUGIN = """
from mxcp.plugins import MXCPBasePlugin, udf

class Thing:
    pass

thing = Thing()

class MXCPPlugin(MXCPBasePlugin):
    @udf
    def good(self, i: int, t: str | None, l: list[int]) -> dict[str, list[int]]:
        assert thing
        return {t or "none": [i, *l]}

    @udf
    def bad(self, i: int) -> str:
        assert thing
        raise ValueError(f"number {i}")

    @udf
    def wrong(self, i: int) -> list[str]:
        return ["a", thing]
"""

CODE = """
import datetime, decimal, gc, os, sys, threading, uuid
from mxcp.runtime import config, db, mcp, plugins, reload_duckdb
from the_plugin import Thing, thing

class Mine:
    def __init__(self):
        self.ring = self

sentinel = Mine()

def work(n: int, values: list, given: dict) -> dict:
    rows = db.execute("SELECT $n AS n, 'x' AS t, 1.5 AS f, [1, 2] AS l, MAP {'k': 1} AS m, NULL AS z, "
                      "DATE '2024-01-31' AS d, {'a': 'b'} AS s FROM range(3)", {"n": n})
    used = db.execute("SELECT good_p(i, CASE WHEN i % 2 = 0 THEN 'k' END, [i]) AS g FROM range(5) t(i)")
    try:
        db.execute("SELECT nothing FROM nowhere")
    except Exception as error:
        failed = type(error).__name__
    config.get_secret("none"), plugins.get("p")
    streamed = sum(len(b) for b in db.stream("SELECT * FROM range(10)", batch_size=3))
    with db.transaction() as tx:
        tx.execute("SELECT 1")
    return {"rows": rows, "used": used, "failed": failed, "streamed": streamed, "values": (values, given),
            "more": [decimal.Decimal("1.5"), uuid.UUID(int=n), {1, 2}, (i for i in range(3))],
            "sentinel": id(sentinel) > 0, "thing": isinstance(thing, Thing)}

def light(n: int, values: list, given: dict) -> dict:
    return {"n": n, "values": tuple(values), "given": given, "id": uuid.UUID(int=n), "kept": kept}

kept = []

async def awaited(n: int) -> list:
    await mcp.info("hello")
    return [row["n"] for row in await db.aexecute("SELECT $n AS n", {"n": n})]

def fails(n: int) -> dict:
    if n % 3 == 0:
        return {"no json": sentinel}
    if n % 3 == 1:
        db.execute("SELECT bad_p(i) FROM range(3) t(i)")
    db.execute("SELECT wrong_p(i) FROM range(3) t(i)")

def count() -> dict:
    gc.collect()
    with open("/proc/self/statm") as file:
        resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
    return {"objects": len(gc.get_objects()), "sentinel": sys.getrefcount(sentinel),
            "class": sys.getrefcount(Mine), "thing": sys.getrefcount(thing),
            "function": sys.getrefcount(work), "key": sys.getrefcount("streamed"),
            "threads": threading.active_count(),
            "kilobytes": resident}

def reload() -> int:
    reload_duckdb()
    return 1
"""

PARAMETERS = {
    "work": "[{name: n, type: integer}, {name: values, type: array}, {name: given, type: object}]",
    "light": "[{name: n, type: integer}, {name: values, type: array}, {name: given, type: object}]",
    "awaited": "[{name: n, type: integer}]",
    "fails": "[{name: n, type: integer}]",
    "count": "[]",
    "reload": "[]",
}


@pytest.fixture
def tools(project: Project) -> Project:
    project.write({"mxcp-site.yml": SITE, "plugins/the_plugin.py": PLUGIN})
    project.write({"python/leaks.py": CODE})
    for name, parameters in PARAMETERS.items():
        project.write(
            {
                f"tools/{name}.yml": f"mxcp: 1\ntool:\n  name: {name}\n  language: python\n"
                f"  parameters: {parameters}\n  source: {{file: ../python/leaks.py}}\n"
            }
        )
    return project


def calls(server: Any, count: int) -> None:
    arguments = {"n": 7, "values": [1, "a", None, [2.5]], "given": {"k": {"l": [1]}}}
    for begin in range(0, count, 8):
        ids = []
        for n in range(begin, min(begin + 8, count)):
            if n % 10 == 9:
                ids.append(server.start_call("awaited", {"n": n}))
            else:
                name = "work" if n % 10 == 0 else "light"
                ids.append(server.start_call(name, {**arguments, "n": n}))
        for id in ids:
            assert not server.answer(id)["result"].get("isError"), server.stderr


def errors(server: Any, count: int) -> None:
    for n in range(count):
        assert server.call("fails", n=n)["isError"] is True


def settled(server: Any) -> dict[str, int]:
    """The counts, once two in a row agree: a thread may be about to let go of its call."""
    last = server.value("count")
    for _ in range(20):
        now = server.value("count")
        if abs(now["objects"] - last["objects"]) < 3:
            return now
        last = now
    return last


def grown(before: dict[str, int], after: dict[str, int]) -> int:
    return after["objects"] - before["objects"] - 16 * (after["threads"] - before["threads"])


def test_calls_leave_nothing_behind(tools: Project) -> None:
    with tools.serve("--no-watch") as server:
        server.initialize()
        calls(server, 200)
        errors(server, 60)
        before = settled(server)
        calls(server, CALLS)
        between = settled(server)
        errors(server, ERRORS)
        after = settled(server)
    for name in ("sentinel", "class", "thing", "function", "key"):
        assert before[name] == between[name] == after[name], (name, before, between, after)
    # One object per ten calls would be a thousand; a thread more, which stays, has fifteen.
    assert grown(before, between) < 50, (before, between)
    assert grown(between, after) < 50, (between, after)
    if not SLOW:
        assert after["kilobytes"] - before["kilobytes"] < 30_000, (before, after)


def test_reloads_leave_nothing_behind(tools: Project) -> None:
    def reload(times: int) -> None:
        for _ in range(times):
            assert server.value("reload") == 1
            calls(server, 10)  # they wait for it
            errors(server, 3)

    with tools.serve("--no-watch") as server:
        server.initialize()
        calls(server, 100)
        reload(2)
        before = settled(server)
        reload(RELOADS)
        after = settled(server)
    assert before["sentinel"] == after["sentinel"]
    assert before["class"] == after["class"]
    # A module that stays would be a hundred objects, each time.
    assert after["objects"] - before["objects"] < 20 * RELOADS, (before, after)
