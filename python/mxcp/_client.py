"""Questions of user code to the MCP client; imported when the first is asked."""

from __future__ import annotations

import asyncio
import json
import threading
import zlib
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from urllib.parse import urlsplit

from mxcp import _core

# How long a client may take over an answer, in seconds.
PATIENCE = 15 * 60
NO_ANSWER = f"the client did not answer within {PATIENCE // 60} minutes"

# Half of the threads for plain functions: the others stay for those that ask nothing.
MAX_BLOCKING = 64
# What a message for the client's model may hold (sampling/createMessage).
SAMPLED = ("text", "image", "audio", "tool_use", "tool_result")

_blocking = threading.BoundedSemaphore(MAX_BLOCKING)


class CallSuspended(BaseException):
    """The client was asked and will call again. Not an Exception: nothing should catch it."""


def elicitation(message, schema=None, url=None, elicitation_id=None):
    params = {"message": message}
    if url is None:
        if elicitation_id is not None:
            raise TypeError("elicitation_id belongs to an elicitation with url=")
        params["requestedSchema"] = _checked_schema(schema)
    else:
        if schema is not None:
            raise TypeError("an elicitation has a schema or an url, not both")
        params.update(mode="url", url=_checked_url(url))
        if elicitation_id is not None:
            params["elicitationId"] = elicitation_id
    return {"method": "elicitation/create", "params": params}


def _checked_schema(schema):
    if schema is None:
        schema = {}
    if not isinstance(schema, dict):
        raise TypeError(f"the schema of an elicitation is a dict, got {type(schema).__name__}")
    if not schema:
        return {"type": "object", "properties": {}}
    if schema.get("type") != "object" or not isinstance(schema.get("properties"), dict):
        raise ValueError(
            "the schema of an elicitation describes an object: "
            "{'type': 'object', 'properties': {'name': {'type': 'string'}}}"
        )
    for name, field in schema["properties"].items():
        if not _fits_a_form(field):
            raise ValueError(
                f"clients have no form for {name!r}: a field is a string, number, integer, boolean, "
                "or an array whose items are choices ('enum')"
            )
    return schema


def _fits_a_form(field):
    """PrimitiveSchemaDefinition of the MCP specification, elicitation/create."""
    if not isinstance(field, dict):
        return False
    if field.get("type") == "array":
        items = field.get("items")
        return isinstance(items, dict) and ("enum" in items or "anyOf" in items or "oneOf" in items)
    return field.get("type") in ("string", "number", "integer", "boolean")


def _checked_url(url):
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError(f"url must be an absolute https URL that a user can open, got {url!r}")
    return url


def sampling(messages, max_tokens=1000, **more):
    if isinstance(messages, str | dict):
        messages = [messages]
    if isinstance(max_tokens, bool) or not isinstance(max_tokens, int) or max_tokens < 1:
        raise ValueError(f"max_tokens is a number of tokens, got {max_tokens!r}")
    params = {"messages": [_sampled(one) for one in messages], "maxTokens": max_tokens, **more}
    return {"method": "sampling/createMessage", "params": params}


def _sampled(message):
    """SamplingMessage of the MCP specification; a text or a block is the user's."""
    if not isinstance(message, dict) or "role" not in message:
        message = {"role": "user", "content": message}
    if message["role"] not in ("user", "assistant"):
        raise ValueError(
            f"the role of a message is 'user' or 'assistant', got {message['role']!r}"
            " (what the model is told before is systemPrompt='...')"
        )
    content = message.get("content")
    if isinstance(content, list | tuple):
        content = [_sampled_block(block) for block in content]
    else:
        content = _sampled_block(content)
    return {**message, "content": content}


def _sampled_block(block):
    if isinstance(block, str):
        return {"type": "text", "text": block}
    if not isinstance(block, dict) or block.get("type") not in SAMPLED:
        what = f"of type {block.get('type')!r}" if isinstance(block, dict) else repr(block)[:60]
        raise ValueError(
            f"a model is given texts, images and sounds (mcp.text, mcp.image, mcp.audio), not {what}"
        )
    return {key: value for key, value in block.items() if key != "@mxcp.content"}


def list_roots():
    return {"method": "roots/list", "params": {}}


def ask_one(key, question, pick=None):
    if key is None:
        text = json.dumps(question, sort_keys=True, default=str)
        key = f"{question['method'].partition('/')[0]}-{zlib.crc32(text.encode()):08x}"
    return ask({key: question}, lambda answers: pick(answers[key]) if pick else answers[key])


def ask(questions, pick=None):
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _ask_and_block(questions, pick)
    future, _ = _asked(questions)  # who cancels the call cancels the coroutine

    async def wait():
        try:
            answers = await asyncio.wait_for(asyncio.wrap_future(future), PATIENCE)
        except asyncio.TimeoutError:
            raise RuntimeError(NO_ANSWER) from None
        return pick(answers) if pick else answers

    return wait()


def _ask_and_block(questions, pick):
    if not _blocking.acquire(blocking=False):
        raise RuntimeError(
            f"{MAX_BLOCKING} plain functions wait for the answers of their clients already; "
            "try again later (functions with 'async def' hold no thread while they wait)"
        )
    stop = None
    try:
        future, stop = _asked(questions)
        answers = future.result(PATIENCE)
    except FutureTimeout:
        raise RuntimeError(NO_ANSWER) from None
    finally:
        del stop
        _blocking.release()
    return pick(answers) if pick else answers


def _asked(questions):
    """The answers, and what ends the wait for them when the call is cancelled, while it is kept."""
    future = Future()

    def answered(answers, error, stopped):
        if future.done():
            return  # nobody waits any more
        if error is None:
            future.set_result(answers)
        else:
            future.set_exception(CallSuspended(error) if stopped else RuntimeError(error))

    return future, _core.ask_client(questions, answered)
