"""User code in Python: calls, the runtime API, hooks, and what must not take the server down."""

from __future__ import annotations

import json
import signal
import sys

import pytest
from harness import Project

RETURN_OBJECT = "return: {type: object}"


def test_arguments_arrive_typed(project: Project) -> None:
    project.python_tool(
        "kinds",
        """
        def kinds(**given):
            return {k: f"{type(v).__module__}.{type(v).__name__}: {v!r}" for k, v in given.items()}
        """,
        """
        parameters:
          - {name: d, type: string, format: date}
          - {name: t, type: string, format: time}
          - {name: dt, type: string, format: date-time}
          - {name: ts, type: string, format: timestamp}
          - {name: i, type: integer}
          - {name: n, type: number}
          - {name: b, type: boolean}
          - {name: a, type: array, items: {type: string, format: date}}
          - {name: o, type: object}
          - {name: z, type: string, default: null}
        """,
    )
    ran = project.tool(
        "kinds", d="2024-01-31", t="13:45:00", dt="2024-01-31T13:45:00.5Z", ts="0", i="7", n="2",
        b="true", a='["2024-02-29"]', o='{"k": 1}',
    )  # fmt: skip
    assert ran.result == {
        "d": "datetime.date: datetime.date(2024, 1, 31)",
        "t": "datetime.time: datetime.time(13, 45)",
        "dt": "datetime.datetime: datetime.datetime(2024, 1, 31, 13, 45, 0, 500000, "
        "tzinfo=datetime.timezone.utc)",
        "ts": "datetime.datetime: datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)",
        "i": "builtins.int: 7",
        "n": "builtins.float: 2.0",
        "b": "builtins.bool: True",
        "a": "builtins.list: [datetime.date(2024, 2, 29)]",
        "o": "builtins.dict: {'k': 1}",
        "z": "builtins.NoneType: None",
    }


def test_results_of_many_kinds(project: Project) -> None:
    project.python_tool(
        "many",
        """
        import dataclasses, datetime, decimal, enum, pathlib, uuid
        from collections import OrderedDict, namedtuple

        @dataclasses.dataclass
        class Point:
            x: int
            y: "decimal.Decimal"

        class Colour(enum.Enum):
            RED = "red"

        def many():
            return {
                "big": 2**70,
                "exact": decimal.Decimal("12.340"),
                "nan": float("nan"),
                "infinity": float("-inf"),
                "date": datetime.date(2024, 1, 31),
                "time": datetime.time(1, 2, 3, 4),
                "moment": datetime.datetime(2024, 1, 31, 13, 45, tzinfo=datetime.timezone.utc),
                "local": datetime.datetime(2024, 1, 31, 13, 45, 0, 1),
                "uuid": uuid.UUID(int=1),
                "bytes": b"\\x00\\xff",
                "path": pathlib.PurePosixPath("a/b"),
                "tuple": (1, 2),
                "set": {3},
                "frozen": frozenset(),
                "enum": Colour.RED,
                "dataclass": Point(1, decimal.Decimal("2.50")),
                "ordered": OrderedDict(b=1, a=2),
                1: "integer key",
                "lone": "\\ud800",
                "generator": [x for x in range(2)],
            }
        """,
        RETURN_OBJECT,
    )
    assert project.tool("many").result == {
        "big": 2**70,
        "exact": 12.34,
        "nan": None,
        "infinity": None,
        "date": "2024-01-31",
        "time": "01:02:03.000004",
        "moment": "2024-01-31T13:45:00+00:00",
        "local": "2024-01-31T13:45:00.000001",
        "uuid": "00000000-0000-0000-0000-000000000001",
        "bytes": "AP8=",
        "path": "a/b",
        "tuple": [1, 2],
        "set": [3],
        "frozen": [],
        "enum": "red",
        "dataclass": {"x": 1, "y": 2.5},
        "ordered": {"b": 1, "a": 2},
        "1": "integer key",
        "lone": "\ufffd",
        "generator": [0, 1],
    }


