"""What `db` has beside execute(): transactions, coroutines, streams, Arrow."""

from __future__ import annotations

import pytest
from harness import Project

HEAD = "import asyncio\nimport duckdb\nfrom mxcp.runtime import db, reload_duckdb\n"


def check(project: Project, code: str) -> object:
    """The result of a tool whose function is given."""
    return project.python_tool("t", HEAD + code).tool("t").result


def test_a_transaction_counts_together(project: Project) -> None:
    project.query("CREATE TABLE n (i INTEGER PRIMARY KEY)")
    code = """
def count():
    return db.execute("SELECT count(*) AS n FROM n")[0]["n"]

def t():
    seen = []
    with db.transaction() as tx:
        tx.execute("INSERT INTO n VALUES ($i)", {"i": 1})
        tx.execute("INSERT INTO n VALUES (2), (3)")
        seen += [tx.execute("SELECT sum(i)::INT AS s FROM n")[0]["s"], count()]
    seen.append(count())
    try:
        with db.transaction() as tx:
            tx.execute("INSERT INTO n VALUES (4)")
            raise KeyError("mine")
    except KeyError as error:
        seen += [error.args[0], count()]
    try:
        with db.transaction() as tx:
            tx.execute("INSERT INTO n VALUES (5)")
            tx.execute("INSERT INTO n VALUES (1)")
    except duckdb.ConstraintException:
        seen += ["constraint", count()]
    try:
        tx.execute("SELECT 1")
    except RuntimeError as error:
        seen.append(str(error))
    with db.transaction() as tx:
        tx.execute("INSERT INTO n VALUES (6)")
        tx.execute("ROLLBACK")
        try:
            tx.execute("COMMIT")
        except duckdb.TransactionException:
            tx.execute("BEGIN")
    seen.append(count())
    return seen
"""
    assert check(project, code) == [
        6, 0, 3, "mine", 3, "constraint", 3,
        "the transaction has ended; use it inside of its `with` block", 3,
    ]  # fmt: skip


def test_a_transaction_that_nobody_ends_is_rolled_back(project: Project) -> None:
    project.query("CREATE TABLE n (i INTEGER)")
    code = """
def t():
    for i in range(50):  # more than there are connections
        tx = db.transaction().__enter__()
        tx.execute("INSERT INTO n VALUES (1)")
        del tx
    return db.execute("SELECT count(*) AS n FROM n")[0]["n"]
"""
    assert check(project, code) == 0


def test_coroutines_with_transactions_do_not_wait_for_each_other(project: Project) -> None:
    project.query("CREATE TABLE n (i INTEGER)")
    code = """
async def t():
    async def one(i):
        with db.transaction() as tx:
            tx.execute("INSERT INTO n VALUES ($i)", {"i": i})
            await asyncio.sleep(0.01)
            # Blocks the loop, so that no other transaction can end meanwhile.
            return db.execute("SELECT $i AS i", {"i": i})[0]["i"]
    rows = await asyncio.gather(*(one(i) for i in range(30)))
    return [sum(rows), db.execute("SELECT count(*) AS n FROM n")[0]["n"]]
"""
    assert check(project, code) == [435, 30]


def test_aexecute_leaves_the_loop_alone(project: Project) -> None:
    code = """
from mxcp.sdk.auth.context import get_user_context

async def t():
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    slow = "SELECT count(*) AS n FROM range(3000) a, range(3000) b WHERE (a.range * b.range) % 7 = $x"
    rows = await asyncio.gather(*(db.aexecute(slow, {"x": x}) for x in (1, 2)))
    ticking.cancel()
    try:
        await db.aexecute("SELECT nothing FROM nowhere")
    except duckdb.CatalogException as error:
        failed = "nowhere" in str(error)
    return {"rows": [r[0]["n"] for r in rows], "ticks": ticks > 10, "failed": failed}
"""
    counts = [
        sum(1 for a in range(7) for b in range(7) if a * b % 7 == x) for x in (1, 2)
    ]  # of the classes of remainders
    result = check(project, code)
    assert result["ticks"] and result["failed"]
    assert len(counts) == len(result["rows"]) and all(n > 0 for n in result["rows"])


