"""reload_duckdb: its six steps, under load and when something fails."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections import Counter
from pathlib import Path

import duckdb
import pytest
from harness import Project, official_client

pytestmark = pytest.mark.stdio

RELOADS = 10 if "asan" in os.environ.get("MXCP_COMMAND", "") else 50
IN_FLIGHT = 8


def write_generation(path: Path, generation: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE generation AS SELECT ? AS n", [generation])
        connection.execute("CREATE TABLE users AS SELECT i AS id FROM range(100) t(i)")


SWAP = """
import shutil
from mxcp.runtime import config, db, on_init, on_shutdown, reload_duckdb

started = []

@on_init
def note_start():
    started.append(db.execute("SELECT n FROM generation")[0]["n"])

@on_shutdown
def note_stop():
    print("stopped with generation", started[0])

def swap(source: str) -> dict:
    def payload():
        if source == "raise":
            raise ValueError("the payload of the test")
        shutil.copyfile(source, "data/db-default.duckdb")
    reload_duckdb(payload_func=payload, description=f"swapping in {source}")
    return {"status": "scheduled", "seen_at_start": started}

def read_sync(id: int) -> dict:
    row = db.execute("SELECT n, $id AS id FROM generation", {"id": id})[0]
    return {"generation": row["n"], "id": row["id"]}

async def read_async(id: int) -> dict:
    row = db.execute("SELECT n, $id AS id FROM generation", {"id": id})[0]
    again = db.execute("SELECT n FROM generation")[0]
    return {"generation": row["n"], "id": row["id"], "same": again["n"] == row["n"]}
