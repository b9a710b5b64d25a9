"""Plugins whose methods are SQL functions."""

from __future__ import annotations

import json

import pytest
from harness import Project

SITE = Project.SITE + "plugin:\n  - {name: words, module: word_plugin}\n"

PLUGIN = """

from mxcp.plugins import MXCPBasePlugin, udf
from mxcp.runtime import db

calls = []

class MXCPPlugin(MXCPBasePlugin):
    @udf
    def shout(self, text: str) -> str:
        return f"{text.upper()}!"

    @udf
    def who(self) -> str:
        return self.get_username()

    @udf
    def count(self, i: int) -> int:
        calls.append(i)
        return len(calls)

    @udf
    def total(self, n: int) -> int:
        return db.execute("SELECT sum(i)::BIGINT AS s FROM range($n) t(i)", {"n": n})[0]["s"]

    def shutdown(self):
        with open("shutdown.txt", "a") as file:
            file.write("words\\n")
"""


@pytest.fixture
def words(project: Project) -> Project:
    return project.write({"mxcp-site.yml": SITE, "plugins/word_plugin.py": PLUGIN})


def test_query_has_the_functions(words: Project) -> None:
    assert words.query("SELECT shout_words('hey') AS s, total_words(5) AS t") == [
        {"s": "HEY!", "t": 10}
    ]
    assert (words.folder / "shutdown.txt").read_text() == "words\n"


def test_query_works_beside_a_broken_plugin(words: Project) -> None:
    words.write({"plugins/word_plugin.py": "import not_there\n"})
    ran = words.run("query", "SELECT 1 AS one", "--json-output")
    assert ran.result == [{"one": 1}]
    assert "plugin 'words': No module named 'not_there'" in ran.stderr


def test_a_constant_call_is_made_anew_for_every_user_and_every_call(words: Project) -> None:
    words.sql_tool("whoami", "SELECT who_words() AS name")
    words.sql_tool("next", "SELECT count_words(1) AS n")
    for name in ("ada", "bob"):
        ran = words.tool("whoami", "--user-context", json.dumps({"username": name}))
        assert ran.result == [{"name": name}]
    assert words.tool("whoami").result == [{"name": None}]
    with words.serve() as server:
        server.initialize()
        assert [server.value("next")[0]["n"] for _ in range(3)] == [1, 2, 3]


def test_validate_knows_the_functions_and_runs_nothing(words: Project) -> None:
    words.write(
        {
            "plugins/word_plugin.py": PLUGIN.replace(
                "    @udf\n    def shout",
                "    def __init__(self, config):\n        Path('made.txt').touch()\n\n"
                "    @udf\n    def shout",
            ).replace("calls.append(i)", "Path('called.txt').touch()")
        }
    )
    words.sql_tool("good", "SELECT shout_words($t) AS s", "parameters: [{name: t, type: string}]")
    words.sql_tool("constant", "SELECT count_words(1) AS n")
    assert words.run("validate").ok()
    words.sql_tool("bad", "SELECT shoud_words('a') AS s")
    ran = words.run("validate")
    assert ran.code == 1
    assert 'Did you mean "shout_words"?' in ran.stdout
    assert not list(words.folder.glob("*.txt")), "a plugin was made or called"


def test_validate_reports_a_broken_plugin(words: Project) -> None:
    words.write({"plugins/word_plugin.py": PLUGIN.replace("text: str", "text: object")})
    ran = words.run("validate")
    assert ran.code == 1
    assert "plugins/word_plugin.py:8: plugin 'words': @udf shout: " in ran.stdout
    assert "parameter 'text': object is no type of SQL" in ran.stdout
    assert ran.stdout.endswith("\nNo endpoints to validate, 1 error in plugins.\n")
    validated = json.loads(words.run("validate", "--json-output").stdout)["result"]["validated"]
    assert [entry["path"] for entry in validated] == ["plugins/word_plugin.py"]
    problem = validated[0]["problems"][0]
    assert problem["code"] == "plugin-function"
    assert (problem["file"], problem["line"]) == ("plugins/word_plugin.py", 8)


@pytest.mark.stdio
def test_functions_are_new_after_a_reload(words: Project) -> None:
    words.sql_tool("shout", "SELECT shout_words('a') AS s")
    words.python_tool(
        "reload",
        "from mxcp.runtime import reload_duckdb\ndef reload():\n    reload_duckdb()\n    return 1\n",
    )
    with words.serve() as server:
        server.initialize()
        assert server.value("shout") == [{"s": "A!"}]
        for mark in ("?", "+"):
            words.write({"plugins/word_plugin.py": PLUGIN.replace("}!", "}" + mark)})
            server.value("reload")
            # The calls that follow wait for the reload, which waits for the call above.
            server.wait_until(lambda: server.value("shout") != [{"s": "A!"}], "the reload")
            server.wait_until(lambda mark=mark: server.value("shout") == [{"s": "A" + mark}])
    # The server also sees the changed file by itself.
    assert (words.folder / "shutdown.txt").read_text().count("words\n") >= 3


