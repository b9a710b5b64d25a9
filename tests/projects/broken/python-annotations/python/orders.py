def orders(customer: str, since: str | None, tags: list[str] | None) -> dict[str, int]:
    return {}
