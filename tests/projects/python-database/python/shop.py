from mxcp.runtime import db


def find(name):
    rows = db.execute("SELECT * FROM items WHERE name = $name", {"name": name})
    return rows[0] if rows else None


def add(name, price):
    db.execute("INSERT INTO items VALUES ($n, $p, now()::TIMESTAMP)", {"n": name, "p": price})
    return db.execute("SELECT count(*) AS n FROM items")[0]["n"]


def average():
    amounts = [row["price"] for row in db.execute("SELECT price FROM items WHERE price IS NOT NULL")]
    return round(sum(amounts) / len(amounts) * 1.1, 2)


def nothing():
    return db.execute("SELECT sum(price) AS s, max(made) AS m FROM items WHERE false")