"""

ID = "parameters: [{name: id, type: integer}]\n"
ROW = "return: {type: object, properties: {generation: {type: integer}, id: {type: integer}}}\n"


@pytest.fixture
def swapping(project: Project) -> Project:
    write_generation(project.database, 0)
    project.write({"python/swap.py": SWAP})
    for name in ["swap", "read_sync", "read_async"]:
        head = ID if name != "swap" else "parameters: [{name: source, type: string}]\n"
        project.write(
            {
                f"tools/{name}.yml": f"tool:\n  name: {name}\n  language: python\n  {head}"
                "  source: {file: ../python/swap.py}\n"
            }
        )
    project.sql_tool(
        "read_sql",
        "SELECT g.n AS generation, u.id FROM generation g, users u WHERE u.id = $id % 100",
        ID + ROW,
    )
    project.sql_tool("slow", "SELECT count(*) AS n FROM range(200000000) t(i) WHERE i % 7 = 3")
    return project


def test_nothing_is_lost_over_many_swaps(swapping: Project) -> None:
    """Calls are always in flight while the file is swapped again and again: every id is answered
    exactly once, with the generation of one database; and what was asked after a reload had shown
    its data never sees older data."""
    for n in range(1, RELOADS + 1):
        write_generation(swapping.folder / f"next/{n}.duckdb", n)
    asyncio.run(swap_under_load(swapping))


async def swap_under_load(project: Project) -> None:
    sent: Counter[int] = Counter()
    answered: list[tuple[int, str, int, int]] = []  # id, tool, newest seen when sent, generation
    newest = 0
    next_id = 0
    finished = asyncio.Event()

    async with official_client(project, "2026-07-28") as client:

        async def read(tool: str, id: int) -> int:
            result = await client.call_tool(tool, {"id": id})
            assert not result.is_error, result
            value = json.loads(result.content[0].text)
            assert value["id"] == (id % 100 if tool == "read_sql" else id), (tool, id, value)
            assert value.get("same", True), "one call saw two databases"
            return value["generation"]

        async def caller() -> None:
            nonlocal newest, next_id
            while not finished.is_set():
                id, next_id = next_id, next_id + 1
                tool = ("read_sql", "read_sync", "read_async")[id % 3]
                known = newest
                sent[id] += 1
                generation = await read(tool, id)
                answered.append((id, tool, known, generation))
                newest = max(newest, generation)

        async def swapper() -> None:
            nonlocal newest
            for n in range(1, RELOADS + 1):
                result = await client.call_tool("swap", {"source": f"next/{n}.duckdb"})
                assert not result.is_error, result
                value = json.loads(result.content[0].text)
                assert value["status"] == "scheduled"
                # The init hook ran once for each start, in modules imported afresh.
                assert value["seen_at_start"] == [n - 1]
                while await read("read_sync", -1) != n:
                    pass
                newest = max(newest, n)
            finished.set()

        await asyncio.gather(swapper(), *(caller() for _ in range(IN_FLIGHT)))

    assert Counter(id for id, *_ in answered) == sent and set(sent.values()) == {1}
    for id, tool, known, generation in answered:
        assert known <= generation <= RELOADS, f"call {id} ({tool}) went back to {generation}"
    assert {generation for *_, generation in answered} >= set(range(RELOADS + 1))
    assert {tool for _, tool, *_ in answered} == {"read_sql", "read_sync", "read_async"}


def test_calls_that_run_finish_and_later_ones_wait(swapping: Project) -> None:
    """A call that runs when the reload is asked for ends on the old database; one that comes while it
    is drained waits, and sees the new one."""
    write_generation(swapping.folder / "next/1.duckdb", 1)
    with swapping.serve() as server:
        server.initialize()
        assert server.value("read_sql", id=1) == {"generation": 0, "id": 1}
        slow = server.start_call("slow")
        assert server.value("swap", source="next/1.duckdb")["status"] == "scheduled"
        late = [server.start_call(tool, {"id": 5}) for tool in ("read_sql", "read_sync", "read_async")]
        for id in late:
            text = server.answer(id)["result"]["content"][0]["text"]
            generation = json.loads(text)["generation"]
            assert generation == 1 or not server.answered(slow)
        assert json.loads(server.answer(slow)["result"]["content"][0]["text"]) == [{"n": 28571429}]
        assert server.value("read_async", id=6)["generation"] == 1


def test_the_file_is_free_while_the_payload_runs(project: Project) -> None:
    """Another process opens the database inside the payload; afterwards the server has it again."""
    project.query("CREATE TABLE t AS SELECT 1 AS n")
    project.python_tool(
        "rebuild",
        """
        import subprocess, sys
        from mxcp.runtime import db, reload_duckdb

        def rebuild():
            def payload():
                subprocess.run(
                    [sys.executable, "-c",
                     "import duckdb; duckdb.connect('data/db-default.duckdb').execute('UPDATE t SET n = n + 1')"],
                    check=True)
            reload_duckdb(payload_func=payload)
            return "scheduled"
        """,
    )
    project.sql_tool("n", "SELECT n FROM t", "return: {type: integer}")
    with project.serve() as server:
        server.initialize()
        for expected in (2, 3):
            assert server.value("rebuild") == "scheduled"
            while server.value("n") != expected:
                pass


def test_in_the_payload_duckdb_may_be_used_directly(project: Project) -> None:
    """A dbt that runs in process belongs into the payload, and it connects by itself."""
    project.query("CREATE TABLE t AS SELECT 1 AS n")
    project.python_tool(
        "rebuild",
        """
        import duckdb
        from mxcp.runtime import db, reload_duckdb

        def rebuild():
            def payload():
                with duckdb.connect("data/db-default.duckdb") as connection:
                    connection.execute("UPDATE t SET n = n + 1")
            reload_duckdb(payload)
            return "scheduled"
        """,
    )
    project.sql_tool("n", "SELECT n FROM t", "return: {type: integer}")
    with project.serve() as server:
        server.initialize()
        assert server.value("rebuild") == "scheduled"
        while server.value("n") != 2:
            pass


def test_a_payload_that_raises_is_reported_and_survived(swapping: Project) -> None:
    write_generation(swapping.folder / "next/1.duckdb", 1)
    with swapping.serve() as server:
        server.initialize()
        assert server.value("swap", source="raise")["status"] == "scheduled"
        log = server.wait_for_log("swapping in raise")
        assert "ValueError: the payload of the test" in log
        assert server.value("read_sql", id=1)["generation"] == 0
        assert server.value("swap", source="next/1.duckdb")["status"] == "scheduled"
        while server.value("read_sync", id=1)["generation"] != 1:
            pass


def test_a_database_that_cannot_be_opened_is_named_and_can_be_replaced(swapping: Project) -> None:
    write_generation(swapping.folder / "next/1.duckdb", 1)
    (swapping.folder / "next/broken.duckdb").write_bytes(b"this is no database" * 1000)
    with swapping.serve() as server:
        server.initialize()
        assert server.value("swap", source="next/broken.duckdb")["status"] == "scheduled"
        server.wait_for_log("db-default.duckdb")
        while "db-default.duckdb" not in (text := refused(server, "read_sql", {"id": 1})):
            assert text == "", text
        assert "db-default.duckdb" in refused(server, "read_sync", {"id": 1})
        # The server is there, and the next reload mends it.
        assert server.request("ping")["result"] == {}
        assert server.value("swap", source="next/1.duckdb")["status"] == "scheduled"
        while refused(server, "read_sql", {"id": 1}):
            pass
        assert server.value("read_sql", id=1)["generation"] == 1
        assert server.value("read_async", id=1)["generation"] == 1


def refused(server, tool: str, arguments: dict) -> str:
    """The text of a tool's error; empty when it answered."""
    result = server.call(tool, **arguments)
    return result["content"][0]["text"] if result.get("isError") else ""


