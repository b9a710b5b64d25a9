def ids(v): return v
def days(v): return [[type(d).__name__, d] for d in v]
def matrix(v): return v
