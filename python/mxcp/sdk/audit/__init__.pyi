from typing import Any

__all__ = ["begin_execution_event", "add_execution_event"]

def begin_execution_event() -> Any: ...
def add_execution_event(
    *,
    span: Any = None,
    kind: str = "external",
    status: str | None = None,
    target: str | None = None,
    operation: str | None = None,
    summary: str | None = None,
    error: str | None = None,
    details: Any = None,
) -> None: ...
