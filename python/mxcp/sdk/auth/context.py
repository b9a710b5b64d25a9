"""Who made the call that is running."""

from mxcp import _core

__all__ = ["UserContext", "get_user_context"]


class UserContext:
    """An authenticated user, as the identity provider described them."""

    __slots__ = (
        "provider",
        "user_id",
        "username",
        "email",
        "name",
        "avatar_url",
        "raw_profile",
        "external_token",
        "capabilities",
    )

    def __init__(self, **fields):
        for name in self.__slots__:
            setattr(self, name, fields.get(name))

    def __repr__(self):
        return f"UserContext(provider={self.provider!r}, username={self.username!r})"


def get_user_context():
    """The user of the call that is running; None when there is none, and outside of calls."""
    fields = _core.user_context()
    return None if fields is None else UserContext(**fields)
