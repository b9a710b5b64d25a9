"""The README's tour, walked from its own text: its files are written, its commands run in order, and
what it says that they print is compared."""

from __future__ import annotations

import re
import shlex

import yaml
from harness import REPOSITORY, Project

BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
NAMED = re.compile(r"# ((?:tools|python)/[\w./-]+)")


def test_the_tour(nowhere: Project) -> None:
    tour = (REPOSITORY / "README.md").read_text().split("## The ten-minute tour")[1]
    folder = nowhere.folder
    nowhere.write({"load.sql": "SELECT 1"})  # "or a file of statements": the reader's own
    ran = []
    for language, code in BLOCK.findall(tour):
        if named := NAMED.match(code):
            (folder / named[1]).write_text(code)
        elif language == "yaml":  # the tests, for the tool before
            tool = folder / "tools" / "greet.yml"
            tool.write_text(tool.read_text() + code)
            assert yaml.safe_load(tool.read_text())["tool"]["tests"]
        elif language == "bash":
            for line in code.splitlines():
                program, *args = shlex.split(line, comments=True)
                if program == "cd":
                    folder = folder / args[0]
                    nowhere.write({"my-project/load.sql": "SELECT 1"})
                elif args[0] != "serve":
                    nowhere.run(*args, cwd=folder).ok()
                    ran.append(args[0])
        elif language == "console":
            command, expected = code.split("\n", 1)
            _, _, *args = shlex.split(command)
            shown = nowhere.run(*args, cwd=folder)
            assert shown.stdout + shown.stderr == expected
            ran.append(args[0])
    assert ran == ["init", "run", "query", "run", "query", "validate", "run", "test"]
