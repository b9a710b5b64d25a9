"""mxcp validate and mxcp test; what an endpoint file may say."""

from __future__ import annotations

import re

import pytest
from harness import Project


def report(project: Project, *args: str) -> dict:
    """path -> entry of `mxcp validate --json-output`, whatever its exit status."""
    ran = project.run("validate", *args, "--json-output")
    envelope = ran.envelope()
    assert envelope["status"] == "ok", ran  # the command itself ran
    result = envelope["result"]
    assert ran.code == (0 if result["status"] == "ok" else 1), ran
    return {entry["path"]: entry for entry in result["validated"]}


def test_every_key_of_a_tool(project: Project) -> None:
    project.query("CREATE TABLE t AS SELECT 1 AS id")
    project.write(
        {
            "tools/all.yml": """
            mxcp: 1
            metadata: {owner: me, numbers: [1, 2.5, null, true]}
            tool:
              name: everything
              description: All keys at once
              tags: [one, two]
              annotations:
                title: Everything
                readOnlyHint: true
                destructiveHint: false
                idempotentHint: true
                openWorldHint: false
              parameters:
                - name: id
                  type: integer
                  description: An id
                  examples: [1, 2]
                  minimum: 0
                  exclusiveMaximum: 100
                  multipleOf: 1
                - name: word
                  type: string
                  default: abc
                  enum: [abc, defg]
                  minLength: 1
                  maxLength: 10
                  pattern: "^[a-z]+$"
                  sensitive: true
                - name: filter
                  type: object
                  default: null
                  properties:
                    since: {type: string, format: date}
                    tags: {type: array, items: {type: string}, minItems: 0, maxItems: 3, uniqueItems: true}
                  required: [since]
                  additionalProperties: false
              return:
                type: array
                items: {type: object, properties: {id: {type: integer}}}
              language: sql
              source:
                code: SELECT id, $word AS word, $filter AS filter FROM t WHERE id >= $id
              policies:
                input:
                  - {condition: "user.role == 'guest'", action: deny, reason: No guests}
                output:
                  - {condition: "true", action: filter_fields, fields: [id]}
              tests:
                - name: rows
                  description: one row
                  arguments: [{key: id, value: 0}]
                  user_context: {role: admin}
                  result_length: 1
              enabled: true
            """
        }
    )
    assert report(project) == {"tools/all.yml": {"path": "tools/all.yml", "status": "ok"}}


def test_the_version_may_be_text_or_absent(project: Project) -> None:
    for name, head in [("a", 'mxcp: "1"\n'), ("b", ""), ("c", "mxcp: 1\n")]:
        project.write({f"tools/{name}.yml": f"{head}tool: {{name: {name}, source: {{code: SELECT 1}}}}\n"})
    assert {entry["status"] for entry in report(project).values()} == {"ok"}


def test_every_problem_of_every_file_is_reported(project: Project) -> None:
    project.write(
        {
            "tools/a.yml": """
            mxcp: 1
            tool:
              name: a
              descripton: A typing mistake
              parameters:
                - name: user-name
                  type: strng
                - name: limit
                  type: integer
                  minimum: 10
                  maximum: 1
              source:
                code: SELECT 1
                file: ../sql/a.sql
            """,
            "tools/b.yml": "tool: {name: b}\n",
            "tools/c.yml": "tool: {name: c, source: {code: SELECT 1}}\n",
        }
    )
    entries = report(project)
    assert [entry["status"] for entry in entries.values()] == ["error", "error", "ok"]
    message = entries["tools/a.yml"]["message"]
    for place in (
        "tools/a.yml:4:3",
        "tools/a.yml:6:13",
        "tools/a.yml:7:13",
        "tools/a.yml:10:16",
        "tools/a.yml:14:5",
    ):
        assert place in message, message
    assert "did you mean 'description'?" in message and "did you mean 'string'?" in message
    assert "tools/b.yml:1" in entries["tools/b.yml"]["message"]
    assert "source" in entries["tools/b.yml"]["message"]


def test_one_file(project: Project) -> None:
    project.sql_tool("good", "SELECT 1").write({"tools/bad.yml": "tool: {name: bad}\n"})
    for path, code in [("tools/good.yml", 0), ("tools/bad.yml", 1)]:
        ran = project.run("validate", path, "--json-output")
        envelope = ran.envelope()
        assert ran.code == code
        assert envelope["result"]["path"] == path
        assert envelope["result"]["status"] == ("ok" if code == 0 else "error")
    assert project.run("validate", "good.yml", cwd="tools").code == 0
    ran = project.run("validate", "tools/absent.yml")
    assert ran.code == 1 and "absent.yml" in ran.stderr


