"""Starting processes, measuring them, and leaving none behind.

Every process leads a process group of its own and is remembered here until it has ended, so that
whatever ends the bench (its last line, an error, Ctrl-C, SIGTERM) also ends what it started.
"""

import os
import signal
import subprocess
import time
from pathlib import Path

_running: list[subprocess.Popen] = []


class BenchError(Exception):
    """A row could not be measured; the message says why. Other rows go on."""


def start(command, **options) -> subprocess.Popen:
    process = subprocess.Popen([str(part) for part in command], start_new_session=True, **options)
    _running.append(process)
    return process


def stop(process: subprocess.Popen, patience: float = 10) -> None:
    """Waits for a process that was told to end (its input is closed), then kills its group."""
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        _kill(process)
    finally:
        if process.poll() is None:
            _kill(process)
        if process in _running:
            _running.remove(process)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()


def stop_all() -> None:
    for process in list(_running):
        _kill(process)
    _running.clear()


def run(command, timeout: float, **options) -> subprocess.CompletedProcess:
    """subprocess.run with captured text, whose process is also remembered."""
    process = start(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"{command[0]} took longer than {timeout:.0f} s") from error
    finally:
        stop(process, patience=0)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def end_on_signals() -> None:
    """SIGTERM and SIGHUP unwind the stack as Ctrl-C does, so that every `finally` runs.

    SIGINT too is set here, because a shell starts background jobs with it ignored.
    """

    def unwind(number, frame):
        signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt(signal.Signals(number).name)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, unwind)


def resident_mb(pid: int) -> float:
    """Resident memory of a process and its descendants."""
    kilobytes = 0
    for process in _tree(pid):
        for line in _read(process, "status").splitlines():
            if line.startswith("VmRSS:"):
                kilobytes += int(line.split()[1])
    return round(kilobytes / 1024, 2)


def settled_mb(pid: int) -> float:
    """The same once it stands still (what starts in the background has finished)."""
    last = resident_mb(pid)
    for _ in range(30):
        time.sleep(0.1)
        now = resident_mb(pid)
        if abs(now - last) < 0.05:
            break
        last = now
    return now


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its descendants, in steps of a clock tick (10 ms)."""
    ticks = 0
    for process in _tree(pid):
        fields = _read(process, "stat").rpartition(")")[2].split()
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def thread_seconds(pid: int) -> dict[str, float]:
    """The processor time of a process's threads so far, by name (those of one name together)."""
    found: dict[str, float] = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            name = (task / "comm").read_text().strip()
            nanoseconds = int((task / "schedstat").read_text().split()[0])
        except OSError:  # it has ended
            continue
        found[name] = found.get(name, 0) + nanoseconds / 1e9
    return found


def _tree(pid: int) -> list[int]:
    found, queue = [], [pid]
    while queue:
        process = queue.pop()
        found.append(process)
        for task in Path(f"/proc/{process}/task").glob("*/children"):
            try:
                queue += [int(child) for child in task.read_text().split()]
            except OSError:
                pass
    return found


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:
        return ""


def _kill(process: subprocess.Popen) -> None:
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
