"""mxcp run and mxcp query: parameters, output, exit codes."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess

import pytest
from harness import COMMAND, PATIENCE, Project, environment

ECHO = """
parameters:
  - {name: s, type: string, default: null}
  - {name: b, type: boolean, default: null}
  - {name: o, type: object, default: null}
  - {name: a, type: array, items: {type: integer}, default: null}
"""


@pytest.fixture
def echo(project: Project) -> Project:
    return project.python_tool("echo", "def echo(s, b, o, a):\n    return [s, b, o, a]\n", ECHO)


def test_values_of_params(echo: Project) -> None:
    assert echo.tool("echo", s="a=b=c").result == ["a=b=c", None, None, None]
    assert echo.tool("echo", s="").result == ["", None, None, None]
    assert echo.tool("echo", s="12").result == ["12", None, None, None]
    assert echo.tool("echo", b="TRUE", a="[1, 2]", o='{"k": [1.5, null]}').result == [
        None, True, {"k": [1.5, None]}, [1, 2],
    ]  # fmt: skip


def test_the_last_of_equal_params_counts(echo: Project) -> None:
    ran = echo.run("run", "tool", "echo", "-p", "s=1", "--param", "s=2", "--json-output")
    assert ran.result[0] == "2"


def test_a_param_from_a_json_file(echo: Project) -> None:
    echo.write({"in.json": '{"deep": {"er": [1, 2, "ü"]}}', "bad.json": '{"a": 1,,}'})
    assert echo.tool("echo", o="@in.json").result[2] == {"deep": {"er": [1, 2, "ü"]}}
    assert echo.tool("echo", s="@@home").result[0] == "@home"
    for value, word in [("@absent.json", "absent.json"), ("@bad.json", "bad.json:1:9")]:
        ran = echo.tool("echo", o=value)
        assert ran.code == 2 and word in ran.stderr


@pytest.mark.parametrize(
    "args",
    [
        ["tool", "echo", "--param", "foo"],
        ["tool", "echo", "--param", "=x"],
        ["tool"],
        ["toool", "echo"],
        ["tool", "echo", "--nope"],
        ["tool", "echo", "--user-context", "{"],
        ["tool", "echo", "--user-context", "[1]"],
        ["tool", "echo", "--request-headers", "@absent.json"],
    ],
)
def test_usage_errors_exit_2(echo: Project, args: list[str]) -> None:
    ran = echo.run("run", *args)
    assert ran.code == 2, ran
    assert ran.stdout == "" and "mxcp run" in ran.stderr, ran
    told = echo.run("run", *args, "--json-output")
    assert told.code == 2 and "mxcp run" in told.stderr, told
    envelope = told.envelope()
    assert envelope["status"] == "error" and envelope["error"].partition(" (")[0] in ran.stderr


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["s=1"], "--param s=1"),
        (["--s", "1"], "--param s=VALUE"),
        (["--s=1"], "--param s=1"),
        (["1"], "--param NAME=VALUE"),
        (["--profle", "x"], "did you mean '--profile'"),
    ],
)
def test_parameters_given_like_options(echo: Project, given: list[str], meant: str) -> None:
    ran = echo.run("run", "tool", "echo", *given)
    assert ran.code == 2 and meant in ran.stderr, ran


def test_unknown_endpoints(echo: Project) -> None:
    error = echo.tool("ecko").error
    assert "ecko" in error and "did you mean 'echo'?" in error
    text = echo.run("run", "tool", "ecko")
    assert text.code == 1 and text.stdout == "" and "did you mean 'echo'?" in text.stderr
    assert "not found" in echo.run("run", "prompt", "echo", "--json-output").error


def test_a_broken_endpoint_says_why(project: Project) -> None:
    project.write({"tools/broken.yml": "tool:\n  name: broken\n  source: {cod: SELECT 1}\n"})
    assert "tools/broken.yml:3:12" in project.tool("broken").error


def test_missing_and_unknown_params_are_reported_together(project: Project) -> None:
    project.sql_tool(
        "t",
        "SELECT $x AS x, $why AS y",
        "parameters: [{name: x, type: integer}, {name: why, type: string}]",
    )
    error = project.tool("t", wy="1").error
    assert "x" in error and "why" in error and "did you mean 'why'?" in error
    assert "missing" in error


def test_output_validation_can_be_skipped(project: Project) -> None:
    project.python_tool("wrong", "def wrong():\n    return 'text'\n", "return: {type: integer}")
    error = project.tool("wrong").error
    assert "integer" in error and "text" in error
    assert project.tool("wrong", "--skip-output-validation").result == "text"


def test_user_context_and_headers_reach_sql(project: Project) -> None:
    project.sql_tool(
        "who",
        "SELECT get_username() AS name, get_user_email() AS email, get_user_provider() AS provider, "
        "get_request_header('x-Trace') AS trace, get_request_header('absent') AS absent",
        "return: {type: object}",
    )
    anonymous = project.tool("who").result
    assert anonymous == {key: None for key in ("name", "email", "provider", "trace", "absent")}
    user = json.dumps({"username": "ada", "email": "ada@example.com", "role": "admin"})
    project.write({"user.json": user})
    for context in (user, "@user.json"):
        ran = project.tool("who", "--user-context", context, "--request-headers", '{"X-TRACE": "7"}')
        assert ran.result == {
            "name": "ada",
            "email": "ada@example.com",
            "provider": "cli",
            "trace": "7",
            "absent": None,
        }


def test_resources_and_prompts_run(project: Project) -> None:
    project.write(
        {
            "resources/user.yml": """
            resource:
              uri: users://{id}
              parameters: [{name: id, type: integer}]
              return: {type: object}
              source: {code: "SELECT $id AS id, 'user ' || $id AS name"}
            """,
            "prompts/topic.yml": """
            prompt:
              name: topic
              parameters: [{name: topic, type: string}]
              messages:
                - {role: user, prompt: "Tell me about {{ topic | upper }}."}
                - {role: assistant, type: text, prompt: "{% if topic %}Sure.{% endif %}"}
            """,
        }
    )
    ran = project.run("run", "resource", "users://{id}", "--param", "id=7", "--json-output")
    assert ran.result == {"id": 7, "name": "user 7"}
    ran = project.run("run", "prompt", "topic", "--param", "topic=ducks", "--json-output")
    assert ran.result == [
        {"prompt": "Tell me about DUCKS.", "role": "user", "type": None},
        {"prompt": "Sure.", "role": "assistant", "type": "text"},
    ]


# --- text output -------------------------------------------------------------------------------


def lines_of(project: Project, name: str) -> list[str]:
    return project.run("run", "tool", name).ok().stdout.splitlines()


def test_a_list_of_rows_is_a_table(project: Project) -> None:
    project.sql_tool(
        "rows",
        "SELECT i AS number, 'word ' || i AS word FROM range(3) t(i) ORDER BY i",
    )
    text = "\n".join(lines_of(project, "rows"))
    header = next(line for line in text.splitlines() if "number" in line)
    assert "word" in header
    assert all(f"word {i}" in text for i in range(3))


def test_a_long_table_says_what_is_left_out(project: Project) -> None:
    project.sql_tool("rows", "SELECT i AS n, repeat('x', 300) AS wide FROM range(250) t(i)")
    text = "\n".join(lines_of(project, "rows"))
    assert "150 more" in text
    assert max(len(line) for line in text.splitlines()) < 300


def test_other_results_as_text(project: Project) -> None:
    cases = {
        "one": ("return 'two words'", "two words"),
        "number": ("return 12.50", "12.5"),
        "nothing": ("return None", "null"),
        "empty": ("return []", "[]"),
        "scalars": ("return ['a', 'b']", "b"),
        "map": ("return {'a': {'b': [1, 2]}}", '"b": [1, 2]'),
        "mixed": ("return [1, {'a': 2}]", '"a": 2'),
    }
    for name, (code, expected) in cases.items():
        project.python_tool(name, f"def {name}():\n    {code}\n")
        text = " ".join(" ".join(lines_of(project, name)).split())
        assert " ".join(expected.split()) in text or expected.replace("[1, 2]", "[ 1, 2 ]") in text, name


def test_prints_of_user_code_are_not_the_result(project: Project) -> None:
    project.python_tool(
        "noisy",
        """
        import os, subprocess, sys

        def noisy():
            print("from print")
            os.write(1, b"from a descriptor\\n")
            subprocess.run(["echo", "from a child"])
            sys.__stdout__.write("from __stdout__\\n")
            return 1
        """,
    )
    ran = project.tool("noisy")
    assert ran.result == 1
    for said in ("from print", "from a descriptor", "from a child", "from __stdout__"):
        assert said in ran.stderr


# --- query -------------------------------------------------------------------------------------


def test_a_function_that_does_not_stop_is_left_behind(project: Project) -> None:
    project.python_tool("stuck", "import time\n\ndef stuck():\n    print('it runs', flush=True)\n    time.sleep(600)\n")
    with subprocess.Popen(
        [*COMMAND, "run", "tool", "stuck"],
        cwd=project.folder,
        env=environment(project.home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout and process.stderr
        assert process.stdout.readline() == "it runs\n"
        process.send_signal(signal.SIGINT)
        assert "Ctrl-C again leaves at once" in process.stderr.readline()
        assert "Cancelled." in process.communicate(timeout=PATIENCE)[1]
        assert process.returncode == 1


def test_query_rows_as_json(project: Project) -> None:
    assert project.query("SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, NULL ORDER BY a") == [
        {"a": 1, "b": "x"},
        {"a": 2, "b": None},
    ]
    assert project.query("SELECT 1 AS a WHERE false") == []


def test_query_of_a_file_with_several_statements(project: Project) -> None:
    project.write(
        {
            "setup.sql": """
            -- äöü
            CREATE TABLE t (i INT, s VARCHAR);
            INSERT INTO t VALUES (1, 'a;b'), (2, '--');
            SELECT * FROM t ORDER BY i;
            """
        }
    )
    ran = project.run("query", "--file", "setup.sql", "--json-output")
    assert ran.result == [{"i": 1, "s": "a;b"}, {"i": 2, "s": "--"}]
    assert project.query("SELECT count(*) AS n FROM t") == [{"n": 2}]


def test_query_params_bind_to_the_statements_that_use_them(project: Project) -> None:
    ran = project.run(
        "query",
        "CREATE TABLE t AS SELECT $a AS a; INSERT INTO t SELECT $b; SELECT a FROM t ORDER BY a",
        "--param", "a=first", "--param", "b=second", "--json-output",
    )  # fmt: skip
    assert ran.result == [{"a": "first"}, {"a": "second"}]
    project.write({"list.json": "[1, 2, 3]"})
    ran = project.run(
        "query", "SELECT unnest($x) AS x", "--param", "x=@list.json", "--json-output"
    )
    assert ran.result == [{"x": 1}, {"x": 2}, {"x": 3}]


def test_query_params_that_do_not_fit(project: Project) -> None:
    ran = project.run("query", "SELECT $name AS n", "--param", "nmae=x", "--json-output")
    assert "name" in ran.error
    ran = project.run("query", "SELECT $name AS n", "--json-output")
    assert "name" in ran.error


def test_query_wants_one_of_text_and_file(project: Project) -> None:
    project.write({"q.sql": "SELECT 1"})
    for args in ([], ["SELECT 1", "--file", "q.sql"]):
        ran = project.run("query", *args)
        assert ran.code == 2 and "--file" in ran.stderr
    ran = project.run("query", "--file", "absent.sql")
    assert ran.code in (1, 2) and "absent.sql" in ran.stderr


def test_query_errors_point_into_the_statement(project: Project) -> None:
    error = project.run("query", "SELECT *\nFROM nowhere", "--json-output").error
    assert "nowhere" in error
    error = project.run("query", "SELEC 1", "--json-output").error
    assert "SELEC" in error
    text = project.run("query", "SELEC 1")
    assert text.code == 1 and text.stdout == "" and "SELEC" in text.stderr


def test_query_as_table(project: Project) -> None:
    text = project.run("query", "SELECT 42 AS answer, 'ü' AS letter").ok().stdout
    assert "answer" in text and "42" in text and "ü" in text


def test_changes_report_their_count(project: Project) -> None:
    assert project.query("CREATE TABLE t (i INT)") in ([], [{"Count": 0}])
    assert project.query("INSERT INTO t VALUES (1), (2), (3)") == [{"Count": 3}]
    assert project.query("DELETE FROM t WHERE i > 1") == [{"Count": 2}]


def test_what_is_printed_nowhere_does_not_land_in_the_database(echo: Project) -> None:
    echo.query("CREATE TABLE t AS SELECT 42 AS n")
    for sql in ["SELECT nothing FROM t", "SELECT n FROM t"]:
        line = f"{shlex.join(COMMAND)} query '{sql}' <&- >&- 2>&-"
        subprocess.run(line, shell=True, cwd=echo.folder, env=environment(echo.home, echo.env))
        assert echo.query("SELECT n FROM t") == [{"n": 42}]