def test_a_file_that_is_no_endpoint_says_why(project: Project) -> None:
    """In the report of the project with place and code, and when it is asked for by name."""
    project.sql_tool("good", "SELECT 1").write(
        {
            "tools/res.yml": "mxcp: 1\nresource: {uri: 'x://y', source: {code: SELECT 1}}\n",
            "tools/other.yml": "# compose\nservices: {db: duckdb}\n",
            "tools/off.yml": "tool: {name: off, enabled: false, source: {code: SELECT 1}}\n",
            "notes/n.yml": "tool: {name: n, source: {code: SELECT 1}}\n",
            "tools/q.sql": "SELECT 1",
        }
    )
    (project.folder / "tools/gone.yml").symlink_to("../nowhere.yml")
    entries = report(project)
    assert sorted(entries) == [
        "tools/gone.yml",
        "tools/good.yml",
        "tools/other.yml",
        "tools/res.yml",
    ]
    problems = {path: entry["problems"][0] for path, entry in entries.items() if "problems" in entry}
    assert {path: (p["code"], p.get("line")) for path, p in problems.items()} == {
        "tools/gone.yml": ("file-unreadable", None),
        "tools/other.yml": ("endpoint-kind", 2),
        "tools/res.yml": ("endpoint-kind", 2),
    }
    assert all(p["severity"] == "warning" for p in problems.values())
    ran = project.run("validate").ok()
    assert ran.stdout.endswith("\n1 endpoint checked: all valid, 3 files skipped\n")
    assert ran.stderr == ""
    github = project.run("validate", "--format", "github").ok().stdout
    assert "::warning file=tools/res.yml,line=2,col=1,title=endpoint-kind::" in github
    for path, why in {
        "tools/res.yml": "this file holds a resource, but the folder is for tools",
        "tools/other.yml": "not an endpoint file",
        "tools/off.yml": "'tools/off.yml' is disabled and not checked",
        "tools/gone.yml": "this link leads to no file",
        "tools/absent.yml": "there is no file 'tools/absent.yml'",
        "tools/q.sql": "give the .yml file of an endpoint",
        "tools": "'tools' is a folder",
        "notes/n.yml": "these are in tools, resources, prompts",
    }.items():
        ran = project.run("validate", path)
        assert ran.code == 1 and why in ran.stderr, (path, ran)


def test_text_output_and_exit_status(project: Project) -> None:
    project.sql_tool("good", "SELECT 1")
    ran = project.run("validate").ok()
    assert "tools/good.yml" in ran.stdout
    project.write({"tools/bad.yml": "tool: {name: bad, source: {cod: SELECT 1}}\n"})
    ran = project.run("validate")
    assert ran.code == 1
    assert "tools/bad.yml:1:28" in ran.stdout + ran.stderr


def test_problems_of_a_file_in_the_order_of_its_lines(project: Project) -> None:
    """Whoever mends them goes through the file from top to bottom."""
    project.write({"tools/t.yml": """
        mxcp: 1
        tool:
          name: t
          source:
            code: SELECT 1 AS a LIMIT $limit
          parameters:
            - {name: limit, type: string}
            - {name: unused, type: integer}
          tests:
            - name: first
              arguments: [{key: limmit, value: 1}]
        """})  # fmt: skip
    expected = [("warning", 5), ("error", 8), ("warning", 10)]
    text = project.run("validate").stdout
    found = re.findall(r"^(error|warn) +tools/t.yml:(\d+):", text, re.MULTILINE)
    assert [("warning" if k == "warn" else k, int(line)) for k, line in found] == expected, text
    annotations = project.run("validate", "--format", "github").stdout
    found = re.findall(r"^::(\w+) file=tools/t.yml,line=(\d+),", annotations, re.MULTILINE)
    assert [(kind, int(line)) for kind, line in found] == expected, annotations
    problems = report(project)["tools/t.yml"]["problems"]
    assert [(p["severity"], p["line"]) for p in problems] == expected


def test_an_empty_project(project: Project) -> None:
    ran = project.run("validate").ok()
    assert "No endpoints" in ran.stdout


def test_duplicate_names_are_flagged_in_every_file(project: Project) -> None:
    for path in ("tools/one.yml", "tools/two.yml", "tools/sub/three.yml"):
        project.write({path: "tool: {name: same, source: {code: SELECT 1}}\n"})
    entries = report(project)
    assert len(entries) == 3
    for path, entry in entries.items():
        assert entry["status"] == "error"
        assert all(other in entry["message"] for other in entries if other != path)


