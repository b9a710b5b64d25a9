from mxcp.plugins import MXCPBasePlugin, udf


class MXCPPlugin(MXCPBasePlugin):
    @udf
    def add_one(self, number: int) -> int:
        return number + 1
