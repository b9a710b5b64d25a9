"""The same work by mxcp.runtime (as tools) and by the duckdb package (as a script: timed.py WORK DATABASE ROUNDS)."""

import json
import resource
import sys
import time

WIDE = "SELECT * FROM wide"
UDF = "SELECT sum({}(i)) AS total FROM range(1000000) r(i)"


def timed(rounds, work):
    fastest = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        result = work()
        fastest = min(fastest, time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"ms": fastest * 1000, "peak_mb": peak, "sum": result}


def sum_of(rows):
    return sum(row["id"] + row["amount"] for row in rows[::1000])


def read_rows(rounds: int) -> dict:
    from mxcp.runtime import db

    rows = []

    def work():
        rows.clear()
        rows.extend(db.execute(WIDE))

    return {**timed(rounds, work), "sum": sum_of(rows)}


def run_udf(rounds: int) -> dict:
    from mxcp.runtime import db

    return timed(rounds, lambda: db.execute(UDF.format("add_one_bench"))[0]["total"])


def main(work: str, database: str, rounds: int) -> dict:
    import duckdb

    connection = duckdb.connect(database, read_only=True)
    if work == "udf":
        connection.create_function("add_one", lambda number: number + 1, ["BIGINT"], "BIGINT")
        return timed(rounds, lambda: connection.execute(UDF.format("add_one")).fetchone()[0])
    rows = []

    def read():
        rows.clear()
        cursor = connection.execute(WIDE)
        names = [column[0] for column in cursor.description]
        rows.extend(dict(zip(names, row, strict=True)) for row in cursor.fetchall())

    return {**timed(rounds, read), "sum": float(sum_of([{**r, "amount": float(r["amount"])} for r in rows]))}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], int(sys.argv[3])), default=float))
