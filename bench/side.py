"""One implementation: its command, the interpreter behind it, and its own copies of the projects."""

import json
import os
import shutil
import sys
from pathlib import Path

from bench import expected, processes, projects
from bench.processes import BenchError

# What is installed beside a command, asked of its own interpreter without importing any of it.
ABOUT = """
import glob, importlib.metadata, json, os, sys
def version(name):
    try: return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError: return None
libraries = [f for d in sys.path for f in sorted(glob.glob(os.path.join(d, "_duckdb*.so")) +
                                                 glob.glob(os.path.join(d, "duckdb", "duckdb*.so")))]
print(json.dumps({"python": sys.version.split()[0], "duckdb": version("duckdb"),
                  "mxcp": version("mxcp"), "mxcpp": version("mxcpp"), "mcp": version("mcp"),
                  "duckdb_library": libraries[0] if libraries else None}))
"""


class Side:
    def __init__(self, name: str, command: Path):
        self.name = name
        self.command = command
        self.python = interpreter_of(command)
        self.about = json.loads(processes.run([self.python, "-c", ABOUT], 30).stdout)
        self.env = side_environment()
        self.folder = Path()
        self.log = Path(os.devnull)

    @property
    def duckdb(self) -> str | None:
        return self.about["duckdb"]

    @property
    def title(self) -> str:
        package = "mxcpp" if self.about["mxcpp"] else "mxcp"
        return (
            f"{package} {self.about[package]}, Python {self.about['python']}, DuckDB {self.duckdb}"
        )

    def prepare(self, work: Path) -> None:
        """Copies the project and loads its data with the side's own `query`."""
        self.folder = work / self.name
        self.log = work / f"{self.name}.log"
        ignored = shutil.ignore_patterns("data", "audit", "drift", "__pycache__")
        shutil.copytree(expected.PROJECT, self.folder, ignore=ignored)
        places = projects.to_the_middle(self.folder / "tools", list(expected.TOOLS))
        self.about["place_of_tool_files"] = places
        self.env["MXCP_CONFIG"] = str(self.folder / "mxcp-config.yml")
        done = processes.run(
            [self.command, "query", "--file", "data.sql"], 120, cwd=self.folder, env=self.env
        )
        if done.returncode != 0 or "100000" not in done.stdout:
            said = (done.stdout + done.stderr)[-1500:]
            raise BenchError(f"{self.name}: `query --file data.sql` failed:\n{said}")

    def generated(self, tools: int, python: bool) -> Path:
        folder = self.folder.parent / f"{self.name}-{tools}-{'mixed' if python else 'sql'}"
        return folder if folder.exists() else projects.generate(folder, tools, python)


def side_environment() -> dict:
    """The caller's environment without what would make a measured command behave unusually."""
    unwanted = ("PYTHON", "MXCP_", "VIRTUAL_ENV")
    env = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    env["MXCP_DISABLE_ANALYTICS"] = "1"  # the peer reports its use otherwise
    return env


def interpreter_of(command: Path) -> Path:
    """The interpreter of the virtual environment that the command is installed in."""
    beside = command.parent / "python3"
    if beside.exists():
        return beside
    with open(command, "rb") as script:
        first = script.readline(512).decode(errors="replace").strip()
    interpreter = Path(first.removeprefix("#!").split(" ")[0])
    if first.startswith("#!") and interpreter.name.startswith("python"):
        return interpreter
    raise BenchError(
        f"{command}: found no Python interpreter, neither beside it nor in its first line"
    )


def find_command(text: str) -> Path:
    found = Path(text).absolute() if os.sep in text else Path(shutil.which(text) or text)
    if not os.access(found, os.X_OK) or found.is_dir():
        raise BenchError(f"{text}: no such command (expected the path of an installed `mxcp`)")
    return found


def make_peer(folder: Path, duckdb: str | None) -> Path:
    """The peer in a virtual environment of its own, made when missing (a minute, some 450 MB)."""
    command = folder / "bin" / "mxcp"
    if command.exists():
        return command
    print(
        f"Installing the peer, mxcp {PEER_VERSION}, into {folder} ...", file=sys.stderr, flush=True
    )
    shutil.rmtree(folder, ignore_errors=True)
    env = side_environment()
    requirements = [f"mxcp=={PEER_VERSION}", "httpx", "dbt-core<1.12"]
    if duckdb:
        requirements.append(f"duckdb=={duckdb}")
    steps = [
        [sys.executable, "-m", "venv", folder],
        [folder / "bin" / "pip", "install", "--quiet", *requirements],
    ]
    try:
        for step in steps:
            done = processes.run(step, 900, env=env)
            if done.returncode != 0:
                raise BenchError(f"the peer could not be installed:\n{done.stderr[-1500:]}")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # half an environment is worse than none
        raise
    return command


PEER_VERSION = "0.12.3"