def test_results_that_cannot_be_json(project: Project) -> None:
    project.python_tool("strange", "def strange():\n    return {'a': [object()]}\n")
    project.python_tool("circle", "def circle():\n    x = []\n    x.append(x)\n    return x\n")
    assert "object" in project.tool("strange").error
    assert "circle" in project.tool("circle").error


def test_signatures(project: Project) -> None:
    project.python_tool("f", "def f(a, b=2, *, c=3):\n    return [a, b, c]\n",
                        "parameters: [{name: a, type: integer}, {name: c, type: integer, default: 9}]")  # fmt: skip
    assert project.tool("f", a=1).result == [1, 2, 9]
    project.python_tool("g", "def h():\n    pass\n")
    error = project.tool("g").error
    assert "g" in error and "python/g.py" in error


def test_a_group_of_exceptions_says_what_is_in_it(project: Project) -> None:
    project.python_tool(
        "orders",
        """
        import asyncio

        async def find(n):
            raise ValueError(f"order {n} is not there")

        async def orders(n: int):
            async with asyncio.TaskGroup() as group:
                for i in range(n):
                    group.create_task(find(17 + i))
        """,
        "parameters: [{name: n, type: integer}]",
    )
    project.python_tool(
        "nested",
        """
        def nested():
            raise ExceptionGroup("two failed", [ExceptionGroup("", [KeyError("a")]), OSError()])
        """,
    )
    if sys.version_info < (3, 11):  # there are no groups yet, and that is what is said
        assert "has no attribute 'TaskGroup'" in project.tool("orders", n=1).error
        assert "name 'ExceptionGroup' is not defined" in project.tool("nested").error
        return
    assert "order 17 is not there (ValueError)" in project.tool("orders", n=1).error
    assert "TaskGroup" not in project.tool("orders", n=1).error
    many = project.tool("orders", n=5).error
    assert "order 19 is not there (ValueError); 2 more" in many and "order 20" not in many
    assert "two failed: 'a' (KeyError); OSError" in project.tool("nested").error


def test_exceptions_are_errors_with_their_message(project: Project) -> None:
    project.python_tool(
        "raises",
        """
        class Own(Exception):
            pass

        class Silent(Exception):
            def __str__(self):
                raise RuntimeError("no text")

        def raises(kind: str):
            def deep():
                match kind:
                    case "value": raise ValueError("the value is wrong")
                    case "own": raise Own()
                    case "silent": raise Silent()
                    case "key": return {}["missing"]
                    case "exit": raise SystemExit(3)
                    case "interrupt": raise KeyboardInterrupt()
                    case "import": import no_such_module
                    case "cause":
                        try:
                            1 / 0
                        except ZeroDivisionError as e:
                            raise Own("outer") from e
            return deep()
        """,
        "parameters: [{name: kind, type: string}]",
    )
    expected = {
        "value": "the value is wrong",
        "own": "Own",
        "silent": "Silent",
        "key": "missing",
        "exit": "SystemExit",
        "interrupt": "KeyboardInterrupt",
        "import": "no_such_module",
        "cause": "outer",
    }
    for kind, text in expected.items():
        ran = project.tool("raises", kind=kind)
        assert text in ran.error, (kind, ran)
    # The whole traceback is in the log, with the user's file and line.
    log = project.tool("raises", kind="cause").stderr
    assert "Traceback" in log and "raises.py" in log and "ZeroDivisionError" in log
    assert "Traceback" not in project.tool("raises", kind="value").error


