"""The rows of the bench: what each is, in which unit, and what has to be reached."""

from dataclasses import dataclass

from bench.figures import Figures


@dataclass(frozen=True)
class Verdict:
    target: str
    reached: str
    verdict: str  # pass, miss, far (below half of the target), or "" when a side is missing


@dataclass(frozen=True)
class Faster:
    """At least so many times as fast as the peer."""

    times: float

    def judge(self, row: str, figures: Figures) -> Verdict:
        target = f"{self.times:g} times faster"
        peer, ours = figures.value(row, "peer"), figures.value(row, "ours")
        if not peer or not ours:
            return Verdict(target, "", "")
        reached = peer / ours
        return Verdict(target, f"{reached:.3g} times", _verdict(self.times / reached))


@dataclass(frozen=True)
class AtMost:
    """At most so many times another figure: of another row of ours, or of this row of another side."""

    times: float
    other: str = ""
    side: str = "peer"

    def judge(self, row: str, figures: Figures) -> Verdict:
        names = {"peer": "the peer", "duckdb": "the duckdb package"}
        target = f"at most {self.times:.3g} x {self.other or names[self.side]}"
        ours = figures.value(row, "ours")
        limit = figures.value(self.other, "ours") if self.other else figures.value(row, self.side)
        if not limit or not ours:
            return Verdict(target, "", "")
        reached = ours / limit
        return Verdict(target, f"{reached:.3g} x", _verdict(reached / self.times))


@dataclass(frozen=True)
class NearFloor:
    """At most so many times the same statements in a C loop, plus some milliseconds.

    Held against the faster of the two thread settings of the floor.
    """

    times: float
    plus_ms: float = 0

    def judge(self, row: str, figures: Figures) -> Verdict:
        plus = f" + {self.plus_ms:g} ms" if self.plus_ms else ""
        target = f"at most {self.times:g} x floor{plus}"
        ours = figures.value(row, "ours")
        floors = [
            v
            for s, f in figures.rows.get(row, {}).items()
            if s.startswith("floor") and (v := f.value)
        ]
        if not floors or not ours:
            return Verdict(target, "", "")
        limit = self.times * min(floors) + self.plus_ms
        return Verdict(f"{target} = {limit:.3g} ms", f"{ours:.3g} ms", _verdict(ours / limit))


@dataclass(frozen=True)
class Below:
    """Less than an absolute figure."""

    limit: float
    unit: str

    def judge(self, row: str, figures: Figures) -> Verdict:
        target = f"less than {self.limit:g} {self.unit}"
        ours = figures.value(row, "ours")
        if ours is None:
            return Verdict(target, "", "")
        return Verdict(target, f"{ours:.3g} {self.unit}", _verdict(ours / self.limit))


@dataclass(frozen=True)
class AtLeast:
    """A rate: at least so many times the best of the sides whose name begins like this, and does not
    end like that."""

    times: float
    side: str
    what: str = ""
    but: str = "-"

    def judge(self, row: str, figures: Figures) -> Verdict:
        target = f"{self.times:g} x {self.what or self.side}"
        sides = figures.rows.get(row, {}).items()
        others = [f.value for s, f in sides if s.startswith(self.side) and not s.endswith(self.but)]
        ours = figures.value(row, "ours")
        if not ours or not any(others):
            return Verdict(target, "", "")
        reached = ours / max(v for v in others if v)
        return Verdict(target, f"{reached:.3g} x", _verdict(self.times / reached))


@dataclass(frozen=True)
class Rate:
    """A rate of at least so many a second."""

    limit: float
    what: str

    def judge(self, row: str, figures: Figures) -> Verdict:
        ours = figures.value(row, "ours")
        target = f"{self.limit:,.0f}/s ({self.what})"
        if not ours:
            return Verdict(target, "", "")
        return Verdict(target, f"{ours:,.0f}/s", _verdict(self.limit / ours))


