"""Arguments and results against the JSON Schemas (2020-12) that authors wrote themselves.

Imported when the first of them is met. Nothing is loaded from elsewhere, and patterns are matched by
RE2: jsonschema's own use of `re` can be made to take forever.
"""

import json
from functools import lru_cache

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend
from referencing import Registry

from mxcp import _core

_MOST = 100  # violations that are listed


def _pattern(validator, pattern, instance, schema):
    if validator.is_type(instance, "string") and not _core.matches(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(validator, patterns, instance, schema):
    if not validator.is_type(instance, "object"):
        return
    for pattern, inner in patterns.items():
        for name, value in instance.items():
            if _core.matches(pattern, name):
                yield from validator.descend(value, inner, path=name, schema_path=pattern)


def _additional_properties(validator, inner, instance, schema):
    if not validator.is_type(instance, "object"):
        return
    known = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    for name, value in instance.items():
        if name in known or any(_core.matches(pattern, name) for pattern in patterns):
            continue
        if inner is False:
            yield ValidationError(f"{name!r} is not expected here")
        else:
            yield from validator.descend(value, inner, path=name)


def _plain(value):
    """1.0 as 1: for JSON they are one number."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    return value


def _unique_items(validator, unique, instance, schema):
    """By the text of each item: jsonschema itself compares each with each."""
    if not unique or not validator.is_type(instance, "array"):
        return
    seen = {}
    for i, item in enumerate(instance):
        first = seen.setdefault(json.dumps(_plain(item), sort_keys=True), i)
        if first != i:
            yield ValidationError(f"items must be unique, but [{i}] repeats [{first}]")
            return


_Validator = extend(
    Draft202012Validator,
    {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "uniqueItems": _unique_items,
    },
)


@lru_cache(maxsize=1024)
def _validator(schema):
    return _Validator(json.loads(schema), registry=Registry())


def _path(error):
    out = ""
    for step in error.absolute_path:
        out += f"[{step}]" if isinstance(step, int) else f"{'.' if out else ''}{step}"
    return out


def violations(schema, document):
    """(path, keyword, message) of everything that is wrong."""
    found = []
    try:
        for error in _validator(schema).iter_errors(json.loads(document)):
            found.append((_path(error), str(error.validator or "schema"), error.message))
            if len(found) >= _MOST:
                break
    except RecursionError:
        found.append(("", "depth", "nested too deeply to be checked"))
    return found


def _subschemas(value):
    yield value
    for inner in (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    ):
        if isinstance(inner, (dict, list)):
            yield from _subschemas(inner)


def problem(schema):
    """What is wrong with the schema itself; "" when it is sound."""
    loaded = json.loads(schema)
    try:
        Draft202012Validator.check_schema(loaded)
    except SchemaError as error:
        return f"{_path(error) or 'the schema'}: {error.message}"
    keywords = [inner for inner in _subschemas(loaded) if isinstance(inner, dict)]
    for inner in keywords:
        patterns = [inner["pattern"]] if isinstance(inner.get("pattern"), str) else []
        patterns += (
            inner["patternProperties"] if isinstance(inner.get("patternProperties"), dict) else []
        )
        for pattern in patterns:
            try:
                _core.matches(pattern, "")
            except ValueError as error:
                return f"the pattern {pattern!r} cannot be used: {error}"
    # The latter looks at patterns by `re`, and cannot be told to do otherwise.
    if any("patternProperties" in inner for inner in keywords):
        if any("unevaluatedProperties" in inner for inner in keywords):
            return "'patternProperties' and 'unevaluatedProperties' cannot be used together"
    return ""