@pytest.mark.stdio
def test_nothing_in_a_tool_takes_the_server_down(project: Project) -> None:
    bombs = {
        "exit": "import sys; sys.exit(1)",
        "interrupt": "raise KeyboardInterrupt",
        "recursion": "def f(): return f()\n    return f()",
        "repr": "x = []\n    for _ in range(200000): x = [x]\n    return repr(x)",
        "dumps": "import json\n    x = []\n    for _ in range(200000): x = [x]\n    return json.dumps(x)",
        "deep": "x = []\n    for _ in range(200000): x = [x]\n    return x",
        "generator": "raise GeneratorExit",
        "base": "raise BaseException('bare')",
        "stop": "raise StopIteration(5)",
        "str": "class E(Exception):\n        def __str__(self): raise SystemExit\n    raise E",
        "memory": "return 'x' * (1 << 62)",
    }
    for name, code in bombs.items():
        project.python_tool(f"b_{name}", f"def b_{name}():\n    {code}\n")
        project.python_tool(f"a_{name}", f"async def a_{name}():\n    {code}\n")
    project.python_tool("fine", "def fine():\n    return 'here'\n")
    with project.serve() as server:
        server.initialize()
        for name in bombs:
            for kind in "ba":
                assert server.error(f"{kind}_{name}") != "", name
                assert server.value("fine") == "here"
        assert server.request("ping")["result"] == {}


@pytest.mark.stdio
def test_calls_run_in_parallel(project: Project) -> None:
    """Sync functions and coroutines: each waits for the other, so neither may stand in its way."""
    project.write(
        {
            "python/meet.py": """
            import asyncio, threading
            from contextvars import ContextVar

            barrier = threading.Barrier(4)
            who = ContextVar("who", default="nobody")
            arrived = 0
            everybody = asyncio.Event()

            def meet(name: str):
                before = who.get()
                who.set(name)
                barrier.wait(60)
                return [before, who.get()]

            async def gather(name: str):
                global arrived
                before = who.get()
                who.set(name)
                arrived += 1
                if arrived == 4:
                    everybody.set()
                await asyncio.wait_for(everybody.wait(), 60)
                return [before, who.get()]
            """
        }
    )
    for name in ("meet", "gather"):
        project.write(
            {
                f"tools/{name}.yml": f"tool:\n  name: {name}\n  language: python\n"
                "  parameters: [{name: name, type: string}]\n  source: {file: ../python/meet.py}\n"
            }
        )
    with project.serve() as server:
        server.initialize()
        for tool in ("meet", "gather"):
            ids = {n: server.start_call(tool, {"name": f"caller {n}"}) for n in range(4)}
            for n, id in ids.items():
                text = server.answer(id)["result"]["content"][0]["text"]
                # Context variables belong to the call: nobody sees another's.
                assert json.loads(text) == ["nobody", f"caller {n}"]


# --- db.execute --------------------------------------------------------------------------------


def test_db_execute(project: Project) -> None:
    project.python_tool(
        "work",
        """
        from mxcp.runtime import db

        def work():
            db.execute("CREATE OR REPLACE TABLE t (i INTEGER, d DECIMAL(8, 2), s VARCHAR)")
            db.execute("INSERT INTO t VALUES ($i, $d, $s)", {"i": 1, "d": 2.5, "s": "it's"})
            db.execute("INSERT INTO t VALUES ($i, $d, $s)", {"i": None, "d": None, "s": None})
            rows = db.execute("SELECT * FROM t ORDER BY i NULLS LAST")
            assert type(rows) is list and type(rows[0]) is dict
            return {
                "rows": rows,
                "kinds": [type(v).__name__ for v in rows[0].values()],
                "none": db.execute("SELECT * FROM t WHERE i = $i", {"i": 99}),
                "list": db.execute("SELECT i FROM t WHERE i IN (SELECT unnest($ids))",
                                   {"ids": [1, 2]}),
                "sum": db.execute("SELECT sum(i) AS s, sum(d) AS d, sum(i) FILTER (i > 9) AS n FROM t"),
            }
        """,
    )
    assert project.tool("work").result == {
        "rows": [{"i": 1, "d": 2.5, "s": "it's"}, {"i": None, "d": None, "s": None}],
        "kinds": ["int", "float", "str"],
        "none": [],
        "list": [{"i": 1}],
        "sum": [{"s": 1, "d": 2.5, "n": None}],
    }


