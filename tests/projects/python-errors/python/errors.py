from mxcp.runtime import db


def refuse(what):
    raise ValueError(f"I do not like {what}")


def query(table):
    return db.execute(f"SELECT * FROM {table}")


def leave():
    raise SystemExit("bye")
