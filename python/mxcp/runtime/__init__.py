"""What code in an mxcp project can use while it runs.

    from mxcp.runtime import db, config, plugins, mcp, on_init, on_shutdown, reload_duckdb

Works in endpoints, hooks, plugins, at import time, in coroutines and in threads that user code
starts. Outside of mxcp the functions raise RuntimeError (or do nothing, where that is harmless).
"""

from mxcp import _core

__all__ = ["db", "config", "plugins", "mcp", "on_init", "on_shutdown", "reload_duckdb"]


class _Database:
    """The project's database."""

    __slots__ = ()

    execute = staticmethod(_core.db_execute)


class _Config:
    """Secrets and settings. What it returns are copies: changing them changes nothing."""

    __slots__ = ()

    get_secret = staticmethod(_core.get_secret)
    get_setting = staticmethod(_core.get_setting)

    @property
    def user_config(self):
        """The user configuration as a dict, references resolved; None outside of mxcp."""
        return _core.user_config()

    @property
    def site_config(self):
        """mxcp-site.yml as a dict; None outside of mxcp."""
        return _core.site_config()


class _Plugins:
    """The plugins of mxcp-site.yml."""

    __slots__ = ()

    get = staticmethod(_core.get_plugin)
    list = staticmethod(_core.plugin_names)


class _Sent:
    """A coroutine that is already done: the message goes out when the function is called.

    So it can be awaited, given to asyncio.run() or to asyncio.gather(), or be left alone.
    """

    __slots__ = ()

    def __await__(self):
        return iter(())

    def send(self, value):
        raise StopIteration

    def throw(self, error, *details):
        raise error

    def close(self):
        pass


_SENT = _Sent()


class _Client:
    """Messages to the client that made the call; without one they go to the log."""

    __slots__ = ()

    def debug(self, message, **extra):
        _core.send_message("debug", message, extra)
        return _SENT

    def info(self, message, **extra):
        _core.send_message("info", message, extra)
        return _SENT

    def warning(self, message, **extra):
        _core.send_message("warning", message, extra)
        return _SENT

    def error(self, message, **extra):
        _core.send_message("error", message, extra)
        return _SENT

    def progress(self, progress=None, total=None, message=None, *, current=None):
        """How far the call has come; `current` is another name for `progress`."""
        value = progress if progress is not None else current
        if value is None:
            raise TypeError("progress() needs a number")
        _core.send_progress(value, total, message)
        return _SENT


db = _Database()
config = _Config()
plugins = _Plugins()
mcp = _Client()


def on_init(function):
    """Decorates a function without parameters, or a coroutine function: runs once at the start."""
    return _core.register_hook("init", function)


def on_shutdown(function):
    """Decorates a function without parameters, or a coroutine function: runs once at the end."""
    return _core.register_hook("shutdown", function)


def reload_duckdb(payload_func=None, description=""):
    """Asks for a reload and returns at once.

    When the running calls have finished, the database is closed, `payload_func()` runs, and the
    project starts afresh. Inside the payload the database file belongs to it alone.
    """
    _core.request_reload(payload_func, description)
