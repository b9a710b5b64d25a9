"""The same project and the same calls as the original, mxcp 0.12.3: its answers are in peer.json (see
script/differential), and where ours differ stands in differences.yml, with the reason."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness import COMMAND, environment

HERE = Path(__file__).resolve().parent
CALLS: dict[str, list[str]] = yaml.safe_load((HERE / "calls.yml").read_text())


def ask(command: list[str], folder: Path, home: Path, call: list[str]) -> dict[str, Any]:
    """{"result": ...} or {"error": text}, and nothing that differs from run to run."""
    env = environment(home, {"MXCP_DISABLE_ANALYTICS": "1", "TZ": "UTC"})
    ran = subprocess.run(
        [*command, "run", *call, "--json-output"],
        cwd=folder, env=env, capture_output=True, timeout=300, encoding="utf-8",
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    begin = ran.stdout.find("{")
    assert begin >= 0, f"{call}: no answer\n{ran.stdout}\n{ran.stderr}"
    answer = json.loads(ran.stdout[begin:])
    assert (ran.returncode == 0) == (answer["status"] == "ok"), ran
    if answer["status"] == "ok":
        return {"result": plain(answer["result"])}
    return {"error": answer["error"].replace(str(folder), "<project>").splitlines()[0]}


def plain(value: Any) -> Any:
    """NaN, which the original prints, in a form that is JSON."""
    if isinstance(value, float) and math.isnan(value):
        return "<NaN>"
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def copied(tmp: Path) -> tuple[Path, Path]:
    shutil.copytree(HERE / "project", tmp / "project", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp / "home").mkdir()
    return tmp / "project", tmp / "home"


def write_peer_answers(command: list[str]) -> None:
    with tempfile.TemporaryDirectory() as tmp:
        folder, home = copied(Path(tmp))
        answers = {}
        for name, call in CALLS.items():
            answers[name] = ask(command, folder, home, call)
            print(f"{name}: {json.dumps(answers[name])[:120]}", flush=True)
    text = json.dumps(answers, indent=1, ensure_ascii=False, sort_keys=True)
    (HERE / "peer.json").write_text(text + "\n")


@pytest.fixture(scope="module")
def ours(tmp_path_factory) -> dict[str, Any]:
    folder, home = copied(tmp_path_factory.mktemp("differential"))
    return {name: ask(COMMAND, folder, home, call) for name, call in CALLS.items()}


def test_answers_are_those_of_the_original_or_differ_for_a_reason(ours):
    peer = json.loads((HERE / "peer.json").read_text())
    assert set(peer) == set(CALLS), "run script/differential"
    known = yaml.safe_load((HERE / "differences.yml").read_text())
    differing = {}
    for name in CALLS:
        # Both refuse: the words are our own.
        both_refuse = "error" in ours[name] and "error" in peer[name]
        same = json.dumps(ours[name], sort_keys=True) == json.dumps(peer[name], sort_keys=True)
        if not both_refuse and not same:
            differing[name] = ours[name]
    unexplained = {name: (differing[name], peer[name]) for name in differing if name not in known}
    assert unexplained == {}
    assert {name for name in known if name not in differing} == set(), "these are no differences"
    for name, entry in known.items():
        assert entry["because"] and entry["ours"] == ours[name], name
