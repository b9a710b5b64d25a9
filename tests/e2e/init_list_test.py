"""mxcp init and mxcp list."""

from __future__ import annotations

import json
import signal
import subprocess

import pytest
import yaml
from harness import COMMAND, PATIENCE, Project, environment

FOLDERS = [
    "audit", "data", "drift", "evals", "plugins", "prompts", "python", "resources", "sql", "tools",
]  # fmt: skip


def test_init_makes_a_project(nowhere: Project) -> None:
    nowhere.run("init", "made").ok()
    made = nowhere.folder / "made"
    assert yaml.safe_load((made / "mxcp-site.yml").read_text()) == {
        "mxcp": 1,
        "project": "made",
        "profile": "default",
    }
    assert sorted(path.name for path in made.iterdir() if path.is_dir()) == FOLDERS
    assert nowhere.run("list", "--json-output", cwd="made").result["endpoints"] == []
    nowhere.run("validate", cwd="made").ok()
    nowhere.run("test", cwd="made").ok()


def test_init_here(nowhere: Project) -> None:
    nowhere.run("init").ok()
    assert (nowhere.folder / "mxcp-site.yml").exists()
    assert yaml.safe_load((nowhere.folder / "mxcp-site.yml").read_text())["project"] == "nowhere"


def test_init_bootstrap_gives_a_tool_that_runs(nowhere: Project) -> None:
    ran = nowhere.run("init", "made", "--bootstrap").ok()
    assert "mxcp run tool hello_world" in ran.stdout  # the next steps
    hello = nowhere.run(
        "run", "tool", "hello_world", "--param", "name=Ada", "--json-output", cwd="made"
    )
    assert "Ada" in hello.result
    nowhere.run("validate", cwd="made").ok()


def test_init_names(nowhere: Project) -> None:
    nowhere.run("init", "made", "--project", "shop", "--profile", "dev").ok()
    site = yaml.safe_load((nowhere.folder / "made" / "mxcp-site.yml").read_text())
    assert (site["project"], site["profile"]) == ("shop", "dev")


def test_init_refuses_to_nest_or_overwrite(project: Project) -> None:
    for folder in (".", "inside", "tools/deep"):
        ran = project.run("init", folder)
        assert ran.code == 1 and "mxcp-site.yml" in ran.stderr
    assert (project.folder / "mxcp-site.yml").read_text() == Project.SITE
    assert not (project.folder / "inside").exists()


def test_init_refuses_a_folder_with_a_database(nowhere: Project) -> None:
    nowhere.write({"made/db-default.duckdb": "x"})
    ran = nowhere.run("init", "made")
    assert ran.code == 1 and "db-default.duckdb" in ran.stderr
    assert not (nowhere.folder / "made" / "mxcp-site.yml").exists()


def test_init_offers_a_configuration_for_claude_desktop(nowhere: Project) -> None:
    nowhere.run("init", "yes", input="y\n").ok()
    server = json.loads((nowhere.folder / "yes" / "server_config.json").read_text())
    [(name, entry)] = server["mcpServers"].items()
    assert name == "yes"
    assert entry["args"][-3:] == ["serve", "--transport", "stdio"]
    nowhere.run("init", "no", input="n\n").ok()
    assert not (nowhere.folder / "no" / "server_config.json").exists()


def test_init_asks_before_it_takes_over_settings_of_the_user(nowhere: Project) -> None:
    config = nowhere.home / ".mxcp/config.yml"
    config.parent.mkdir()
    config.write_text("mxcp: 1\nprojects: {shop: {profiles: {}}}\n")
    for answer, words in [(None, "nobody said"), ("", "nobody said"), ("n\n", "nothing was created")]:
        ran = nowhere.run("init", "shop", input=answer)
        assert ran.code == 1, ran
        assert "already has settings in" in ran.stderr and words in ran.stderr
        assert "--project" in ran.stderr
        assert not (nowhere.folder / "shop").exists()
    nowhere.run("init", "shop", input="y\n").ok()
    assert (nowhere.folder / "shop/mxcp-site.yml").exists()
    nowhere.run("init", "other").ok()


@pytest.mark.parametrize("how", ["flag", "environment"])
def test_init_refuses_a_profile_that_is_no_name(nowhere: Project, how: str) -> None:
    flags = ["--profile", "../x"] if how == "flag" else []
    ran = nowhere.run("init", "made", *flags, env={} if flags else {"MXCP_PROFILE": "../x"})
    assert ran.code == 1 and "the profile name '../x' cannot contain '/'" in ran.stderr
    assert not (nowhere.folder / "made").exists()


# --- list --------------------------------------------------------------------------------------


def test_list_as_json(project: Project) -> None:
    project.sql_tool("b", "SELECT 1").sql_tool("a", "SELECT 1")
    project.write(
        {
            "resources/r.yml": "resource: {uri: 'users://{id}', parameters: [{name: id, type: string}],"
            " source: {code: SELECT $id AS id}}\n",
            "prompts/p.yml": "prompt: {name: p, messages: [{prompt: hi}]}\n",
        }
    )
    result = project.run("list", "--json-output").result
    assert result["status"] == "ok"
    assert [(e["kind"], e["name"]) for e in result["endpoints"]] == [
        ("prompt", "p"),
        ("resource", "users://{id}"),
        ("tool", "a"),
        ("tool", "b"),
    ]
    for endpoint in result["endpoints"]:
        assert endpoint["path"].startswith(str(project.folder)) and not endpoint["error"]


def test_list_shows_broken_files_and_hides_disabled_ones(project: Project) -> None:
    project.sql_tool("fine", "SELECT 1")
    project.sql_tool("hidden", "SELECT 1", "enabled: false")
    project.write({"tools/broken.yml": "tool:\n  name: broken\n  source: {cod: SELECT 1}\n"})
    ran = project.run("list", "--json-output")
    result = ran.result
    assert result["status"] == "error"
    by_name = {endpoint["name"]: endpoint for endpoint in result["endpoints"]}
    assert sorted(by_name) == ["broken", "fine"]
    assert "tools/broken.yml:3:12" in by_name["broken"]["error"]
    text = project.run("list").ok().stdout
    assert "tools/broken.yml:3:12" in text and "fine" in text and "hidden" not in text
    assert text.index("broken") < text.index("fine")


def test_list_of_nothing(project: Project) -> None:
    assert project.run("list").ok().stdout.strip() != ""

def test_init_left_at_its_question_made_nothing(nowhere: Project) -> None:
    command = subprocess.Popen(
        [*COMMAND, "init", "made"],
        cwd=nowhere.folder,
        env=environment(nowhere.home),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert command.stderr is not None
    asked = ""
    while "[y/N]" not in asked:
        letter = command.stderr.read(1)
        assert letter, asked
        asked += letter
    command.send_signal(signal.SIGINT)
    _, said = command.communicate(timeout=PATIENCE)
    assert (command.returncode, said.strip()) == (1, "Cancelled.")
    assert not (nowhere.folder / "made").exists()
    nowhere.run("init", "made").ok()
