"""What lasts: memory after many calls of both eras with sessions that come and go, reloads under load, open
sessions. No figure of this is a time.

Also run as a test, in a small form (tests/e2e/soak_test.py): `soak_calls` and `soak_reloads` need a server, a
folder for the generator, and no bench.
"""

import http.client
import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench import http_servers, processes
from bench.http_servers import HttpServer
from bench.http_tools import TOOLS
from bench.processes import BenchError

MIX = ("get_user", "personalized_greeting", "user_lookup", "add_one", "list_orders", "sleepy_async")
CALLS, SLICE, RELOADS, SESSIONS = 100_000, 2_000, 50, 1_000


def soak_calls(server: HttpServer, work: Path, total: int, slice: int, connections: int = 16) -> dict:
    """Slices of calls, of one era and of the other; those of sessions have new ones each time, half of which
    are ended by DELETE and half forgotten. `points`: [calls, MB] after each two slices."""
    tools = [TOOLS[name] for name in MIX]
    wrong, first, points, done, sessions = 0, "", [], 0, 0
    while done < total:
        for modern in (False, True):
            if not modern:
                server.sessions = []
                server.need_sessions(connections)
                sessions += connections
            load = server.load(work, tools, connections, 600, warm_up=0, most=slice, modern=modern)
            result = load.result()
            wrong, done = wrong + result["wrong"], done + result["sent"]
            first = first or result["first_wrong"]
            if not modern:
                for session in server.sessions[::2]:
                    server.close_session(session)
        points.append([done, processes.resident_mb(server.pid)])
    server.sessions = []
    return {"calls": done, "sessions": sessions, "wrong": wrong, "first_wrong": first, "points": points}


def soak_reloads(server: HttpServer, work: Path, folder: Path, reloads: int) -> dict:
    """Reloads of all kinds under load: a changed definition, changed SQL, changed Python, all of it (SIGHUP)."""
    tools = [TOOLS[name] for name in MIX]
    files = [folder / "tools" / "add_one.yml", folder / "sql" / "get_user.sql", folder / "python" / "users.py"]
    comments = ["# {}\n", "-- {}\n", "# {}\n"]
    before = processes.resident_mb(server.pid)
    server.need_sessions(8)
    load = server.load(work, tools, 8, 600, warm_up=0, modern=False)
    points = []
    try:
        for number in range(reloads):
            seen = server.get("/readyz")["reloads"]
            kind = number % (len(files) + 1)
            if kind < len(files):
                change(files[kind], comments[kind].format(number))
            else:
                os.kill(server.pid, signal.SIGHUP)
            wait(lambda seen=seen: server.get("/readyz")["reloads"] > seen, f"reload {number}")
            if server.get("/readyz").get("reload_error"):
                raise BenchError(f"a reload failed: {server.get('/readyz')}")
            points.append(processes.resident_mb(server.pid))
    finally:
        load.end()
    result = load.result()
    return {
        "reloads": reloads,
        "calls": result["sent"],
        "wrong": result["wrong"],
        "first_wrong": result["first_wrong"],
        "p99": result["p99"],
        "before_mb": before,
        "points": points,
    }


def change(file: Path, comment: str) -> None:
    text = file.read_text()
    first, _, rest = text.partition("\n")
    new = file.with_name(file.name + ".new")
    is_comment = first.startswith(("# ", "-- "))
    new.write_text(comment + (rest if is_comment else text))
    new.replace(file)


def wait(condition: Callable[[], bool], what: str, patience: float = 60) -> None:
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise BenchError(f"never: {what}")
        time.sleep(0.01)


def slope(points: list[list[float]]) -> float:
    """KB for each 1,000 calls: least squares."""
    count = len(points)
    if count < 2:
        return 0.0
    mean_x, mean_y = sum(p[0] for p in points) / count, sum(p[1] for p in points) / count
    spread = sum((p[0] - mean_x) ** 2 for p in points)
    return sum((p[0] - mean_x) * (p[1] - mean_y) for p in points) / spread * 1024 * 1000


