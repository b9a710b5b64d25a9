"""The measurements. Sides take turns (A B A B ...) at the finest grain that makes sense.

A lane is something of one side that is measured repeatedly. One that fails is reported and left out
from then on; the others go on.
"""

import gc
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench import expected, processes, programs
from bench.client import Client
from bench.data_measure import DataBench
from bench.figures import Figures, percentile
from bench.floor import Floor, threads_setting
from bench.http_measure import HttpBench
from bench.processes import BenchError
from bench.rows import ROWS
from bench.side import Side
from bench.soak import Soak

SERVE = ["serve", "--transport", "stdio"]
MEMORY_CALLS, MEMORY_WARM_UP, MEMORY_SECONDS = 10000, 500, 400  # the last is a limit for each side
PEER_MOST_TOOLS = 100  # its start grows with the square of the tools: 24 s for 100, and for 500
# no answer within 150 s


@dataclass
class Lane:
    """`run` measures once and gives the samples of one or more rows."""

    side: str
    run: Callable[[], dict[str, dict]]
    rounds: int
    warm_up: bool = True


@dataclass
class Bench:
    sides: list[Side]
    chosen: set[str]
    quick: bool
    work: Path
    figures: Figures

    def all(self) -> None:
        self.commands()
        self.start()
        self.many()
        self.calls()
        self.memory()
        DataBench(self).all()
        HttpBench(self).all()
        Soak(self).all()

    def wanted(self, group: str) -> list[str]:
        return [row.name for row in ROWS.values() if row.group == group and row.name in self.chosen]

    # ---- commands: from the start of a process to its end

    def commands(self) -> None:
        rows = set(self.wanted("commands"))
        get_user = ["run", "tool", "get_user", "--param", "id=7"]
        greeting = ["run", "tool", "personalized_greeting", "--param", "name=Alice"]
        # Rows of one line take turns with each other too, since a target compares them.
        for line in (
            [("version", [], ""), ("interpreter", [], "")],
            [("list", ["list"], "get_user")],
            [("validate", ["validate"], "get_user")],
            [("run-sql", get_user, "user7@example.com")],
            [("run-python", greeting, "Hello Alice!")],
            [("test", ["test"], "get_user")],
            [("validate-10", ["validate"], "add_9"), ("validate-500", ["validate"], "add_499")],
        ):
            lanes = []
            for row, arguments, expect in line:
                for side in self.sides:
                    if row in rows:
                        lanes.append(self._command(row, side, arguments, expect))
            self._alternate(lanes)

    def _command(self, row: str, side: Side, arguments: list[str], expect: str) -> Lane:
        command, folder = [side.command, *arguments], side.folder
        if row == "interpreter":
            command = [side.python, "-c", "pass"]
        elif row == "version":
            # The peer has no --version.
            command, expect = [
                ([side.command, "--help"], "serve"),
                ([side.command, "--version"], "DuckDB"),
            ][side.name == "ours"]
        elif row.startswith("validate-"):
            folder = side.generated(int(row.removeprefix("validate-")), python=False)

        def run() -> dict[str, dict]:
            done = programs.timed(self.work, command, folder, side.env)
            wrong = done.exit != 0 or expect not in done.output
            return {
                row: {
                    "value": done.wall_s * 1000,
                    "wrong": wrong,
                    "cpu_ms": done.cpu_s * 1000,
                    "peak_mb": done.peak_mb,
                }
            }

        return Lane(side.name, run, 2 if self.quick else 9)

    # ---- start of a server

    def start(self) -> None:
        if not self.wanted("start"):
            return
        self._alternate(
            Lane(s.name, lambda s=s: self._start(s), 1 if self.quick else 5) for s in self.sides
        )

    def _start(self, side: Side) -> dict[str, dict]:
        call = expected.TOOLS["get_user"].calls[0]
        with self._client(side, side.folder) as client:
            client.initialize(60)
            initialized = client.since_start()
            response, _ = client.call("get_user", call.arguments)
            called = client.since_start()
            missing = set(expected.TOOLS) - set(client.tool_names(60))
            return {
                "initialize": {"value": initialized * 1000, "wrong": bool(missing)},
                "first-call": {
                    "value": called * 1000,
                    "wrong": not expected.is_right(call, response),
                },
                "memory-idle": {"value": processes.settled_mb(client.pid), "wrong": False},
            }

    def many(self) -> None:
        lanes = []
        for row in self.wanted("many"):
            tools = int(row.removeprefix("initialize-"))
            for side in self.sides:
                rounds, warm_up = (1 if self.quick else 5), True
                if side.name == "peer":
                    if tools > PEER_MOST_TOOLS or (tools == PEER_MOST_TOOLS and self.quick):
                        continue
                    rounds, warm_up = min(rounds, 2), False
                lanes.append(
                    Lane(
                        side.name,
                        lambda r=row, s=side, t=tools: self._many(r, s, t),
                        rounds,
                        warm_up,
                    )
                )
        self._alternate(lanes)

    def _many(self, row: str, side: Side, tools: int) -> dict[str, dict]:
        with self._client(side, side.generated(tools, python=True)) as client:
            client.initialize(150)
            initialized = client.since_start()
            wrong = len(client.tool_names(60)) != tools
            for number in (tools - 1, tools - 2):  # one in Python, one in SQL
                response, _ = client.call(f"add_{number}", {"x": 5})
                wrong = wrong or str(number + 5) not in str(response.get("result"))
            return {row: {"value": initialized * 1000, "wrong": wrong}}

    # ---- sequential calls over stdio

    def calls(self) -> None:
        rows = self.wanted("calls")
        if not rows:
            return
        rounds, count, seconds = (1, 60, 0.3) if self.quick else (5, 400, 0.8)
        with ExitStack() as stack:
            clients = dict(self._served(stack, "calls"))
            floors = self._floors(stack)
            cat = stack.enter_context(
                Client(["cat"], self.work, dict(self.sides[0].env), self.work / "cat.log")
            )
            for row in rows:
                tool = expected.TOOLS.get(row)
                lanes = []
                if row == "pipe":
                    lanes = [("client", lambda: self._pipe(cat, count, seconds))]
                elif tool:
                    for name, client in clients.items():
                        lanes.append(
                            (name, lambda c=client, t=tool: self._slice(c, t, count, seconds))
                        )
                    if tool.statement:
                        for floor in floors:
                            lanes.append(
                                (
                                    f"floor, {floor.name}",
                                    lambda f=floor, t=tool: self._floor(f, t, count, seconds),
                                )
                            )
                self._call_rounds(row, lanes, rounds)
            for name, client in clients.items():
                for row in rows:
                    if row in expected.TOOLS:
                        self.figures.figure(row, name).more["stray_lines"] = client.stray

    def _call_rounds(self, row: str, lanes, rounds: int) -> None:
        """A sample is the p50 of a round; the p99 is of the calls of all rounds."""
        everything: dict[str, list[float]] = {name: [] for name, _ in lanes}
        cpu: dict[str, float] = {}
        for _ in range(rounds):
            for name, run in lanes:
                try:
                    milliseconds, wrong, cpu_s = run()
                except BenchError as error:
                    self._report(row, name, error)
                    lanes = [lane for lane in lanes if lane[0] != name]
                    continue
                figure = self.figures.figure(row, name)
                figure.samples.append(percentile(milliseconds, 0.5))
                figure.wrong += wrong
                everything[name] += milliseconds
                cpu[name] = cpu.get(name, 0) + cpu_s
        for name, milliseconds in everything.items():
            if milliseconds:
                figure = self.figures.figure(row, name)
                figure.more["p99"] = round(percentile(milliseconds, 0.99), 4)
                figure.more["calls"] = len(milliseconds)
                figure.more["cpu_ms"] = round(cpu[name] / len(milliseconds) * 1000, 4)
        self._progress(row)

    def _slice(self, client: Client, tool: expected.Tool, count: int, seconds: float):
        """Calls one after another; the first three are warm-up. Every answer is checked."""
        milliseconds, wrong, warm_up = [], 0, 3
        end = time.perf_counter() + seconds
        before = processes.cpu_seconds(client.pid)
        gc.disable()
        try:
            for number in range(warm_up + count):
                call = tool.calls[number % len(tool.calls)]
                response, took = client.call(tool.name, call.arguments)
                wrong += not expected.is_right(call, response)
                if number >= warm_up:
                    milliseconds.append(took * 1000)
                if time.perf_counter() > end and len(milliseconds) >= 5:
                    break
        finally:
            gc.enable()
        cpu = processes.cpu_seconds(client.pid) - before
        return milliseconds, wrong, cpu * len(milliseconds) / (len(milliseconds) + warm_up)

    def _pipe(self, cat: Client, count: int, seconds: float):
        milliseconds = []
        end = time.perf_counter() + seconds
        for _ in range(count):
            milliseconds.append(cat.call("get_user", {"id": 7})[1] * 1000)
            if time.perf_counter() > end:
                break
        return milliseconds, 0, 0.0

    def _floor(self, floor: Floor, tool: expected.Tool, count: int, seconds: float):
        before = processes.cpu_seconds(floor.pid)
        milliseconds, wrong = floor.measure(tool, count, seconds)
        return milliseconds, wrong, processes.cpu_seconds(floor.pid) - before

    # ---- memory after many calls

    def memory(self) -> None:
        """Growth from after the first 500 calls to after 10,000: mostly the three small tools."""
        if not self.wanted("memory"):
            return
        row, total = "memory-growth", 1500 if self.quick else MEMORY_CALLS
        small = ["get_user", "personalized_greeting", "user_lookup"]
        pattern = small * 9 + ["list_orders", "rows_1000", "batch_user_data"]
        with ExitStack() as stack:
            running = self._served(stack, row)
            spent = {name: 0.0 for name, _ in running}
            points: dict[str, list[list[float]]] = {name: [] for name, _ in running}
            for done in range(0, total, MEMORY_WARM_UP):
                for name, client in list(running):
                    began = time.perf_counter()
                    try:
                        wrong = self._mixed(client, pattern, done, MEMORY_WARM_UP)
                    except BenchError as error:
                        self._report(row, name, error)
                        running.remove((name, client))
                        continue
                    spent[name] += time.perf_counter() - began
                    self.figures.figure(row, name).wrong += wrong
                    points[name].append([done + MEMORY_WARM_UP, processes.resident_mb(client.pid)])
                    if spent[name] > MEMORY_SECONDS:
                        running.remove((name, client))
        for name, measured in points.items():
            if len(measured) > 1:
                figure = self.figures.figure(row, name)
                figure.samples = [round(measured[-1][1] - measured[0][1], 2)]
                figure.more = {"calls": measured[-1][0], "memory_mb": measured}
        self._progress(row)

    def _mixed(self, client: Client, pattern: list[str], offset: int, count: int) -> int:
        wrong = 0
        for number in range(offset, offset + count):
            tool = expected.TOOLS[pattern[number % len(pattern)]]
            call = tool.calls[number // len(pattern) % len(tool.calls)]
            response, _ = client.call(tool.name, call.arguments)
            wrong += not expected.is_right(call, response)
        return wrong

    # ---- shared

    def _served(self, stack: ExitStack, row: str) -> list[tuple[str, Client]]:
        """A running server of each side; one that does not start is reported and left out."""
        running = []
        for side in self.sides:
            try:
                client = stack.enter_context(self._client(side, side.folder))
                client.initialize(60)
                running.append((side.name, client))
            except BenchError as error:
                self._report(row, side.name, error)
        return running

    def _floors(self, stack: ExitStack) -> list[Floor]:
        """One floor for each thread setting, with the wheel of our side where it has one."""
        try:
            with_wheel = [side for side in self.sides if side.about["duckdb_library"]]
            if not with_wheel:
                raise BenchError("no side has a duckdb wheel to take the library from")
            return [
                stack.enter_context(Floor(with_wheel[-1], self.work, threads))
                for threads in threads_setting()
            ]
        except BenchError as error:
            self._report("calls", "floor", error)
            return []

    def _client(self, side: Side, folder: Path) -> Client:
        return Client([side.command, *SERVE], folder, side.env, side.log)

    def _alternate(self, lanes: Iterable[Lane]) -> None:
        """Rounds of all lanes in turn. The first round warms the caches of files, uncounted."""
        lanes, touched = list(lanes), []
        most = max((lane.rounds + lane.warm_up for lane in lanes), default=0)
        for number in range(most):
            for lane in list(lanes):
                if number >= lane.rounds + lane.warm_up:
                    continue
                try:
                    samples = lane.run()
                except BenchError as error:
                    self._report("", lane.side, error)
                    lanes.remove(lane)
                    continue
                for row, sample in samples.items():
                    figure = self.figures.figure(row, lane.side)
                    figure.wrong += sample.pop("wrong")
                    value = sample.pop("value")
                    if number or not lane.warm_up:
                        figure.samples.append(value)
                        for name, more in sample.items():
                            figure.more.setdefault(name, []).append(round(more, 3))
                    if row not in touched:
                        touched.append(row)
        for row in touched:
            self._progress(row)

    def _report(self, row: str, side: str, error: BenchError) -> None:
        text = f"{row + ', ' if row else ''}{side}: {error}"
        self.figures.errors.append(text)
        print(f"not measured: {text}", file=sys.stderr, flush=True)

    def _progress(self, row: str) -> None:
        parts = []
        for side, figure in self.figures.rows.get(row, {}).items():
            if figure.value is not None:
                wrong = f" ({figure.wrong} WRONG)" if figure.wrong else ""
                parts.append(f"{side} {figure.value:.4g}{wrong}")
        print(f"{row:22} {ROWS[row].unit}: {', '.join(parts)}", file=sys.stderr, flush=True)
