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
    """At most so many times another figure: of another row of ours, or of this row of the peer."""

    times: float
    other: str = ""

    def judge(self, row: str, figures: Figures) -> Verdict:
        target = f"at most {self.times:g} x {self.other or 'the peer'}"
        ours = figures.value(row, "ours")
        limit = figures.value(self.other, "ours") if self.other else figures.value(row, "peer")
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


Target = Faster | AtMost | NearFloor | Below


@dataclass(frozen=True)
class Row:
    name: str
    group: str
    title: str
    targets: tuple[Target, ...] = ()
    needs: str = ""  # a row that its targets refer to
    unit: str = "ms"


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
    ]
}
GROUPS = list(dict.fromkeys(row.group for row in ROWS.values()))


def select(names: list[str]) -> set[str]:
    """The rows meant by names of rows and groups, with the rows that their targets refer to."""
    chosen = {
        row.name for row in ROWS.values() if not names or row.name in names or row.group in names
    }
    return chosen | {ROWS[name].needs for name in chosen if ROWS[name].needs}


def _verdict(share: float) -> str:
    """From how many times over its limit a figure is."""
    return "pass" if share <= 1 else "miss" if share <= 2 else "far"
