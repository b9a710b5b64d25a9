"""Makes plugin instances and reads their SQL functions. Used by the native module only."""

import sys

from mxcp import _core
from mxcp.plugins import MXCPBasePlugin


def plugin_class(module):
    """The class, or a mistake: (message, file, line)."""
    __import__(module)
    file = getattr(sys.modules[module], "__file__", None) or ""
    plugin = getattr(sys.modules[module], "MXCPPlugin", None)
    if plugin is None:
        return f"module '{module}' has no class MXCPPlugin", file, 0
    if not isinstance(plugin, type) or not issubclass(plugin, MXCPBasePlugin):
        line = _line_of_class(plugin)
        return f"MXCPPlugin of module '{module}' must derive from MXCPBasePlugin", file, line
    return plugin


def _line_of_class(plugin):
    import inspect

    try:
        return inspect.getsourcelines(plugin)[1]
    except (OSError, TypeError):
        return 0


def functions(plugin, instance, suffix):
    """The methods marked with @udf: (name in SQL, method, types of its parameters, type of its result),
    with defaults once for each number of arguments. And those that cannot be SQL functions:
    (message, file, line).

    Without an instance only their declarations are known: the method is None. A type is a tuple of
    its name and what belongs to it: ("MAP", ("VARCHAR",), ("BIGINT",)).
    """
    found = []
    mistakes = []
    for name in dir(plugin):
        function = getattr(plugin, name, None)
        if not hasattr(function, "__mxcp_udf__"):
            continue
        try:
            signature = _signature(function, plugin)
        except Exception as error:
            mistakes.append((f"@udf {name}: {error}", *_place(function)))
            continue
        if signature is None:
            _core.log_warning(
                f"@udf {_describe(function, name)} has no return type, and is no SQL function"
            )
            continue
        method = None if instance is None else getattr(instance, name)
        types, required, result = signature
        # SQL functions know no defaults: one form for each number of arguments, and Python fills in
        # the rest.
        for count in range(required, len(types) + 1):
            found.append((f"{name}_{suffix}", method, types[:count], result))
    return found, mistakes


def _describe(function, name):
    file, line = _place(function)
    return f"{name} ({file}:{line})" if file else name


def _place(function):
    code = getattr(_unwrapped(function), "__code__", None)
    return (code.co_filename, code.co_firstlineno) if code is not None else ("", 0)


def _unwrapped(function):
    import inspect

    return inspect.unwrap(getattr(function, "__func__", function))


def _signature(function, plugin):
    import inspect
    import typing

    bare = _unwrapped(function)
    if inspect.iscoroutinefunction(bare) or inspect.isasyncgenfunction(bare):
        raise ValueError("an async function cannot be called from SQL; make it a plain `def`")
    try:
        hints = typing.get_type_hints(bare, include_extras=True)
    except NameError as error:
        raise ValueError(f"a type is not known: {error}") from None
    if "return" not in hints:
        return None
    parameters = list(inspect.signature(bare).parameters.values())
    if not isinstance(inspect.getattr_static(plugin, function.__name__, None), staticmethod):
        parameters = parameters[1:]
    types = []
    required = 0
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is not parameter.empty:
            continue
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise ValueError(f"SQL cannot give *{parameter.name}; name every parameter")
        if parameter.kind is parameter.KEYWORD_ONLY:
            raise ValueError(f"SQL cannot give parameter '{parameter.name}' by its keyword")
        if parameter.name not in hints:
            raise ValueError(
                f"parameter '{parameter.name}' has no type; write {parameter.name}: str"
            )
        types.append(_typed(f"parameter '{parameter.name}'", hints[parameter.name]))
        if parameter.default is parameter.empty:
            required = len(types)
    return types, required, _typed("the result", hints["return"])


def _typed(what, hint):
    try:
        return _sql_type(hint, ())
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None


_KNOWN = (
    "str, int, float, bool, bytes, Decimal, UUID, date, time, datetime, timedelta, list[T], "
    "dict[K, V], a class with annotations"
)


def _sql_type(hint, outer):
    import datetime
    import decimal
    import types
    import typing
    import uuid

    simple = {
        str: "VARCHAR",
        int: "BIGINT",
        float: "DOUBLE",
        bool: "BOOLEAN",
        bytes: "BLOB",
        datetime.date: "DATE",
        datetime.time: "TIME",
        datetime.datetime: "TIMESTAMP",
        datetime.timedelta: "INTERVAL",
        uuid.UUID: "UUID",
    }
    hint = getattr(hint, "__supertype__", hint)  # NewType
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        if arguments[0] is decimal.Decimal:
            for text in arguments[1:]:
                if isinstance(text, str):
                    return _decimal_type(text)
        return _sql_type(arguments[0], outer)
    if origin in (typing.Union, getattr(types, "UnionType", None)):
        kinds = [argument for argument in arguments if argument is not type(None)]
        if len(kinds) != 1:
            raise ValueError(f"{_text(hint)} has several types; SQL needs one")
        return _sql_type(kinds[0], outer)
    if hint is decimal.Decimal:
        return ("DECIMAL", 18, 3)
    if isinstance(hint, type) and origin is None and hint in simple:
        return (simple[hint],)
    if origin is list and len(arguments) == 1:
        return ("LIST", _sql_type(arguments[0], outer))
    if origin is dict and len(arguments) == 2:
        return ("MAP", _sql_type(arguments[0], outer), _sql_type(arguments[1], outer))
    if hint in (list, dict, typing.List, typing.Dict):  # noqa: UP006
        raise ValueError(f"{_text(hint)} does not say of what; write list[str] or dict[str, int]")
    if isinstance(hint, type) and hint.__module__ not in ("builtins", "typing"):
        return _struct_type(hint, outer)
    raise ValueError(f"{_text(hint)} is no type of SQL; there are {_KNOWN}, and any of them | None")


def _struct_type(cls, outer):
    import typing

    if cls in outer:
        raise ValueError(f"{cls.__qualname__} contains itself")
    members = tuple(
        (name, _sql_type(hint, (*outer, cls)))
        for name, hint in typing.get_type_hints(cls, include_extras=True).items()
        if typing.get_origin(hint) is not typing.ClassVar and not name.startswith("_")
    )
    if not members:
        raise ValueError(f"class {cls.__qualname__} has no annotations; there are {_KNOWN}")
    return ("STRUCT", members)


def _decimal_type(text):
    head, _, rest = text.replace(" ", "").upper().partition("(")
    width, _, scale = rest.removesuffix(")").partition(",")
    if head not in ("DECIMAL", "NUMERIC") or not width.isdigit() or not (scale or "0").isdigit():
        raise ValueError(f'{text!r} is no DECIMAL type; write "DECIMAL(18,3)"')
    if not 1 <= int(width) <= 38 or int(scale or 0) > int(width):
        raise ValueError(
            f"{text}: a DECIMAL has up to 38 digits, and no more of them behind the point"
        )
    return ("DECIMAL", int(width), int(scale or 0))


def _text(hint):
    return hint.__qualname__ if isinstance(hint, type) else str(hint).replace("typing.", "")