def test_db_execute_types(project: Project) -> None:
    project.python_tool(
        "kinds_of",
        """
        from mxcp.runtime import db

        def kinds_of():
            row = db.execute('''SELECT
                true AS a_bool, 1::TINYINT AS tiny, 170141183460469231731687303715884105727::HUGEINT AS huge,
                1.5::DOUBLE AS double, 1.25::DECIMAL(4, 2) AS exact, DATE '2024-01-31' AS d,
                TIME '01:02:03.5' AS t, TIMESTAMP '2024-01-31 13:45:00.123456' AS ts,
                TIMESTAMPTZ '2024-01-31 13:45:00+02' AS tz, INTERVAL '1 day 2 hours' AS span,
                'x'::BLOB AS b, uuid() AS u, [1, NULL] AS l, {'k': DATE '2024-01-31'} AS o,
                MAP {'a': 1} AS m, 'one'::ENUM('one', 'two') AS e, NULL AS n''')[0]
            return {k: type(v).__name__ for k, v in row.items()} | {"huge_value": row["huge"],
                "l_value": row["l"], "o_value": row["o"], "m_value": row["m"], "ts_value": row["ts"]}
        """,
    )
    assert project.tool("kinds_of").result == {
        "a_bool": "bool", "tiny": "int", "huge": "int", "double": "float", "exact": "float",
        "d": "date", "t": "time", "ts": "datetime", "tz": "datetime", "span": "timedelta",
        "b": "bytes", "u": "UUID", "l": "list", "o": "dict", "m": "dict", "e": "str",
        "n": "NoneType", "huge_value": 2**127 - 1, "l_value": [1, None],
        "o_value": {"k": "2024-01-31"}, "m_value": {"a": 1},
        "ts_value": "2024-01-31T13:45:00.123456",
    }  # fmt: skip


def test_db_errors_can_be_caught(project: Project) -> None:
    project.python_tool(
        "errors",
        """
        import duckdb
        from mxcp.runtime import db

        def errors():
            caught = []
            for sql in ("SELEC 1", "SELECT * FROM nowhere", "SELECT $a"):
                try:
                    db.execute(sql)
                except duckdb.Error as e:
                    caught.append([type(e).__name__, str(e) != ""])
            return caught
        """,
    )
    assert project.tool("errors").result == [
        ["ParserException", True],
        ["CatalogException", True],
        ["InvalidInputException", True],
    ]


@pytest.mark.stdio
def test_db_works_everywhere(project: Project) -> None:
    """In hooks (also async ones), tools, coroutines, tasks, and threads that the user starts."""
    project.write(
        {
            "python/everywhere.py": """
            import asyncio, threading
            from mxcp.runtime import db, on_init, on_shutdown

            seen = {}

            @on_init
            def create():
                db.execute("CREATE OR REPLACE TABLE log (what VARCHAR)")
                db.execute("INSERT INTO log VALUES ('init')")

            @on_init
            async def create_too():
                await asyncio.sleep(0)
                db.execute("INSERT INTO log VALUES ('async init')")

            @on_shutdown
            async def finish():
                db.execute("INSERT INTO log VALUES ('shutdown')")

            def note(what):
                db.execute("INSERT INTO log VALUES ($w)", {"w": what})

            def from_threads():
                threads = [threading.Thread(target=note, args=(f"thread {n}",)) for n in range(3)]
                for t in threads: t.start()
                for t in threads: t.join()
                return db.execute("SELECT count(*) AS n FROM log WHERE what LIKE 'thread%'")[0]["n"]

            async def from_coroutines():
                async def one(n):
                    await asyncio.sleep(0)
                    note(f"task {n}")
                await asyncio.gather(*(one(n) for n in range(10)))
                await asyncio.to_thread(note, "task thread")
                return db.execute("SELECT count(*) AS n FROM log WHERE what LIKE 'task%'")[0]["n"]

            def from_asyncio_run():
                return asyncio.run(from_coroutines())
            """
        }
    )
    for name in ("from_threads", "from_coroutines", "from_asyncio_run"):
        project.write(
            {
                f"tools/{name}.yml": f"tool:\n  name: {name}\n  language: python\n"
                "  source: {file: ../python/everywhere.py}\n"
            }
        )
    with project.serve() as server:
        server.initialize()
        assert server.value("from_threads") == 3
        assert server.value("from_coroutines") == 11
        assert server.value("from_asyncio_run") == 22
    rows = [row["what"] for row in project.query("SELECT what FROM log")]
    assert rows[:2] == ["init", "async init"] and rows[-1] == "shutdown"
    assert len(rows) == 3 + 3 + 22


