"""What a Python tool may return, beside plain JSON: the standard library's types and other libraries'."""

from __future__ import annotations

import importlib.util

import pytest
from harness import Project


def result(project: Project, code: str) -> object:
    return project.python_tool("t", code).tool("t").result


def needs(package: str) -> pytest.MarkDecorator:
    missing = importlib.util.find_spec(package) is None
    return pytest.mark.skipif(missing, reason=f"{package} has no wheel for this Python")


STANDARD = """
import collections, dataclasses, datetime, decimal, enum, fractions, ipaddress, pathlib, types, uuid
from typing import Annotated, NamedTuple, TypedDict

class Color(enum.Enum):
    RED = "red"

class Level(enum.IntEnum):
    HIGH = 3

class Flags(enum.Flag):
    A = 1
    B = 2

@dataclasses.dataclass
class Point:
    x: int
    label: str | None = None
    tags: set = dataclasses.field(default_factory=set)

@dataclasses.dataclass(slots=True, frozen=True)
class Slotted:
    p: Point

class Pair(NamedTuple):
    a: int
    b: str

class Doc(TypedDict):
    name: str

def numbers():
    yield 1
    yield decimal.Decimal("1.50")

def t():
    return {
        "dataclass": Point(1, "p", {2, 1}), "slots": Slotted(Point(2)), "named": Pair(1, "b"),
        "typed": Doc(name="n"), "decimal": decimal.Decimal("12.3400"), "uuid": uuid.UUID(int=7),
        "nan": decimal.Decimal("NaN"), "fraction": fractions.Fraction(1, 4),
        "date": datetime.date(2024, 1, 31), "time": datetime.time(1, 2, 3),
        "moment": datetime.datetime(2024, 1, 31, 1, 2, 3, 4),
        "utc": datetime.datetime(2024, 1, 31, tzinfo=datetime.timezone.utc),
        "delta": datetime.timedelta(days=1, seconds=2), "enum": Color.RED, "int_enum": Level.HIGH,
        "flag": Flags.A | Flags.B, "path": pathlib.Path("a/b"), "bytes": b"ab",
        "tuple": (1, (2,)), "set": {3, 1, 2}, "frozen": frozenset(["b", "a"]),
        "generator": numbers(), "range": range(3), "deque": collections.deque([1]),
        "counter": collections.Counter("aab"), "map": map(str, [1]), "keys": {1: 2}.keys(),
        "chain": collections.ChainMap({"a": 1}, {"b": 2}), "proxy": types.MappingProxyType({"a": 1}),
        Color.RED: {Level.HIGH: None, (1, 2): True},
    }
"""


def test_the_standard_library(project: Project) -> None:
    assert result(project, STANDARD) == {
        "dataclass": {"x": 1, "label": "p", "tags": [1, 2]},
        "slots": {"p": {"x": 2, "label": None, "tags": []}},
        "named": [1, "b"],
        "typed": {"name": "n"},
        "decimal": 12.34,
        "uuid": "00000000-0000-0000-0000-000000000007",
        "nan": None,
        "fraction": 0.25,
        "date": "2024-01-31",
        "time": "01:02:03",
        "moment": "2024-01-31T01:02:03.000004",
        "utc": "2024-01-31T00:00:00+00:00",
        "delta": "P1DT2S",
        "enum": "red",
        "int_enum": 3,
        "flag": 3,
        "path": "a/b",
        "bytes": "YWI=",
        "tuple": [1, [2]],
        "set": [1, 2, 3],
        "frozen": ["a", "b"],
        "generator": [1, 1.5],
        "range": [0, 1, 2],
        "deque": [1],
        "counter": {"a": 2, "b": 1},
        "map": ["1"],
        "keys": [1],
        "chain": {"b": 2, "a": 1},
        "proxy": {"a": 1},
        "red": {"3": None, "(1, 2)": True},
    }


def test_arguments_by_keyword_with_defaults_and_annotated(project: Project) -> None:
    project.python_tool(
        "t",
        """
        from typing import Annotated, Optional

        def t(*, b: Annotated[int, "the second"], a: Optional[str] = "mine", c=7, **rest):
            return [a, b, c, rest]
        """,
        """
        parameters:
          - {name: a, type: string, default: declared}
          - {name: b, type: integer}
          - {name: d, type: array, items: {type: integer}, default: []}
        """,
    )
    assert project.tool("t", b="5").result == ["declared", 5, 7, {"d": []}]


@needs("pydantic")
def test_pydantic(project: Project) -> None:
    code = """
import datetime, decimal
from pydantic import BaseModel, Field, RootModel
from pydantic.dataclasses import dataclass

class Item(BaseModel):
    name: str
    price: decimal.Decimal = Field(alias="cost")
    at: datetime.date | None = None

class Names(RootModel[list[str]]):
    pass

@dataclass
class Made:
    items: list[Item]

def t():
    item = Item(name="a", cost="1.50", at="2024-01-31")
    return [item, Made([item]), Names(["x"]), {"nested": (item,)}]
"""
    item = {"name": "a", "price": 1.5, "at": "2024-01-31"}
    assert result(project, code) == [item, {"items": [item]}, ["x"], {"nested": [item]}]


