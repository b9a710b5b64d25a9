"""The rows over HTTP: rates and latencies under load, what else runs beside it, reloads."""

import dataclasses
import math
import os
import statistics
import time
from contextlib import ExitStack
from pathlib import Path

from bench import http_servers, http_tools, processes, projects
from bench.expected import PROJECT
from bench.figures import Figure
from bench.floor import Floor, check_same
from bench.http_servers import HttpServer, SlowCaller
from bench.http_tools import TOOLS, Tool
from bench.processes import BenchError

MODERN = ", 2026-07-28"
PEER_CONNECTIONS = (1, 32)  # at 256 it needs half a minute for what is in flight
BARE_LOOP = """
import sys, time
def cpu_py():
    total = 0
    for i in range(20000):
        total += i & 7
    return total
begin, calls = time.perf_counter(), 0
while time.perf_counter() - begin < float(sys.argv[1]):
    cpu_py()
    calls += 1
print(calls / (time.perf_counter() - begin))
"""


class HttpBench:
    def __init__(self, bench):
        self.bench, self.figures, self.work = bench, bench.figures, bench.work
        self.sides = {side.name: side for side in bench.sides}
        self.rounds, self.seconds = (1, 0.5) if bench.quick else (3, 1.5)
        self.ratios: list[float] = []  # of 2026-07-28 to sessions

    def all(self) -> None:
        rows = self.bench.wanted("http")
        if not rows:
            return
        with ExitStack() as stack:
            servers = self._servers(stack)
            cells = [row.removeprefix("http-").rpartition("-") for row in rows]
            cells = [(tool, int(count)) for tool, _, count in cells if tool in TOOLS and count.isdigit()]
            if cells:
                floors = self.bench._floors(stack)
                echo = stack.enter_context(http_servers.of_nothing(self.work))
                for tool, count in cells:
                    self._cell(TOOLS[tool], count, servers, floors, echo)
            if "http-echo" in rows:
                with http_servers.of_nothing(self.work) as one:
                    load = one.load(self.work, [without_texts(TOOLS["get_user"])], 32, self.seconds, modern=True)
                    self._note("http-echo", "echo", load.result())
                self.bench._progress("http-echo")
            if self.ratios and "http-modern" in rows:
                mean = math.exp(statistics.mean(math.log(ratio) for ratio in self.ratios))
                self.figures.figure("http-modern", "ours").samples = [mean]
                self.figures.figure("http-modern", "session").samples = [1.0]
                self.bench._progress("http-modern")
            if "http-rows_10000" in rows:
                self._large(servers)
            self._beside(servers, [row for row in rows if row.startswith("beside-")])
        if "reload-500" in rows and "ours" in self.sides:
            self._reload()

    # ---- servers

    def _servers(self, stack: ExitStack) -> dict[str, HttpServer]:
        servers = {}
        for name, make in [
            *((s.name, lambda s=s: http_servers.of_side(s, http_servers.project_for_http(s)))
              for s in self.sides.values()),
            ("sdk", lambda: http_servers.of_sdk(self.sides["ours"], self.work)),
        ]:  # fmt: skip
            try:
                if name != "sdk" or "ours" in self.sides:
                    servers[name] = stack.enter_context(make())
            except BenchError as error:
                self.bench._report("http", name, error)
        return servers

    # ---- a tool at a number of connections

    def _cell(self, tool: Tool, count: int, servers: dict, floors: list[Floor], echo: HttpServer) -> None:
        row = f"http-{tool.name}-{count}"
        lanes = []
        for name, server in servers.items():
            if name != "peer" or count in PEER_CONNECTIONS:
                lanes.append((name, server, False))
            if name in ("ours", "sdk"):
                lanes.append((name + MODERN, server, True))
        for round in range(self.rounds):
            for lane in list(lanes):
                name, server, modern = lane
                if name == "peer" and round:
                    continue
                try:
                    if not round:
                        server.check(tool, modern)
                    # What is in flight takes the peer seconds: its one round is longer.
                    seconds = max(6.0, self.seconds) if name == "peer" else self.seconds
                    with ThreadTimes(server) as times:
                        result = server.load(self.work, [tool], count, seconds, modern=modern).result()
                    self._note(row, name, result)
                    if name == "ours":
                        times.note(self.figures.figure(row, name), result)
                except BenchError as error:
                    self.bench._report(row, name, error)
                    lanes.remove(lane)
        session, modern = self.figures.value(row, "ours"), self.figures.value(row, "ours" + MODERN)
        if session and modern:
            self.ratios.append(modern / session)
        for form in (tool.statements, tool.faster):
            for floor in floors if session and form else []:
                self._floor(row, tool, form, count, session, floor, echo)
        if tool.kind == "cpu" and self.sides.get("ours"):
            command = [self.sides["ours"].python, "-c", BARE_LOOP, self.seconds]
            done = processes.run(command, 60)
            self.figures.figure(row, "bare loop").samples.append(float(done.stdout))
        self.bench._progress(row)

    def _note(self, row: str, side: str, result: dict) -> None:
        figure = self.figures.figure(row, side)
        figure.samples.append(result["rate"])
        figure.wrong += result["wrong"]
        for name in ("p50", "p99"):
            every = figure.more.setdefault(f"{name}_of_rounds", [])
            every.append(result[name])
            figure.more[name] = statistics.median(every)
        figure.more["calls"] = figure.more.get("calls", 0) + result["counted"]
        if result["wrong"]:
            self.bench._report(row, side, BenchError(f"{result['wrong']} wrong: {result['first_wrong']}"))

    def _floor(self, row: str, tool: Tool, statements: tuple[str, ...], count: int, rate: float,
               floor: Floor, echo: HttpServer) -> None:  # fmt: skip
        """The statements in a loop on as many threads as our pool has, while the same load generator sends
        as many requests as in our own measurement, to a server that does nothing."""
        for statement in tool.statements:
            check_same(source_of(tool), tool.name, statement)
        threads = min(count, max(4, 2 * (os.cpu_count() or 1)))
        bound = [[value for value in call.bound[:1]] for call in tool.calls]
        bound = [[int(v) if isinstance(v, float) else v for v in values] for values in bound]
        load = echo.load(self.work, [without_texts(tool)], count, self.seconds + 0.3, rate=rate, modern=True)
        time.sleep(0.2)
        floor.start_loop(list(statements), bound, threads, self.seconds)
        form = "" if statements == tool.statements else ", typed"
        figure = self.figures.figure(row, f"floor, {floor.name}{form}")
        before = processes.cpu_seconds(floor.pid)
        with ThreadTimes(echo) as times:
            figure.samples.append(floor.loop_rate())
            sent = load.result()
        own = processes.cpu_seconds(floor.pid) - before  # its threads have ended
        figure.more["cpu_us"] = {"C loop": own * 1e6 / (figure.value * self.seconds)}
        times.note(figure, sent)

    # ---- a large result, one after the other

    def _large(self, servers: dict[str, HttpServer]) -> None:
        row, tool = "http-rows_10000", TOOLS["rows_10000"]
        for name, server in servers.items():
            try:
                server.check(tool)
                for _ in range(self.rounds):
                    result = server.load(self.work, [tool], 1, max(1.0, self.seconds)).result()
                    figure = self.figures.figure(row, name)
                    figure.samples.append(result["p50"])
                    figure.wrong += result["wrong"]
            except BenchError as error:
                self.bench._report(row, name, error)
        self.bench._progress(row)

    # ---- beside a slow statement

    def _beside(self, servers: dict[str, HttpServer], rows: list[str]) -> None:
        if not rows or "ours" not in servers:
            return
        server = servers["ours"]
        rounds = two_seconds(server)
        seconds = 2.5 if self.bench.quick else 8.0
        for row in rows:
            tool = TOOLS[row.removeprefix("beside-")]
            server.check(tool)
            server.need_sessions(32)
            for name, beside in ((f"alone-{tool.name}", False), (row, True)):
                with ExitStack() as stack:
                    slow = stack.enter_context(SlowCaller(server, {"n": rounds})) if beside else None
                    result = server.load(self.work, [tool], 32, seconds).result()
                figure = self.figures.figure(name, "ours")
                figure.samples.append(result["p99"])
                figure.wrong += result["wrong"]
                figure.more.update(p50=result["p50"], rate=result["rate"])
                if slow:
                    figure.more["slow_seconds"] = [round(one, 2) for one in slow.seconds]
            self.bench._progress(row)

    # ---- reloads of a definition among 500 tools

    def _reload(self) -> None:
        row, side = "reload-500", self.sides["ours"]
        folder = side.generated(500, python=True)
        tools = [Tool(f"add_{n}", "", [http_tools.Call({"x": 5}, http_tools.equals(n + 5), (str(n + 5),))])
                 for n in (10, 101, 250, 499)]  # fmt: skip
        seconds = 3.0 if self.bench.quick else 10.0
        with http_servers.of_side(side, folder) as server:
            for tool in tools:
                server.check(tool)
            alone = server.load(self.work, tools, 8, seconds).result()
            load = server.load(self.work, tools, 8, seconds)
            reloads, took = 0, []
            while load.running():
                before = server.get("/readyz")["reloads"]
                projects.touch(folder, 2 * (reloads % 250))
                began = time.monotonic()
                while load.running() and server.get("/readyz")["reloads"] == before:
                    time.sleep(0.01)
                took.append(time.monotonic() - began)
                reloads += 1
                time.sleep(0.2)
            result = load.result()
        figure = self.figures.figure(row, "ours")
        figure.samples = [max(0.0, result["p99"] - alone["p99"])]
        figure.wrong = result["wrong"] + alone["wrong"]
        figure.more = {"reloads": reloads, "p99_alone": alone["p99"], "p99": result["p99"],
                       "most": result["most"], "seconds_to_take_up": statistics.median(took)}  # fmt: skip
        self.bench._progress(row)


