"""Finding a project; the site file, the user file, profiles."""

from __future__ import annotations

import json

import pytest
from harness import Project

HELLO = "SELECT 'hello' AS greeting"


def names(project: Project, *args: str, **options) -> list[str]:
    listed = project.run("list", "--json-output", *args, **options).result
    return [endpoint["name"] for endpoint in listed["endpoints"]]


def test_the_root_is_found_from_a_subfolder(project: Project) -> None:
    project.sql_tool("hello", HELLO, "return: {type: string}")
    deep = project.folder / "tools" / "a" / "b"
    deep.mkdir(parents=True)
    assert names(project, cwd="tools") == ["hello"]
    assert project.run("run", "tool", "hello", "--json-output", cwd=deep).result == "hello"
    assert project.run("query", "SELECT 1 AS n", "--json-output", cwd=deep).result == [{"n": 1}]
    # Everything is relative to the root, not to where the command was started.
    assert project.database.exists() and not (deep / "data").exists()


@pytest.mark.parametrize(
    "command",
    [["list"], ["validate"], ["test"], ["query", "SELECT 1"], ["run", "tool", "x"],
     ["serve", "--transport", "stdio"]],
)  # fmt: skip
def test_outside_a_project(nowhere: Project, command: list[str]) -> None:
    ran = nowhere.run(*command)
    assert ran.code == 1
    assert "mxcp-site.yml" in ran.stderr and "mxcp init" in ran.stderr
    assert ran.stdout == ""


def test_outside_a_project_as_json(nowhere: Project) -> None:
    assert "mxcp-site.yml" in nowhere.run("list", "--json-output").error


def test_files_that_sql_reads_are_found_from_a_subfolder(project: Project) -> None:
    project.write({"data/x.csv": "a,b\n1,2\n", "tools/deep/here.txt": ""})
    project.sql_tool("rows", "SELECT * FROM read_csv('data/x.csv')")
    for cwd in (".", "tools/deep"):
        project.run("validate", cwd=cwd).ok()
        ran = project.run("run", "tool", "rows", "--json-output", cwd=cwd)
        assert ran.result == [{"a": 1, "b": 2}]
        assert project.run("query", "FROM 'data/*.csv'", "--json-output", cwd=cwd).result
    # What is written goes where the command runs.
    project.run("query", "COPY (SELECT 1 AS a) TO 'out.csv'", cwd="tools/deep").ok()
    assert (project.folder / "tools/deep/out.csv").exists()
    project.sql_tool("rows", "SELECT * FROM read_csv('data/not.csv')")
    assert "relative paths start at the project's root" in project.run("validate").stdout


def test_other_folder_names(project: Project) -> None:
    project.write(
        {
            "mxcp-site.yml": Project.SITE + "paths:\n  tools: werkzeuge\n  python: src/py\n  data: db\n",
            "werkzeuge/a.yml": "tool:\n  name: a\n  language: python\n"
            "  source: {file: /src/py/work.py}\n",
            "src/py/work.py": "from helper import answer\n\ndef a():\n    return answer\n",
            "src/py/helper.py": "answer = 42\n",
            "tools/ignored.yml": "tool: {name: ignored, source: {code: SELECT 1}}\n",
        }
    )
    assert names(project) == ["a"]
    assert project.tool("a").result == 42
    project.query("CREATE TABLE t (i INT)")
    assert (project.folder / "db" / "db-default.duckdb").exists()


def test_yaml_files_of_both_endings_in_nested_folders(project: Project) -> None:
    for path in ("tools/a.yml", "tools/b.yaml", "tools/deep/er/c.yml", "tools/deep/d.yaml"):
        name = path[-5 if path.endswith(".yml") else -6]
        project.write({path: f"tool:\n  name: {name}\n  source: {{code: SELECT 1}}\n"})
    project.write({"tools/notes.txt": "tool: {name: no}", "tools/e.yml.bak": "tool: {name: no}"})
    assert sorted(names(project)) == ["a", "b", "c", "d"]


def test_unknown_keys_of_the_site_file(project: Project) -> None:
    project.write(
        {
            "mxcp-site.yml": "mxcp: 1\nproject: p\nprofile: default\nfoo: 1\n"
            "profiles:\n  default:\n    duckdb:\n      redonly: true\n"
        }
    )
    ran = project.run("list")
    assert ran.code == 1
    # Every problem, each with its place and the nearest name.
    assert "mxcp-site.yml:4:1" in ran.stderr and "foo" in ran.stderr
    assert "mxcp-site.yml:8:7" in ran.stderr and "did you mean 'readonly'?" in ran.stderr