def test_cancelling_aexecute_stops_the_query(project: Project) -> None:
    code = """
async def t():
    endless = "SELECT sum(a.range * b.range) AS n FROM range(1000000) a, range(100000000) b"
    try:
        await asyncio.wait_for(db.aexecute(endless), 0.2)
    except asyncio.TimeoutError:
        # Without the stop, these would all be taken sooner or later, and the last ones never run.
        for _ in range(40):
            task = asyncio.create_task(db.aexecute(endless))
            await asyncio.sleep(0.01)
            task.cancel()
        return (await db.aexecute("SELECT 7 AS n"))[0]["n"]
"""
    assert check(project, code) == 7


def test_a_stream_gives_batches(project: Project) -> None:
    code = """
async def t():
    query = "SELECT i, 'x' || i AS s FROM range($n) t(i)"
    sizes = [len(batch) for batch in db.stream(query, {"n": 25_000})]
    small = [len(batch) for batch in db.stream(query, {"n": 10}, batch_size=4)]
    exact = [len(batch) for batch in db.stream(query, {"n": 6}, batch_size=3)]
    none = list(db.stream(query, {"n": 0}))
    rows = [row for batch in db.stream(query, {"n": 5000}, batch_size=999) for row in batch]
    assert rows == db.execute(query, {"n": 5000})
    later = [len(batch) async for batch in db.stream(query, {"n": 10}, batch_size=4)]
    with db.stream(query, {"n": 10**9}, batch_size=10) as stream:
        first = next(stream)[9]
    try:
        next(db.stream("SELECT"))
    except duckdb.ParserException:
        early = True
    broken = db.stream("SELECT CASE WHEN i < 5000 THEN i ELSE error('too far') END AS i "
                       "FROM range(10000) t(i)", batch_size=2048)
    try:
        for batch in broken:
            pass
    except duckdb.Error as error:
        late = "too far" in str(error)
    return [sizes, small, exact, none, later, first, list(stream), early, late]
"""
    assert check(project, code) == [
        [10000, 10000, 5000], [4, 4, 2], [3, 3], [], [4, 4, 2], {"i": 9, "s": "x9"}, [], True, True,
    ]  # fmt: skip


ENDLESS = "SELECT sum(a.range * b.range) AS s FROM range(10000000) a, range(10000000) b"


def test_a_stream_outside_of_a_loop_begins_at_once(project: Project) -> None:
    code = """
def t():
    try:
        db.stream("SELECT")
    except duckdb.ParserException:
        return "early"
"""
    assert check(project, code) == "early"


def test_a_stream_leaves_the_loop_alone(project: Project) -> None:
    code = f"""
async def t():
    stream = db.stream({ENDLESS!r})
    reading = asyncio.create_task(stream.__anext__())
    for _ in range(10):
        await asyncio.sleep(0.01)
    reading.cancel()
    seen = []
    try:
        await reading
    except asyncio.CancelledError:
        seen.append("cancelled")
    try:
        await stream.__anext__()
    except RuntimeError as error:
        seen.append(str(error))
    stream.close()  # at once: the query was stopped
    return [*seen, [len(batch) async for batch in db.stream("SELECT 1 AS i")]]
"""
    assert check(project, code) == [
        "cancelled", "the stream ended when a read of it was cancelled", [1],
    ]  # fmt: skip


def test_closing_a_stream_stops_its_query(project: Project) -> None:
    code = f"""
async def t():
    stream = db.stream({ENDLESS!r})
    reading = asyncio.create_task(stream.__anext__())
    for _ in range(10):
        await asyncio.sleep(0.01)
    stream.close()
    try:
        await reading
    except (duckdb.Error, RuntimeError, StopAsyncIteration) as error:
        return type(error).__name__
"""
    assert isinstance(check(project, code), str)


def test_a_large_stream_needs_little_memory(project: Project) -> None:
    code = """
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6

def t():
    count, most = 0, 0
    for batch in db.stream("SELECT i, 'some text of thirty characters ' || i AS s "
                           "FROM range(3000000) t(i)", batch_size=50_000):
        count += len(batch)
        if count == 100_000:
            begin = resident()
        most = max(most, resident())
    return [count, most - begin]
"""
    count, grown = check(project, code)
    assert count == 3_000_000
    assert grown < 150, "3,000,000 rows as dicts are about 900 MB"


