"""Events that user code adds to the audit record of its call.

There is no audit record yet: both functions accept what they are given and record nothing.
"""

__all__ = ["begin_execution_event", "add_execution_event"]


def begin_execution_event():
    """The start of an event, to be given to add_execution_event as `span`."""
    return None


def add_execution_event(
    *,
    span=None,
    kind="external",
    status=None,
    target=None,
    operation=None,
    summary=None,
    error=None,
    details=None,
):
    """Adds an event to the audit record of the call that is running."""
