"""The process of the floor: loads the duckdb wheel's library and native/floor.c into one Python process.

    python floor_process.py FLOOR_LIBRARY DUCKDB_LIBRARY DATABASE DATA_SQL THREADS

Requests and answers are lines of JSON, see floor.py. Run by the interpreter whose wheel is used.
"""

import ctypes
import json
import sys
import threading
import time


class Argument(ctypes.Structure):
    _fields_ = [("text", ctypes.c_char_p), ("number", ctypes.c_int64)]


class Read(ctypes.Structure):
    _fields_ = [
        ("nanoseconds", ctypes.c_uint64),
        ("rows", ctypes.c_uint64),
        ("fingerprint", ctypes.c_int64),
    ]


def load(path: str) -> ctypes.CDLL:
    library = ctypes.CDLL(path)
    library.floor_new.restype = ctypes.c_void_p
    for name in ("open", "version", "execute", "prepare", "run", "share", "loop"):
        getattr(library, "floor_" + name).restype = ctypes.c_char_p
    library.floor_run.argtypes = [
        ctypes.c_void_p,
        ctypes.POINTER(Argument),
        ctypes.c_uint64,
        ctypes.POINTER(Read),
    ]
    library.floor_loop.argtypes = [
        ctypes.POINTER(ctypes.c_void_p),
        ctypes.c_uint64,
        ctypes.POINTER(Argument),
        ctypes.c_uint64,
        ctypes.c_uint64,
        ctypes.POINTER(Read),
    ]
    return library


def check(problem: bytes | None) -> None:
    if problem:
        print(json.dumps({"error": problem.decode(errors="replace")}), flush=True)
        sys.exit(1)


def arguments(values: list):
    return (Argument * len(values))(
        *(Argument(v.encode(), 0) if isinstance(v, str) else Argument(None, v) for v in values)
    )


def opened(library: ctypes.CDLL, argv: list[str]) -> ctypes.c_void_p:
    duckdb, database, threads = argv[2], argv[3], argv[5]
    floor = ctypes.c_void_p(library.floor_new())
    check(library.floor_open(floor, duckdb.encode(), database.encode(), threads.encode()))
    return floor


def loop(library: ctypes.CDLL, floor: ctypes.c_void_p, request: dict) -> dict:
    """The statements by several threads at once, for some seconds: how often a second."""
    given = arguments([values[0] if values else 0 for values in request["calls"]])
    threads, reads, problems = [], [], []
    for _ in range(request["threads"]):
        own = (ctypes.c_void_p * len(request["statements"]))()
        for number, statement in enumerate(request["statements"]):
            one = ctypes.c_void_p(library.floor_new())
            check(library.floor_share(one, floor))
            check(library.floor_prepare(one, statement.encode()))
            own[number] = one
        read = Read()
        reads.append((own, read))

        def run(own=own, read=read) -> None:
            nanoseconds = int(request["seconds"] * 1e9)
            problem = library.floor_loop(own, len(own), given, len(given), nanoseconds, ctypes.byref(read))
            if problem:
                problems.append(problem)

        threads.append(threading.Thread(target=run))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for own, _ in reads:
        for one in own:
            library.floor_close(ctypes.c_void_p(one))
    check(problems[0] if problems else None)
    return {"rate": sum(read.rows / (read.nanoseconds / 1e9) for _, read in reads)}


def main() -> None:
    path, data = sys.argv[1], sys.argv[4]
    library = load(path)
    with open(data, "rb") as script:
        floor = opened(library, sys.argv)
        check(library.floor_execute(floor, script.read()))
        check(library.floor_execute(floor, b"CHECKPOINT"))
        library.floor_close(floor)
    # Opened again, as a server finds it: what was just inserted is still uncompressed in memory.
    floor = opened(library, sys.argv)
    print(json.dumps({"duckdb": library.floor_version(floor).decode()}), flush=True)

    for line in sys.stdin:
        request = json.loads(line)
        if "statements" in request:
            print(json.dumps(loop(library, floor, request)), flush=True)
            continue
        check(library.floor_prepare(floor, request["statement"].encode()))
        calls = [arguments(values) for values in request["calls"]]
        milliseconds, read, answers = [], Read(), set()
        end = time.monotonic() + request["seconds"]
        for number in range(request["warm_up"] + request["count"]):
            turn = number % len(calls)
            check(library.floor_run(floor, calls[turn], len(calls[turn]), ctypes.byref(read)))
            answers.add((turn, read.rows, read.fingerprint))
            if number >= request["warm_up"]:
                milliseconds.append(read.nanoseconds / 1e6)
            if time.monotonic() > end and len(milliseconds) >= 5:
                break
        print(json.dumps({"milliseconds": milliseconds, "answers": sorted(answers)}), flush=True)
    library.floor_close(floor)


main()