@pytest.mark.parametrize(
    ("source", "ok", "words"),
    [
        ("code: SELECT $a AS a", True, []),
        ("code: SELECT $A AS a", True, []),
        ("code: SELECT 1", False, ["a", "not used"]),
        ("code: SELECT $a AS a, $b AS b", False, ["$b"]),
        ("code: SELEC $a", False, ["SELEC"]),
        ("code: ''", False, ["code"]),
        ("file: ../sql/absent.sql", False, ["absent.sql"]),
        ("file: ../sql/empty.sql", False, ["empty"]),
        ("file: ../sql/two.sql", True, []),
        ("file: /sql/two.sql", True, []),
    ],
)
def test_sql_sources(project: Project, source: str, ok: bool, words: list[str]) -> None:
    project.write(
        {
            "tools/t.yml": "tool:\n  name: t\n  parameters: [{name: a, type: string}]\n"
            f"  source:\n    {source}\n",
            "sql/empty.sql": "-- nothing\n",
            "sql/two.sql": "CREATE TEMP TABLE x AS SELECT $a AS a;\n-- and\nSELECT a FROM x;\n",
        }
    )
    entry = report(project)["tools/t.yml"]
    assert entry["status"] == ("ok" if ok else "error"), entry
    for word in words:
        assert word in entry["message"], entry


def test_positions_inside_sql(project: Project) -> None:
    """A mistake in SQL is shown at its line and column of the user's file, inline or not."""
    project.query("CREATE TABLE users (id INT, name VARCHAR)")
    project.sql_tool("inline", "SELECT id,\n       nam\nFROM users")
    project.write(
        {
            "tools/file.yml": "tool: {name: file, source: {file: ../sql/f.sql}}\n",
            "sql/f.sql": "SELECT id\nFROM users\nWHERE nam = 'x'\n",
        }
    )
    entries = report(project)
    # In the YAML file `SELECT` stands in line 7, column 7.
    assert "tools/inline.yml:8:14" in entries["tools/inline.yml"]["message"]
    assert "sql/f.sql:3:7" in entries["tools/file.yml"]["message"]


def test_a_missing_table_is_not_a_mistake_of_the_sql(project: Project) -> None:
    project.sql_tool("t", "SELECT * FROM to_be_loaded_later")
    entry = report(project)["tools/t.yml"]
    assert "to_be_loaded_later" in entry["message"]
    project.query("CREATE TABLE to_be_loaded_later (i INT)")
    assert report(project)["tools/t.yml"] == {"path": "tools/t.yml", "status": "ok"}


def test_python_sources_are_checked_without_importing(project: Project) -> None:
    project.python_tool("fine", "raise SystemExit('imported')\nasync def fine(a, *, b=1): ...\n",
                        "parameters: [{name: a, type: string}]")  # fmt: skip
    project.python_tool("missing", "def mising():\n    pass\n")
    project.python_tool("syntax", "def syntax():\n    return 1 +\n")
    project.python_tool("takes", "def takes(b):\n    pass\n", "parameters: [{name: a, type: string}]")
    project.write({"tools/nofile.yml": "tool: {name: nofile, language: python, "
                                       "source: {file: ../python/absent.py}}\n"})  # fmt: skip
    entries = report(project)
    assert entries["tools/fine.yml"]["status"] == "ok"
    assert "did you mean 'mising'?" in entries["tools/missing.yml"]["message"]
    assert "python/syntax.py:2" in entries["tools/syntax.yml"]["message"]
    takes = entries["tools/takes.yml"]["message"]
    assert "python/takes.py:1" in takes and "'a'" in takes and "'b'" in takes
    assert "absent.py" in entries["tools/nofile.yml"]["message"]


def test_the_language_follows_from_the_file(project: Project) -> None:
    project.write(
        {
            "tools/p.yml": "tool: {name: p, source: {file: ../python/p.py}}\n",
            "python/p.py": "def p():\n    return 'python'\n",
        }
    )
    assert report(project)["tools/p.yml"]["status"] == "ok"
    assert project.tool("p").result == "python"


def test_a_project_module_that_hides_another(project: Project) -> None:
    project.python_tool("statistics", "def statistics():\n    return 1\n")
    entry = report(project)["tools/statistics.yml"]
    assert "statistics" in entry.get("message", "")


# --- mxcp test ---------------------------------------------------------------------------------


def with_tests(name: str, result: str, *tests: str) -> dict[str, str]:
    lines = "".join(f"    - {test}\n" for test in tests)
    return {
        f"tools/{name}.yml": f"tool:\n  name: {name}\n  language: python\n"
        f"  source: {{file: ../python/{name}.py}}\n  tests:\n{lines}",
        f"python/{name}.py": f"def {name}():\n    return {result}\n",
    }


