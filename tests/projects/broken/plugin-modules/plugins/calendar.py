from mxcp.plugins import MXCPBasePlugin


class MXCPPlugin(MXCPBasePlugin):
    pass
