"""What code in an mxcp project can use while it runs.

    from mxcp.runtime import db, config, plugins, mcp, on_init, on_shutdown, reload_duckdb

Works in endpoints, hooks, plugins, at import time, in coroutines and in threads that user code
starts. Outside of mxcp the functions raise RuntimeError (or do nothing, where that is harmless).
"""

import sys

from mxcp import _core

__all__ = ["db", "config", "plugins", "mcp", "on_init", "on_shutdown", "reload_duckdb"]


class _Database:
    """The project's database."""

    __slots__ = ()

    execute = staticmethod(_core.db_execute)

    async def aexecute(self, query, params=None):
        """Like execute(), but the event loop goes on meanwhile. Cancelling it stops the query."""
        import asyncio

        stop = _core.db_stop_token()
        try:
            return await asyncio.to_thread(_core.db_execute_with, stop, query, params)
        except asyncio.CancelledError:
            _core.db_stop(stop)
            raise

    def transaction(self):
        """Statements that count together: `with db.transaction() as tx: tx.execute(...)`."""
        return _Transaction()

    def stream(self, query, params=None, *, batch_size=10_000):
        """The rows in lists of up to `batch_size`, read while they are used (also `async for`).

        Errors as of execute(); on an event loop they come with the first batch, where the query begins.
        """
        return _Stream(query, params, batch_size)

    def arrow(self, query, params=None):
        """The rows for pyarrow.table(), polars.DataFrame() and others that read Arrow streams."""
        return _Arrow(query, params)


class _Transaction:
    """One connection: committed at the end of the block, rolled back when that raises."""

    __slots__ = ("_handle",)

    def __init__(self):
        self._handle = None

    def __enter__(self):
        if self._handle is not None:
            raise RuntimeError("the transaction has begun already")
        handle = _core.db_hold()
        _core.db_held_execute(handle, "BEGIN TRANSACTION")
        self._handle = handle
        return self

    def execute(self, query, params=None):
        """Like db.execute(), on the connection of the transaction.

        RuntimeError outside of the `with` block, after a reload, and in a SQL function that a query
        of this very transaction calls.
        """
        if self._handle is None:
            raise RuntimeError("the transaction has ended; use it inside of its `with` block")
        return _core.db_held_execute(self._handle, query, params)

    def __exit__(self, kind, error, trace):
        handle, self._handle = self._handle, None
        try:
            # Without a COMMIT, closing rolls back.
            if kind is None:
                _core.db_held_execute(handle, "COMMIT")
        finally:
            _core.db_held_close(handle)


def _loop_runs():
    """Whether an event loop runs on this thread; asyncio is not imported for the answer."""
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and asyncio._get_running_loop() is not None


class _Stream:
    """Batches of rows. On an event loop the query begins with the first of them, on a thread."""

    __slots__ = ("_query", "_size", "_stop", "_handle", "_closed", "_cancelled")
    _not_data = (
        "a stream of db.stream() is no data: loop over it to read its batches of rows, "
        "or use db.execute() for all rows at once"
    )

    def __init__(self, query, params, batch_size):
        if batch_size < 1:
            raise ValueError("batch_size must be at least 1")
        self._query = (query, params)
        self._size = batch_size
        self._stop = _core.db_stop_token()
        self._handle = None
        self._closed = False
        self._cancelled = False
        if not _loop_runs():
            self._begin()

    def __iter__(self):
        return self

    def __next__(self):
        rows = self._next()
        if not rows:
            raise StopIteration
        return rows

    def __aiter__(self):
        return self

    async def __anext__(self):
        import asyncio

        try:
            rows = await asyncio.to_thread(self._next)
        except asyncio.CancelledError:
            self._cancelled = True  # the rows that were on their way are lost
            _core.db_stop(self._stop)
            raise
        if not rows:
            raise StopAsyncIteration
        return rows

    def _begin(self):
        self._handle = _core.db_hold(self._stop)
        query, self._query = self._query, None
        try:
            _core.db_held_start(self._handle, *query)
        except BaseException:
            self.close()
            raise

    def _next(self):
        if self._cancelled:
            raise RuntimeError("the stream ended when a read of it was cancelled")
        if self._handle is None and not self._closed:
            self._begin()
        handle = self._handle
        if self._closed:  # maybe meanwhile
            self.close()
            return []
        try:
            rows = _core.db_held_next(handle, self._size)
        except BaseException:
            self.close()
            raise
        if len(rows) < self._size:
            self.close()
        return rows

    def close(self):
        """Stops the query, also one that is at work; the connection goes back."""
        self._closed = True
        handle, self._handle = self._handle, None
        _core.db_stop(self._stop)
        if handle is not None:
            _core.db_held_close(handle)

    def __enter__(self):
        return self

    def __exit__(self, *details):
        self.close()


