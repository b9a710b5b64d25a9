"""The floor: the statements of the tools through DuckDB's C API in a C loop (native/floor.c)."""

import json
import os
import subprocess
from pathlib import Path

from bench import expected, processes
from bench.processes import BenchError
from bench.side import Side


class Floor:
    """A process with one database and one thread setting of DuckDB ("" for its default)."""

    def __init__(self, side: Side, work: Path, threads: str):
        self.name = f"threads={threads}" if threads else "default threads"
        label = threads or "default"
        with open(work / "floor.log", "ab") as errors:
            self._process = processes.start(
                [
                    side.python,
                    Path(__file__).with_name("floor_process.py"),
                    work / "floor.so",
                    side.about["duckdb_library"],
                    work / f"floor-{label}.duckdb",
                    expected.PROJECT / "data.sql",
                    threads,
                ],
                env=side.env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self._log = work / "floor.log"
        self.duckdb = self._answer()["duckdb"]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._process.stdin.close()
        processes.stop(self._process)

    @property
    def pid(self) -> int:
        return self._process.pid

    def measure(self, tool: expected.Tool, count: int, seconds: float) -> tuple[list[float], int]:
        """The milliseconds of each call, and how many of the tool's calls read something wrong."""
        check_same_statement(tool)
        request = {
            "statement": tool.statement,
            "calls": [list(call.bound) for call in tool.calls],
            "warm_up": 3,
            "count": count,
            "seconds": seconds,
        }
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        wrong = sum(
            [rows, mark]
            != [len(tool.calls[turn].rows), expected.fingerprint(tool.calls[turn].rows)]
            for turn, rows, mark in answer["answers"]
        )
        return answer["milliseconds"], wrong

    def start_loop(self, statements: list[str], bound: list[list], threads: int, seconds: float) -> None:
        """Statements in a loop on several threads; `loop_rate` waits for the end."""
        request = {"statements": statements, "calls": bound, "threads": threads, "seconds": seconds}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def loop_rate(self) -> float:
        return self._answer()["rate"]

    def _answer(self) -> dict:
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else {"error": self._log.read_text()[-800:]}
        if "error" in answer:
            raise BenchError(f"floor ({self.name}): {answer['error']}")
        return answer


def check_same_statement(tool: expected.Tool) -> None:
    check_same(expected.PROJECT / tool.file, tool.name, tool.statement)


def check_same(file: Path, tool: str, statement: str) -> None:
    """The floor must run what the tool runs: its SQL has to be found in the project's file."""
    if " ".join(statement.split()) not in " ".join(file.read_text().replace('"\n', "").split()):
        raise BenchError(f"the bench and {file.name} have different SQL for {tool}")


def threads_setting() -> list[str]:
    return ["", "1"] if (os.cpu_count() or 1) > 1 else [""]