@pytest.mark.parametrize(
    ("site", "place", "words"),
    [
        ('mxcp: "1"\nproject: p\nprofile: d\n', "mxcp-site.yml:1:7", ["integer 1"]),
        ("mxcp: 2\nproject: p\nprofile: d\n", "mxcp-site.yml:1:7", ["2"]),
        ("mxcp: 1\nprofile: d\n", "mxcp-site.yml:1:1", ["project"]),
        ("mxcp: 1\nproject: [p]\nprofile: d\n", "mxcp-site.yml:2:10", ["list", "string"]),
        ("mxcp: 1\nproject: p\n profile: d\n", "mxcp-site.yml:3", []),
        ("mxcp: 1\nproject: p\nprofile: d\nproject: q\n", "mxcp-site.yml:4:1", ["project"]),
        ("", "mxcp-site.yml", ["empty"]),
        (
            "mxcp: 1\nproject: p\nprofile: d\nextensions: [{name: x, repo: mine}]\n",
            "mxcp-site.yml:4:30",
            ["mine", "community", "core_nightly"],
        ),
        (
            "mxcp: 1\nproject: p\nprofile: d\nprofiles: {d: {duckdb: {path: ':memory:'}}}\n",
            "mxcp-site.yml:4:31",
            [":memory:"],
        ),
    ],
)
def test_mistakes_in_the_site_file(project: Project, site: str, place: str, words: list[str]) -> None:
    project.write({"mxcp-site.yml": site})
    ran = project.run("list")
    assert ran.code == 1, ran
    assert place in ran.stderr, ran
    assert all(word in ran.stderr for word in words), ran


def test_the_default_database(project: Project) -> None:
    assert not project.database.exists()
    assert project.query("SELECT 1 AS one") == [{"one": 1}]
    assert project.database.exists()


def test_database_path_from_file_and_environment(project: Project) -> None:
    project.write(
        {
            "mxcp-site.yml": Project.SITE
            + "profiles:\n  default:\n    duckdb:\n      path: ${WHERE}/my.duckdb\n"
        }
    )
    project.env["WHERE"] = "stored/here"
    project.run("query", "CREATE TABLE t (i INT)", cwd=".").ok()
    assert (project.folder / "stored/here/my.duckdb").exists()
    other = project.home / "other.duckdb"
    project.env["MXCP_DUCKDB_PATH"] = str(other)
    project.query("CREATE TABLE u (i INT)")
    assert other.exists()
    del project.env["WHERE"], project.env["MXCP_DUCKDB_PATH"]
    ran = project.run("list")
    assert ran.code == 1 and "WHERE" in ran.stderr and "mxcp-site.yml:7:13" in ran.stderr


def test_profile_from_flag_environment_and_file(project: Project) -> None:
    def used(*flags: str) -> str:
        project.run("query", "SELECT 1", *flags).ok()
        made = sorted(path.name for path in (project.folder / "data").glob("*.duckdb"))
        for path in (project.folder / "data").iterdir():
            path.unlink()
        return " ".join(made)

    assert used() == "db-default.duckdb"
    project.env["MXCP_PROFILE"] = "staging"
    assert used() == "db-staging.duckdb"
    assert used("--profile", "prod") == "db-prod.duckdb"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../x", "cannot contain '/'"),
        ("a/b", "cannot contain '/'"),
        ("a\\b", "cannot contain '\\'"),
        ("..", "cannot begin with '.'"),
        ("a\nb", "cannot contain control characters"),
        ("x" * 101, "is longer than 100 bytes"),
    ],
)
@pytest.mark.parametrize("how", ["flag", "environment", "file"])
def test_a_profile_that_is_no_name(project: Project, name: str, words: str, how: str) -> None:
    flags = ["--profile", name] if how == "flag" else []
    if how == "file":
        project.write({"mxcp-site.yml": f"mxcp: 1\nproject: test\nprofile: {json.dumps(name)}\n"})
    env = {"MXCP_PROFILE": name} if how == "environment" else {}
    ran = project.run("query", "SELECT 1", *flags, env=env)
    assert ran.code == 1, ran
    place = {"flag": "--profile: ", "environment": "MXCP_PROFILE: ", "file": "mxcp-site.yml:3:10: "}
    assert place[how] + "the profile name '" in ran.stderr and words in ran.stderr
    assert not (project.folder / "data").exists()


