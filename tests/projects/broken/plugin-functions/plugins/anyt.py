from typing import Any

from mxcp.plugins import MXCPBasePlugin, udf


class MXCPPlugin(MXCPBasePlugin):
    @udf
    def any_value(self, x: Any) -> int:
        return x

    @udf
    def unknown(self, x: "Undefined") -> int:  # noqa: F821
        return x

    @udf
    def several(self, *a: int) -> int:
        return 1

    @udf
    def good(self, a: int) -> int:
        return a