def test_an_arrow_stream(project: Project) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow has no wheel for this Python")
    assert pyarrow
    code = """
def t():
    import pyarrow as pa

    result = db.arrow("SELECT i, 'x' || i AS s, [i, NULL] AS l, DATE '2024-01-31' AS d, "
                      "CASE WHEN i % 2 = 0 THEN i / 4 END AS f FROM range($n) t(i)", {"n": 5000})
    table = pa.table(result)
    try:
        pa.table(result)
    except RuntimeError as error:
        again = str(error)
    empty = pa.table(db.arrow("SELECT 1 AS a WHERE false"))
    reader = pa.RecordBatchReader.from_stream(db.arrow("SELECT i FROM range(100000) t(i)"))
    first = reader.read_next_batch().num_rows
    reader.close()
    broken = db.arrow("SELECT CASE WHEN i < 5000 THEN i ELSE error('too far') END AS i "
                      "FROM range(10000) t(i)")
    try:
        pa.table(broken)
    except (pa.ArrowException, OSError) as error:
        late = "too far" in str(error)
    return [table.num_rows, table.column_names, [str(t) for t in table.schema.types],
            table.slice(4, 1).to_pylist(), again, empty.num_rows, empty.column_names, first, late]
"""
    rows, names, types, row, again, none, columns, first, late = check(project, code)
    assert (rows, names) == (5000, ["i", "s", "l", "d", "f"])
    assert types == ["int64", "string", "list<l: int64>", "date32[day]", "double"]
    assert row == [{"i": 4, "s": "x4", "l": [4, None], "d": "2024-01-31", "f": 1.0}]
    assert again.startswith("the rows were already taken")
    assert (none, columns) == (0, ["a"])
    assert first == 2048 and late


def test_pandas_and_polars_read_arrow(project: Project) -> None:
    pytest.importorskip("polars", reason="polars has no wheel for this Python")
    code = """
def t():
    import polars
    frame = polars.DataFrame(db.arrow("SELECT i, 'x' AS s FROM range(3) t(i)"))
    return frame
"""
    assert check(project, code) == [{"i": i, "s": "x"} for i in range(3)]


@pytest.mark.stdio
def test_a_forgotten_stream_does_not_keep_the_database_open(project: Project) -> None:
    project.python_tool(
        "begin",
        HEAD
        + """
kept = []

def begin():
    stream = db.stream("SELECT i FROM range(1000000) t(i)", batch_size=10)
    transaction = db.transaction().__enter__()
    import builtins

    builtins.kept = [stream, transaction, next(stream)]
    reload_duckdb()
    return len(builtins.kept[2])
""",
    )
    project.python_tool(
        "after",
        """
import builtins

def after():
    try:
        next(builtins.kept[0])
    except RuntimeError as error:
        builtins.said = str(error)
    except StopIteration:
        pass
    return getattr(builtins, "said", "still open")
""",
    )
    with project.serve() as server:
        server.initialize()
        assert server.value("begin") == 10
        server.wait_until(lambda: server.value("after") != "still open", "the reload")
        assert server.value("after").endswith("ended by a reload")


# One statement for each class of errors that can be had without a network.
FAILING = [
    "SELECT 9223372036854775807::BIGINT + 1", "SELECT factorial(100)", "SELECT repeat('a', 10000000000)",
    "SELECT 'a'::INT", "SELEC", "SELECT * FROM not_there", "SELECT a", "SELECT * FROM read_csv('/not/there')",
    "SELECT error('x')", "SELECT regexp_matches('a', '(')", "SET threads = -1", "SELECT '24:00'::TIME::INTERVAL",
    "CREATE TABLE t (i INT PRIMARY KEY); INSERT INTO t VALUES (1), (1)",
    "BEGIN; BEGIN", "CREATE SCHEMA s; CREATE TABLE s.t (i INT); DROP SCHEMA s",
]  # fmt: skip


def test_errors_are_of_the_classes_of_the_duckdb_package(project: Project) -> None:
    code = f"""
FAILING = {FAILING!r}

def kind(execute):
    try:
        execute()
    except Exception as error:
        return type(error).__name__
    return "no error"

def t():
    pairs = []
    for sql in FAILING:
        def ours():
            with db.transaction() as tx:
                for one in sql.split(";"):
                    tx.execute(one)
        package = duckdb.connect()
        package.execute("BEGIN")
        theirs = lambda: [package.execute(one).fetchall() for one in sql.split(";")]
        pairs.append([sql, kind(ours), kind(theirs)])
    return pairs
"""
    pairs = check(project, code)
    assert [pair for pair in pairs if pair[1] != pair[2]] == []
    kinds = {pair[1] for pair in pairs}
    assert {"OutOfRangeException", "ConversionException", "SyntaxException"} <= kinds
    assert "Error" not in kinds and "no error" not in kinds


