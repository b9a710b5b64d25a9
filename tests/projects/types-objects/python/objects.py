def search(filter):
    return {k: [type(v).__name__, v] for k, v in filter.items()}

def free(v):
    return v