# --- hooks -------------------------------------------------------------------------------------


@pytest.mark.stdio
def test_hooks_in_order_and_a_failing_one_survived(project: Project) -> None:
    project.write(
        {
            "python/a_first.py": """
            from mxcp.runtime import on_init, on_shutdown
            from log import note

            @on_init
            def one(): note("one")

            @on_init
            def broken(): raise ValueError("this hook is broken")

            @on_init
            def two(): note("two")

            @on_shutdown
            def last(): note("last")
            """,
            "python/b_second.py": """
            from mxcp.runtime import on_init, on_shutdown
            from log import note

            @on_init
            async def three(): note("three")

            @on_shutdown
            def never():
                import sys
                sys.exit("not even this")

            @on_shutdown
            def very_last(): note("very last")
            """,
            "python/log.py": """
            def note(text):
                with open("hooks.txt", "a") as f:
                    f.write(text + "\\n")
            """,
        }
    )
    project.python_tool("fine", "def fine():\n    return 1\n")
    with project.serve() as server:
        server.initialize()
        assert server.value("fine") == 1
        assert "this hook is broken" in server.wait_for_log("this hook is broken")
    lines = (project.folder / "hooks.txt").read_text().splitlines()
    assert lines == ["one", "two", "three", "last", "very last"]


@pytest.mark.stdio
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, None])
def test_shutdown_hooks_run_however_the_server_is_stopped(project: Project, how) -> None:
    project.python_tool(
        "t",
        """
        import atexit
        from mxcp.runtime import on_shutdown

        def note(text):
            with open("end.txt", "a") as f:
                f.write(text + "\\n")

        atexit.register(note, "atexit")

        @on_shutdown
        def stop():
            note("hook")

        def t():
            return 1
        """,
    )
    with project.serve() as server:
        server.initialize()
        assert server.value("t") == 1
        if how is None:
            server.end_of_input()
        else:
            server.signal(how)
        server.wait()
    assert (project.folder / "end.txt").read_text() == "hook\natexit\n"


def test_only_what_a_command_needs_is_imported(project: Project) -> None:
    """`run` imports the endpoint's module and those with hooks, not every module."""
    project.python_tool("t", "def t():\n    return 1\n")
    project.write(
        {
            "python/hooked.py": "from mxcp.runtime import on_init\n\n@on_init\ndef go():\n"
            "    print('hook ran')\n",
            "python/unused.py": "print('imported for nothing')\n",
            "python/broken.py": "import no_such_module\n",
        }
    )
    ran = project.tool("t")
    assert ran.result == 1
    assert "hook ran" in ran.stderr and "imported for nothing" not in ran.stderr
    assert "no_such_module" not in ran.stderr


def test_the_module_is_the_same_for_tools_hooks_and_imports(project: Project) -> None:
    project.write(
        {
            "python/pkg/__init__.py": "",
            "python/pkg/state.py": "items = []\n",
            "python/fill.py": "from mxcp.runtime import on_init\nfrom pkg import state\n\n"
            "@on_init\ndef fill():\n    state.items.append('filled')\n",
        }
    )
    project.python_tool("look", "import pkg.state\n\ndef look():\n    return pkg.state.items\n")
    assert project.tool("look").result == ["filled"]


# --- logging and messages to the client --------------------------------------------------------