def growth(megabytes: list[float]) -> float:
    """From the first fifth to the last: single readings go up and down by more than a MB."""
    count = max(1, len(megabytes) // 5)
    return sum(megabytes[-count:]) / count - sum(megabytes[:count]) / count


class Soak:
    def __init__(self, bench):
        self.bench, self.figures, self.work = bench, bench.figures, bench.work
        self.sides = {side.name: side for side in bench.sides}

    def all(self) -> None:
        rows = self.bench.wanted("soak")
        steps = [
            (("soak-idle",), self._idle),
            (("soak-sessions", "soak-streams"), self._sessions),
            (("soak-growth",), self._growth),
            (("soak-reload",), self._reloads),
        ]
        for names, run in steps:
            if set(names) & set(rows):
                try:
                    run()
                except BenchError as error:
                    self.bench._report(names[0], "ours", error)
                for name in names:
                    self.bench._progress(name)

    def _ours(self) -> HttpServer:
        side = self.sides["ours"]
        return http_servers.of_side(side, http_servers.project_for_http(side))

    def _idle(self) -> None:
        for name, side in self.sides.items():
            with http_servers.of_side(side, http_servers.project_for_http(side)) as server:
                server.check(TOOLS["get_user"])
                self.figures.figure("soak-idle", name).samples = [processes.settled_mb(server.pid)]

    def _sessions(self) -> None:
        for row, streams in (("soak-sessions", False), ("soak-streams", True)):
            with ExitStack() as stack:
                server = stack.enter_context(self._ours())
                # What the first ones and the first connections need once is not counted.
                connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
                warm = [server.open_session(connection) for _ in range(50)]
                before = processes.settled_mb(server.pid)
                opened = [server.open_session(connection) for _ in range(SESSIONS)]
                if streams:
                    for session in opened:
                        one = stack.enter_context(_stream(server, session))
                        if one.status != 200:
                            raise BenchError(f"a stream was refused: {one.status}")
                after = processes.settled_mb(server.pid)
                if len(set(opened + warm)) != SESSIONS + 50:
                    raise BenchError("sessions share an id")
                figure = self.figures.figure(row, "ours")
                figure.samples = [(after - before) * 1024 / SESSIONS]
                figure.more = {"before_mb": before, "after_mb": after}

    def _growth(self) -> None:
        total = 10_000 if self.bench.quick else CALLS
        with self._ours() as server:
            for name in MIX:
                server.check(TOOLS[name])
            soaked = soak_calls(server, self.work, total, SLICE // 2 if self.bench.quick else SLICE)
        # The first tenth is warm-up: caches fill, threads start.
        points = [point for point in soaked["points"] if point[0] >= total / 10]
        figure = self.figures.figure("soak-growth", "ours")
        figure.samples = [growth([megabytes for _, megabytes in points])]
        figure.wrong = soaked["wrong"]
        figure.more = {**soaked, "kb_per_1000_calls": round(slope(points), 2),
                       "start_mb": points[0][1], "end_mb": points[-1][1]}  # fmt: skip
        if soaked["wrong"]:
            self.bench._report("soak-growth", "ours", BenchError(soaked["first_wrong"]))

    def _reloads(self) -> None:
        with self._ours() as server:
            for name in MIX:
                server.check(TOOLS[name])
            folder = http_servers.project_for_http(self.sides["ours"])
            done = soak_reloads(server, self.work, folder, 10 if self.bench.quick else RELOADS)
        figure = self.figures.figure("soak-reload", "ours")
        # The first few reloads bring the memory of a second project once.
        figure.samples = [growth(done["points"][8:] or done["points"])]
        figure.wrong, figure.more = done["wrong"], done
        if done["wrong"]:
            self.bench._report("soak-reload", "ours", BenchError(done["first_wrong"]))


class _stream:
    """An open GET stream of a session."""

    def __init__(self, server: HttpServer, session: str):
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        headers = {**server.session_headers(session), "Accept": "text/event-stream"}
        self._connection.request("GET", "/mcp", headers=headers)
        self._response = self._connection.getresponse()
        self.status = self._response.status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._response.close()
        self._connection.close()
