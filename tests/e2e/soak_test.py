"""The soak of the bench (bench/soak.py) in small: both eras, sessions that come and go, reloads under load.

No answer may be wrong or missing. How memory goes over 100,000 calls is the bench's to say; here it is only
held against a bound that a leak of a few KB for each call would break.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import COMMAND, REPOSITORY, Project, environment

sys.path.insert(0, str(REPOSITORY))
from bench import expected, http_servers, http_tools, soak  # noqa: E402

pytestmark = pytest.mark.skipif(
    not (shutil.which("cc") or shutil.which("gcc")), reason="needs a C compiler"
)


@pytest.fixture
def served(tmp_path: Path) -> Project:
    """The project of the bench with its data."""
    shutil.copytree(expected.PROJECT, tmp_path / "project")
    shutil.copytree(http_tools.OVERLAY, tmp_path / "project", dirs_exist_ok=True)
    project = Project(tmp_path / "project", tmp_path / "home")
    project.env["MXCP_CONFIG"] = str(project.folder / "mxcp-config.yml")
    project.run("query", "--file", "data.sql").ok()
    return project


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder with the load generator."""
    folder = tmp_path / "work"
    folder.mkdir()
    compiler = shutil.which("cc") or shutil.which("gcc")
    source = REPOSITORY / "bench" / "native" / "loadgen.c"
    subprocess.run([compiler, "-std=gnu11", "-O2", "-o", folder / "loadgen", source], check=True)
    return folder


@contextlib.contextmanager
def server_of(project: Project, work: Path) -> Iterator[http_servers.HttpServer]:
    command = [*COMMAND, "serve", "--port", "PORT"]
    env = environment(project.home, project.env)
    with http_servers.HttpServer("ours", command, project.folder, env, work / "log") as server:
        for name in soak.MIX:
            server.check(http_tools.TOOLS[name])
        yield server
        server.process.terminate()
        assert server.process.wait(60) == 0, (work / "log").read_text()[-2000:]


def test_calls_of_both_eras(served: Project, work: Path) -> None:
    with server_of(served, work) as server:
        soak.soak_calls(server, work, 400, 200)
        done = soak.soak_calls(server, work, 2000, 500)
    assert (done["wrong"], done["first_wrong"]) == (0, "")
    assert done["calls"] >= 2000
    [before, *_, after] = [megabytes for _, megabytes in done["points"]]
    assert after - before < 16, done["points"]


def test_reloads_under_load(served: Project, work: Path) -> None:
    with server_of(served, work) as server:
        done = soak.soak_reloads(server, work, served.folder, 5)
        assert server.get("/readyz")["reloads"] >= 5
    assert (done["wrong"], done["first_wrong"]) == (0, "")
    assert done["calls"] > 0