def outcomes(project: Project, *args: str) -> dict[str, str]:
    ran = project.run("test", *args, "--json-output")
    result = ran.envelope()["result"]
    assert ran.code == (0 if result["status"] == "ok" else 1), ran
    found = {}
    for endpoint in result["endpoints"]:
        for test in endpoint["test_results"]["tests"]:
            assert test["time"] >= 0
            found[test["name"]] = test["status"]
    return found


def test_assertions(project: Project) -> None:
    everything = {
        "zero": ("0", "result: 0", "result: []"),
        "false": ("False", "result: false", "result: 0"),
        "nothing": ("None", "result: null", "result: []"),
        "empty": ("''", "result: ''", "result: null"),
        "number": ("1.0", "result: 1", "result: 2"),
        "deep": ("{'b': [1, {'c': None}], 'a': 'ü'}", "result: {a: ü, b: [1, {c: null}]}",
                 "result: {a: ü, b: [1, {}]}"),
        "contains": ("{'a': 1, 'b': 2}", "result_contains: {a: 1}", "result_contains: {a: 2}"),
        "contains_row": ("[{'a': 1, 'b': 2}, {'a': 3}]", "result_contains: {a: 1}",
                         "result_contains: {a: 1, b: 3}"),
        "contains_scalar": ("[1, 'x']", "result_contains: x", "result_contains: 2"),
        "not_contains": ("{'a': 1}", "result_not_contains: [b, c]", "result_not_contains: [a]"),
        "item": ("[{'a': 1, 'b': 2}]", "result_contains_item: {b: 2}",
                 "result_contains_item: {b: 1}"),
        "all": ("[1, 2, 3]", "result_contains_all: [3, 1]", "result_contains_all: [1, 4]"),
        "length": ("[1, 2]", "result_length: 2", "result_length: 3"),
        "text": ("{'greeting': 'Hi'}", "result_contains_text: '\"greeting\":\"Hi\"'",
                 "result_contains_text: Ho"),
        "text_as_python": ("{'greeting': True}", "result_contains_text: \"'greeting': True\"",
                           "result_contains_text: \"'greeting': False\""),
        "dates": ("__import__('datetime').date(2024, 1, 31)", "result: '2024-01-31'",
                  "result: '2024-02-01'"),
    }  # fmt: skip
    expected = {}
    for name, (result, right, wrong) in everything.items():
        project.write(
            with_tests(
                f"t_{name}",
                result,
                f"{{name: {name}_right, arguments: [], {right}}}",
                f"{{name: {name}_wrong, arguments: [], {wrong}}}",
            )
        )
        expected |= {f"{name}_right": "passed", f"{name}_wrong": "failed"}
    assert outcomes(project) == expected


def test_a_test_without_assertion_passes_when_it_runs(project: Project) -> None:
    project.write(with_tests("fine", "1", "{name: runs, arguments: []}"))
    project.write(with_tests("raises", "1 / 0", "{name: breaks, arguments: []}"))
    assert outcomes(project) == {"runs": "passed", "breaks": "error"}


def test_expected_errors(project: Project) -> None:
    project.write(
        with_tests(
            "raises",
            "1 / 0",
            "{name: expected, arguments: [], error_contains: division by zero}",
            "{name: another, arguments: [], error_contains: overflow}",
        )
    )
    project.write(with_tests("fine", "1", "{name: none, arguments: [], error_contains: any}"))
    assert outcomes(project) == {"expected": "passed", "another": "failed", "none": "failed"}


def test_one_endpoint_and_its_shape(project: Project) -> None:
    project.write(with_tests("a", "1", "{name: one, arguments: [], result: 1}"))
    project.write(with_tests("b", "1", "{name: two, description: no, arguments: [], result: 2}"))
    ran = project.run("test", "tool", "b", "--json-output")
    result = ran.envelope()["result"]
    assert ran.code == 1
    assert (result["status"], result["tests_run"], result["no_tests"]) == ("failed", 1, False)
    [test] = result["tests"]
    assert (test["name"], test["description"], test["status"]) == ("two", "no", "failed")
    assert "2" in test["error"] and "1" in test["error"]
    everything = project.run("test", "--json-output").envelope()["result"]
    assert [(e["endpoint"], e["path"]) for e in everything["endpoints"]] == [
        ("tool/a", "tools/a.yml"),
        ("tool/b", "tools/b.yml"),
    ]
    assert (everything["status"], everything["tests_run"]) == ("failed", 2)
    assert project.run("test", "tool", "nope").code == 1


