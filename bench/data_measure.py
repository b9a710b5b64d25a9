"""Much data at once: rows to JSON beside COPY, rows to dicts beside fetchall, a Python function in SQL beside
create_function, both of the `duckdb` package in the same virtual environment.

Of rows and functions a sample is the fastest of some rounds in a process of its own. JSON is measured as whole
processes, `run --json-output` and `query "COPY ..."`, both into a file; what the same process takes for one row is
taken off both."""

import json
import math
import shutil
from pathlib import Path

from bench import processes, programs
from bench.processes import BenchError
from bench.side import Side

PROJECT = Path(__file__).resolve().parent / "data_project"
WITH_PLUGIN = PROJECT.parent / "data_plugin"  # laid over it
ROWS = 100_000


class DataBench:
    def __init__(self, bench):
        self.bench = bench
        self.rounds = 2 if bench.quick else 5
        self.folder = bench.work / "data"
        self.with_plugin = bench.work / "data-plugin"

    def all(self) -> None:
        ours = [side for side in self.bench.sides if side.name == "ours"]
        rows = self.bench.wanted("data")
        if not rows or not ours:
            return
        side = ours[0]
        shutil.copytree(PROJECT, self.folder, ignore=shutil.ignore_patterns("data", "__pycache__"))
        self._mxcp(side, self.folder, "query", "--file", "data.sql")
        shutil.copytree(self.folder, self.with_plugin)
        shutil.copytree(WITH_PLUGIN, self.with_plugin, dirs_exist_ok=True)
        works = {
            "data-json": ("json", lambda: None),
            "data-dicts": ("dicts", lambda: self._tool(side, self.folder, "read_rows")),
            "data-udf": ("udf", lambda: self._tool(side, self.with_plugin, "run_udf")),
        }
        for row in rows:
            if row not in works:
                continue  # the memory of data-dicts
            work, run = works[row]
            for _ in range(1 if self.bench.quick else 3):
                theirs, mine = self._json(side) if work == "json" else (self._duckdb(side, work), run())
                wrong = not isinstance(mine["sum"], str) and abs(mine["sum"] - theirs["sum"]) > 1e-6
                self._keep(row, theirs, mine, "ms", wrong)
                if row == "data-dicts":
                    self._keep("data-memory", theirs, mine, "peak_mb", False)
            self.bench._progress(row)

    def _keep(self, row: str, theirs: dict, mine: dict, what: str, wrong: bool) -> None:
        for name, measured in (("duckdb", theirs), ("ours", mine)):
            self.bench.figures.figure(row, name).samples.append(measured[what])
        self.bench.figures.figure(row, "ours").wrong += wrong

    def _mxcp(self, side: Side, folder: Path, *arguments: str) -> str:
        done = processes.run([side.command, *arguments], 120, cwd=folder, env=side.env)
        if done.returncode != 0:
            raise BenchError(f"`mxcp {' '.join(arguments)}` failed:\n{(done.stdout + done.stderr)[-800:]}")
        return done.stdout

    def _tool(self, side: Side, folder: Path, name: str) -> dict:
        text = self._mxcp(side, folder, "run", "tool", name, "--param", f"rounds={self.rounds}", "--json-output")
        return json.loads(text)["result"]

    def _json(self, side: Side) -> tuple[dict, dict]:
        """In turn, so that a busy moment of the machine meets all of them; of each the fastest counts."""
        target = self.folder / "copied.json"
        commands = {
            "rows": ["run", "tool", "rows", "--json-output"],
            "row": ["run", "tool", "row", "--json-output"],
            "copy": ["query", f"COPY (FROM wide) TO '{target}'"],
            "nothing": ["query", "SELECT 1"],
        }
        took = dict.fromkeys(commands, math.inf)
        for _ in range(2 * self.rounds):
            for name, command in commands.items():
                done = programs.timed(self.bench.work, [side.command, *command], self.folder, side.env)
                took[name] = min(took[name], done.wall_s * 1000)
                if name == "rows":
                    rows = json.loads(done.output)["result"]
        if len(rows) != ROWS or rows[-1]["id"] != ROWS - 1:
            raise BenchError(f"`run tool rows` gave {len(rows)} rows")
        if len(target.read_text().splitlines()) != ROWS:
            raise BenchError("COPY did not write every row")
        return (
            {"ms": took["copy"] - took["nothing"], "sum": ""},
            {"ms": took["rows"] - took["row"], "sum": ""},
        )

    def _duckdb(self, side: Side, work: str) -> dict:
        database = self.folder / "data" / "db-default.duckdb"
        command = [side.python, PROJECT / "python" / "timed.py", work, database, str(self.rounds)]
        done = processes.run(command, 120, env=side.env)
        if done.returncode != 0:
            raise BenchError(f"the duckdb package: {done.stderr[-800:]}")
        return json.loads(done.stdout)