def test_out_of_memory_has_its_class(project: Project) -> None:
    code = """
def t():
    try:
        db.execute("SET memory_limit = '10MB'")
        db.execute("SELECT list(i) FROM range(100000000) r(i)")
    except duckdb.OutOfMemoryException as error:
        return isinstance(error, duckdb.OperationalError)
"""
    assert check(project, code.replace("db.execute", "tx.execute").replace(
        "    try:\n", "    try:\n      with db.transaction() as tx:\n")) is True  # fmt: skip


def test_parameters_of_numpy_have_the_types_of_the_package(project: Project) -> None:
    pytest.importorskip("numpy", reason="numpy has no wheel for this Python")
    code = """
import numpy as np

VALUES = [
    np.datetime64("2024-01-02"), np.datetime64("2024-01"), np.datetime64("2024-01-02T03:04:05"),
    np.datetime64("2024-01-02T03:04:05.123456"), np.datetime64("2024-01-02T03", "h"), np.datetime64("NaT"),
    np.array(["2024-01-02", "NaT"], "M8[D]"), np.array(["2024-01-02T03:04:05"], "M8[s]"), np.float64(1.5),
]

def of(rows):
    return [str(value) for value in rows]

def t():
    out = []
    for value in VALUES:
        ours = db.execute("SELECT typeof(x) AS t, x::VARCHAR AS x FROM (SELECT $1 AS x)", [value])[0]
        theirs = duckdb.connect().execute(
            "SELECT typeof(x), x::VARCHAR FROM (SELECT ? AS x)", [value]).fetchall()[0]
        out.append([repr(value), list(ours.values()), list(theirs)])
    return out
"""
    differing = [row for row in check(project, code) if row[1] != row[2]]
    assert differing == []


def test_what_numpy_says_more_exactly_than_sql(project: Project) -> None:
    pytest.importorskip("numpy", reason="numpy has no wheel for this Python")
    code = """
import numpy as np

def said(value):
    try:
        return db.execute("SELECT typeof($x) AS t, $x::VARCHAR AS x", {"x": value})[0]
    except TypeError as error:
        return str(error)

def t():
    return [
        said(np.datetime64("2024-01-02T03:04:05.123456000")), said(np.datetime64("2024-01-02T03:04:05.123456789")),
        said(np.timedelta64(5, "us")), said(np.timedelta64(5, "ns")), said(np.timedelta64(-1, "s")),
        said(np.timedelta64(14, "M")), said(np.longdouble(1.5)), said(np.array([1.5, 2.5], np.longdouble)),
        said(np.datetime64("20000-01-02")), said(np.array([5000, 6000], "m8[ns]")),
    ]
"""
    moment, finer, span, fine_span, negative, months, real, reals, far, spans = check(project, code)
    assert moment == {"t": "TIMESTAMP", "x": "2024-01-02 03:04:05.123456"}
    assert finer.startswith("parameter 'x': a numpy datetime64 that is not exact in microseconds")
    assert span == {"t": "INTERVAL", "x": "00:00:00.000005"}
    assert fine_span.startswith("parameter 'x': a numpy timedelta64 that is not exact in microseconds")
    assert negative["t"] == "INTERVAL"
    assert months == {"t": "INTERVAL", "x": "1 year 2 months"}
    assert real == {"t": "DOUBLE", "x": "1.5"}
    assert reals == {"t": "DOUBLE[]", "x": "[1.5, 2.5]"}
    assert far == {"t": "DATE", "x": "20000-01-02"}
    assert spans["t"] == "INTERVAL[]"


def test_a_time_of_pandas_with_nanoseconds_is_no_parameter(project: Project) -> None:
    pytest.importorskip("pandas", reason="pandas has no wheel for this Python")
    code = """
import pandas as pd

def said(value):
    try:
        return db.execute("SELECT typeof($x) AS t", {"x": value})[0]["t"]
    except TypeError as error:
        return str(error)

def t():
    return [said(pd.Timestamp(1000)), said(pd.Timestamp(1)), said(pd.Timedelta(1)), said(pd.NaT)]
"""
    fits, finer, span, none = check(project, code)
    assert fits == "TIMESTAMP" and none
    assert finer.startswith("parameter 'x': a pandas Timestamp that is not exact in microseconds")
    assert span.startswith("parameter 'x': a pandas Timedelta that is not exact in microseconds")


