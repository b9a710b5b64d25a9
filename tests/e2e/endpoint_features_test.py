"""What endpoints can say to MCP clients beyond what they do (docs/endpoints.md)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from harness import Project
from http_harness import LEGACY, MODERN, PREFIX, HttpServer

pytestmark = pytest.mark.stdio

CONTACT = """
mxcp: 1
tool:
  name: contact
  input_schema:
    $schema: https://json-schema.org/draft/2020-12/schema
    type: object
    $defs:
      address: {$anchor: place, type: object, properties: {city: {type: string}}, required: [city]}
    properties:
      zip: {type: string, pattern: "^[0-9]+$"}
      phone: {type: string}
      email: {type: string}
      where: {$ref: "#place"}
      times: {type: integer, default: 1, x-mcp-header: Times}
    anyOf:
      - required: [phone]
      - required: [email]
    if: {required: [where]}
    then: {required: [zip]}
    additionalProperties: false
  output_schema: {type: object, properties: {by: {type: string, maxLength: 20}}, required: [by]}
  source:
    code: SELECT coalesce($phone, $email) || ' x' || $times AS by
"""
ANY = """
mxcp: 1
tool:
  name: anything
  language: python
  input_schema:
    type: object
    properties: {a: {type: integer}}
    patternProperties: {"^x_": {type: string}}
    additionalProperties: false
  source:
    code: |
      def anything(a=None, **more):
          return {"a": a, **more}