@needs("attrs")
def test_attrs(project: Project) -> None:
    code = "import attrs\n@attrs.define\nclass A:\n    x: int\n    y: list = attrs.Factory(list)\n"
    assert result(project, code + "def t(): return A(1)\n") == {"x": 1, "y": []}


@needs("numpy")
def test_numpy(project: Project) -> None:
    code = """
import numpy as np

def t():
    record = np.array([(1, "a", 2.5)], dtype=[("i", "i4"), ("s", "U3"), ("f", "f8")])
    return {
        "int": np.int64(2**62), "uint": np.uint8(7), "float": np.float32(0.5), "nan": np.float64("nan"),
        "bool": np.bool_(True), "str": np.str_("s"), "bytes": np.bytes_(b"ab"),
        "vector": np.array([1, 2]), "matrix": np.eye(2), "empty": np.array([]), "zero": np.array(5),
        "texts": np.array(["a", None], dtype=object), "masked": np.ma.array([1, 2], mask=[0, 1]),
        "no value": np.ma.masked,
        "day": np.datetime64("2024-01-31"), "moments": np.array(["2024-01-31T01:02:03", "NaT"], "M8[s]"),
        "span": np.timedelta64(90, "s"), "spans": np.array([[1000], ["NaT"]], "m8[ns]"),
        "records": record, np.int64(3): [np.int32(1)], "complexes": [np.float16(1.5)],
    }
"""
    assert result(project, code) == {
        "int": 2**62, "uint": 7, "float": 0.5, "nan": None, "bool": True, "str": "s", "bytes": "YWI=",
        "vector": [1, 2], "matrix": [[1.0, 0.0], [0.0, 1.0]], "empty": [], "zero": 5,
        "texts": ["a", None], "masked": [1, None], "no value": None, "day": "2024-01-31",
        "moments": ["2024-01-31T01:02:03", None], "span": "PT1M30S",
        "spans": [["PT0.000001S"], [None]], "records": [{"i": 1, "s": "a", "f": 2.5}],
        "3": [1], "complexes": [1.5],
    }  # fmt: skip


@needs("pandas")
def test_pandas(project: Project) -> None:
    code = """
import numpy as np
import pandas as pd

def t():
    frame = pd.DataFrame({
        "i": [1, 2], "n": pd.array([1, None], dtype="Int64"), "f": [1.5, np.nan], "s": ["a", None],
        "d": pd.to_datetime(["2024-01-31 01:02:03", None]), "c": pd.Categorical(["x", "y"]),
        "b": [True, False], "t": pd.to_timedelta(["1 day", None]),
    })
    return {
        "frame": frame, "series": frame["i"], "none": frame.iloc[0:0], "index": frame.index,
        "stamp": pd.Timestamp("2024-01-31"), "nat": pd.NaT, "na": pd.NA,
        "period": pd.Period("2024-01"), "grouped": frame.groupby("i")["f"].sum(),
        "row": frame.iloc[0].to_dict(), "tz": pd.Timestamp("2024-01-31", tz="UTC"),
        "fine": [pd.Timestamp("2024-01-31T00:00:00.000000001"), pd.Timedelta(1001, "ns")],
    }
"""
    assert result(project, code) == {
        "frame": [
            {"i": 1, "n": 1, "f": 1.5, "s": "a", "d": "2024-01-31T01:02:03", "c": "x", "b": True, "t": "P1D"},
            {"i": 2, "n": None, "f": None, "s": None, "d": None, "c": "y", "b": False, "t": None},
        ],
        "series": [1, 2], "none": [], "index": [0, 1], "stamp": "2024-01-31T00:00:00", "nat": None,
        "na": None, "period": "2024-01", "grouped": [1.5, 0.0],
        "row": {"i": 1, "n": 1, "f": 1.5, "s": "a", "d": "2024-01-31T01:02:03", "c": "x", "b": True, "t": "P1D"},
        "tz": "2024-01-31T00:00:00+00:00",
        "fine": ["2024-01-31T00:00:00.000000001", "P0DT0H0M0.000001001S"],
    }  # fmt: skip


@needs("pandas")
def test_a_frame_is_checked_like_rows(project: Project) -> None:
    project.python_tool(
        "t",
        "import pandas as pd\ndef t(): return pd.DataFrame({'a': [1, 2], 's': ['x', None]})\n",
        """
        return:
          type: array
          items: {type: object, properties: {a: {type: integer}, s: {type: string}}, required: [s]}
        """,
    )
    assert project.tool("t").result == [{"a": 1, "s": "x"}, {"a": 2, "s": None}]


