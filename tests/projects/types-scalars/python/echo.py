def text(v): return v
def number(v): return v
def integer(v): return v
def boolean(v): return v
