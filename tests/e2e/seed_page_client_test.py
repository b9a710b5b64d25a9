"""The tutorial's tools through the official client over stdio: what the command line says, and what is advertised."""

from __future__ import annotations

import asyncio
import json

import jsonschema
import pytest
from harness import Project, official_client
from tutorial_data import USERS, Api, check_analysis, check_greeting, fetched, use_api

MODES = ["legacy", "2026-07-28"]

CALLS = [
    ("user_lookup", {"email": "bob@example.com"}),
    ("user_lookup", {"email": "nobody@example.com"}),
    ("user_lookup", {"email": "unknown@example.com"}),
    ("batch_user_data", {"user_ids": [1, 99, 7]}),
    ("cached_lookup", {"key": "empty"}),
    *[("customer_analysis", {"customer_id": user}) for user in [*USERS, 99]],
    ("safe_operation", {"param": "item1"}),
    ("safe_operation", {"param": "item2"}),
    ("safe_operation", {"param": "ab"}),
    ("use_plugin_functions", {}),
    ("validate_customer", {"email": "a@b.co", "phone": "5551234567"}),
]


@pytest.mark.stdio
@pytest.mark.parametrize("mode", MODES)
def test_every_tool_through_the_official_client(page: Project, api: Api, mode: str) -> None:
    use_api(page, api)
    # What the command line says; first, because the server has the database for itself.
    said = [page.tool(name, **arguments).result for name, arguments in CALLS]
    asyncio.run(talk(page, mode, said))


async def talk(page: Project, mode: str, said: list) -> None:
    async with official_client(page, mode) as client:
        assert client.protocol_version == ("2026-07-28" if mode == "2026-07-28" else "2025-11-25")
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert list(tools) == sorted(tools) and len(tools) == 11

        greet = tools["personalized_greeting"]
        assert greet.description == "Generate a personalized greeting with timestamp"
        assert greet.input_schema == {
            "type": "object",
            "properties": {
                "name": {
                    "type": "string",
                    "description": "Name to greet",
                    "examples": ["Alice", "Bob"],
                },
                "formal": {
                    "type": "boolean",
                    "description": "Use formal greeting",
                    "default": False,
                },
            },
            "required": ["name"],
            "additionalProperties": False,
        }
        # Null is allowed where a result is declared, and the schema says so to clients that check.
        assert greet.output_schema["properties"]["timestamp"] == {"type": ["string", "null"]}
        ids = tools["batch_user_data"].input_schema["properties"]["user_ids"]
        assert ids == {
            "type": "array",
            "description": "List of user IDs",
            "items": {"type": "integer"},
            "minItems": 1,
            "maxItems": 50,
        }
        for tool in tools.values():
            jsonschema.Draft202012Validator.check_schema(tool.input_schema)
            if tool.output_schema is not None:
                jsonschema.Draft202012Validator.check_schema(tool.output_schema)
        # It declares no return type: the columns of its SQL are the schema.
        rows = tools["get_total"].output_schema["properties"]["result"]["items"]
        assert rows["properties"] == {"total": {"type": ["number", "null"]}}

        async def value(name: str, arguments: dict):
            result = await client.call_tool(name, arguments)
            assert not result.is_error, result
            [block] = result.content
            parsed = json.loads(block.text)
            schema = tools[name].output_schema
            if schema is not None:
                jsonschema.validate(result.structured_content, schema)
                wrapped = schema["type"] == "object" and list(schema.get("properties", {})) == [
                    "result"
                ]
                inner = (
                    result.structured_content["result"] if wrapped else result.structured_content
                )
                assert inner == parsed
            return parsed

        for formal, text in [
            (False, "Hi Alice! How are you doing?"),
            (True, "Good day, Alice. How may I assist you?"),
        ]:
            answer = await value("personalized_greeting", {"name": "Alice", "formal": formal})
            check_greeting(answer, text)

        for (name, arguments), expected in zip(CALLS, said, strict=True):
            assert await value(name, arguments) == expected, (name, arguments)
        assert await value("batch_user_data", {"user_ids": [1, 99, 7]}) == fetched(1, 99, 7)
        for user in USERS:
            check_analysis(await value("customer_analysis", {"customer_id": user}), user)
        assert (await value("fetch_external_data", {"query": "q"}))["status"] == "success"
        first = await value("cached_lookup", {"key": "motto"})
        assert first == {"source": "database", "value": "measure twice"}
        assert (await value("cached_lookup", {"key": "motto"}))["source"] == "cache"
        [row] = await value("get_total", {})
        assert list(row) == ["total"]

        for name, arguments, words in [
            ("user_lookup", {"email": "alice"}, ["email", "alice"]),
            ("user_lookup", {}, ["email"]),
            ("batch_user_data", {"user_ids": []}, ["at least 1"]),
            ("personalized_greeting", {"name": "A", "fromal": True}, ["fromal", "formal"]),
        ]:
            refused = await client.call_tool(name, arguments)
            assert refused.is_error
            assert all(word in refused.content[0].text for word in words), refused

        # Many at once: each answer belongs to its question.
        async def ask(n: int) -> None:
            expected = fetched(n % 9)
            assert await value("batch_user_data", {"user_ids": [n % 9]}) == expected

        await asyncio.gather(*(ask(n) for n in range(60)))
