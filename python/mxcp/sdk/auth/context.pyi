from typing import Any

__all__ = ["UserContext", "get_user_context"]

class UserContext:
    provider: str
    user_id: str
    username: str
    email: str | None
    name: str | None
    avatar_url: str | None
    raw_profile: dict[str, Any]
    external_token: str | None
    capabilities: list[str]
    def __init__(self, **fields: Any) -> None: ...

def get_user_context() -> UserContext | None: ...