class _Arrow:
    __slots__ = ("_handle",)

    def __init__(self, query, params):
        self._handle = _core.db_hold()
        _core.db_held_start(self._handle, query, params)

    def __arrow_c_stream__(self, requested_schema=None):
        """Once: the rows are read from the database as the stream is."""
        handle, self._handle = self._handle, None
        if handle is None:
            raise RuntimeError("the rows were already taken; ask the database again")
        return _core.db_held_arrow(handle)


class _Config:
    """Secrets and settings. What it returns are copies: changing them changes nothing."""

    __slots__ = ()

    get_secret = staticmethod(_core.get_secret)
    get_setting = staticmethod(_core.get_setting)

    @property
    def user_config(self):
        """The user configuration as a dict, references resolved; None outside of mxcp."""
        return _core.user_config()

    @property
    def site_config(self):
        """mxcp-site.yml as a dict; None outside of mxcp."""
        return _core.site_config()


class _Plugins:
    """The plugins of mxcp-site.yml."""

    __slots__ = ()

    get = staticmethod(_core.get_plugin)
    list = staticmethod(_core.plugin_names)


class _Sent:
    """A coroutine that is already done: the message goes out when the function is called.

    So it can be awaited, given to asyncio.run() or to asyncio.gather(), or be left alone.
    """

    __slots__ = ()

    def __await__(self):
        return iter(())

    def send(self, value):
        raise StopIteration

    def throw(self, error, *details):
        raise error

    def close(self):
        pass


_SENT = _Sent()