def test_logging_goes_to_stderr(project: Project) -> None:
    project.python_tool(
        "logs",
        """
        import logging
        logger = logging.getLogger(__name__)

        def logs():
            logger.debug("a debug line")
            logger.info("an info line")
            logger.warning("a warning: %d", 1)
            logger.error("an error")
            return 1
        """,
    )
    ran = project.tool("logs")
    assert ran.result == 1
    assert "a warning: 1" in ran.stderr and "an error" in ran.stderr
    assert "a debug line" not in ran.stderr and "an info line" not in ran.stderr
    assert "a debug line" in project.tool("logs", "--debug").stderr


@pytest.mark.stdio
def test_progress_and_log_messages_reach_the_client(project: Project) -> None:
    project.python_tool(
        "speak",
        """
        import asyncio
        from mxcp.runtime import mcp

        async def speak():
            await mcp.info("beginning", step=1)
            await mcp.progress(1, 3, "one")
            await mcp.progress(current=2, total=3)
            await mcp.warning("nearly done")
            await mcp.progress(3, 3)
            return "spoken"
        """,
    )
    project.python_tool(
        "speak_sync",
        """
        import asyncio
        from mxcp.runtime import mcp

        def speak_sync():
            asyncio.run(mcp.error("from a plain function"))
            asyncio.run(mcp.progress(5))
            return "spoken"
        """,
    )
    with project.serve() as server:
        server.initialize()
        server.request("logging/setLevel", {"level": "info"})
        id = server.start_call("speak", progressToken="token")
        server.answer(id)
        progress = [m["params"] for m in server.notifications if m["method"] == "notifications/progress"]
        assert [(p["progressToken"], p["progress"], p["total"]) for p in progress] == [
            ("token", 1, 3), ("token", 2, 3), ("token", 3, 3),
        ]  # fmt: skip
        assert progress[0]["message"] == "one"
        messages = [m["params"] for m in server.notifications if m["method"] == "notifications/message"]
        assert [m["level"] for m in messages] == ["info", "warning"]
        assert "beginning" in json.dumps(messages[0]["data"])
        server.notifications.clear()
        server.answer(server.start_call("speak_sync", progressToken=7))
        kinds = [(m["method"], m["params"].get("progressToken")) for m in server.notifications]
        assert kinds == [("notifications/message", None), ("notifications/progress", 7)]
        # Without a token there is no progress; below the level there are no messages.
        server.notifications.clear()
        server.request("logging/setLevel", {"level": "error"})
        server.value("speak")
        assert server.notifications == []


def test_a_message_that_is_no_json_is_shown_as_python_shows_it(project: Project) -> None:
    project.python_tool("speak", """
        from mxcp.runtime import mcp

        class Odd:
            def __repr__(self):
                return "<odd>"

        class Broken:
            def __repr__(self):
                raise ValueError("no")

        async def speak():
            await mcp.warning("working", when=Odd(), many=[Odd()], n=1, broken=Broken())
            await mcp.warning(Odd())
            return 1
        """)  # fmt: skip
    with project.serve() as server:
        server.initialize()
        server.request("logging/setLevel", {"level": "info"})
        assert server.value("speak") == 1
        fields, alone = [m["params"]["data"] for m in server.notifications]
        assert "Broken" in fields.pop("broken")
        assert fields == {"message": "working", "when": "<odd>", "many": "[<odd>]", "n": 1}
        assert alone == "<odd>"


def test_messages_outside_a_server_are_logged(project: Project) -> None:
    project.python_tool("speak", """
        from mxcp.runtime import mcp

        async def speak():
            await mcp.warning("to the log")
            await mcp.progress(1, 2)
            return 1
        """)  # fmt: skip
    ran = project.tool("speak")
    assert ran.result == 1 and "to the log" in ran.stderr


def test_the_runtime_is_typed() -> None:
    """The package carries stubs, so that editors know the API."""
    import importlib.util
    from pathlib import Path

    spec = importlib.util.find_spec("mxcp")
    assert spec and spec.origin
    package = Path(spec.origin).parent
    assert (package / "py.typed").exists()
    assert list(package.glob("runtime/*.pyi")) or list(package.glob("runtime*.pyi"))