def test_no_tests_at_all(project: Project) -> None:
    project.sql_tool("t", "SELECT 1")
    ran = project.run("test", "--json-output")
    assert ran.result["tests_run"] == 0


def test_user_context_of_a_test_and_of_the_command(project: Project) -> None:
    project.sql_tool("who", "SELECT get_username() AS name", """
        return: {type: string}
        tests:
          - {name: own, arguments: [], user_context: {username: ada}, result: ada}
          - {name: none, arguments: [], result: null}
        """)  # fmt: skip
    assert outcomes(project) == {"own": "passed", "none": "passed"}
    overridden = outcomes(project, "--user-context", '{"username": "bob"}')
    assert overridden == {"own": "failed", "none": "failed"}


def test_text_report(project: Project) -> None:
    project.write(with_tests("a", "{'k': 1}", "{name: same, arguments: [], result: {k: 1}}"))
    ran = project.run("test").ok()
    assert "tool/a" in ran.stdout and "same" in ran.stdout
    project.write(with_tests("b", "{'k': 1}", "{name: other, arguments: [], result: {k: 2}}"))
    ran = project.run("test")
    assert ran.code == 1
    said = ran.stdout + ran.stderr
    assert "other" in said and '{"k":2}' in said.replace(" ", "") and "tools/b.yml" in said


def test_a_text_is_cast_wherever_duckdb_casts_it(project: Project) -> None:
    """What validate says of a parameter is what happens in a call."""
    project.query(
        "CREATE TABLE t AS SELECT 1 AS id, DATE '2024-01-01' AS d, TIMESTAMP '2024-01-01' AS ts, "
        "TIME '12:00' AS tm, uuid() AS u, INTERVAL 1 DAY AS iv, true AS b, 1.5 AS n, [1] AS l"
    )
    day, number = "2024-01-01", "1"
    fits = [
        ("SELECT id FROM t WHERE d >= $x", day),
        ("SELECT id FROM t WHERE ts < $x", day),
        ("SELECT id FROM t WHERE tm BETWEEN $x AND tm", "11:00"),
        ("SELECT id FROM t WHERE u > $x", "00000000-0000-0000-0000-000000000000"),
        ("SELECT id FROM t WHERE iv <> $x", "2 days"),
        ("SELECT id FROM t WHERE b >= $x", "true"),
        ("SELECT id FROM t WHERE n > $x", number),
        ("SELECT id FROM t WHERE $x IS NULL OR d >= $x", day),
        ("SELECT greatest(d, $x) AS v FROM t", day),
        ("SELECT coalesce($x, d) AS v FROM t", day),
        ("SELECT CASE WHEN b THEN $x ELSE d END AS v FROM t", day),
        ("SELECT date_diff('day', d, $x) AS v FROM t", day),
        ("SELECT age(ts, $x) AS v FROM t", day),
        ("SELECT ts + $x AS v FROM t", "1 day"),
        ("SELECT id % $x AS v, id * $x AS w FROM t", number),
        ("SELECT list_contains(l, $x) AS v FROM t", number),
        ("SELECT bar($x, 0, 10) AS v", number),
    ]
    for i, (sql, _) in enumerate(fits):
        project.sql_tool(f"fits_{i:02}", sql, "parameters: [{name: x, type: string}]")
    never = [
        ("SELECT id FROM t WHERE d >= $x", "type: integer", 1),
        ("SELECT CAST($x AS DATE) AS v", "type: integer", 1),
        ("UPDATE t SET d = $x", "type: boolean", True),
        ("SELECT id FROM t WHERE id = $x", "type: array, items: {type: integer}", [1]),
        ("SELECT l[$x] AS v FROM t", "type: number", 1),
        ("SELECT substr('abc', $x) AS v", "type: number", 1),
        ("SELECT id FROM t WHERE d = $x", "type: string, format: time", "12:00"),
    ]
    for i, (sql, declared, _) in enumerate(never):
        project.sql_tool(f"never_{i:02}", sql, f"parameters: [{{name: x, {declared}}}]")
    entries = report(project)
    for i, (sql, value) in enumerate(fits):
        assert entries[f"tools/fits_{i:02}.yml"]["status"] == "ok", (sql, entries)
        assert project.tool(f"fits_{i:02}", x=value).code == 0, sql
    for i, (sql, _, value) in enumerate(never):
        problems = entries[f"tools/never_{i:02}.yml"].get("problems", [])
        assert [p["code"] for p in problems] == ["sql-parameter-type"], (sql, problems)
        assert problems[0]["severity"] == "error", problems
        assert project.tool(f"never_{i:02}", x=value).code == 1, sql
