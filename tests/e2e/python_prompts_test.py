"""Prompts whose messages a Python function gives."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from harness import PATIENCE, Project

YAML = """
mxcp: 1
prompt:
  name: {name}
  parameters:
    - {{name: topic, type: string, default: ducks}}
    - {{name: many, type: integer, default: 1}}
  language: python
  source: {{file: ../python/prompts.py}}
"""

CODE = """
from mxcp.runtime import db, mcp

def text(topic, many):
    return f"Tell me about {many + 1} {topic}"

async def waited(topic, many):
    rows = await db.aexecute("SELECT $t AS t", {"t": topic})
    return [{"role": "system", "content": "Be brief"}, {"role": "assistant", "prompt": rows[0]["t"]}, "Go on"]

def blocks(topic, many):
    return [
        "Look:", mcp.image(b"png"), {"role": "assistant", "content": mcp.link("docs://a", title="All")},
        {"content": "data:audio/wav;base64,AAAA", "type": "audio"}, mcp.resource("x://y", "inside"),
        {"content": mcp.audio(b"wav")},
    ]

def one(topic, many):
    return {"content": topic}

def none_at_all(topic, many):
    return []
"""


@pytest.fixture
def prompts(project: Project) -> Project:
    names = ["text", "waited", "blocks", "one", "none_at_all"]
    project.write({f"prompts/{name}.yml": YAML.format(name=name) for name in names})
    return project.write({"python/prompts.py": CODE})


def run(project: Project, name: str, *flags: str) -> object:
    return project.run("run", "prompt", name, *flags, "--json-output").result


def test_what_a_function_returns_is_the_messages(prompts: Project) -> None:
    assert prompts.run("validate").ok()
    flags = ("--param", "topic=geese", "--param", "many=2")
    assert run(prompts, "text", *flags) == [
        {"prompt": "Tell me about 3 geese", "role": "user", "type": None}
    ]
    assert run(prompts, "waited") == [
        {"prompt": "Be brief", "role": "system", "type": None},
        {"prompt": "ducks", "role": "assistant", "type": None},
        {"prompt": "Go on", "role": "user", "type": None},
    ]
    assert run(prompts, "one") == [{"prompt": "ducks", "role": None, "type": None}]
    assert run(prompts, "none_at_all") == []
    assert run(prompts, "blocks")[1] == {
        "content": {"type": "image", "data": "cG5n", "mimeType": "image/png"},
        "role": "user",
        "type": "image",
    }


def message(role: str, **content: object) -> dict[str, object]:
    return {"role": role, "content": content}


AUDIO = {"type": "audio", "mimeType": "audio/wav"}


@pytest.mark.parametrize("revision", ["2024-11-05", "2025-11-25", "2026-07-28"])
def test_prompts_get(prompts: Project, revision: str) -> None:
    with prompts.serve() as server:
        if revision == "2026-07-28":
            server.modern = revision
        else:
            server.initialize(revision)

        def get(name: str, **arguments: str) -> object:
            params = {"name": name, "arguments": arguments}
            return server.request("prompts/get", params)["result"]["messages"]

        assert get("text", topic="geese", many="2") == [
            message("user", type="text", text="Tell me about 3 geese")
        ]
        assert get("waited") == [
            message("user", type="text", text="Be brief"),
            message("assistant", type="text", text="ducks"),
            message("user", type="text", text="Go on"),
        ]
        link = {"type": "resource_link", "uri": "docs://a", "name": "docs://a", "title": "All"}
        sounds = [{**AUDIO, "data": "AAAA"}, {**AUDIO, "data": "d2F2"}]
        if revision == "2024-11-05":
            link = {"type": "text", "text": "All: docs://a"}
            sounds = [
                {"type": "resource", "resource": {
                    "uri": "urn:mxcp:audio", "mimeType": "audio/wav", "blob": sound["data"]}}
                for sound in sounds
            ]  # fmt: skip
        assert get("blocks") == [
            message("user", type="text", text="Look:"),
            message("user", type="image", data="cG5n", mimeType="image/png"),
            {"role": "assistant", "content": link},
            {"role": "user", "content": sounds[0]},
            message("user", type="resource", resource={"uri": "x://y", "text": "inside"}),
            {"role": "user", "content": sounds[1]},
        ]
        answer = server.request("prompts/get", {"name": "text", "arguments": {"many": "x"}})
        assert "parameter 'many': expected an integer" in answer["error"]["message"]


WRONG = {
    "None": "the function of prompt 'p' returned nothing (None)",
    "5": "the function of prompt 'p' returned a number",
    "['a', 5]": "message 2 that the function of prompt 'p' returned: it is a number",
    "{'role': 'bot', 'content': 'x'}": "message 1 that the function of prompt 'p' returned: there is no role 'bot'",
    "{'role': 'users', 'content': 'x'}": "there is no role 'users' (did you mean 'user'?)",
    "{'role': 1, 'content': 'x'}": "its 'role' is a number; it is one of 'user', 'assistant', 'system'",
    "{'role': 'user'}": "it has no 'content'",
    "{'content': 1}": "its content is a number",
    "{'content': None}": "its content is nothing (None)",
    "{'content': 'a', 'prompt': 'b'}": "it has both 'content' and 'prompt'",
    "{'contents': 'a'}": "a message has no key 'contents' (did you mean 'content'?)",
    "{'content': 'a', 'type': 'video'}": "there is no type 'video'",
    "{'content': mcp.text('a'), 'type': 'text'}": "which has a type already",
    "['a', mcp.image(None)]": "message 2 that the function of prompt 'p' returned: 'data' of an image must be base64",
}


@pytest.mark.parametrize("value", WRONG)
def test_a_result_that_is_no_messages_is_told_with_the_place_of_the_function(
    project: Project, value: str
) -> None:
    code = f"from mxcp.runtime import mcp\n\ndef p(topic, many):\n    return {value}\n"
    project.write({"prompts/p.yml": YAML.format(name="p"), "python/prompts.py": code})
    error = project.run("run", "prompt", "p", "--json-output").error
    assert WRONG[value] in error
    assert error.startswith("python/prompts.py:3: ")


def test_code_in_the_file_tests_and_policies(project: Project) -> None:
    project.write({"prompts/letter.yml": """
        mxcp: 1
        prompt:
          name: letter
          parameters: [{name: to, type: string}]
          language: python
          source:
            code: |
              def letter(to):
                  if to == "nobody":
                      raise ValueError("to whom?")
                  return [f"Write to {to}", {"role": "assistant", "content": '{"done": true}'}]
          policies:
            output: [{condition: "response.exists(m, m.prompt.contains('Eve'))", action: deny}]
          tests:
            - {name: ann, arguments: [{key: to, value: Ann}], result: {done: true}}
            - {name: nobody, arguments: [{key: to, value: nobody}], error_contains: "to whom?"}
            - {name: eve, arguments: [{key: to, value: Eve}], error_contains: "enforcement failed"}
        """})  # fmt: skip
    assert project.run("validate").ok()
    ran = project.run("test").ok()
    assert "3 passed" in ran.stdout
    assert ran.stderr == ""
    assert "prompts/letter.yml:10: to whom?" in project.run(
        "run", "prompt", "letter", "--param", "to=nobody", "--json-output"
    ).error  # fmt: skip


def test_an_error_that_is_not_the_expected_one_is_logged(project: Project) -> None:
    project.python_tool(
        "t",
        "def t():\n    raise ValueError('another')\n",
        "tests: [{name: a, arguments: [], error_contains: 'the expected one'}]",
    )
    ran = project.run("test")
    assert ran.code == 1
    assert "raise ValueError('another')" in ran.stderr


@pytest.mark.stdio
def test_a_changed_function_is_taken_up(prompts: Project) -> None:
    def text() -> str:
        return server.request("prompts/get", {"name": "text"})["result"]["messages"][0]["content"]["text"]

    with prompts.serve() as server:
        server.initialize()
        assert text() == "Tell me about 2 ducks"
        prompts.write({"python/prompts.py": CODE.replace("Tell me about", "Speak of")})
        deadline = time.monotonic() + PATIENCE
        while text() != "Speak of 2 ducks":
            assert time.monotonic() < deadline, server.stderr
            time.sleep(0.02)


def test_a_function_that_asks_the_client(prompts: Project) -> None:
    prompts.write({"python/prompts.py": """
        from mxcp.runtime import mcp

        async def text(topic, many):
            answer = await mcp.elicit("How long?")
            return f"{topic}: {answer['action']}"
        """, "prompts/one.yml": ""})  # fmt: skip
    for name in ["waited", "blocks", "one", "none_at_all"]:
        Path(prompts.folder / f"prompts/{name}.yml").unlink()
    with prompts.serve() as server:
        server.initialize()
        answer = server.request("prompts/get", {"name": "text"})
        assert "error" in answer and json.dumps(answer)  # this client said nothing of elicitation
