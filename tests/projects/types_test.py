"""Every DuckDB type, alone, NULL, nested and as a parameter: from the command line, over stdio and
through db.execute, which is compared with what the duckdb package gives for the same SQL.

types/literals.yml has the values, types/json.yml what they are in JSON (UPDATE_GOLDEN=1 writes it
anew), types/differences.yml where db.execute differs from the duckdb package, and why. Types that the
installed DuckDB has not yet are left out."""

from __future__ import annotations

import json
import os
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from harness import Project

HERE = Path(__file__).resolve().parent / "types"


def version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2])


DUCKDB = version(metadata.version("duckdb"))


def here(entry) -> bool:
    """Whether the installed DuckDB is one that an entry with `since` or `before` speaks of."""
    if not isinstance(entry, dict):
        return True
    return version(entry.get("since", "0.0")) <= DUCKDB < version(entry.get("before", "99.0"))


EVERY = yaml.safe_load((HERE / "literals.yml").read_text())
LITERALS = {
    name: entry["values"] if isinstance(entry, dict) else entry
    for name, entry in EVERY.items()
    if here(entry)
}
DIFFERENCES = yaml.safe_load((HERE / "differences.yml").read_text())


def columns() -> dict[str, str]:
    """Name of a column -> expression."""
    out = {}
    for type_name, literals in LITERALS.items():
        values = [f"({literal})::{type_name}" for literal in literals]
        for literal, value in zip(literals, values, strict=True):
            out[f"{type_name} {literal}"] = value
        out[f"{type_name} NULL"] = f"NULL::{type_name}"
        out[f"{type_name} in a list"] = f"[{values[0]}, NULL]"
        out[f"{type_name} in a struct"] = "{" + f"'x': {values[0]}, 'y': NULL::{type_name}" + "}"
    return out


def statement() -> str:
    quoted = [f'{value} AS "{name.replace(chr(34), chr(34) * 2)}"' for name, value in columns().items()]
    return "SELECT " + ",\n".join(quoted)


# In the process of the server, beside each other: db.execute and the duckdb package.
COMPARE = '''
import datetime
import duckdb
from mxcp.runtime import db


def shown(value):
    if isinstance(value, list):
        return [shown(item) for item in value]
    if isinstance(value, dict):
        return {str(key): shown(item) for key, item in value.items()}
    return f"{type(value).__name__} {value!r}"


def the_package():
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def values(sql: str) -> dict:
    ours = db.execute(sql)
    result = the_package().execute(sql)
    names = [column[0] for column in result.description]
    theirs = dict(zip(names, result.fetchone()))
    return {name: [shown(ours[0][name]), shown(theirs[name])] for name in names}


def parameters(sql: str) -> dict:
    """Each value of a row, given back as a parameter: what it becomes and its type in SQL."""
    out = {}
    package = the_package()
    result = package.execute(sql)
    names = [column[0] for column in result.description]
    ask = "SELECT $p AS v, typeof($p) AS t"
    for name, value in zip(names, result.fetchone()):
        pair = []
        for run in (lambda: tuple(db.execute(ask, {"p": value})[0].values()),
                    lambda: package.execute(ask, {"p": value}).fetchone()):
            try:
                pair.append([shown(part) for part in run()])
            except Exception as error:
                pair.append("error " + type(error).__name__)
        out[name] = pair
    return out
'''


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("types")
    project = Project(folder / "project", folder / "home").write({"mxcp-site.yml": Project.SITE})
    project.env = {"TZ": "UTC"}
    project.sql_tool("row", statement(), "return: {type: object}")
    project.write({"python/compare.py": COMPARE})
    for name in ("values", "parameters"):
        project.write(
            {
                f"tools/{name}.yml": f"mxcp: 1\ntool:\n  name: {name}\n  language: python\n"
                "  parameters: [{name: sql, type: string}]\n  source: {file: ../python/compare.py}\n"
            }
        )
    return project


class Digits(str):
    """A number as it is written."""


def exact(text: str):
    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    return json.loads(text, parse_float=Digits, parse_int=Digits, parse_constant=refuse)


def as_text(value) -> str:
    """Compact JSON with numbers as they were written."""
    if isinstance(value, Digits):
        return str.__str__(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(as_text, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)}: {as_text(v)}" for k, v in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def test_every_type_in_json(project):
    text = project.tool("row").stdout
    got = {name: as_text(value) for name, value in exact(text)["result"].items()}
    golden = HERE / "json.yml"
    if os.environ.get("UPDATE_GOLDEN") == "1" and len(LITERALS) == len(EVERY):
        golden.write_text(
            "# The JSON text of each value of literals.yml. Written by types_test.py.\n"
            + yaml.safe_dump(got, allow_unicode=True, sort_keys=False, width=200)
        )
    assert list(got) == list(columns())
    assert got == expected()


def expected() -> dict[str, str]:
    golden = yaml.safe_load((HERE / "json.yml").read_text())
    return {name: golden.get(name) for name in columns()}


@pytest.mark.stdio
def test_every_type_over_stdio(project):
    with project.serve() as server:
        server.initialize()
        result = server.call("row")
        got = {name: as_text(value) for name, value in exact(result["content"][0]["text"]).items()}
        assert got == expected()
        # The schema promises an object; the harness has read the same numbers.
        assert list(result["structuredContent"]) == list(expected())


def explained(got: dict[str, list], section: str) -> None:
    """Every difference stands in differences.yml with its reason, and nothing else stands there."""
    known = [entry for entry in DIFFERENCES[section] if here(entry)]
    differing = {name: pair for name, pair in got.items() if pair[0] != pair[1]}

    def reason(name):
        return next((entry for entry in known if name.startswith(tuple(entry["columns"]))), None)

    unexplained = {name: pair for name, pair in differing.items() if reason(name) is None}
    assert unexplained == {}
    for entry in known:
        assert entry["because"]
        for prefix in entry["columns"]:
            assert any(name.startswith(prefix) for name in differing), f"{prefix} does not differ"


def test_db_execute_gives_what_duckdb_gives(project):
    explained(project.tool("values", sql=statement()).result, "values")


def test_parameters_arrive_as_duckdb_takes_them(project):
    explained(project.tool("parameters", sql=statement()).result, "parameters")
