"""Policies where a table of calls is not enough: resources, prompts, completions, published schemas,
exit codes, `test`. The conditions themselves: tests/unit/cel and tests/projects/policies."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from harness import Project

DOCS = Path(__file__).resolve().parents[2] / "docs" / "policies.md"

RESOURCE = """
mxcp: 1
resource:
  uri: notes://{id}
  cache: {ttl: 60s, scope: public}
  parameters:
    - name: id
      type: integer
      completion: SELECT i::VARCHAR FROM range(3) t(i)
  return: {type: object, properties: {id: {type: integer}, text: {type: string, sensitive: true}}}
  source: {code: "SELECT $id::INT AS id, 'hidden' AS text"}
  policies:
    input:
      - {condition: id == 13 && user.role == 'anonymous', action: deny, reason: Bad luck}
    output:
      - {condition: user.role != 'admin', action: filter_sensitive_fields}
"""

PROMPT = """
mxcp: 1
prompt:
  name: letter
  parameters: [{name: to, type: string}]
  messages:
    - {role: system, prompt: You are polite}
    - {role: user, prompt: "Write to {{ to }}"}
  policies:
    input:
      - {condition: to.size() > 9, action: deny, reason: Too long a name}
    output:
      - {condition: "response.exists(m, m.prompt.contains('Eve'))", action: deny}
