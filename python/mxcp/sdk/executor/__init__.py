"""The circumstances of the call that is running."""

from mxcp import _core
from mxcp.sdk.auth.context import get_user_context

__all__ = ["ExecutionContext", "get_execution_context"]


class ExecutionContext:
    """Its values are read with get(): `transport`, `request_headers`, `endpoint`."""

    __slots__ = ("_values", "user_context")

    def __init__(self, values, user_context=None):
        self._values = values
        self.user_context = user_context

    def get(self, key, default=None):
        return self._values.get(key, default)

    @property
    def username(self):
        return getattr(self.user_context, "username", None)

    @property
    def email(self):
        return getattr(self.user_context, "email", None)

    @property
    def provider(self):
        return getattr(self.user_context, "provider", None)

    @property
    def external_token(self):
        return getattr(self.user_context, "external_token", None)


def get_execution_context():
    """The context of the call that is running; None outside of calls."""
    values = _core.execution_context()
    return None if values is None else ExecutionContext(values, get_user_context())
