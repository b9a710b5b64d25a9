"""mxcp installed apart from the project: the packages of the project's virtual environment."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from harness import Project

MINE = "python{}.{}".format(*sys.version_info)
OTHER = f"python{sys.version_info[0]}.{sys.version_info[1] - 1}"
TOOL = "def t():\n    import only_there\n    return only_there.WHERE\n"


def environment(folder: Path, python: str = MINE, where: str = "there") -> Path:
    packages = folder / "lib" / python / "site-packages"
    packages.mkdir(parents=True)
    version = python.removeprefix("python") + ".3"
    (folder / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion = {version}\n")
    (packages / "only_there.py").write_text(f"WHERE = {where!r}\n")
    return folder


def test_packages_of_the_projects_environment(project: Project) -> None:
    packages = environment(project.folder / ".venv") / "lib" / MINE / "site-packages"
    # What mxcp itself uses stays its own.
    (packages / "duckdb.py").write_text("raise ImportError('another duckdb')\n")
    editable = project.home / "editable"
    editable.mkdir()
    (editable / "from_a_checkout.py").write_text("X = 1\n")
    (packages / "editable.pth").write_text(f"{editable}\n")
    project.python_tool(
        "t",
        """
        import duckdb, from_a_checkout, only_there
        from mxcp.runtime import db

        def t():
            same = db.execute("SELECT 'there' AS x")[0]["x"]
            return [only_there.WHERE, same, from_a_checkout.X, duckdb.connect().sql("SELECT 1").fetchall()]
        """,
    )
    assert project.tool("t").result == ["there", "there", 1, [[1]]]


def test_the_active_environment_wins(project: Project, tmp_path: Path) -> None:
    environment(project.folder / ".venv")
    active = environment(tmp_path / "active", where="active")
    project.python_tool("t", TOOL)
    project.env["VIRTUAL_ENV"] = str(active)
    assert project.tool("t").result == "active"


def test_the_projects_environment_where_the_active_one_does_not_fit(
    project: Project, tmp_path: Path
) -> None:
    environment(project.folder / ".venv")
    project.env["VIRTUAL_ENV"] = str(environment(tmp_path / "active", OTHER))
    project.python_tool("t", TOOL)
    ran = project.tool("t")
    assert ran.result == "there"
    assert ran.stderr == ""


@pytest.mark.parametrize("what", ["another Python", "no environment"])
def test_one_that_does_not_fit_is_told(project: Project, tmp_path: Path, what: str) -> None:
    if what == "another Python":
        folder = environment(project.folder / ".venv", OTHER)
        reason = f"it is of Python {OTHER.removeprefix('python')}, and mxcp runs on"
    else:
        folder = tmp_path / "gone"
        project.env["VIRTUAL_ENV"] = str(folder)
        reason = "it is not a virtual environment"
    project.python_tool("t", TOOL)
    ran = project.tool("t")
    assert "No module named 'only_there'" in ran.error
    assert f"the packages of {folder} are not used: {reason}" in ran.stderr


def test_a_module_of_the_project_comes_first(project: Project) -> None:
    environment(project.folder / ".venv")
    project.write({"python/only_there.py": "WHERE = 'mine'\n"})
    project.python_tool("t", TOOL)
    assert project.tool("t").result == "mine"
