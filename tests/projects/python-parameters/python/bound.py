import datetime
import decimal
import enum
import uuid

from mxcp.runtime import db

UTC = datetime.timezone.utc


class Color(enum.Enum):
    RED = "red"
    TWO = 2


VALUES = {
    "uuid": uuid.UUID(int=5),
    "highest": uuid.UUID(int=2**128 - 1),
    "uuids": [uuid.UUID(int=5), None],
    "span": datetime.timedelta(days=1, hours=2, microseconds=5),
    "back": datetime.timedelta(seconds=-1),
    "spans": {"s": datetime.timedelta(hours=1)},
    "whole": decimal.Decimal("5"),
    "fraction": decimal.Decimal("1.50"),
    "thousand": decimal.Decimal("1E+3"),
    "zero": decimal.Decimal("0.00"),
    "decimals": [decimal.Decimal("1.5"), decimal.Decimal("22.25")],
    "no_number": decimal.Decimal("NaN"),
    "day": datetime.date(2024, 2, 29),
    "clock": datetime.time(1, 2, 3, 4),
    "moment": datetime.datetime(2024, 2, 29, 1, 2, 3),
    "aware": datetime.datetime(2024, 2, 29, 1, 2, 3, tzinfo=UTC),
    "bytes": b"\x00\xff",
    "red": Color.RED,
    "two": Color.TWO,
    "list": [1, None, 3],
    "dict": {"a": 1, "b": {"c": [datetime.date(2024, 1, 1)]}},
    "empty": {},
    "none": None,
    "tuple": (1, 2.5),
    "large": 2**64,
}


def bound():
    out = {}
    for name, value in VALUES.items():
        row = db.execute("SELECT typeof($p) AS type, $p::VARCHAR AS text", {"p": value})[0]
        out[name] = [row["type"], row["text"]]
    return out


def used():
    db.execute("CREATE OR REPLACE TABLE bookings (id UUID, booked TIMESTAMP, price DECIMAL(8, 2))")
    key = uuid.UUID(int=7)
    at = datetime.datetime(2024, 2, 29)
    db.execute("INSERT INTO bookings VALUES ($id, $at, $price)", {"id": key, "at": at, "price": decimal.Decimal("9.90")})
    return db.execute(
        "SELECT $at + $span AS later, date_diff('hour', $at, $at + $span) AS hours, price * $factor AS price"
        " FROM bookings WHERE id = $id AND id IN (SELECT unnest($ids))",
        {
            "id": key,
            "ids": [key],
            "at": at,
            "span": datetime.timedelta(days=1, hours=1),
            "factor": decimal.Decimal("2"),
        },
    )