"""


def post(server: HttpServer, params: dict[str, Any], **headers: str) -> Any:
    message = server.message("tools/call", params, id=1)
    return server.http(body=message, headers={**server.headers_for(message), **headers})


# --- JSON Schemas of authors ---------------------------------------------------------------------


def test_a_schema_is_shown_as_written_and_enforced(project: Project) -> None:
    project.write({"tools/contact.yml": CONTACT, "tools/anything.yml": ANY})
    with project.serve() as server:
        server.initialize()
        [_, tool] = server.request("tools/list")["result"]["tools"]
        assert list(tool["inputSchema"]) == [
            "$schema", "type", "$defs", "properties", "anyOf", "if", "then", "additionalProperties",
        ]  # fmt: skip
        assert tool["inputSchema"]["$defs"]["address"]["$anchor"] == "place"
        assert tool["outputSchema"] == {
            "type": "object",
            "properties": {"by": {"type": "string", "maxLength": 20}},
            "required": ["by"],
        }
        result = server.call("contact", email="a@b", times=2)
        assert result["structuredContent"] == {"by": "a@b x2"}
        assert server.value("contact", phone="1") == {"by": "1 x1"}
        for arguments, words in [
            ({}, "is not valid under any of the given schemas"),
            ({"phone": 1}, "phone: 1 is not of type 'string'"),
            ({"phone": "1", "times": "2"}, "times: '2' is not of type 'integer'"),
            ({"phone": "1", "nope": 1}, "'nope' is not expected here"),
            ({"phone": "1", "zip": "x1"}, "zip: 'x1' does not match '^[0-9]+$'"),
            ({"phone": "1", "zip": "1", "where": {}}, "where: 'city' is a required property"),
            ({"phone": "1", "where": {"city": "x"}}, "'zip' is a required property"),
        ]:
            assert words in server.error("contact", **arguments), arguments
        assert "output validation failed: by: " in server.error("contact", email="a" * 30)
        assert server.value("anything", a=1, x_b="c") == {"a": 1, "x_b": "c"}
        assert server.value("anything") == {"a": None}
        assert "is not expected here" in server.error("anything", y_b="c")


def test_patterns_cannot_be_made_slow(project: Project) -> None:
    project.write({"tools/t.yml": ANY.replace("anything", "t").replace("^x_", "^(x+x+)+y")})
    with project.serve() as server:
        server.initialize()
        assert "is not expected here" in server.error("t", **{"x" * 5000: "z"})


def test_unique_items_of_a_schema(project: Project) -> None:
    """Also many of them, which are not compared each with each."""
    project.write({"tools/t.yml": ANY.replace("anything", "t").replace(
        "{a: {type: integer}}", "{a: {type: array, uniqueItems: true}}").replace(
        '"a": a', '"a": len(a)')})  # fmt: skip
    with project.serve() as server:
        server.initialize()
        assert server.value("t", a=[{"k": i} for i in range(50_000)]) == {"a": 50_000}
        assert server.value("t", a=[1, True, "1", None, 0, False, [1], [True]]) == {"a": 8}
        for twice in ([1, 2, 1.0], [{"a": 1, "b": [2]}, 5, {"b": [2.0], "a": 1}]):
            assert "a: items must be unique, but [2] repeats [0]" in server.error("t", a=twice)


def test_the_command_line_knows_schemas(project: Project) -> None:
    project.write({"tools/contact.yml": CONTACT})
    assert project.tool("contact", phone="5", times="3").ok().result == {"by": "5 x3"}
    assert "is not of type 'integer'" in project.tool("contact", phone="5", times="x").error
    assert project.run("validate", "--json-output").ok()


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ("{type: array}", "'input_schema' must have 'type: object'"),
        ("{type: object, $schema: 'http://json-schema.org/draft-07/schema#'}", "is no dialect that is known here"),
        ("{type: object, properties: {a: {$ref: 'https://example.com/x'}}}", "leads out of this schema"),
        ("{type: object, properties: {a: {$ref: '#/$defs/no'}}}", "'#/$defs/no' leads to nothing"),
        ("{type: object, properties: {a: {type: strin}}}", "is no JSON Schema: properties.a.type: 'strin'"),
        ("{type: object, properties: {a: {pattern: '(?=x)'}}}", "the pattern '(?=x)' cannot be used"),
        ("{type: object, properties: {a: {type: number, x-mcp-header: A}}}", "a header repeats a string, an integer or a boolean"),
        ("{type: object, anyOf: [{properties: {a: {type: string, x-mcp-header: A}}}]}", "no client could find the value"),
        ("{type: object, properties: {a: {type: string, x-mcp-header: 5}}}", "'x-mcp-header' must be a string, found the number 5"),
        ("{type: object, properties: {a: {type: string, x-mcp-header: [A]}}}", "'x-mcp-header' must be a string, found a list"),
    ],
)  # fmt: skip
def test_what_is_no_schema_is_said_when_the_project_is_read(
    project: Project, schema: str, words: str
) -> None:
    project.write({"tools/t.yml": (
        f"mxcp: 1\ntool:\n  name: t\n  input_schema: {schema}\n  source: {{code: SELECT 1 AS x}}\n"
    )})  # fmt: skip
    ran = project.run("validate")
    assert ran.code == 1 and words in ran.stdout + ran.stderr, ran
    assert "tools/t.yml:" in ran.stdout + ran.stderr


# --- values in headers ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "headers", "status"),
    [
        ({"region": "eu", "n": 42}, {"Mcp-Param-Region": "eu", "Mcp-Param-N": "42"}, 200),
        ({"region": "eu", "n": 42}, {"mcp-param-REGION": " eu ", "Mcp-Param-N": "42.0"}, 200),
        ({"region": "eu"}, {"Mcp-Param-Region": "=?base64?ZXU=?="}, 200),
        ({"region": "ü"}, {"Mcp-Param-Region": "=?base64?w7w=?="}, 200),
        ({"region": None}, {}, 200),
        ({}, {}, 200),
        ({"region": "eu", "deep": {"flag": True}}, {"Mcp-Param-Region": "eu", "Mcp-Param-Flag": "true"}, 200),
        ({"region": "eu"}, {}, 400),
        ({"region": "eu"}, {"Mcp-Param-Region": "us"}, 400),
        ({"region": "eu"}, {"Mcp-Param-Region": "EU"}, 400),
        ({"region": "eu"}, {"Mcp-Param-Region": "=?base64?ZXU?="}, 400),
        ({"region": "eu", "n": 42}, {"Mcp-Param-Region": "eu", "Mcp-Param-N": "43"}, 400),
        ({"region": "eu", "deep": {"flag": True}}, {"Mcp-Param-Region": "eu", "Mcp-Param-Flag": "false"}, 400),
        ({}, {"Mcp-Param-Region": "eu"}, 400),
    ],
)  # fmt: skip
def test_headers_say_what_the_arguments_say(
    project: Project, arguments: dict[str, Any], headers: dict[str, str], status: int
) -> None:
    project.sql_tool("where", "SELECT $region AS region WHERE coalesce($n, 0) >= 0 OR $deep IS NULL", """
