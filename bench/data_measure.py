"""Much data at once, beside the `duckdb` package in the same virtual environment: rows to JSON beside COPY, rows to
dicts beside fetchall, a Python function in SQL beside create_function. A sample is the fastest of some rounds in a
process of its own."""

import json
import shutil
from pathlib import Path

from bench import processes, programs
from bench.processes import BenchError
from bench.side import Side

PROJECT = Path(__file__).resolve().parent / "data_project"
ROWS = 100_000


class DataBench:
    def __init__(self, bench):
        self.bench = bench
        self.rounds = 2 if bench.quick else 5
        self.folder = bench.work / "data"

    def all(self) -> None:
        ours = [side for side in self.bench.sides if side.name == "ours"]
        rows = self.bench.wanted("data")
        if not rows or not ours:
            return
        side = ours[0]
        shutil.copytree(PROJECT, self.folder, ignore=shutil.ignore_patterns("data", "__pycache__"))
        self._mxcp(side, "query", "--file", "data.sql")
        works = {
            "data-json": ("json", lambda: self._json(side)),
            "data-dicts": ("dicts", lambda: self._tool(side, "read_rows")),
            "data-udf": ("udf", lambda: self._tool(side, "run_udf")),
        }
        for row in rows:
            if row not in works:
                continue  # the memory of data-dicts
            work, run = works[row]
            for _ in range(1 if self.bench.quick else 3):
                theirs, mine = self._duckdb(side, work), run()
                wrong = not isinstance(mine["sum"], str) and abs(mine["sum"] - theirs["sum"]) > 1e-6
                self._keep(row, theirs, mine, "ms", wrong)
                if row == "data-dicts":
                    self._keep("data-memory", theirs, mine, "peak_mb", False)
            self.bench._progress(row)

    def _keep(self, row: str, theirs: dict, mine: dict, what: str, wrong: bool) -> None:
        for name, measured in (("duckdb", theirs), ("ours", mine)):
            self.bench.figures.figure(row, name).samples.append(measured[what])
        self.bench.figures.figure(row, "ours").wrong += wrong

    def _mxcp(self, side: Side, *arguments: str) -> str:
        done = processes.run([side.command, *arguments], 120, cwd=self.folder, env=side.env)
        if done.returncode != 0:
            raise BenchError(f"`mxcp {' '.join(arguments)}` failed:\n{(done.stdout + done.stderr)[-800:]}")
        return done.stdout

    def _tool(self, side: Side, name: str) -> dict:
        text = self._mxcp(side, "run", "tool", name, "--param", f"rounds={self.rounds}", "--json-output")
        return json.loads(text)["result"]

    def _json(self, side: Side) -> dict:
        """The whole process, start and all, with its output in a file; COPY is the statement alone."""
        command = [side.command, "run", "tool", "rows", "--json-output"]
        done = [programs.timed(self.bench.work, command, self.folder, side.env) for _ in range(self.rounds)]
        rows = json.loads(done[-1].output)["result"]
        if len(rows) != ROWS or rows[-1]["id"] != ROWS - 1:
            raise BenchError(f"`run tool rows` gave {len(rows)} rows")
        return {"ms": min(one.wall_s for one in done) * 1000, "sum": ""}

    def _duckdb(self, side: Side, work: str) -> dict:
        database = self.folder / "data" / "db-default.duckdb"
        command = [side.python, PROJECT / "python" / "timed.py", work, database, str(self.rounds)]
        done = processes.run(command, 120, env=side.env)
        if done.returncode != 0:
            raise BenchError(f"the duckdb package: {done.stderr[-800:]}")
        return json.loads(done.stdout)
