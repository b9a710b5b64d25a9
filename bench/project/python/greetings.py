from datetime import datetime, timezone


def personalized_greeting(name: str, formal: bool = False) -> dict:
    greeting = f"Good day, {name}." if formal else f"Hello {name}!"
    return {"greeting": greeting, "timestamp": datetime.now(timezone.utc).isoformat()}
