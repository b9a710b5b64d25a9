"""Drives one tool of one server for a profiler, on the project of the bench.

    python3 bench/drive.py get_user 5000 --under "perf record -g -o /tmp/get_user.perf"
    python3 bench/drive.py get_user 300 --under "valgrind --tool=callgrind"
    python3 bench/drive.py get_user 100000 --http 32 --under "perf record -g -o /tmp/get_user.perf"

Over stdio calls are sequential and the server ends by the end of its input; with --http so many connections
are kept busy by the load generator. Answers are checked. What the server (or the program it runs under)
writes to stderr is shown at the end.
"""

import argparse
import shlex
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from bench import expected, http_servers, http_tools, processes, programs, side  # noqa: E402
from bench.client import Client  # noqa: E402
from bench.figures import percentile  # noqa: E402
from bench.measure import SERVE  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tool", choices=sorted({*expected.TOOLS, *http_tools.TOOLS}))
    parser.add_argument("count", type=int, help="how many calls, at most a million")
    parser.add_argument(
        "--mxcp", default=f"{ROOT}/.venv/bin/mxcp", help="the command to serve with"
    )
    parser.add_argument(
        "--under", default="", help="a profiler's command line, put before the server's"
    )
    parser.add_argument("--http", type=int, metavar="CONNECTIONS", help="over HTTP, under load")
    parser.add_argument("--modern", action="store_true", help="with --http: revision 2026-07-28")
    options = parser.parse_args()
    if not options.http and options.tool not in expected.TOOLS:
        parser.error(f"{options.tool} is only called with --http")
    processes.end_on_signals()
    work = Path(tempfile.mkdtemp(prefix="mxcp-drive-"))
    try:
        served = side.Side("driven", side.find_command(options.mxcp))
        served.prepare(work)
        under = shlex.split(options.under)
        # Its interpreter by name: a profiler looks at what it is told to start, not at scripts.
        if options.http:
            return drive_http(options, served, [*under, served.python, served.command], work)
        command = [*under, served.python, served.command, *SERVE]
        tool, milliseconds, wrong = expected.TOOLS[options.tool], [], 0
        with Client(command, served.folder, served.env, served.log) as client:
            client.initialize(120)
            began = time.perf_counter()
            for number in range(min(options.count, 1_000_000)):
                call = tool.calls[number % len(tool.calls)]
                response, took = client.call(tool.name, call.arguments)
                milliseconds.append(took * 1000)
                wrong += not expected.is_right(call, response)
            seconds = time.perf_counter() - began
            memory = processes.resident_mb(client.pid)
        p50, p99 = percentile(milliseconds, 0.5), percentile(milliseconds, 0.99)
        print(f"{tool.name}: {len(milliseconds)} calls in {seconds:.2f} s, {wrong} wrong")
        print(f"p50 {p50:.3f} ms, p99 {p99:.3f} ms, resident {memory} MB")
        print(served.log.read_text(errors="replace")[-2000:], file=sys.stderr)
        return 1 if wrong else 0
    finally:
        processes.stop_all()
        shutil.rmtree(work, ignore_errors=True)


def drive_http(options, served: side.Side, command: list, work: Path) -> int:
    programs.compile_all(work)
    folder = http_servers.project_for_http(served)
    tool = http_tools.TOOLS[options.tool]
    command += ["serve", "--port", "PORT"]
    with http_servers.HttpServer("driven", command, folder, served.env, served.log) as server:
        server.check(tool, options.modern)
        before = processes.cpu_seconds(server.pid)
        result = server.load(
            work, [tool], options.http, 600, warm_up=0, most=options.count, modern=options.modern
        ).result()
        cpu = processes.cpu_seconds(server.pid) - before
        memory = processes.resident_mb(server.pid)
    print(f"{tool.name}: {result['sent']} calls, {result['rate']:.0f} a second, {result['wrong']} wrong")
    print(f"p50 {result['p50']:.3f} ms, p99 {result['p99']:.3f} ms, resident {memory} MB")
    micro = 1e6 / max(1, result["sent"])
    print(f"CPU a call: server {cpu * micro:.0f} us, load generator {result['cpu_us']:.0f} us")
    print(served.log.read_text(errors="replace")[-2000:], file=sys.stderr)
    return 1 if result["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
