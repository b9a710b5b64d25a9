"""The results as Markdown for people and as JSON for programs."""

import os
import platform
import time
from pathlib import Path

from bench.figures import Figure, Figures
from bench.rows import ROWS, Verdict
from bench.side import Side

WITH_RATIO = ("memory-idle", "soak-idle")


def about(sides: list[Side], arguments: list[str]) -> dict:
    return {
        "when": time.strftime("%Y-%m-%dT%H:%M:%S"),
        "arguments": arguments,
        "machine": f"{os.cpu_count()} x {_processor()}, {platform.system()} {platform.release()}",
        "load_before": _load(),
        "sides": {
            side.name: {"title": side.title, "command": str(side.command), **side.about}
            for side in sides
        },
    }


def finish(about: dict) -> None:
    about["load_after"] = _load()


def as_json(about: dict, figures: Figures) -> dict:
    rows = {}
    for name, sides in figures.rows.items():
        row = {side: figure.as_json() for side, figure in sides.items()}
        peer, ours = figures.value(name, "peer"), figures.value(name, "ours")
        if peer and ours:
            row["ours/peer"] = round(ours / peer, 5)
        verdicts = [target.judge(name, figures) for target in ROWS[name].targets]
        row["targets"] = [vars(verdict) for verdict in verdicts]
        rows[name] = {"unit": ROWS[name].unit, **row}
    return {"about": about, "rows": rows, "errors": figures.errors, "wrong": figures.wrong()}


def missed(figures: Figures) -> int:
    return sum(
        target.judge(name, figures).verdict in ("miss", "far")
        for name in figures.rows
        for target in ROWS[name].targets
    )


def as_markdown(about: dict, figures: Figures) -> str:
    parts = [_heading(about), _targets(figures), _calls(figures), _http(figures), _soak(figures)]
    parts.append(_commands(figures))
    if figures.errors:
        errors = "\n".join(f"* {' '.join(error.split())}" for error in figures.errors)
        parts.append(f"Not measured:\n\n{errors}")
    parts.append(f"Wrong answers: {figures.wrong()}.")
    return "\n\n".join(part for part in parts if part) + "\n"


def _heading(about: dict) -> str:
    lines = [f"{about['when'].replace('T', ' ')}, {about['machine']}"]
    lines += [f"* {name}: {side['title']}" for name, side in about["sides"].items()]
    load = (
        f"* load average before {about['load_before']:.2f}, after {about.get('load_after', 0):.2f}"
    )
    if about["load_before"] > 0.5:
        load += " (the machine was not idle: trust ratios more than absolute figures)"
    return "\n".join([lines[0] + "\n", *lines[1:], load])


def _targets(figures: Figures) -> str:
    lines = []
    for name, row in ROWS.items():
        if name not in figures.rows or name in ("pipe", "http-echo"):
            continue
        peer, ours = figures.value(name, "peer"), figures.value(name, "ours")
        cells = [
            row.title,
            _number(peer, row.unit),
            _number(ours, row.unit),
            _ratio(peer, ours) if row.unit in ("ms", "/s") or name in WITH_RATIO else "",
        ]
        for target in row.targets or [None]:
            verdict = target.judge(name, figures) if target else Verdict("", "", "")
            lines.append([*cells, verdict.target, verdict.reached, _mark(name, verdict, figures)])
            cells = ["", "", "", ""]
    return _table(
        ["measure", "peer", "ours", "ours/peer", "target", "reached", ""], lines, "lrrrllr"
    )


def _mark(row: str, verdict: Verdict, figures: Figures) -> str:
    """A wrong answer, of either side, stands in the place of any verdict."""
    wrong = [f"{f.wrong} wrong ({side})" for side, f in figures.rows[row].items() if f.wrong]
    marks = {"miss": "miss", "far": "below half"}
    text = ", ".join(wrong) or marks.get(verdict.verdict, verdict.verdict)
    return f"**{text}**" if text not in ("pass", "") else text


