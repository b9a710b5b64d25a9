"""Drives one tool of one server for a profiler, on the project of the bench.

    python3 bench/drive.py get_user 5000 --under "perf record -g -o /tmp/get_user.perf"
    python3 bench/drive.py get_user 300 --under "valgrind --tool=callgrind"

Calls are sequential, their answers are checked, and the server ends by the end of its input. What the
server (or the program it runs under) writes to stderr is shown at the end.
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

from bench import expected, processes, side  # noqa: E402
from bench.client import Client  # noqa: E402
from bench.figures import percentile  # noqa: E402
from bench.measure import SERVE  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tool", choices=list(expected.TOOLS))
    parser.add_argument("count", type=int, help="how many calls, at most a million")
    parser.add_argument(
        "--mxcp", default=f"{ROOT}/.venv/bin/mxcp", help="the command to serve with"
    )
    parser.add_argument(
        "--under", default="", help="a profiler's command line, put before the server's"
    )
    options = parser.parse_args()
    processes.end_on_signals()
    work = Path(tempfile.mkdtemp(prefix="mxcp-drive-"))
    try:
        served = side.Side("driven", side.find_command(options.mxcp))
        served.prepare(work)
        under = shlex.split(options.under)
        # Its interpreter by name: a profiler looks at what it is told to start, not at scripts.
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


if __name__ == "__main__":
    sys.exit(main())