def test_positional_parameters_can_be_repeated(project: Project) -> None:
    code = """
def t():
    return [db.execute("SELECT $1, $2, upper($1)", ["a", 5]), db.execute("SELECT $1, $1", ["a"]),
            db.execute("SELECT format('{}', $1) || 'a' AS f, $1::VARCHAR AS v", ["x"])]
"""
    assert check(project, code) == [
        [{"$1": "a", "$2": 5, "upper($1)": "A"}], [{"$1": "a", "$1_1": "a"}], [{"f": "xa", "v": "x"}],
    ]  # fmt: skip


def test_parameters_that_are_none_say_so_by_name(project: Project) -> None:
    code = """
class Thing: pass

def said(value):
    try:
        return db.execute("SELECT $x AS x", {"x": value})
    except Exception as error:
        return f"{type(error).__name__}: {error}"

def t():
    return [said(Thing()), said([1, Thing()]), said("a\\ud800"), said({"k": "\\udfff"}), said("\U0001f600")]
"""
    thing, inside, half, nested, whole = check(project, code)
    assert thing.startswith("TypeError: parameter 'x': a value of type t_code.Thing is nothing that SQL knows") or (
        "Thing is nothing that SQL knows" in thing
    )
    assert "return" not in thing
    assert "parameter 'x': [1]: " in inside
    assert "parameter 'x': the text holds half of a surrogate pair" in half
    assert "parameter 'x': k: the text holds half of a surrogate pair" in nested
    assert whole == [{"x": "\U0001f600"}]


def test_a_stream_is_no_result(project: Project) -> None:
    project.python_tool("t", HEAD + "def t(): return db.stream('SELECT 1 AS n')\n")
    error = project.tool("t").error
    assert "a stream of db.stream() is no data: loop over it" in error and "db.execute()" in error


def test_the_end_of_the_day_is_its_text(project: Project) -> None:
    code = """
def t():
    row = db.execute("SELECT TIME '24:00:00' AS t, '24:00:00+02'::TIMETZ AS z, [TIME '24:00:00'] AS l, TIME '23:59:59.999999' AS u")[0]
    return {key: str(value) if key == "u" else value for key, value in row.items()}
"""
    assert check(project, code) == {
        "t": "24:00:00", "z": "24:00:00+02:00", "l": ["24:00:00"], "u": "23:59:59.999999",
    }  # fmt: skip


def test_numbers_without_a_place_in_a_column(project: Project) -> None:
    """As the duckdb package has it: an error or the nearest DOUBLE, never another number."""
    code = """
from decimal import Decimal
import math

def one(x):
    return db.execute("SELECT $x AS x, typeof($x) AS t", {"x": x})[0]

def t():
    seen = []
    for huge in [2**128, [2**128 + 5], {"a": -(2**127) - 1}]:
        try:
            seen.append(one(huge))
        except duckdb.Error as error:
            seen.append("does not fit" in str(error))
    seen.append(str(one(2**128 - 1)["x"]))
    for odd in [Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity")]:
        row = one(odd)
        seen.append([row["t"], str(row["x"])])
    row = one(Decimal("1E-50"))
    return seen + [[row["t"], row["x"]]]
"""
    assert check(project, code) == [
        True,
        True,
        True,
        str(2**128 - 1),
        ["DOUBLE", "nan"],
        ["DOUBLE", "inf"],
        ["DOUBLE", "-inf"],
        ["DOUBLE", 1e-50],
    ]


def test_what_is_of_the_instance_stays_and_what_is_of_the_session_does_not(
    project: Project,
) -> None:
    """What docs/database.md says of ATTACH and SET."""
    code = """
def t():
    db.execute("ATTACH IF NOT EXISTS ':memory:' AS other; CREATE TABLE IF NOT EXISTS other.n AS SELECT 1 AS i")
    db.execute("ATTACH IF NOT EXISTS ':memory:' AS other")
    db.execute("SET search_path = 'other'")
    db.execute("SET VARIABLE mine = 1")
    return [db.execute("FROM other.n"), db.execute("SELECT current_database() AS d, getvariable('mine') AS v")]
"""
    assert check(project, code) == [[{"i": 1}], [{"d": "db-default", "v": None}]]
