import datetime


def returns(what):
    return {
        "fine": {"id": 1, "mail": None, "more": [1]},
        "missing": {"mail": "a@example.com"},
        "wrong": {"id": "one"},
        "mail": {"id": 1, "mail": "nobody"},
        "date": {"id": 1, "at": datetime.datetime(2024, 1, 31, 12, 30)},
        "null": None,
        "list": [{"id": 1}],
        "empty": [],
    }[what]