"""


@pytest.mark.stdio
def test_resources_and_prompts(project: Project) -> None:
    project.write({"resources/notes.yml": RESOURCE, "prompts/letter.yml": PROMPT})
    with project.serve() as server:
        server.initialize()

        def read(uri: str) -> str:
            answer = server.request("resources/read", {"uri": uri})
            if "error" in answer:
                return answer["error"]["message"]
            return answer["result"]["contents"][0]["text"]

        assert json.loads(read("notes://7")) == {"id": 7}
        assert read("notes://13") == "Policy enforcement failed: Bad luck"

        def prompt(to: str) -> str:
            params = {"name": "letter", "arguments": {"to": to}}
            answer = server.request("prompts/get", params)
            if "error" in answer:
                return answer["error"]["message"]
            return answer["result"]["messages"][1]["content"]["text"]

        assert prompt("Ann") == "Write to Ann"
        assert prompt("Bartholomew") == "Policy enforcement failed: Too long a name"
        assert prompt("Eve") == "Output policy enforcement failed: Output blocked by policy"


@pytest.mark.stdio
def test_an_answer_under_policies_is_private(project: Project) -> None:
    """Whatever the file says of its cache."""
    open_to_all = RESOURCE[: RESOURCE.index("  policies:")].replace("notes:", "open:")
    project.write({"resources/notes.yml": RESOURCE, "resources/open.yml": open_to_all})
    with project.serve() as server:
        server.modern = "2026-07-28"
        for uri, scope in [("notes://7", "private"), ("open://7", "public")]:
            result = server.request("resources/read", {"uri": uri})["result"]
            assert result["cacheScope"] == scope
            assert result["ttlMs"] == 60_000


@pytest.mark.stdio
def test_completions_are_guarded_like_their_endpoint(project: Project) -> None:
    """The rule about id cannot be decided while it is being typed."""
    guarded = RESOURCE.replace("id == 13 && user.role == 'anonymous'", "user.role == 'admin'")
    project.write({"resources/a.yml": guarded, "resources/b.yml": RESOURCE.replace("notes:", "b:")})
    with project.serve() as server:
        server.initialize()

        def complete(uri: str) -> dict:
            params = {
                "ref": {"type": "ref/resource", "uri": uri},
                "argument": {"name": "id", "value": ""},
            }
            return server.request("completion/complete", params)

        assert complete("notes://{id}")["result"]["completion"]["values"] == ["0", "1", "2"]
        refused = json.dumps(complete("b://{id}"))
        assert "Policy enforcement failed: a condition cannot be evaluated" in refused


@pytest.mark.stdio
def test_published_schemas_allow_what_policies_leave(project: Project) -> None:
    head = """
    return:
      type: object
      properties:
        id: {type: integer, minimum: 1}
        kind: {type: string, enum: [a, b]}
        key: {type: string, sensitive: true}
      required: [id, kind, key]
    policies:
      output:
        - {condition: "true", action: filter_sensitive_fields}
        - {condition: user.role != 'admin', action: mask_fields, fields: [id, kind]}
    """
    project.sql_tool("guarded", "SELECT 1 AS id, 'a' AS kind, 'k' AS key", head)
    # The type is derived from the SQL, and guarded like a declared one.
    project.sql_tool(
        "derived",
        "SELECT 1 AS id, 'a' AS kind",
        "policies: {output: [{condition: 'true', action: mask_fields, fields: [id]}]}",
    )
    with project.serve() as server:
        server.initialize()
        tools = {tool["name"]: tool for tool in server.request("tools/list")["result"]["tools"]}
        schema = tools["guarded"]["outputSchema"]
        assert schema["required"] == ["id", "kind"]
        assert schema["properties"]["id"]["type"] == ["integer", "null", "string"]
        assert schema["properties"]["kind"]["enum"] == ["a", "b", None, "****"]
        assert server.call("guarded")["structuredContent"] == {"id": "****", "kind": "****"}
        items = tools["derived"]["outputSchema"]["properties"]["result"]["items"]
        assert items["properties"]["id"]["type"] == ["integer", "null", "string"]
        derived = server.call("derived")["structuredContent"]
        assert derived == {"result": [{"id": "****", "kind": "a"}]}


def test_a_denied_run_fails_with_its_code(project: Project) -> None:
    policies = "policies: {input: [{condition: user.role != 'admin', action: deny, reason: No}]}"
    project.sql_tool("guarded", "SELECT 1 AS n", policies)
    ran = project.tool("guarded")
    assert ran.code == 1
    assert ran.error.endswith("Policy enforcement failed: No")
    project.write({"admin.json": '{"role": "admin"}'})
    assert project.tool("guarded", "--user-context", "@admin.json").ok().result == [{"n": 1}]
    assert project.tool("guarded", "-u", '{"role": "guest"}').code == 1


def test_the_user_context_of_a_test_and_of_the_command_line(project: Project) -> None:
    head = """
    policies:
      input: [{condition: user.role != 'admin', action: deny, reason: Admins only}]
    tests:
      - name: admin
        arguments: []
        user_context: {role: admin}
        result: [{n: 1}]
      - name: anonymous
        arguments: []
        error_contains: "Policy enforcement failed: Admins only"
    """
    project.sql_tool("guarded", "SELECT 1 AS n", head)
    project.run("test").ok()
    # The command line's is that of every test.
    ran = project.run("test", "--user-context", '{"role": "admin"}')
    assert ran.code == 1
    assert "anonymous" in ran.stdout


def test_a_broken_condition_is_never_served(project: Project) -> None:
    policies = "policies: {input: [{condition: usr.role == 'admin', action: deny}]}"
    project.sql_tool("guarded", "SELECT 1 AS n", policies)
    ran = project.tool("guarded")
    assert ran.code == 1
    assert ran.error == "tools/guarded.yml:5:34: unknown name 'usr' (did you mean 'user'?)"


def test_the_page_about_policies(project: Project) -> None:
    """Every YAML file of the page is valid, and every command of it prints what stands there."""
    page = DOCS.read_text(encoding="utf-8")
    # As printed, with the line that names the file.
    files = re.findall(r"```yaml\n(# ((?:tools|resources)/\S+)\n.*?)```", page, re.DOTALL)
    assert files
    for text, path in files:
        project.write({path: text})
    assert "warning" not in project.run("validate").ok().stdout
    commands = re.findall(r"^\$ mxcp (.*)\n((?:(?!\$ |```).*\n)+)", page, re.MULTILINE)
    assert len(commands) >= 4
    for command, expected in commands:
        words = re.findall(r"'([^']*)'|(\S+)", command)
        ran = project.run(*(quoted or plain for quoted, plain in words))
        said = ran.stdout + ran.stderr
        for line in expected.splitlines():
            assert line in said, f"{command}: {said}"