parameters:
  - {name: region, type: string, default: null, x-mcp-header: Region}
  - {name: n, type: integer, default: null, x-mcp-header: N}
  - name: deep
    type: object
    default: null
    properties: {flag: {type: boolean, x-mcp-header: Flag}}
""")  # fmt: skip
    with HttpServer(project) as server:
        server.modern = MODERN
        [tool] = server.request("tools/list")["result"]["tools"]
        assert tool["inputSchema"]["properties"]["region"]["x-mcp-header"] == "Region"
        response = post(server, {"name": "where", "arguments": arguments}, **headers)
        assert response.status == status, response
        if status == 400:
            assert response.json["error"]["code"] == -32020
            assert "Mcp-Param-" in response.json["error"]["message"]
        # Earlier revisions know nothing of it.
        server.modern = None
        server.initialize(LEGACY)
        assert server.value("where", **arguments) == [{"region": arguments.get("region")}]


# --- how things look -----------------------------------------------------------------------------

LOOKS = """
  title: A title
  icons:
    - {src: https://example.com/i.svg, mimeType: image/svg+xml, sizes: [any], theme: dark}
  _meta: {com.example/owner: finance}
"""
ICON = {
    "src": "https://example.com/i.svg",
    "mimeType": "image/svg+xml",
    "sizes": ["any"],
    "theme": "dark",
}


@pytest.fixture
def looks(project: Project) -> Project:
    code = "source: {code: SELECT 'x' AS x}"
    project.write({
        "mxcp-site.yml": """
            mxcp: 1
            project: demo
            profile: default
            server:
              title: The demo
              description: Shows things
              instructions: Ask for the motto first.
              website: https://example.com
              icons: [{src: "https://example.com/s.png"}]
            """,
        "tools/t.yml": f"mxcp: 1\ntool:\n  name: t\n  {code}{LOOKS}",
        "prompts/p.yml": f"mxcp: 1\nprompt:\n  name: p\n  messages: [{{prompt: Hi}}]{LOOKS}",
        "resources/r.yml": f"""mxcp: 1
resource:
  uri: docs://motto
  annotations: {{audience: [user], priority: 0.5, lastModified: "2026-01-01T00:00:00Z"}}
  cache: {{ttl: 90s, scope: public}}
  return: {{type: string}}
  {code}{LOOKS}""",
        "resources/u.yml": "mxcp: 1\nresource:\n  uri: docs://other\n  " + code + "\n",
    })  # fmt: skip
    return project


def test_titles_icons_and_meta(looks: Project) -> None:
    with HttpServer(looks) as server:
        server.modern = MODERN
        found = server.request("server/discover")["result"]
        assert found["instructions"] == "Ask for the motto first."
        info = found["_meta"][PREFIX + "serverInfo"]
        assert (info["title"], info["description"]) == ("The demo", "Shows things")
        assert info["websiteUrl"] == "https://example.com"
        assert info["icons"] == [{"src": "https://example.com/s.png"}]
        for method, key in [("tools/list", "tools"), ("prompts/list", "prompts"), ("resources/list", "resources")]:  # fmt: skip
            result = server.request(method)["result"]
            entry = result[key][0]
            assert (entry["title"], entry["icons"]) == ("A title", [ICON]), entry
            assert entry["_meta"] == {"com.example/owner": "finance"}
            assert "icons" not in result["_meta"][PREFIX + "serverInfo"]
        server.modern = None
        # What a revision does not have, its clients are not shown.
        assert "icons" in server.initialize("2025-11-25")["serverInfo"]
        for version, keys in [("2025-06-18", {"title", "_meta"}), ("2025-03-26", set())]:
            assert "icons" not in server.initialize(version)["serverInfo"]
            [tool] = server.request("tools/list")["result"]["tools"]
            assert set(tool) & {"title", "icons", "_meta"} == keys


def test_annotations_and_cache_hints_of_resources(looks: Project) -> None:
    with HttpServer(looks) as server:
        server.modern = MODERN
        [first, _] = server.request("resources/list")["result"]["resources"]
        assert first["annotations"] == {
            "audience": ["user"],
            "priority": 0.5,
            "lastModified": "2026-01-01T00:00:00Z",
        }
        read = server.request("resources/read", {"uri": "docs://motto"})["result"]
        assert (read["ttlMs"], read["cacheScope"]) == (90_000, "public")
        read = server.request("resources/read", {"uri": "docs://other"})["result"]
        assert (read["ttlMs"], read["cacheScope"]) == (0, "private")


def test_completion_from_sql(project: Project) -> None:
    project.write({"prompts/p.yml": """
        mxcp: 1
        prompt:
          name: p
          parameters:
            - name: country
              type: string
              completion: SELECT * FROM (VALUES ('Peru'), ('Spain'), ('Portugal'), (NULL), ('Peru')) t(c)
            - name: city
              type: string
              completion: |
                SELECT city FROM (VALUES ('Lima', 'Peru'), ('Lisbon', 'Portugal'), ('Porto', 'Portugal')) t(city, of)
                WHERE city LIKE $value || '%' AND (of = $country OR $country IS NULL) ORDER BY city
            - name: many
              type: string
              completion: SELECT 'v' || i FROM range(1000) t(i)
            - name: broken
              type: string
              completion: SELECT * FROM nowhere
          messages: [{prompt: "{{ country }} {{ city }} {{ many }} {{ broken }}"}]
        """})  # fmt: skip

    def complete(name: str, value: str, **context: str) -> Any:
        params: dict[str, Any] = {
            "ref": {"type": "ref/prompt", "name": "p"},
            "argument": {"name": name, "value": value},
        }
        if context:
            params["context"] = {"arguments": context}
        response = server.request("completion/complete", params)
        return response["result"]["completion"] if "result" in response else response["error"]

    with project.serve() as server:
        server.initialize()
        assert complete("country", "p")["values"] == ["Peru", "Portugal", "Spain"]
        assert complete("country", "PO")["values"] == ["Portugal"]
        assert complete("city", "Li")["values"] == ["Lima", "Lisbon"]
        assert complete("city", "Li", country="Portugal")["values"] == ["Lisbon"]
        many = complete("many", "")
        assert (len(many["values"]), many["total"], many["hasMore"]) == (100, 1000, True)
        assert "nowhere" in json.dumps(complete("broken", ""))


def test_completions_do_not_write(project: Project) -> None:
    project.query("CREATE TABLE t AS SELECT 'a' AS a; CREATE SEQUENCE s")
    prompt = """
        prompt:
          name: p
          parameters: [{name: a, type: string, completion: "%s"}]
          messages: [{prompt: "{{ a }}"}]
        """
    project.write({"prompts/p.yml": prompt % "INSERT INTO t VALUES ($value) RETURNING a"})
    for command in ("validate", "serve"):
        ran = project.run(command)
        assert ran.code == 1 and "a statement that is no query" in ran.stdout + ran.stderr
    # A function that writes is only found when it runs.
    project.write({"prompts/p.yml": prompt % "SELECT nextval('s')::VARCHAR"})
    project.run("validate").ok()
    with project.serve() as server:
        server.initialize()
        for _ in range(2):
            response = server.request(
                "completion/complete",
                {"ref": {"type": "ref/prompt", "name": "p"}, "argument": {"name": "a", "value": ""}},
            )
            assert "read-only" in json.dumps(response), response
    assert project.query("SELECT nextval('s') AS n") == [{"n": 1}]


# --- a long answer without a connection ----------------------------------------------------------


def test_a_client_comes_back_for_a_long_answer(project: Project) -> None:
    project.python_tool("slow", """
import asyncio, os
from mxcp.runtime import mcp

async def slow():
    await mcp.release(retry=0.25)
    while not os.path.exists("gate"):
        await asyncio.sleep(0.01)
    return "done"
""")  # fmt: skip
    with HttpServer(project) as server:
        server.initialize(LEGACY)
        message = server.message("tools/call", {"name": "slow", "arguments": {}}, 5)
        headers = server.headers_for(message)
        response = server.http(body=message, headers=headers)
        # The stream is over without the answer, and says when to come back.
        assert response.headers["content-type"] == "text/event-stream"
        first, *rest = response.body.split("\n\n")
        assert first.startswith("id: ") and first.endswith("data: ")
        assert [part for part in rest if part] == ["retry: 250"]
        last = first.splitlines()[0].removeprefix("id: ")
        (project.folder / "gate").touch()
        with server.open_stream(**headers, Last_Event_ID=last) as stream:
            assert stream.next()["result"]["content"][0]["text"] == "done"
        # Others wait as ever.
        server.initialize("2025-06-18")
        assert server.value("slow") == "done"
        server.modern = MODERN
        assert server.value("slow") == "done"


def test_many_long_answers_are_kept_for_whoever_comes_back(project: Project) -> None:
    project.python_tool("slow", """
import asyncio, os
from mxcp.runtime import mcp

async def slow(n):
    await mcp.release(retry=0.25)
    while not os.path.exists("gate"):
        await asyncio.sleep(0.01)
    return n
""", "parameters: [{name: n, type: integer}]")  # fmt: skip
    with HttpServer(project) as server:
        server.initialize(LEGACY)
        headers = server.headers_for({"method": ""})

        def begin_call(n: int) -> str:
            message = server.message("tools/call", {"name": "slow", "arguments": {"n": n}}, n)
            body = server.http(body=message, headers=headers).body
            return body.splitlines()[0].removeprefix("id: ")

        def hear_streams(count: int) -> None:
            for i in range(count):
                message = server.message("ping", id=f"ping {i}")
                server.http(body=message, headers={**headers, "Accept": "text/event-stream"})

        places = [begin_call(n) for n in range(20)]
        # Streams that are over make no place for themselves, neither now nor when the answers are there.
        hear_streams(20)
        (project.folder / "gate").touch()
        server.wait_until(lambda: server.active_calls() == 0, "the calls have ended")
        hear_streams(20)
        for n, place in enumerate(places):
            with server.open_stream(**headers, Last_Event_ID=place) as stream:
                assert stream.next()["result"]["content"][0]["text"] == str(n)
        # What somebody has heard is kept for a while only.
        hear_streams(20)
        response = server.http("GET", headers={**headers, "Last-Event-ID": places[0]})
        assert response.status == 400
        assert "no longer kept" in response.json["error"]["message"]
        assert server.request("ping")["result"] == {}


def test_what_looked_at_its_caller_is_for_nobody_else(project: Project) -> None:
    def resource(name: str, source: str) -> None:
        project.write({f"resources/{name}.yml": (
            f"mxcp: 1\nresource:\n  uri: docs://{name}\n  name: {name}\n"
            f"  cache: {{ttl: 10m, scope: public}}\n  {source}\n"
        )})  # fmt: skip

    resource("plain", "source: {code: SELECT 1 AS a}")
    resource("user", "source: {code: SELECT get_username() AS u}")
    resource("header", "source: {code: \"SELECT get_request_header('x-u') AS h\"}")
    for name, body in {
        "asks": "get_user_context()",
        "header": "db.execute(\"SELECT get_request_header('x-u') AS h\")",
        "plain": "1",
    }.items():
        resource(f"py_{name}", f"language: python\n  source: {{file: ../python/py_{name}.py}}")
        project.write({f"python/py_{name}.py": (
            "from mxcp.runtime import db\nfrom mxcp.sdk.auth.context import get_user_context\n"
            f"def py_{name}():\n    return str({body})\n"
        )})  # fmt: skip
    with HttpServer(project) as server:
        server.modern = MODERN
        scopes = {}
        for name in ("plain", "user", "header", "py_asks", "py_header", "py_plain"):
            # The second time its statement is prepared already.
            for _ in range(2):
                read = server.request("resources/read", {"uri": f"docs://{name}"})["result"]
                assert scopes.setdefault(name, read["cacheScope"]) == read["cacheScope"], name
        assert scopes == {
            "plain": "public",
            "user": "private",
            "header": "private",
            "py_asks": "private",
            "py_header": "private",
            "py_plain": "public",
        }