@needs("pyarrow")
def test_pyarrow(project: Project) -> None:
    code = """
import pyarrow as pa

def t():
    table = pa.table({"i": [1, None], "l": [[1], []], "s": [{"a": 1}, None]})
    return {"table": table, "column": table["i"], "scalar": pa.scalar(5), "none": pa.scalar(None),
            "batch": table.to_batches()[0], "array": pa.array(["a"])}
"""
    rows = [{"i": 1, "l": [1], "s": {"a": 1}}, {"i": None, "l": [], "s": None}]
    assert result(project, code) == {
        "table": rows, "column": [1, None], "scalar": 5, "none": None, "batch": rows, "array": ["a"],
    }  # fmt: skip


@needs("polars")
def test_polars(project: Project) -> None:
    code = """
import datetime
import polars as pl

def t():
    frame = pl.DataFrame({"i": [1, None], "d": [datetime.date(2024, 1, 31), None], "l": [[1], []]})
    return {"frame": frame, "series": frame["i"], "lazy": frame.lazy().collect()}
"""
    rows = [{"i": 1, "d": "2024-01-31", "l": [1]}, {"i": None, "d": None, "l": []}]
    assert result(project, code) == {"frame": rows, "series": [1, None], "lazy": rows}


@needs("numpy")
def test_parameters_of_queries_may_be_numpy_values(project: Project) -> None:
    code = """
import datetime, decimal, enum, uuid
import numpy as np
from mxcp.runtime import db

class E(enum.Enum):
    A = "a"

def t():
    return db.execute(
        "SELECT $i + 1 AS i, $f AS f, list_sum($l) AS l, $e AS e, $u::UUID AS u, $d AS d, $s AS s",
        {"i": np.int64(2), "f": np.float64(0.5), "l": np.array([1, 2]), "e": E.A,
         "u": uuid.UUID(int=7), "d": decimal.Decimal("1.25"), "s": {"a": (1, 2)}},
    )
"""
    assert result(project, code) == [
        {"i": 3, "f": 0.5, "l": 3, "e": "a", "u": "00000000-0000-0000-0000-000000000007", "d": 1.25,
         "s": {"a": [1, 2]}}
    ]  # fmt: skip


@needs("pandas")
def test_nothing_of_these_libraries_is_imported_by_mxcp(project: Project) -> None:
    code = """
import sys
from mxcp.runtime import db

def t():
    db.execute("SELECT 1 AS n, DATE '2024-01-31' AS d")
    heavy = {"numpy", "pandas", "pyarrow", "polars", "pydantic", "duckdb", "asyncio", "typing"}
    return sorted(heavy & set(sys.modules))
"""
    assert result(project, code) == []


@needs("pandas")
def test_columns_of_one_name_are_all_there(project: Project) -> None:
    code = """
import pandas as pd

def t():
    return {
        "two": pd.DataFrame([[1, 2]], columns=["a", "a"]),
        "taken": pd.DataFrame([[1, 2, 3]], columns=["a", "a", "a_1"]),
        "number and text": pd.DataFrame([[1, 2]], columns=[1, "1"]),
        "different": pd.DataFrame([[1, 2]], columns=["a", "b"]),
    }
"""
    assert result(project, code) == {
        "two": [{"a": 1, "a_1": 2}], "taken": [{"a": 1, "a_2": 2, "a_1": 3}],
        "number and text": [{"1": 1, "1_1": 2}], "different": [{"a": 1, "b": 2}],
    }  # fmt: skip


@needs("pyarrow")
def test_columns_of_one_name_of_pyarrow_are_all_there(project: Project) -> None:
    code = """
import pyarrow as pa

def t():
    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    return {"table": table, "batch": table.to_batches()[0]}
"""
    rows = [{"a": 1, "a_1": 2}]
    assert result(project, code) == {"table": rows, "batch": rows}


@needs("numpy")
def test_numbers_and_times_of_numpy_that_python_has_not(project: Project) -> None:
    code = """
import numpy as np

def t():
    return [np.longdouble(1.5), np.array([1.5], np.longdouble), np.timedelta64(5, "us"), np.timedelta64(14, "M"),
            np.timedelta64(-90, "s"), np.datetime64("2024-01-02T03:04:05.123456789")]
"""
    assert result(project, code) == [
        1.5, [1.5], "PT0.000005S", "P1Y2M", "P-1DT23H58M30S", "2024-01-02T03:04:05.123456789",
    ]  # fmt: skip
    project.python_tool("t", "import numpy as np\ndef t(): return {'s': np.timedelta64(5, 'ns')}\n")
    assert "s: a numpy timedelta64 that is not exact in microseconds" in project.tool("t").error


@needs("pandas")
def test_a_group_of_pandas_is_told_to_be_aggregated(project: Project) -> None:
    code = "import pandas as pd\ndef t(): return pd.DataFrame({'a': [1], 'b': [2]}).groupby('a')\n"
    project.python_tool("t", code)
    assert "has no rows yet; aggregate it first" in project.tool("t").error


@needs("polars")
def test_a_lazy_frame_is_told_to_be_collected(project: Project) -> None:
    project.python_tool("t", "import polars as pl\ndef t(): return pl.LazyFrame({'a': [1]})\n")
    assert "LazyFrame has no rows yet; call its .collect() first" in project.tool("t").error
