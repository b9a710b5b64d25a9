GIVEN = {
    "fine": {"id": 1, "tags": ["a"], "extra": [1, 2]},
    "null": None,
    "nulls": {"id": None, "tags": [None], "user": None},
    "missing": {"tags": []},
    "wrong": {"id": "1", "tags": ["a", 2], "user": {"mail": "nobody"}},
    "bool": {"id": True},
    "float": {"id": 1.0},
    "half": {"id": 1.5},
    "list": [{"id": 1}],
    "rows": [{"id": 1}, {"id": 2}],
    "empty": [],
    "text": "x",
    "bounds": {"id": 1000, "tags": ["a", "a", "b", "c"], "word": "WORD", "kind": "z"},
}

def give(which):
    return GIVEN[which]