@pytest.mark.parametrize("how", ["file", "flag", "environment"])
def test_readonly(project: Project, how: str) -> None:
    project.query("CREATE TABLE t (i INT)")
    flags = ["--readonly"] if how == "flag" else []
    if how == "environment":
        project.env["MXCP_READONLY"] = "true"
    if how == "file":
        text = Project.SITE + "profiles:\n  default:\n    duckdb:\n      readonly: true\n"
        project.write({"mxcp-site.yml": text})
    assert project.query("SELECT count(*) AS n FROM t", *flags) == [{"n": 0}]
    error = project.run("query", "INSERT INTO t VALUES (1)", *flags, "--json-output").error
    assert "read-only" in error and 'statement of type "INSERT"' in error
    said = project.run("query", "INSERT INTO t VALUES (1)", *flags).stderr
    by = {"file": "readonly: true", "flag": "--readonly", "environment": "MXCP_READONLY"}
    assert "the database is read-only because of" in said and by[how] in said


def test_readonly_without_a_database(project: Project) -> None:
    error = project.run("query", "SELECT 1", "--readonly", "--json-output").error
    assert "db-default.duckdb" in error and "read-only" in error
    assert not project.database.exists()
    said = project.run("query", "SELECT 1", env={"MXCP_READONLY": "1"}).stderr
    assert "create it first, or take away MXCP_READONLY" in said


@pytest.mark.parametrize("word", ["false", "0", "No"])
def test_readonly_switched_off(project: Project, word: str) -> None:
    project.env["MXCP_READONLY"] = word
    project.query("CREATE TABLE t (i INT)")


def test_a_switch_that_says_neither(project: Project) -> None:
    """Who writes this wants no writing; silently writing would be the worst answer."""
    project.env["MXCP_READONLY"] = "ja"
    error = project.run("query", "CREATE TABLE t (i INT)", "--json-output").error
    assert error == "MXCP_READONLY must be true or false, found 'ja'"
    assert not project.database.exists()


# --- the user file -----------------------------------------------------------------------------


SECRET_TOOL = """
from mxcp.runtime import config

def secret():
    return config.get_secret("s")
"""


def user_config(parameters: str, profile: str = "default", more: str = "") -> str:
    return (
        f"mxcp: 1\nprojects:\n  test:\n    profiles:\n      {profile}:\n        secrets:\n"
        f"          - name: s\n            type: custom\n            parameters:\n"
        f"              v: {parameters}\n{more}"
    )


def test_no_user_file_is_needed(project: Project) -> None:
    project.python_tool("secret", SECRET_TOOL)
    ran = project.tool("secret")
    assert ran.result is None and ran.stderr == ""


def test_the_user_file(project: Project) -> None:
    project.python_tool("secret", SECRET_TOOL)
    project.write({"../home/.mxcp/config.yml": user_config("in-home")})
    assert project.tool("secret").result == {"v": "in-home"}
    project.write({"mine.yml": user_config("named")})
    project.env["MXCP_CONFIG"] = str(project.folder / "mine.yml")
    assert project.tool("secret").result == {"v": "named"}
    project.env["MXCP_CONFIG"] = str(project.folder / "absent.yml")
    assert "absent.yml" in project.tool("secret").error


def test_references(project: Project) -> None:
    project.python_tool("secret", SECRET_TOOL)
    home = "../home/.mxcp/config.yml"
    (project.home / "word.txt").write_text("  from a file \n")
    project.write({home: user_config('"${A}-${B}!"')})
    project.env |= {"A": "one", "B": "two"}
    assert project.tool("secret").result == {"v": "one-two!"}
    project.write({home: user_config(f"file://{project.home}/word.txt")})
    assert project.tool("secret").result == {"v": "from a file"}
    project.write({home: user_config("file:///no/such/file")})
    assert "/no/such/file" in project.tool("secret").error
    project.write({home: user_config("${NOT_SET_ANYWHERE}")})
    error = project.tool("secret").error
    assert "NOT_SET_ANYWHERE" in error and "config.yml:10:18" in error