@dataclass(frozen=True)
class Steady:
    """The p99 of ours is at most so many times its p50."""

    times: float

    def judge(self, row: str, figures: Figures) -> Verdict:
        target = f"p99 at most {self.times:g} x p50"
        figure = figures.rows.get(row, {}).get("ours")
        if not figure or not figure.more.get("p50"):
            return Verdict(target, "", "")
        reached = figure.more["p99"] / figure.more["p50"]
        return Verdict(target, f"{reached:.3g} x", _verdict(reached / self.times))


Target = Faster | AtMost | NearFloor | Below | AtLeast | Rate | Steady


@dataclass(frozen=True)
class Row:
    name: str
    group: str
    title: str
    targets: tuple[Target, ...] = ()
    needs: str = ""  # a row that its targets refer to
    unit: str = "ms"
    asked: bool = False  # only measured when named


CONNECTIONS = (1, 8, 32, 256)


def over_http() -> list[Row]:
    """A row for each tool and number of connections."""
    titles = {
        "get_user": "get_user, a row by key",
        "list_orders": "list_orders, 100 rows",
        "order_stats": "order_stats, an aggregate",
        "add_one": "add_one, `SELECT $a + 1 AS b`",
        "personalized_greeting": "personalized_greeting, pure Python",
        "user_lookup": "user_lookup, Python and a statement",
        "customer_analysis": "customer_analysis, Python and three statements",
        "sleepy_async": "sleepy_async, 50 ms on the loop",
        "sleepy_sync": "sleepy_sync, 50 ms in a thread",
        "cpu_py": "cpu_py, a millisecond of Python",
    }
    sql = ("get_user", "list_orders", "order_stats", "add_one")
    at_32: dict[str, tuple[Target, ...]] = {
        "get_user": (AtLeast(50, "peer"), AtLeast(3, "sdk"), Rate(1.3 * 1280, "1.3 x flapi elsewhere")),
        "add_one": (Rate(6800, "mcp-toolbox elsewhere"),),
        "personalized_greeting": (AtLeast(60, "peer"), AtLeast(6, "sdk")),
        "user_lookup": (AtLeast(30, "peer"),),
        "customer_analysis": (AtLeast(0.6, "floor"),),
        "sleepy_sync": (Rate(0.9 * 640, "0.9 of the ideal"),),
        "cpu_py": (AtLeast(0.8, "bare loop"),),
    }
    rows = []
    for tool, title in titles.items():
        for count in CONNECTIONS:
            targets: tuple[Target, ...] = ()
            if tool in sql and count >= 8:
                targets += (AtLeast(0.7, "floor", but="typed"),)
            if tool == "add_one" and count >= 8:
                targets += (AtLeast(0.7, "floor", "floor with the type of $a written into it"),)
            if count == 32:
                targets += (*at_32.get(tool, ()), Steady(3))
            if tool == "sleepy_async" and count == 256:
                targets += (Rate(0.8 * 5120, "0.8 of the ideal"),)
            rows.append(Row(f"http-{tool}-{count}", "http", f"{title}; {count}", targets, unit="/s", asked=True))
    return rows


def beside_a_slow_one() -> list[Row]:
    names = ("get_user", "list_orders", "add_one", "personalized_greeting", "user_lookup", "sleepy_async")
    return [
        Row(f"beside-{name}", "http", f"{name}: p99 at 32 while a 2-second statement runs",
            (AtMost(1.2, f"alone-{name}"),), f"alone-{name}", asked=True)
        for name in names
    ] + [Row(f"alone-{name}", "http", f"{name}: p99 at 32 alone", asked=True) for name in names]  # fmt: skip


