from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar, overload

from typing_extensions import Self

__all__ = ["db", "config", "plugins", "mcp", "on_init", "on_shutdown", "reload_duckdb"]

_T = TypeVar("_T")
_Hook = TypeVar("_Hook", bound=Callable[[], Any])

class _Database:
    def execute(
        self, query: str, params: Mapping[str, Any] | Sequence[Any] | None = None
    ) -> list[dict[str, Any]]:
        """Runs SQL and returns its rows as dicts; of several statements those of the last one.

        `params`: {name: value} for `$name`, or [value ...] for `?` and `$1`. DECIMAL comes as float,
        TIMESTAMPTZ as an aware datetime in UTC, NULL as None. Each call may get another connection, so
        that SET, temporary tables and BEGIN do not carry over: see transaction().

        Raises the classes of the duckdb package (duckdb.Error), TypeError for a parameter that SQL has
        no type for, RuntimeError outside of mxcp.
        """
    async def aexecute(
        self, query: str, params: Mapping[str, Any] | Sequence[Any] | None = None
    ) -> list[dict[str, Any]]:
        """Like execute(), but the event loop goes on meanwhile. Cancelling it stops the query."""
    def transaction(self) -> _Transaction:
        """Statements that count together: `with db.transaction() as tx: tx.execute(...)`."""
    def stream(
        self,
        query: str,
        params: Mapping[str, Any] | Sequence[Any] | None = None,
        *,
        batch_size: int = 10_000,
    ) -> _Stream:
        """The rows in lists of up to `batch_size`, read while they are used (also `async for`)."""
    def arrow(self, query: str, params: Mapping[str, Any] | Sequence[Any] | None = None) -> _Arrow:
        """The rows for pyarrow.table(), polars.DataFrame() and others that read Arrow streams."""

class _Transaction:
    def __enter__(self) -> Self: ...
    def __exit__(self, *details: object) -> None: ...
    def execute(
        self, query: str, params: Mapping[str, Any] | Sequence[Any] | None = None
    ) -> list[dict[str, Any]]:
        """Like db.execute(), on the connection of the transaction."""

class _Stream:
    def __iter__(self) -> Self: ...
    def __next__(self) -> list[dict[str, Any]]: ...
    def __aiter__(self) -> Self: ...
    async def __anext__(self) -> list[dict[str, Any]]: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *details: object) -> None: ...
    def close(self) -> None: ...

class _Arrow:
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

class _Config:
    @overload
    def get_secret(self, name: str) -> dict[str, Any] | None:
        """The parameters of a secret, or None when there is no such secret."""
    @overload
    def get_secret(self, name: str, key: str, default: _T) -> Any | _T: ...
    @overload
    def get_secret(self, name: str, key: str) -> Any | None:
        """One parameter of a secret, or None."""
    @overload
    def get_setting(self, key: str) -> Any | None: ...
    @overload
    def get_setting(self, key: str, default: _T) -> Any | _T:
        """A value of mxcp-site.yml; dots in the key lead into mappings."""
    @property
    def user_config(self) -> dict[str, Any] | None: ...
    @property
    def site_config(self) -> dict[str, Any] | None: ...

class _Plugins:
    def get(self, name: str) -> Any | None: ...
    def list(self) -> list[str]: ...

class _Client:
    def debug(self, message: Any, **extra: Any) -> Coroutine[Any, Any, None]: ...
    def info(self, message: Any, **extra: Any) -> Coroutine[Any, Any, None]: ...
    def warning(self, message: Any, **extra: Any) -> Coroutine[Any, Any, None]: ...
    def error(self, message: Any, **extra: Any) -> Coroutine[Any, Any, None]: ...
    def progress(
        self,
        progress: float | None = None,
        total: float | None = None,
        message: str | None = None,
        *,
        current: float | None = None,
    ) -> Coroutine[Any, Any, None]: ...
    def release(self, retry: float = 1.0) -> Coroutine[Any, Any, None]: ...
    @property
    def client_capabilities(self) -> dict[str, Any]: ...
    # In a coroutine these are awaited; in a plain function they wait and give the answer itself.
    @overload
    def elicit(
        self, message: str, schema: dict[str, Any] | None = None, *, key: str | None = None
    ) -> Any: ...
    @overload
    def elicit(
        self, message: str, *, url: str, elicitation_id: str | None = None, key: str | None = None
    ) -> Any: ...
    def elicitation_complete(self, elicitation_id: str) -> Coroutine[Any, Any, None]: ...
    def sample(
        self,
        messages: str | list[dict[str, Any]],
        max_tokens: int = 1000,
        *,
        key: str | None = None,
        **more: Any,
    ) -> Any: ...
    def roots(self, *, key: str | None = None) -> Any: ...
    def ask(self, **questions: dict[str, Any]) -> Any: ...
    @overload
    def elicitation(self, message: str, schema: dict[str, Any] | None = None) -> dict[str, Any]: ...
    @overload
    def elicitation(
        self, message: str, *, url: str, elicitation_id: str | None = None
    ) -> dict[str, Any]: ...
    def sampling(
        self, messages: str | list[dict[str, Any]], max_tokens: int = 1000, **more: Any
    ) -> dict[str, Any]: ...
    def list_roots(self) -> dict[str, Any]: ...
    def text(self, text: str, **annotations: Any) -> dict[str, Any]: ...
    def image(
        self, data: bytes | str, mime_type: str = "image/png", **annotations: Any
    ) -> dict[str, Any]: ...
    def audio(
        self, data: bytes | str, mime_type: str = "audio/wav", **annotations: Any
    ) -> dict[str, Any]: ...
    def resource(
        self, uri: str, content: bytes | str, mime_type: str | None = None, **annotations: Any
    ) -> dict[str, Any]: ...
    def link(self, uri: str, name: str | None = None, **more: Any) -> dict[str, Any]: ...

db: _Database
config: _Config
plugins: _Plugins
mcp: _Client

def on_init(function: _Hook) -> _Hook: ...
def on_shutdown(function: _Hook) -> _Hook: ...
def reload_duckdb(payload_func: Callable[[], Any] | None = None, description: str = "") -> None: ...
