"""The native programs of the bench, compiled into the work folder of a run."""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from bench import processes
from bench.processes import BenchError

SOURCES = Path(__file__).resolve().parent / "native"


def compile_all(work: Path) -> None:
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        raise BenchError("no C compiler was found; install one, or name it in CC")
    for source, output, options in (
        ("timed.c", "timed", []),
        ("floor.c", "floor.so", ["-fPIC", "-shared", "-ldl", "-lpthread"]),
        ("loadgen.c", "loadgen", []),
    ):
        command = [compiler, "-std=gnu11", "-O2", "-o", work / output, SOURCES / source, *options]
        done = processes.run(command, 60)
        if done.returncode != 0:
            raise BenchError(f"{source} does not compile:\n{done.stderr[-1500:]}")


def echo(work: Path) -> Path:
    """native/echo.cpp, which takes half a minute: in build/cache for as long as it stays the same."""
    source = SOURCES / "echo.cpp"
    kept = SOURCES.parent.parent / "build" / "cache" / "bench"
    program = kept / f"echo-{hashlib.sha256(source.read_bytes()).hexdigest()[:16]}"
    if not program.exists():
        kept.mkdir(parents=True, exist_ok=True)
        compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")
        if not compiler:
            raise BenchError("no C++ compiler was found; install one, or name it in CXX")
        command = [compiler, "-std=c++20", "-O2", "-o", work / "echo", source, "-lpthread"]
        done = processes.run(command, 300)
        if done.returncode != 0:
            raise BenchError(f"echo.cpp does not compile:\n{done.stderr[-1500:]}")
        shutil.copy(work / "echo", program)
    return program


@dataclass
class Timed:
    wall_s: float
    cpu_s: float
    peak_mb: float
    exit: int
    output: str


def timed(work: Path, command, cwd: Path, env: dict, timeout: float = 180) -> Timed:
    """Runs a command under native/timed.c."""
    output = work / "output.txt"
    done = processes.run([work / "timed", output, *command], timeout, cwd=cwd, env=env)
    if done.returncode != 0:
        raise BenchError(done.stderr.strip())
    return Timed(**json.loads(done.stdout), output=output.read_text(errors="replace"))