def _calls(figures: Figures) -> str:
    """Where the time of a call goes: what the pipe and DuckDB take, and what is left."""
    lines = []
    pipe = figures.value("pipe", "client")
    for name, row in ROWS.items():
        if row.group != "calls" or name not in figures.rows or name == "pipe":
            continue
        sides = figures.rows[name]
        floors = [f for s, f in sides.items() if s.startswith("floor")]
        ours = figures.value(name, "ours")
        best = min((f.value for f in floors if f.value), default=0.0)
        rest = ours - best - pipe if ours and pipe else None
        lines.append(
            [
                name,
                *(_p50_p99(sides.get(side)) for side in ("peer", "ours")),
                *(_number(_more(sides.get(side), "cpu_ms"), "ms") for side in ("peer", "ours")),
                *(_p50_p99(sides.get(f"floor, {f}")) for f in ("default threads", "threads=1")),
                _number(min((f.more["cpu_ms"] for f in floors if f.value), default=None), "ms"),
                _number(pipe, "ms"),
                _number(rest, "ms"),
                " / ".join(str(_more(sides.get(s), "calls") or "-") for s in ("peer", "ours")),
                str(sum(f.wrong for f in sides.values())),
            ]
        )
    if not lines:
        return ""
    header = ["calls, p50 / p99 in ms", "peer", "ours", "peer CPU", "ours CPU", "floor, default"]
    header += [
        "floor, threads=1",
        "floor CPU",
        "pipe",
        "ours - floor - pipe",
        "calls peer / ours",
        "wrong",
    ]
    return _table(header, lines, "lrrrrrrrrrrr")


def _http(figures: Figures) -> str:
    """Every cell: what a second brings, p50 / p99 in ms."""
    lines = []
    for name, row in ROWS.items():
        if row.unit != "/s" or name not in figures.rows or name == "http-echo":
            continue
        sides = figures.rows[name]
        floors = [f.value for s, f in sides.items() if s.startswith("floor") and f.value]
        plain = [f.value for s, f in sides.items() if s.startswith("floor") and not s.endswith("typed") and f.value]
        sdk = [f for s, f in sides.items() if s.startswith("sdk") and f.value]
        ours = figures.value(name, "ours")
        lines.append(
            [
                name.removeprefix("http-"),
                *(_loaded(sides.get(s)) for s in ("ours", "ours, 2026-07-28")),
                _loaded(max(sdk, key=lambda f: f.value)) if sdk else "-",
                _loaded(sides.get("peer")),
                " / ".join(dict.fromkeys(f"{max(rates):,.0f}" for rates in (plain, floors) if rates)) or "-",
                " / ".join(dict.fromkeys(f"{ours / max(rates):.2f}" for rates in (plain, floors) if rates and ours))
                or "-",
                str(sum(f.wrong for f in sides.values())),
            ]
        )
    if not lines:
        return ""
    header = ["over HTTP; connections: a second (p50 / p99 ms)", "ours", "ours, 2026-07-28"]
    header += ["official SDK", "peer", "C loop", "ours / C loop", "wrong"]
    echo = figures.rows.get("http-echo", {}).get("echo")
    alone = f"\n\nBoost.Beast alone, 32 connections: {_loaded(echo)}." if echo else ""
    return _table(header, lines, "lrrrrrrr") + alone + _processor_times(figures)