class _Client:
    """Messages to the client that made the call; without one they go to the log."""

    __slots__ = ()

    def debug(self, message, **extra):
        _core.send_message("debug", message, extra)
        return _SENT

    def info(self, message, **extra):
        _core.send_message("info", message, extra)
        return _SENT

    def warning(self, message, **extra):
        _core.send_message("warning", message, extra)
        return _SENT

    def error(self, message, **extra):
        _core.send_message("error", message, extra)
        return _SENT

    def progress(self, progress=None, total=None, message=None, *, current=None):
        """How far the call has come; `current` is another name for `progress`."""
        value = progress if progress is not None else current
        if value is None:
            raise TypeError("progress() needs a number")
        _core.send_progress(value, total, message)
        return _SENT

    def release(self, retry=1.0):
        """Lets the client fetch the answer itself, after `retry` seconds, instead of waiting.

        Closes the stream of this call where the client can come back for it (2025-11-25 over HTTP);
        elsewhere nothing happens. The call goes on.
        """
        _core.release_client(retry)
        return _SENT

    # --- questions to the client, and to the person before it ---
    #
    # In a coroutine they are awaited, in a plain function they wait. With clients of 2026-07-28 the
    # call ends at a question and runs again from its beginning when the answer is there: do what must
    # not happen twice after the last question. `key` names a question across these runs; without one
    # it is made of what is asked.

    @property
    def client_capabilities(self):
        """What the client of this call can do, e.g. {"sampling": {}}; {} without a client."""
        return _core.client_capabilities()

    def elicit(self, message, schema=None, *, url=None, elicitation_id=None, key=None):
        """Asks the user for values; gives {"action": "accept", "content": {...}}, or another action.

        `schema` is the JSON Schema of a form: {"type": "object", "properties": {...}} with texts, numbers,
        booleans and choices; without one the user only agrees, or not.

        With `url` it leads the user there instead: {"action": "accept"} says that they agreed to go, not
        that they are done.

        ValueError for a schema or an url that clients cannot show. RuntimeError when there is no client,
        when it cannot be asked, answers with an error, or has not answered after 15 minutes; in a plain
        function also when 64 of them wait already.
        """
        from mxcp import _client

        return _client.ask_one(key, _client.elicitation(message, schema, url, elicitation_id))

    def elicitation_complete(self, elicitation_id):
        """Tells the client that the user is done at the url of that elicitation (2025-11-25)."""
        _core.elicitation_complete(elicitation_id)
        return _SENT

    def sample(self, messages, max_tokens=1000, *, key=None, **more):
        """Asks the client's model; gives {"role": "assistant", "content": {...}, "model": ...}.

        `messages` is a text or a list of {"role": ..., "content": {...}}; `more` is what else
        sampling/createMessage takes (systemPrompt, temperature, tools ...). Errors as of elicit().
        """
        from mxcp import _client

        return _client.ask_one(key, _client.sampling(messages, max_tokens, **more))

    def roots(self, *, key=None):
        """The folders that the client works in: [{"uri": ..., "name": ...}]. Errors as of elicit()."""
        from mxcp import _client

        return _client.ask_one(key, _client.list_roots(), lambda answer: answer["roots"])

    def ask(self, **questions):
        """Several questions at once: ask(name=mcp.elicitation(...), words=mcp.sampling(...)).

        Gives their answers by the same names, in the form in which the client sends them. Errors as of
        elicit().
        """
        from mxcp import _client

        return _client.ask(questions)

    def elicitation(self, message, schema=None, *, url=None, elicitation_id=None):
        """The question of elicit() for ask(), as a dict; nobody is asked yet."""
        from mxcp import _client

        return _client.elicitation(message, schema, url, elicitation_id)

    def sampling(self, messages, max_tokens=1000, **more):
        """The question of sample() for ask(), as a dict."""
        from mxcp import _client

        return _client.sampling(messages, max_tokens, **more)

    def list_roots(self):
        """The question of roots() for ask(), as a dict; its answer is {"roots": [...]}."""
        from mxcp import _client

        return _client.list_roots()

    # --- what a tool may return instead of data: one of these, or a list with texts among them ---

    def text(self, text, **annotations):
        """A block of text."""
        return _block({"type": "text", "text": text}, annotations)

    def image(self, data, mime_type="image/png", **annotations):
        """An image: bytes, or base64 text."""
        return _block({"type": "image", "data": data, "mimeType": mime_type}, annotations)

    def audio(self, data, mime_type="audio/wav", **annotations):
        """A sound: bytes, or base64 text."""
        return _block({"type": "audio", "data": data, "mimeType": mime_type}, annotations)

    def resource(self, uri, content, mime_type=None, **annotations):
        """A resource with its content: text, or bytes."""
        inner = {"uri": uri}
        if mime_type is not None:
            inner["mimeType"] = mime_type
        inner["text" if isinstance(content, str) else "blob"] = content
        return _block({"type": "resource", "resource": inner}, annotations)

    def link(self, uri, name=None, **more):
        """A link to a resource; title, description and mimeType may be given too."""
        return _block({"type": "resource_link", "uri": uri, "name": name or uri, **more}, {})


def _block(block, annotations):
    if annotations:
        block["annotations"] = annotations
    block["@mxcp.content"] = True
    return block


db = _Database()
config = _Config()
plugins = _Plugins()
mcp = _Client()


def on_init(function):
    """Decorates a function without parameters, or a coroutine function: runs once at the start."""
    return _core.register_hook("init", function)


def on_shutdown(function):
    """Decorates a function without parameters, or a coroutine function: runs once at the end."""
    return _core.register_hook("shutdown", function)


def reload_duckdb(payload_func=None, description=""):
    """Asks for a reload and returns at once.

    When the running calls have finished, the database is closed, `payload_func()` runs, and the
    project starts afresh. Inside the payload the database file belongs to it alone.
    """
    _core.request_reload(payload_func, description)