ROWS = {
    row.name: row
    for row in [
        Row("interpreter", "commands", "`python -c pass`"),
        Row(
            "version",
            "commands",
            "`--version` (the peer: `--help`)",
            (Faster(30), AtMost(2.5, "interpreter")),
            needs="interpreter",
        ),
        Row("list", "commands", "`list`", (Faster(30),)),
        Row("validate", "commands", "`validate`", (Faster(12),)),
        Row("run-sql", "commands", "`run` of a SQL tool", (Faster(12),)),
        Row("run-python", "commands", "`run` of a Python tool", (Faster(25),)),
        Row("test", "commands", "`test`"),
        Row("validate-10", "commands", "`validate`, 10 SQL tools"),
        Row(
            "validate-500",
            "commands",
            "`validate`, 500 SQL tools",
            (Faster(6), AtMost(4, "validate-10")),
            needs="validate-10",
        ),
        Row("initialize", "start", "stdio: start to `initialize`", (Faster(20),)),
        Row("first-call", "start", "stdio: start to the first answer of get_user"),
        Row("memory-idle", "start", "resident memory after that", (AtMost(0.5),), unit="MB"),
        Row("initialize-10", "many", "stdio: `initialize`, 10 tools"),
        Row("initialize-100", "many", "stdio: `initialize`, 100 tools", (Faster(100),)),
        Row(
            "initialize-500",
            "many",
            "stdio: `initialize`, 500 tools",
            (AtMost(4, "initialize-10"),),
            needs="initialize-10",
        ),
        Row("get_user", "calls", "get_user: a row by key", (Faster(25), NearFloor(1.5, 0.15))),
        Row("list_orders", "calls", "list_orders: 100 rows", (Faster(25), NearFloor(1.5, 0.15))),
        Row("personalized_greeting", "calls", "personalized_greeting: pure Python", (Faster(35),)),
        Row(
            "user_lookup",
            "calls",
            "user_lookup: Python and a statement",
            (Faster(25), NearFloor(1.5, 0.15)),
        ),
        Row("batch_user_data", "calls", "batch_user_data: 50 statements", (NearFloor(1.5),)),
        Row(
            "rows_1000",
            "calls",
            "rows_1000: 1,000 rows to Python",
            (Faster(25), NearFloor(1.5, 0.15)),
        ),
        Row("pipe", "calls", "the pipe and the client alone (`cat`)"),
        Row(
            "memory-growth", "memory", "memory grown by 10,000 calls", (Below(2, "MB"),), unit="MB"
        ),
        Row("data-json", "data", "100,000 rows of 10 columns: `run --json-output` beside COPY, without start-up", (AtMost(1.5, side="duckdb"),)),
        Row("data-dicts", "data", "the same to dicts: db.execute beside fetchall", (AtMost(1 / 1.5, side="duckdb"),)),
        Row("data-memory", "data", "peak memory of that process", (AtMost(1.2, side="duckdb"),), unit="MB"),
        Row("data-udf", "data", "a UDF over 1,000,000 integers beside create_function", (AtMost(1, side="duckdb"),)),
        *over_http(),
        *beside_a_slow_one(),
        Row("http-rows_10000", "http", "a result of 10,000 rows over HTTP", (Faster(20),), asked=True),
        Row("http-modern", "http", "2026-07-28 beside a session, mean of all cells",
            (AtLeast(1, "session"),), unit="x", asked=True),
        Row("http-echo", "http", "Boost.Beast alone; 32", unit="/s", asked=True),
        Row("reload-500", "http", "500 tools: p99 that reloads of a definition add", (Below(50, "ms"),), asked=True),
        Row("soak-idle", "soak", "HTTP: resident memory when idle", (AtMost(0.5),), unit="MB", asked=True),
        Row("soak-sessions", "soak", "1,000 open sessions: memory of each", (Below(20, "KB"),), unit="KB", asked=True),
        Row("soak-streams", "soak", "the same with an open stream each", (Below(20, "KB"),), unit="KB", asked=True),
        Row("soak-growth", "soak", "memory grown by 100,000 calls after a tenth of them", (Below(2, "MB"),), unit="MB", asked=True),
        Row("soak-reload", "soak", "memory grown by 50 reloads under load", unit="MB", asked=True),
    ]
}  # fmt: skip
GROUPS = list(dict.fromkeys(row.group for row in ROWS.values()))


def select(names: list[str]) -> set[str]:
    """The rows meant by names of rows and groups, with the rows that their targets refer to."""
    chosen = {
        row.name
        for row in ROWS.values()
        if (not names and not row.asked) or row.name in names or row.group in names
    }
    return chosen | {ROWS[name].needs for name in chosen if ROWS[name].needs}


def _verdict(share: float) -> str:
    """From how many times over its limit a figure is."""
    return "pass" if share <= 1 else "miss" if share <= 2 else "far"
