"""Makes plugin instances. Used by the native module only."""

import sys

from mxcp.plugins import MXCPBasePlugin


def create(module, config):
    __import__(module)
    plugin = getattr(sys.modules[module], "MXCPPlugin", None)
    if plugin is None:
        raise ValueError(f"module '{module}' has no class MXCPPlugin")
    if not isinstance(plugin, type) or not issubclass(plugin, MXCPBasePlugin):
        raise ValueError(f"MXCPPlugin of module '{module}' must derive from MXCPBasePlugin")
    functions = [
        name for name in dir(plugin) if hasattr(getattr(plugin, name, None), "__mxcp_udf__")
    ]
    if functions:
        names = ", ".join(functions)
        raise ValueError(
            f"SQL functions from plugins are not available yet: remove @udf from {names} of module "
            f"'{module}' (its methods can be called from Python with plugins.get)"
        )
    return plugin(config)
