"""The base class of plugins.

    from mxcp.plugins import MXCPBasePlugin, udf

    class MXCPPlugin(MXCPBasePlugin):
        @udf
        def greet(self, name: str) -> str:
            return self._config["greeting"] + name

A plugin is listed in mxcp-site.yml under a name, say `hello`. Its methods are called from Python with
mxcp.runtime.plugins.get("hello").greet(...), those with @udf also from SQL: greet_hello(...).
"""

from mxcp.runtime import on_shutdown
from mxcp.sdk.auth.context import get_user_context

__all__ = ["MXCPBasePlugin", "udf", "on_shutdown"]


class MXCPBasePlugin:
    def __init__(self, config, user_context=None):
        self._config = config
        self._user_context = user_context

    def __bool__(self):
        # `if plugins.get(name):` asks whether there is a plugin, also when it has a length of 0.
        return True

    @property
    def user_context(self):
        """The user of the call that is running, or None."""
        return get_user_context() or self._user_context

    def is_authenticated(self):
        return self.user_context is not None

    def get_username(self):
        return getattr(self.user_context, "username", None)

    def get_user_email(self):
        return getattr(self.user_context, "email", None)

    def get_user_provider(self):
        return getattr(self.user_context, "provider", None)

    def get_user_token(self):
        return getattr(self.user_context, "external_token", None)

    def shutdown(self):
        """Called once before the project stops or reloads."""

    @classmethod
    def find_plugins(cls):
        """Every class that derives from this one directly."""
        return cls.__subclasses__()


def udf(function):
    """Makes a method a function of SQL, named METHOD_PLUGIN; its type hints say what it takes and gives.

    NULL is None, and the other way round. It may be called on several threads at once.
    """
    function.__mxcp_udf__ = True
    return function
