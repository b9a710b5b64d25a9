import duckdb
from mxcp.runtime import db, plugins


def from_python():
    rows = db.execute("SELECT plus_k(i, 1) AS n FROM range(3) t(i)")
    try:
        db.execute("SELECT raises_k('x')")
    except duckdb.Error as error:
        caught = [type(error).__name__, str(error)]
    return {"rows": rows, "caught": caught, "plain": plugins.get("k").not_in_sql(1)}
