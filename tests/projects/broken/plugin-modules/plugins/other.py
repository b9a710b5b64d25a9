

class MXCPPlugin:
    pass
