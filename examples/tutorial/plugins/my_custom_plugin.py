from mxcp.plugins import MXCPBasePlugin


class MXCPPlugin(MXCPBasePlugin):
    """Step 9: what `plugins.get("my_custom_plugin")` gives."""

    def some_method(self) -> str:
        return "called"
