"""Measures the `mxcp` of this project side by side with its peer, the mxcp of PyPI."""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # started as a folder: the package is `bench`

from bench import processes, programs, report, rows, side  # noqa: E402
from bench.figures import Figures  # noqa: E402
from bench.measure import Bench  # noqa: E402
from bench.processes import BenchError  # noqa: E402

EXAMPLES = """\
examples:
  script/bench                              everything, both sides in turn: about 12 minutes
  script/bench --quick                      one or two rounds of everything: about a minute
  script/bench version list run-sql         only these rows
  script/bench calls                        a group of rows
  script/bench --peer none calls            ours alone
  script/bench http                         over HTTP under load, only when asked for: 20 minutes
  script/bench soak                         100,000 calls, 50 reloads, 1,000 sessions: 3 minutes
  script/bench --ours none --peer ~/peer/bin/mxcp   the peer alone

rows, by group:
"""


def parse(arguments: list[str]) -> argparse.Namespace:
    epilog = EXAMPLES
    for group in rows.GROUPS:
        names = [r.name for r in rows.ROWS.values() if r.group == group]
        # A tool at four numbers of connections is four rows.
        names = [n for n in names if not (n.startswith("http-") and n.endswith(("-8", "-32", "-256")))]
        names = [n[:-1] + "{1,8,32,256}" if n.startswith("http-") and n.endswith("-1") else n for n in names]
        epilog += f"  {group + ':':10} {' '.join(names)}\n"
    epilog += (
        "\nThe table goes to stdout, table and JSON to bench/results/. The exit status is 1 when a\n"
        "row could not be measured or an answer was wrong, with --check also when a target is missed."
    )
    parser = argparse.ArgumentParser(
        prog="script/bench",
        description=__doc__,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("row", nargs="*", help="rows or groups to measure (default: all)")
    parser.add_argument("--quick", action="store_true", help="few rounds, for a first look")
    parser.add_argument(
        "--peer",
        metavar="PATH",
        help="the peer's command, or none (default: build/peer, installed when missing)",
    )
    parser.add_argument(
        "--ours", metavar="PATH", help="our command, or none (default: .venv/bin/mxcp)"
    )
    parser.add_argument("--json", metavar="OUT", type=Path, help="another place for the JSON")
    parser.add_argument("--check", action="store_true", help="exit 1 when a target is missed")
    parser.add_argument(
        "--any-duckdb",
        action="store_true",
        help="compare although the two sides use different versions of DuckDB",
    )
    parser.add_argument("--keep", action="store_true", help="keep the work folder and name it")
    options = parser.parse_args(arguments)
    known = [*rows.ROWS, *rows.GROUPS]
    for name in options.row:
        if name not in known:
            parser.error(f"there is no row or group '{name}'; there are: {', '.join(known)}")
    return options


def sides(options: argparse.Namespace) -> list[side.Side]:
    """The peer first, then ours; without either, what there is."""
    found = []
    if options.ours != "none":
        found.append(side.Side("ours", side.find_command(options.ours or f"{ROOT}/.venv/bin/mxcp")))
    if options.peer != "none":
        if options.peer:
            peer = side.find_command(options.peer)
        else:
            peer = side.make_peer(ROOT / "build" / "peer", found[0].duckdb if found else None)
        found.insert(0, side.Side("peer", peer))
    if not found:
        raise BenchError("nothing to measure: both --peer and --ours are none")
    versions = {s.duckdb for s in found}
    if len(versions) > 1 and not options.any_duckdb:
        raise BenchError(
            "the sides use different versions of DuckDB, which says little about either:\n"
            + "\n".join(f"  {s.name}: DuckDB {s.duckdb} ({s.command})" for s in found)
            + "\nInstall the same version on both sides, or pass --any-duckdb."
        )
    return found


def write(options: argparse.Namespace, about: dict, figures: Figures) -> None:
    report.finish(about)
    results = ROOT / "bench" / "results"
    results.mkdir(exist_ok=True)
    stamp = about["when"].replace(":", "").replace("-", "")
    markdown = report.as_markdown(about, figures)
    text = json.dumps(report.as_json(about, figures), indent=1) + "\n"
    (results / f"{stamp}.md").write_text(markdown)
    (options.json or results / f"{stamp}.json").write_text(text)
    print(markdown)


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    processes.end_on_signals()
    work = Path(tempfile.mkdtemp(prefix="mxcp-bench-"))
    figures, about, interrupted = Figures(), None, ""
    try:
        measured = sides(options)
        programs.compile_all(work)
        for one in measured:
            one.prepare(work)
        about = report.about(measured, arguments)
        Bench(measured, rows.select(options.row), options.quick, work, figures).all()
    except BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as signal:
        interrupted = str(signal)
        print(f"\nended by {interrupted}; what was measured:", file=sys.stderr)
    finally:
        processes.stop_all()
        if options.keep:
            print(f"kept {work}", file=sys.stderr)
        else:
            shutil.rmtree(work, ignore_errors=True)
    if about and figures.rows:
        about["interrupted"] = interrupted
        write(options, about, figures)
    if interrupted:
        return {"SIGTERM": 143, "SIGHUP": 129}.get(interrupted, 130)
    failed = figures.errors or figures.wrong() or (options.check and report.missed(figures))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