def _processor_times(figures: Figures) -> str:
    """What a call costs at 32 connections, by who computes."""
    names = {"mxcp-http": "reading", "mxcp-sql": "SQL", "mxcp-python": "Python", "mxcp-loop": "event loop"}
    lines = []
    for row, sides in figures.rows.items():
        ours = _more(sides.get("ours"), "cpu_us")
        if not row.endswith("-32") or not ours:
            continue
        rest = sum(v for name, v in ours.items() if name not in names and name != "load generator")
        floor = max((f for s, f in sides.items() if s.startswith("floor")), key=lambda f: f.value, default=None)
        beside = _more(floor, "cpu_us") or {}
        echo = sum(v for name, v in beside.items() if name not in ("C loop", "load generator"))
        cells = [ours["load generator"], *(ours.get(name, 0) for name in names), rest]
        cells += [beside.get("C loop", 0), echo, beside.get("load generator", 0)]
        lines.append([row.removeprefix("http-"), *(f"{v:,.0f}" if v >= 0.5 else "" for v in cells)])
    if not lines:
        return ""
    header = ["processor time of a call, us", "load generator", *names.values(), "other threads", "C loop"]
    header += ["echo beside it", "its load generator"]
    return "\n\n" + _table(header, lines, "l" + "r" * 9)


def _loaded(figure: Figure | None) -> str:
    if figure is None or figure.value is None:
        return "-"
    p50, p99 = figure.more.get("p50", 0), figure.more.get("p99", 0)
    return f"{figure.value:,.0f} ({p50:.3g} / {p99:.3g})"


def _soak(figures: Figures) -> str:
    lines = []
    grown = figures.rows.get("soak-growth", {}).get("ours")
    if grown and "points" in grown.more:
        more = grown.more
        lines.append(
            f"* soak: {more['calls']:,} calls, {more['sessions']:,} sessions, {grown.wrong} wrong; resident memory "
            f"{more['start_mb']} MB after a tenth, {more['end_mb']} MB at the end, "
            f"{more['kb_per_1000_calls']} KB for each 1,000 calls"
        )
    reloads = figures.rows.get("soak-reload", {}).get("ours")
    if reloads and "points" in reloads.more:
        more, points = reloads.more, reloads.more["points"]
        lines.append(
            f"* {more['reloads']} reloads under load: {more['calls']:,} calls, {reloads.wrong} wrong; resident memory "
            f"{more['before_mb']} MB before, {points[0]} MB after the first, {points[-1]} MB after the last"
        )
    return "\n".join(lines)


def _commands(figures: Figures) -> str:
    lines = []
    for name, sides in figures.rows.items():
        if ROWS[name].group == "commands":
            lines.append(
                [
                    ROWS[name].title,
                    *(
                        _number(_more(sides.get(side), what), unit)
                        for what, unit in (("cpu_ms", "ms"), ("peak_mb", "MB"))
                        for side in ("peer", "ours")
                    ),
                ]
            )
    if not lines:
        return ""
    header = ["commands", "peer CPU", "ours CPU", "peer peak memory", "ours peak memory"]
    return _table(header, lines, "lrrrr")


def _table(header: list[str], lines: list[list[str]], align: str) -> str:
    rows = [header, *lines]
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]

    def line(cells) -> str:
        padded = (
            cell.ljust(width) if side == "l" else cell.rjust(width)
            for cell, width, side in zip(cells, widths, align, strict=True)
        )
        return "| " + " | ".join(padded) + " |"

    rule = [
        ("-" * max(width, 3)) if side == "l" else "-" * max(width - 1, 2) + ":"
        for width, side in zip(widths, align, strict=True)
    ]
    return "\n".join([line(header), line(rule), *(line(row) for row in lines)])


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f} {unit}"


def _ratio(peer: float | None, ours: float | None) -> str:
    if not peer or not ours:
        return "-"
    return f"1/{peer / ours:.1f}" if ours < peer else f"{ours / peer:.2f}"


def _p50_p99(figure: Figure | None) -> str:
    if figure is None or figure.value is None:
        return "-"
    return f"{figure.value:.3g} / {figure.more.get('p99', 0):.3g}"


def _more(figure: Figure | None, name: str):
    value = figure.more.get(name) if figure else None
    return sorted(value)[len(value) // 2] if isinstance(value, list) and value else value


def _load() -> float:
    return round(os.getloadavg()[0], 2)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
