def card(of, since):
    result = {"holder": of, "kind": "debit", "since": since, "limit": 5, "codes": ["1234"]}
    if of == "over":
        result["limit"] = 4711
    if of == "none":
        del result["holder"]
    return result