@pytest.mark.stdio
def test_a_python_tool_and_a_hook_use_them(words: Project) -> None:
    words.python_tool(
        "use",
        """
        import asyncio
        from mxcp.runtime import db, on_init

        seen = []

        @on_init
        def start():
            seen.append(db.execute("SELECT shout_words('init') AS s")[0]["s"])

        async def use():
            rows = await asyncio.gather(*(one(i) for i in range(1, 21)))
            return {"seen": seen, "rows": rows}

        async def one(i):
            query = "SELECT total_words($i) AS n FROM range(5000) t(i) LIMIT 1"
            return db.execute(query, {"i": i})[0]["n"]
        """,
    )
    expected = {"seen": ["INIT!"], "rows": [i * (i - 1) // 2 for i in range(1, 21)]}
    assert words.tool("use").result == expected
    with words.serve() as server:
        server.initialize()
        ids = [server.start_call("use") for _ in range(8)]
        for id in ids:
            assert json.loads(server.answer(id)["result"]["content"][0]["text"]) == expected


@pytest.mark.stdio
def test_functions_that_query_do_not_wait_for_each_other(words: Project) -> None:
    """More queries at a time than connections, and each needs a second one."""
    words.sql_tool("deep", "SELECT sum(total_words(i)) AS s FROM range(1, 40) t(i)")
    with words.serve() as server:
        server.initialize()
        ids = [server.start_call("deep") for _ in range(40)]
        for id in ids:
            assert server.answer(id)["result"]["content"][0]["text"] == '[{"s":9880}]'


BROKEN = {
    "def f(self, a) -> int: ...": "parameter 'a' has no type; write a: str",
    "def f(self, a: list) -> int: ...": "parameter 'a': list does not say of what",
    "def f(self, *a: int) -> int: ...": "SQL cannot give *a; name every parameter",
    "def f(self, *, a: int) -> int: ...": "SQL cannot give parameter 'a' by its keyword",
    "def f(self, a: int | str) -> int: ...": "parameter 'a': int | str has several types",
    "def f(self, a: 'Nope') -> int: ...": "a type is not known: name 'Nope' is not defined",
    "def f(self) -> Any: ...": "the result: Any is no type of SQL",
    "def f(self) -> MXCPBasePlugin: ...": "the result: class MXCPBasePlugin has no annotations",
    "async def f(self) -> int: ...": "an async function cannot be called from SQL",
    "def f(self, a: Annotated[Decimal, 'DECIMAL(40)']) -> int: ...": "has up to 38 digits",
}


@pytest.mark.parametrize("method", BROKEN)
def test_what_cannot_be_a_function_is_refused_with_its_place(project: Project, method: str) -> None:
    code = (
        "from decimal import Decimal\nfrom typing import Annotated, Any\n"
        "from mxcp.plugins import MXCPBasePlugin, udf\n"
        f"class MXCPPlugin(MXCPBasePlugin):\n    @udf\n    {method}\n"
    )
    project.write({"mxcp-site.yml": SITE, "plugins/word_plugin.py": code})
    project.python_tool("t", "def t(): return 1\n")
    error = project.tool("t").error
    assert error.startswith("plugins/word_plugin.py:5: plugin 'words': @udf f: ")
    assert BROKEN[method] in error


def test_a_name_that_sql_has_already(project: Project) -> None:
    site = Project.SITE + "plugin:\n  - {name: agg, module: word_plugin}\n"
    code = PLUGIN.replace("def shout", "def array")
    project.write({"mxcp-site.yml": site, "plugins/word_plugin.py": code})
    project.sql_tool("t", "SELECT 1 AS one")
    assert "there is already a SQL function array_agg" in project.tool("t").error


def test_a_name_that_two_plugins_make(project: Project) -> None:
    """shout_a of the plugin b, and shout of a_b."""
    site = Project.SITE + "plugin:\n  - {name: b, module: one}\n  - {name: a_b, module: two}\n"
    code = PLUGIN.replace("def shout", "def shout_a")
    project.write({"mxcp-site.yml": site, "plugins/one.py": code, "plugins/two.py": PLUGIN})
    project.sql_tool("t", "SELECT 1 AS one")
    assert project.tool("t").error == (
        "mxcp-site.yml:6:5: plugin 'a_b': its SQL function shout_a_b is also one of plugin 'b'"
        " (rename the method or the plugin)"
    )


def test_defaults_of_a_method(words: Project) -> None:
    """Too few arguments are an error that shows the forms."""
    words.write(
        {
            "plugins/word_plugin.py": PLUGIN.replace(
                "def shout(self, text: str)", "def shout(self, text: str, times: int = 1)"
            ).replace("text.upper()}!", "text.upper()}{'!' * times}")
        }
    )
    assert words.query("SELECT shout_words('a') AS a, shout_words('b', 3) AS b") == [
        {"a": "A!", "b": "B!!!"}
    ]
    error = words.run("query", "SELECT shout_words()", "--json-output").error
    # How the forms are written depends on the version of DuckDB.
    forms = [line for line in error.splitlines() if line.rstrip().endswith("-> VARCHAR")]
    assert sorted("BIGINT" in form for form in forms) == [False, True]
    error = words.run("query", "SELECT shout_words('a', 1, 2)", "--json-output").error
    assert "No function matches" in error


def test_a_query_cannot_use_its_own_transaction(words: Project) -> None:
    """It would wait for itself."""
    words.write({"plugins/word_plugin.py": PLUGIN.replace("    @udf\n    def who", """    @udf
    def inner(self, i: int) -> str:
        try:
            return str(self.tx.execute("SELECT 1 AS n"))
        except RuntimeError as error:
            return str(error)

    @udf
    def who""")})  # fmt: skip
    words.python_tool(
        "t",
        """
from mxcp.runtime import db, plugins

def t():
    with db.transaction() as tx:
        plugins.get("words").tx = tx
        return tx.execute("SELECT inner_words(1) AS s") + tx.execute("SELECT 2 AS s")
""",
    )
    assert words.tool("t").result == [
        {"s": "the stream or transaction is at work"}, {"s": 2},
    ]  # fmt: skip


def test_missing_values_of_pandas_are_null(words: Project) -> None:
    pytest.importorskip("pandas", reason="pandas has no wheel for this Python")
    words.write({"plugins/word_plugin.py": "import datetime\nimport pandas as pd\n" + PLUGIN.replace(
        "    @udf\n    def who", """    @udf
    def at(self, i: int) -> datetime.datetime:
        return pd.Timestamp("2024-01-31") if i else pd.NaT

    @udf
    def name(self, i: int) -> str:
        return "x" if i else pd.NA

    @udf
    def who""")})  # fmt: skip
    assert words.query("SELECT at_words(i) AS at, name_words(i) AS name FROM range(2) t(i)") == [
        {"at": None, "name": None}, {"at": "2024-01-31T00:00:00", "name": "x"},
    ]  # fmt: skip


def test_without_a_return_type_it_is_only_a_method(words: Project) -> None:
    words.write(
        {"plugins/word_plugin.py": PLUGIN.replace("(self, text: str) -> str", "(self, text)")}
    )
    ran = words.run("query", "SELECT total_words(2) AS t", "--json-output")
    assert ran.result == [{"t": 1}]
    assert "has no return type, and is no SQL function" in ran.stderr


NOISY = """
import os
from mxcp.plugins import MXCPBasePlugin, udf

print("noise of the import", flush=True)

class MXCPPlugin(MXCPBasePlugin):
    def __init__(self, config):
        super().__init__(config)
        print("noise of the plugin", flush=True)

    @udf
    def loud(self, text: str) -> str:
        os.write(1, b"noise of a call")
        return text

    def shutdown(self):
        print("noise of the end", flush=True)
"""


@pytest.mark.parametrize(
    "command",
    [
        ("query", "SELECT loud_words('a') AS s"),
        ("validate",),
        ("validate", "--format", "json"),
        ("run", "tool", "speak"),
        ("test",),
        ("list",),
    ],
    ids=" ".join,
)
def test_stdout_is_the_envelope_alone(words: Project, command: tuple[str, ...]) -> None:
    words.write({"plugins/word_plugin.py": NOISY})
    words.sql_tool("speak", "SELECT loud_words('a') AS s", "tests: [{name: t, arguments: [], result: [{s: a}]}]")
    flags = () if "--format" in command else ("--json-output",)
    ran = words.run(*command, *flags).ok()
    assert json.loads(ran.stdout)["status"] == "ok"


def test_annotations_for_github_are_alone_on_stdout(words: Project) -> None:
    words.write({"plugins/word_plugin.py": NOISY})
    words.sql_tool("wrong", "SELECT nothing_words('a') AS s")
    lines = words.run("validate", "--format", "github").stdout.splitlines()
    assert [line for line in lines if not line.startswith("::")] == []
    assert lines

def test_a_missing_configuration_is_the_only_error(words: Project) -> None:
    words.write({"mxcp-site.yml": SITE.replace("word_plugin}", "word_plugin, config: loud}")})
    words.sql_tool("shout", "SELECT shout_words('a') AS s")
    ran = words.run("validate")
    assert ran.code == 1
    assert "the plugin configuration 'loud' is not in the user configuration" in ran.stdout
    assert "does not exist!" not in ran.stdout
    assert ran.stdout.endswith("\n1 endpoint checked: all valid, 1 error in plugins\n"), ran


def test_functions_that_a_broken_plugin_lacks_are_no_errors_of_the_sql(words: Project) -> None:
    words.sql_tool("shout", "SELECT shout_words('a') AS s")
    words.sql_tool("other", "SELECT shout_other('a') AS s")
    words.write({"plugins/word_plugin.py": "import not_there\n"})
    for command in (("validate",), ("serve", "--port", "0")):
        ran = words.run(*command)
        said = ran.stdout + ran.stderr
        assert ran.code == 1, ran
        assert "No module named 'not_there'" in said and "shout_other" in said
        assert "shout_words" not in said