def test_new_code_and_configuration_after_a_reload(project: Project) -> None:
    """The reload reads the configuration and imports the project's modules afresh."""
    (project.home / ".mxcp").mkdir()
    config = project.home / ".mxcp" / "config.yml"
    secret = (
        "mxcp: 1\nprojects:\n  test:\n    profiles:\n      default:\n        secrets:\n"
        "          - {name: s, type: custom, parameters: {v: VALUE}}\n"
    )
    config.write_text(secret.replace("VALUE", "old"))
    code = """
        from mxcp.runtime import config, reload_duckdb
        counter = 0

        def look():
            global counter
            counter += 1
            return {"code": "old", "secret": config.get_secret("s", "v"), "counter": counter}
        """
    project.python_tool("look", code)
    project.python_tool("again", "from mxcp.runtime import reload_duckdb\n\n"
                                 "def again():\n    reload_duckdb()\n")  # fmt: skip
    with project.serve() as server:
        server.initialize()
        assert server.value("look") == {"code": "old", "secret": "old", "counter": 1}
        assert server.value("look") == {"code": "old", "secret": "old", "counter": 2}
        config.write_text(secret.replace("VALUE", "new"))
        project.python_tool("look", code.replace('"old"', '"new"'))
        server.call("again")
        while (seen := server.value("look"))["code"] == "old":
            assert seen["secret"] == "old"
        assert seen == {"code": "new", "secret": "new", "counter": 1}


def test_hangup_reads_the_values_of_references_again(project: Project) -> None:
    (project.home / ".mxcp").mkdir()
    secret = project.home / "secret.txt"
    (project.home / ".mxcp" / "config.yml").write_text(
        "mxcp: 1\nprojects:\n  test:\n    profiles:\n      default:\n        secrets:\n"
        f"          - {{name: s, type: custom, parameters: {{v: 'file://{secret}'}}}}\n"
    )
    secret.write_text("old\n")
    code = "from mxcp.runtime import config\n\ndef look():\n    return config.get_secret('s', 'v')\n"
    project.python_tool("look", code)
    with project.serve() as server:
        server.initialize()
        assert server.value("look") == "old"
        # Nobody watches the file of a secret.
        secret.write_text("new\n")
        assert server.value("look") == "old"
        server.signal(signal.SIGHUP)
        while (seen := server.value("look")) == "old":
            pass
        assert seen == "new"
        # What cannot be read any more leaves the old value, and says so.
        secret.unlink()
        server.signal(signal.SIGHUP)
        server.wait_for_log("the old one stays")
        assert server.value("look") == "new"


def test_requests_queue_and_run_one_after_the_other(project: Project) -> None:
    project.python_tool(
        "many",
        """
        from mxcp.runtime import reload_duckdb

        def many():
            for n in range(5):
                def payload(n=n):
                    with open("order.txt", "a") as f:
                        f.write(f"{n} begins\\n{n} ends\\n")
                reload_duckdb(payload_func=payload, description=f"number {n}")
            return "scheduled"
        """,
    )
    with project.serve() as server:
        server.initialize()
        assert server.value("many") == "scheduled"
        order = project.folder / "order.txt"
        server.wait_until(lambda: True)
        while not order.exists() or len(order.read_text().splitlines()) < 10:
            assert server.request("ping")["result"] == {}
    expected = [f"{n} {what}" for n in range(5) for what in ("begins", "ends")]
    assert order.read_text().splitlines() == expected


def test_wrong_use_of_reload(project: Project) -> None:
    project.python_tool(
        "wrong",
        """
        from mxcp.runtime import reload_duckdb

        def wrong():
            reload_duckdb(payload_func="not a function")
        """,
    )
    project.python_tool(
        "outside",
        """
        from mxcp.runtime import reload_duckdb

        def outside():
            reload_duckdb(lambda: None)
        """,
    )
    assert "payload_func must be a function" in project.tool("wrong").error
    assert "mxcp serve" in project.tool("outside").error
    with project.serve() as server:
        server.initialize()
        assert "payload_func must be a function" in server.error("wrong")


def test_shutdown_while_a_reload_waits(swapping: Project) -> None:
    """SIGTERM between asking for a reload and its end: the server leaves cleanly all the same."""
    write_generation(swapping.folder / "next/1.duckdb", 1)
    with swapping.serve() as server:
        server.initialize()
        server.value("read_sql", id=1)
        server.start_call("slow")
        server.call("swap", source="next/1.duckdb")
        server.signal(signal.SIGTERM)
        server.wait()
    shutil.copyfile(swapping.database, swapping.folder / "copy.duckdb")
    with duckdb.connect(str(swapping.folder / "copy.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT n FROM generation").fetchone()[0] in (0, 1)
