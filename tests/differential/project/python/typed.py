def typed(**arguments):
    return {name: [type(value).__name__, str(value)] for name, value in arguments.items() if value is not None}
