def _of(v):
    return [type(v).__name__, v]

def a_date(v): return _of(v)
def a_time(v): return _of(v)
def a_moment(v): return _of(v)
def a_timestamp(v): return _of(v)
def an_email(v): return _of(v)
def a_uri(v): return _of(v)
def a_duration(v): return _of(v)