class ThreadTimes:
    """What the threads of a process compute inside of a `with`."""

    def __init__(self, process: HttpServer):
        self.process = process

    def __enter__(self):
        self.before = processes.thread_seconds(self.process.pid)
        return self

    def __exit__(self, *_):
        after = processes.thread_seconds(self.process.pid)
        self.seconds = {name: taken - self.before.get(name, 0) for name, taken in after.items()}

    def note(self, figure: Figure, load: dict) -> None:
        """In microseconds a call, with the load generator's."""
        cpu = figure.more.setdefault("cpu_us", {})
        cpu.update({name: seconds * 1e6 / max(1, load["sent"]) for name, seconds in self.seconds.items()})
        cpu["load generator"] = load["cpu_us"]


def two_seconds(server: HttpServer) -> int:
    """How many rows the slow statement has to make to take two seconds."""
    rows = 1_000_000
    while True:
        began = time.perf_counter()
        server.call("slow", {"n": rows})
        took = time.perf_counter() - began
        if took > 0.3:
            return int(rows * 2 / took)
        rows *= 4


def without_texts(tool: Tool) -> Tool:
    """For the echo, whose answers have none."""
    return dataclasses.replace(tool, calls=[dataclasses.replace(c, texts=()) for c in tool.calls])


def source_of(tool: Tool) -> Path:
    own = http_tools.OVERLAY / tool.file
    return own if own.exists() else PROJECT / tool.file