def test_every_unset_variable_is_named(project: Project) -> None:
    project.python_tool("secret", SECRET_TOOL)
    project.write({"../home/.mxcp/config.yml": user_config('"${ONE}-${TWO}-${ONE}-${THREE}"')})
    assert project.run("run", "tool", "secret", "--json-output", env={"TWO": "2"}).error.endswith(
        "config.yml:10:18: the environment variables 'ONE' and 'THREE' are not set"
        " (set them before starting mxcp)"
    )


def test_an_unset_variable_of_another_profile_does_not_matter(project: Project) -> None:
    project.python_tool("secret", SECRET_TOOL)
    other = (
        "      other:\n        secrets:\n          - {name: s, type: custom, "
        "parameters: {v: '${NOT_SET_ANYWHERE}'}}\n"
    )
    project.write({"../home/.mxcp/config.yml": user_config("fine", more=other)})
    assert project.tool("secret").result == {"v": "fine"}
    assert "NOT_SET_ANYWHERE" in project.tool("secret", "--profile", "other").error


def test_mistakes_in_the_user_file(project: Project) -> None:
    project.write(
        {
            "../home/.mxcp/config.yml": """
            mxcp: 1
            transport:
              provider: carrier-pigeon
            projects:
              test:
                profiles:
                  default:
                    secrets:
                      - {nmae: s, type: custom}
            """
        }
    )
    ran = project.run("list")
    assert ran.code == 1
    assert "config.yml:3:13" in ran.stderr and "carrier-pigeon" in ran.stderr
    assert "config.yml:9:14" in ran.stderr and "did you mean 'name'?" in ran.stderr


def test_an_unknown_type_of_secret_is_for_python_only(project: Project) -> None:
    project.python_tool("secret", SECRET_TOOL)
    project.write({"../home/.mxcp/config.yml": user_config("\"it's quoted\"")})
    assert project.query("SELECT 1 AS n") == [{"n": 1}]
    assert project.tool("secret").result == {"v": "it's quoted"}


def test_settings_and_configurations_in_python(project: Project) -> None:
    project.write(
        {
            "mxcp-site.yml": Project.SITE
            + "extensions: json\nprofiles:\n  default:\n    duckdb: {readonly: false}\n",
            "../home/.mxcp/config.yml": user_config("x"),
        }
    )
    project.python_tool(
        "settings",
        """
        from mxcp.runtime import config

        def settings():
            return {
                "project": config.get_setting("project"),
                "nested": config.get_setting("profiles.default.duckdb.readonly"),
                "absent": config.get_setting("no.such.key"),
                "default": config.get_setting("no.such.key", 7),
                "site": type(config.site_config).__name__,
                "defaults": [
                    config.get_setting("dbt.enabled", "?"),
                    config.get_setting("dbt.model_paths"),
                    config.get_setting("sql_tools.enabled", "?"),
                    config.get_setting("paths.tools"),
                    config.site_config["secrets"],
                    config.get_setting("extensions"),
                ],
                "user": config.user_config["projects"]["test"]["profiles"]["default"]["secrets"],
            }
        """,
    )
    assert project.tool("settings").result == {
        "project": "test",
        "nested": False,
        "absent": None,
        "default": 7,
        "site": "dict",
        "defaults": [True, ["models"], False, "tools", [], ["json"]],
        "user": [{"name": "s", "type": "custom", "parameters": {"v": "x"}}],
    }


def test_version_names_what_is_in_use(nowhere: Project) -> None:
    ran = nowhere.run("--version").ok()
    import sys

    assert ran.stdout.startswith("mxcp ")
    assert "DuckDB " in ran.stdout
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}" in ran.stdout


@pytest.mark.parametrize("command", ["init", "list", "run", "query", "validate", "test", "serve"])
def test_help_teaches_by_example(nowhere: Project, command: str) -> None:
    ran = nowhere.run(command, "--help").ok()
    assert f"mxcp {command}" in ran.stdout and "Examples:" in ran.stdout


def test_no_command_shows_the_help(nowhere: Project) -> None:
    ran = nowhere.run().ok()
    for command in ("init", "list", "run", "query", "validate", "test", "serve"):
        assert command in ran.stdout


def test_unknown_commands_and_options(nowhere: Project) -> None:
    ran = nowhere.run("lits")
    assert ran.code == 2 and "did you mean 'list'?" in ran.stderr
    ran = nowhere.run("list", "--jsonoutput")
    assert ran.code == 2 and "--json-output" in ran.stderr
    assert json.loads  # the envelope is for results; a usage error is text on stderr
    assert ran.stdout == ""
