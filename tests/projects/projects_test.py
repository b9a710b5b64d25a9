"""Runs the projects in this folder; README.md says how they are written."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from harness import Project, Server
from http_harness import MODERN, HttpServer

HERE = Path(__file__).resolve().parent
PROJECTS = sorted(path.parent for path in HERE.glob("*/expected.yml"))
BROKEN = sorted(path for path in (HERE / "broken").iterdir() if path.is_dir())


def exact(text: str) -> Any:
    """JSON with numbers as they are written: 1.50 is not 1.5."""

    def no_constant(name: str) -> Any:
        raise AssertionError(f"{name} is not JSON: {text}")

    return json.loads(text, parse_float=_Digits, parse_constant=no_constant)


class _Digits(float):
    """A float that remembers its text."""

    def __new__(cls, text: str) -> _Digits:
        self = super().__new__(cls, text)
        self.text = text
        return self


def digits(value: Any) -> Any:
    if isinstance(value, _Digits):
        return ("number", value.text)
    if isinstance(value, list):
        return [digits(item) for item in value]
    if isinstance(value, dict):
        return [(key, digits(item)) for key, item in value.items()]  # the order counts too
    return value


def load(folder: Path, tmp_path: Path) -> tuple[Project, dict[str, Any]]:
    copy = tmp_path / "project"
    shutil.copytree(folder, copy)
    project = Project(copy, tmp_path / "home")
    if not (copy / "mxcp-site.yml").exists():
        project.write({"mxcp-site.yml": Project.SITE})
    expected = yaml.safe_load((folder / "expected.yml").read_text())
    if "setup" in expected:
        project.write({"setup.sql": expected["setup"]})
        project.run("query", "--file", "setup.sql").ok()
    return project, expected


def param_text(project: Project, call: dict[str, Any], file: str, value: Any) -> str:
    """How a value is written on the command line. What only JSON can say goes into a file, and so does
    what is refused: the message quotes the value as it was given."""
    if isinstance(value, str) and not value.startswith("@"):
        return value
    if value is None or isinstance(value, str) or "error" in call:
        project.write({f"args/{file}.json": json.dumps(value)})
        return f"@args/{file}.json"
    return json.dumps(value)


def describe(call: dict[str, Any]) -> str:
    return f"{call['tool']} {json.dumps(call.get('args', {}), ensure_ascii=False, default=str)}"


def calls_for(expected: dict[str, Any], where: str) -> list[dict[str, Any]]:
    def place(call: dict[str, Any]) -> str:
        return call.get("only", "cli" if "user" in call else where)

    return [call for call in expected["calls"] if place(call) == where]


def check_result(call: dict[str, Any], text: str) -> None:
    what = f"{describe(call)} answered {text}"
    value = exact(text)
    if "json" in call:
        assert digits(value) == digits(exact(call["json"])), what
    else:
        assert json.dumps(value) == json.dumps(call["result"]), what


@pytest.mark.parametrize("folder", PROJECTS, ids=lambda folder: folder.name)
def test_from_the_command_line(folder: Path, tmp_path: Path) -> None:
    project, expected = load(folder, tmp_path)
    project.run("validate").ok()
    for number, call in enumerate(calls_for(expected, "cli")):
        args = ["run", "tool", call["tool"], "--json-output"]
        for name, value in call.get("args", {}).items():
            args += ["--param", f"{name}={param_text(project, call, f'{number}-{name}', value)}"]
        if "user" in call:
            args += ["--user-context", json.dumps(call["user"])]
        ran = project.run(*args)
        if "error" in call:
            place = f"{call['at']}: " if "at" in call else ""
            assert ran.error == place + call["error"], describe(call)
            continue
        assert ran.code == 0, f"{describe(call)}: {ran}"
        # The payload, as it stands in the envelope.
        text = ran.stdout[ran.stdout.index('"result"') + len('"result"') :].lstrip(": ")
        check_result(call, text[: text.rindex("}")])


@contextlib.contextmanager
def served(project: Project, how: str) -> Iterator[Server | HttpServer]:
    """A server that a client of either era speaks to, over either transport."""
    with project.serve() if how == "stdio" else HttpServer(project) as server:
        if how == "http-modern":
            server.modern = MODERN
        else:
            server.initialize()
        yield server


@pytest.mark.stdio
@pytest.mark.parametrize("how", ["stdio", "http", "http-modern"])
@pytest.mark.parametrize("folder", PROJECTS, ids=lambda folder: folder.name)
def test_through_a_server(folder: Path, how: str, tmp_path: Path) -> None:
    project, expected = load(folder, tmp_path)
    with served(project, how) as server:
        tools = list_tools(server)
        # What "only: stdio" means is: only through a server.
        calls = calls_for(expected, "stdio")
        # All of them at once: the answers must not depend on each other, unless the file says so.
        if expected.get("in_order"):
            results = [call_tool(server, call) for call in calls]
        else:
            ids = [server.start_call(call["tool"], call.get("args", {})) for call in calls]
            results = [server.answer(id)["result"] for id in ids]
        for call, result in zip(calls, results, strict=True):
            [block] = result["content"]
            if "error" in call:
                assert result.get("isError") is True, f"{describe(call)}: {result}"
                expected_text = f"Error executing tool {call['tool']}: {call['error']}"
                assert block["text"] == expected_text, describe(call)
                continue
            assert not result.get("isError"), f"{describe(call)}: {result}"
            returned = call.get("result", call.get("json"))
            text = block["text"]
            if isinstance(returned, str) and "json" not in call:
                text = json.dumps(text)  # a plain text is its own content
            check_result(call, text)
            if "outputSchema" in tools[call["tool"]]:
                jsonschema.validate(
                    result["structuredContent"], tools[call["tool"]]["outputSchema"]
                )


def list_tools(server: Server | HttpServer) -> dict[str, Any]:
    return {tool["name"]: tool for tool in server.request("tools/list")["result"]["tools"]}


def call_tool(server: Server | HttpServer, call: dict[str, Any]) -> dict[str, Any]:
    return server.answer(server.start_call(call["tool"], call.get("args", {})))["result"]


def test_every_code_of_validate_is_explained(tmp_path: Path) -> None:
    """What the mistakes below are called stands in docs/validate.md."""
    explained = (HERE.parents[1] / "docs" / "validate.md").read_text()
    rules = (HERE.parents[1] / "src" / "base" / "rules.h").read_text()
    codes = set(re.findall(r'string_view k\w+ = "([a-z-]+)"', rules))
    assert len(codes) >= 35
    assert {code for code in codes if f"| `{code}` |" not in explained} == set()
    reported: set[str] = set()
    for folder in BROKEN:
        reported |= set(re.findall(r"\[([a-z]+(?:-[a-z]+)+|database|source)\]",
                                   (folder / "expected.txt").read_text()))
    assert reported <= codes
    assert len(reported) >= 25


# --- mistakes ----------------------------------------------------------------------------------


def test_there_are_thirty_mistakes() -> None:
    assert len(BROKEN) >= 30


@pytest.mark.parametrize("folder", BROKEN, ids=lambda folder: folder.name)
def test_the_report_of_a_mistake(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "project"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("expected.txt", "setup.sql"))
    project = Project(copy, tmp_path / "home")
    if not (copy / "mxcp-site.yml").exists():
        project.write({"mxcp-site.yml": Project.SITE})
    if (folder / "setup.sql").exists():
        project.run("query", (folder / "setup.sql").read_text()).ok()
    ran = project.run("validate")
    said = f"exit {ran.code}\n{ran.stdout}" + (f"--- stderr\n{ran.stderr}" if ran.stderr else "")
    said = said.replace(str(tmp_path), "<tmp>")
    golden = folder / "expected.txt"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        golden.write_text(said)
    assert said == golden.read_text()
    assert ran.code == 1 or "\nwarn " in said
