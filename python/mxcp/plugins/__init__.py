"""The base class of plugins.

    from mxcp.plugins import MXCPBasePlugin

    class MXCPPlugin(MXCPBasePlugin):
        def greet(self, name):
            return self._config["greeting"] + name

A plugin is listed in mxcp-site.yml and reached from Python with mxcp.runtime.plugins.get(name).
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
    """Marks a method as a function for SQL.

    SQL functions from plugins are not available yet: a plugin that uses this cannot be loaded.
    """
    function.__mxcp_udf__ = True
    return function
