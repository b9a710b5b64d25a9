from mxcp.runtime import db


def order(customer):
    return db.execute("SELECT * FROM orders WHERE customer = $c", {"c": customer})
