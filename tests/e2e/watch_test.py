"""Changed files under a running server: taken up when valid, refused with a report when not."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from harness import PATIENCE, Project, Server, tool_yaml

pytestmark = pytest.mark.stdio


def eventually(value: Callable[[], Any], expected: Any, server: Server) -> None:
    deadline = time.monotonic() + PATIENCE
    while (got := value()) != expected:
        assert time.monotonic() < deadline, f"{got!r} is not {expected!r}\n{server.stderr}"
        time.sleep(0.02)


def list_changes(server: Server) -> int:
    method = "notifications/tools/list_changed"
    return sum(n["method"] == method for n in server.notifications)


def tool_names(server: Server) -> list[str]:
    return [tool["name"] for tool in server.request("tools/list")["result"]["tools"]]


@pytest.fixture
def served(project: Project) -> Project:
    project.sql_tool("one", "SELECT 1 AS n", "return: {type: integer}")
    return project


def test_sql_and_yaml_are_taken_up(served: Project) -> None:
    with served.serve() as server:
        server.initialize()
        assert server.value("one") == 1
        served.sql_tool("one", "SELECT 2 AS n", "return: {type: integer}")
        eventually(lambda: server.value("one"), 2, server)
        assert list_changes(server) == 0  # the list is the same
        served.sql_tool("other", "SELECT 3 AS n", "return: {type: integer}")
        eventually(lambda: tool_names(server), ["one", "other"], server)
        assert server.value("other") == 3
        server.wait_until(lambda: list_changes(server) == 1)
        (served.folder / "tools/other.yml").unlink()
        eventually(lambda: tool_names(server), ["one"], server)
        server.wait_until(lambda: list_changes(server) == 2)


def test_an_sql_file_and_a_new_folder(served: Project) -> None:
    served.write({"sql/deep.sql": "SELECT 1 AS n"})
    yaml = "mxcp: 1\ntool: {name: deep, return: {type: integer}, source: {file: ../sql/deep.sql}}\n"
    served.write({"tools/deep.yml": yaml})
    with served.serve() as server:
        server.initialize()
        assert server.value("deep") == 1
        served.write({"sql/deep.sql": "SELECT 5 AS n"})
        eventually(lambda: server.value("deep"), 5, server)
        served.write({"tools/a/b/more.yml": tool_yaml("more", "sql", "SELECT 7 AS n")})
        eventually(lambda: tool_names(server), ["deep", "more", "one"], server)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("tools/one.yml", "mxcp: 1\ntool:\n  name: one\n  sorce: {}\n", "tools/one.yml:4:3"),
        ("tools/one.yml", "mxcp: 1\ntool: [\n", "never closed"),
        ("tools/one.yml", tool_yaml("one", "sql", "SELEC 1"), "tools/one.yml:7:7"),
        ("tools/one.yml", "name: one\n", "described the tool 'one', and no longer does"),
        ("tools/one.yml", tool_yaml("one", "sql", "SELECT 1").replace("tool:", "resource:"), "tools/one.yml"),
        ("tools/two.yml", tool_yaml("one", "sql", "SELECT 1"), "tools/two.yml"),
        ("mxcp-site.yml", "mxcp: 1\nproject: x\nprofile: default\nnope: 1\n", "mxcp-site.yml:4:1"),
    ],
)
def test_what_is_invalid_is_not_served(served: Project, name: str, text: str, said: str) -> None:
    before = (served.folder / name).read_text() if (served.folder / name).exists() else ""
    with served.serve() as server:
        server.initialize()
        assert server.value("one") == 1
        served.write({name: text})
        assert said in server.wait_for_log("not served until it is mended")
        assert server.value("one") == 1
        assert tool_names(server) == ["one"]
        # Mended, it goes on as if nothing had been.
        if before:
            served.write({name: before})
        else:
            (served.folder / name).unlink()
        served.sql_tool("last", "SELECT 9 AS n")
        eventually(lambda: tool_names(server), ["last", "one"], server)


def test_a_file_that_says_it_is_disabled_ends_its_tool(served: Project) -> None:
    with served.serve() as server:
        server.initialize()
        assert server.value("one") == 1
        served.sql_tool("last", "SELECT 9 AS n")
        served.write({"tools/one.yml": "mxcp: 1\ntool:\n  enabled: false\n"})
        eventually(lambda: tool_names(server), ["last"], server)


def test_a_refused_change_is_no_news(served: Project) -> None:
    served.write({"resources/r.yml": (
        "mxcp: 1\nresource: {uri: 'docs://r', return: {type: string}, source: {code: SELECT 'r'}}\n"
    )})  # fmt: skip
    with served.serve() as server:
        server.initialize()
        assert server.request("resources/subscribe", {"uri": "docs://r"})["result"] == {}
        assert server.value("one") == 1
        served.write({"tools/two.yml": "mxcp: 1\ntool:\n  name: two\n  sorce: {}\n"})
        server.wait_for_log("not served until it is mended")
        served.sql_tool("two", "SELECT 2 AS n")
        server.wait_until(lambda: list_changes(server) == 1)
        # Of the resources it is told after the lists, when something was taken up.
        assert server.notifications[0]["method"] == "notifications/tools/list_changed"


PYTHON = """
from mxcp.runtime import on_init, on_shutdown
import helper

@on_init
def begin():
    helper.events.append("init")

@on_shutdown
def end():
    print("shutdown of", VERSION)

VERSION = 1

def version() -> dict:
    return {"version": VERSION, "helper": helper.VERSION, "events": helper.events}
"""


def test_python_is_taken_up_with_its_hooks(served: Project) -> None:
    served.write({"python/helper.py": "VERSION = 'a'\nevents = []\n"})
    served.write({"python/versions.py": PYTHON})
    yaml = (
        "mxcp: 1\ntool: {name: version, language: python, source: {file: ../python/versions.py}}\n"
    )
    served.write({"tools/version.yml": yaml})
    with served.serve() as server:
        server.initialize()
        assert server.value("version") == {"version": 1, "helper": "a", "events": ["init"]}
        served.write({"python/helper.py": "VERSION = 'b'\nevents = []\n"})
        expected = {"version": 1, "helper": "b", "events": ["init"]}
        eventually(lambda: server.value("version"), expected, server)
        assert server.stderr.count("shutdown of 1") == 1

        # An import that fails leaves the old modules as they were, and their hooks unasked.
        served.write(
            {"python/helper.py": "VERSION = 'c'\nevents = []\nraise ValueError('broken')\n"}
        )
        assert "broken" in server.wait_for_log("not served until it is mended")
        assert server.value("version") == expected
        assert server.stderr.count("shutdown of 1") == 1

        served.write({"python/helper.py": "VERSION = 'd'\nevents = ['fresh']\n"})
        expected = {"version": 1, "helper": "d", "events": ["fresh", "init"]}
        eventually(lambda: server.value("version"), expected, server)
    assert server.stderr.count("shutdown of 1") == 3


def test_a_syntax_error_in_python_is_placed(served: Project) -> None:
    served.python_tool("py", "def py():\n    return 1\n")
    with served.serve() as server:
        server.initialize()
        assert server.value("py") == 1
        served.write({"python/py.py": "def py(:\n    return 2\n"})
        assert "python/py.py:1" in server.wait_for_log("not served until it is mended")
        assert server.value("py") == 1
        served.write({"python/py.py": "def py():\n    return 3\n"})
        eventually(lambda: server.value("py"), 3, server)


def test_running_calls_end_on_the_old_definitions(served: Project) -> None:
    served.python_tool("slow", "import time\ndef slow():\n    time.sleep(1.0)\n    return 'old'\n")
    with served.serve() as server:
        server.initialize()
        assert server.value("one") == 1
        running = server.start_call("slow")
        served.sql_tool("one", "SELECT 2 AS n", "return: {type: integer}")
        eventually(lambda: server.value("one"), 2, server)
        assert not server.answered(running), "the change waited for the running call"
        assert server.answer(running)["result"]["content"][0]["text"] == "old"


def test_changes_under_load_fail_no_call(served: Project) -> None:
    served.python_tool("py", "def py():\n    return 0\n", "return: {type: integer}")
    with served.serve() as server:
        server.initialize()
        assert server.value("py") == 0
        done = threading.Event()

        def edit() -> None:
            for i in range(1, 11):
                served.sql_tool("one", f"SELECT {i} AS n", "return: {type: integer}")
                served.write({"python/py.py": f"def py():\n    return {i}\n"})
                time.sleep(0.1)
            done.set()

        editor = threading.Thread(target=edit)
        editor.start()
        seen: list[int] = []
        while not done.is_set():
            calls = [server.start_call(name) for name in ("one", "py") * 4]
            for call in calls:
                result = server.answer(call)["result"]
                assert result["isError"] is False, result
                seen.append(int(result["content"][0]["text"]))
        editor.join()
        assert set(seen) <= set(range(11))
        eventually(lambda: (server.value("one"), server.value("py")), (10, 10), server)


def test_configuration_is_taken_up(served: Project) -> None:
    user = served.home / ".mxcp/config.yml"
    user.parent.mkdir(parents=True, exist_ok=True)

    def write_user(value: str) -> None:
        user.write_text(
            "mxcp: 1\nprojects:\n  test:\n    profiles:\n      default:\n        secrets:\n"
            f"          - {{name: s, type: custom, parameters: {{v: {value}}}}}\n"
        )

    site = "mxcp: 1\nproject: test\nprofile: default\nsecrets: [s]\n"
    served.write({"mxcp-site.yml": site})
    write_user("first")
    served.python_tool(
        "secret",
        "from mxcp.runtime import config\ndef secret():\n    return config.get_secret('s')['v']\n",
    )
    with served.serve() as server:
        server.initialize()
        assert server.value("secret") == "first"
        write_user("second")
        eventually(lambda: server.value("secret"), "second", server)


def test_no_watch(served: Project) -> None:
    with served.serve("--no-watch") as server:
        server.initialize()
        assert server.value("one") == 1
        served.sql_tool("one", "SELECT 2 AS n", "return: {type: integer}")
        served.sql_tool("other", "SELECT 2 AS n")
        time.sleep(0.5)
        assert server.value("one") == 1
        assert tool_names(server) == ["one"]


BROKEN = [
    ("tools/one.yml", tool_yaml("one", "sql", "SELEC 1"), "tools/one.yml:7:7"),
    ("python/py.py", "def py(:\n    return 2\n", "python/py.py:1"),
    ("python/py.py", "raise ValueError('broken')\ndef py():\n    return 2\n", "broken"),
    ("python/py.py", "def other():\n    return 2\n", "py.py"),
]


@pytest.mark.parametrize(("name", "text", "said"), BROKEN)
@pytest.mark.parametrize("asked_by", ["signal", "function"])
def test_a_whole_reload_serves_nothing_broken(
    served: Project, name: str, text: str, said: str, asked_by: str
) -> None:
    served.python_tool("py", "def py():\n    return 1\n", "return: {type: integer}")
    served.python_tool(
        "again", "from mxcp.runtime import reload_duckdb\ndef again():\n    reload_duckdb()\n"
    )
    before = (served.folder / name).read_text()
    with served.serve("--no-watch") as server:
        server.initialize()
        assert (server.value("one"), server.value("py")) == (1, 1)

        def reload() -> None:
            if asked_by == "signal":
                server.signal(signal.SIGHUP)
            else:
                server.call("again")

        served.write({name: text})
        reload()
        assert said in server.wait_for_log("the old one stays until it is mended")
        assert (server.value("one"), server.value("py")) == (1, 1)
        assert tool_names(server) == ["again", "one", "py"]
        served.write({name: before})
        served.sql_tool("one", "SELECT 5 AS n", "return: {type: integer}")
        reload()
        eventually(lambda: server.value("one"), 5, server)
        assert server.value("py") == 1


def test_old_plugins_and_hooks_work_on_after_a_refused_reload(served: Project) -> None:
    code = (
        "from mxcp.runtime import on_init, on_shutdown\nevents = []\n"
        "@on_init\ndef begin():\n    events.append('init')\n"
        "@on_shutdown\ndef end():\n    events.append('shutdown')\n"
        "def look():\n    return events\n"
    )
    served.python_tool("look", code)
    with served.serve("--no-watch") as server:
        server.initialize()
        assert server.value("look") == ["init"]
        served.write({"python/look.py": "import nothing_like_it\n"})
        server.signal(signal.SIGHUP)
        server.wait_for_log("the old one stays")
        assert server.value("look") == ["init", "shutdown", "init"]


WAITS = (
    "import pathlib, time\n{more}"
    "def waits():\n"
    "    while not pathlib.Path('go').exists():\n        time.sleep(0.02)\n"
    "    return VERSION\nVERSION = 1\n"
)
HOOK = "from mxcp.runtime import on_shutdown\n@on_shutdown\ndef end():\n    pass\n"


def test_changed_python_waits_for_no_call(served: Project) -> None:
    served.python_tool("waits", WAITS.format(more=""))
    served.python_tool("other", "def other():\n    return 1\n")
    with served.serve() as server:
        server.initialize()
        assert (server.value("one"), server.value("other")) == (1, 1)
        running = server.start_call("waits")
        served.write({"python/other.py": "def other():\n    return 2\n"})
        served.write({"python/waits.py": WAITS.format(more="").replace("= 1", "= 2")})
        eventually(lambda: server.value("other"), 2, server)
        assert server.value("one") == 1
        assert not server.answered(running)
        served.write({"go": ""})
        assert server.answer(running)["result"]["content"][0]["text"] == "1"
        assert server.value("waits") == 2


def test_coroutines_end_on_the_loop_they_began_on(served: Project) -> None:
    code = (
        "import asyncio, pathlib\nlock = asyncio.Lock()\nasync def waits():\n"
        "    async with lock:\n"
        "        while not pathlib.Path('go').exists():\n            await asyncio.sleep(0.02)\n"
        "    return VERSION\nVERSION = 1\n"
    )
    served.python_tool("waits", code)
    served.python_tool("other", "async def other():\n    return 1\n")
    with served.serve() as server:
        server.initialize()
        assert server.value("other") == 1
        running = [server.start_call("waits"), server.start_call("waits")]
        served.write({"python/other.py": "async def other():\n    return 2\n"})
        served.write({"python/waits.py": code.replace("= 1", "= 2")})
        eventually(lambda: server.value("other"), 2, server)
        served.write({"go": ""})
        for call in running:
            assert server.answer(call)["result"]["content"][0]["text"] == "1"
        assert server.value("waits") == 2


def test_where_hooks_are_only_python_waits(served: Project) -> None:
    served.python_tool("waits", WAITS.format(more=HOOK))
    served.python_tool("quick", "def quick():\n    return 1\n")
    with served.serve() as server:
        server.initialize()
        assert (server.value("one"), server.value("quick")) == (1, 1)
        running = server.start_call("waits")
        served.write({"python/waits.py": WAITS.format(more=HOOK).replace("= 1", "= 2")})
        asked: list[int] = []

        def python_waits() -> bool:
            asked.append(server.start_call("quick"))
            for _ in range(20):
                assert server.value("one") == 1
            return not server.answered(asked[-1])

        eventually(python_waits, True, server)
        assert not server.answered(running)
        served.write({"go": ""})
        assert server.answer(running)["result"]["content"][0]["text"] == "1"
        for call in asked:
            assert server.answer(call)["result"]["content"][0]["text"] == "1"
        assert server.value("waits") == 2


def test_ignoring_errors_leaves_out_what_is_broken_and_keeps_what_works(served: Project) -> None:
    served.sql_tool("typo", "SELEC 1")
    served.python_tool("py", "def py(:\n    return 2\n")
    served.python_tool("raises", "raise ValueError('no luck')\n")
    with served.serve("--ignore-errors") as server:
        server.initialize()
        assert server.value("one") == 1
        assert tool_names(server) == ["one"]
        for said in ("tools/typo.yml", "python/py.py:1", "no luck"):
            assert said in server.stderr
        # Mended it comes, though others are still broken.
        served.sql_tool("typo", "SELECT 7 AS n", "return: {type: integer}")
        eventually(lambda: tool_names(server), ["one", "typo"], server)
        assert server.value("typo") == 7
        # Broken again it stays as it was.
        served.sql_tool("typo", "SELEC 8")
        server.wait_for_log("tools/typo.yml changed, but is not served until it is mended")
        assert server.value("typo") == 7
        served.write({"python/py.py": "def py():\n    return 3\n"})
        served.sql_tool("typo", "SELECT 9 AS n", "return: {type: integer}")
        eventually(lambda: tool_names(server), ["one", "py", "typo"], server)
        assert (server.value("py"), server.value("typo")) == (3, 9)


def test_the_server_s_own_words_are_taken_up(served: Project) -> None:
    site = "mxcp: 1\nproject: test\nprofile: default\nserver: {instructions: WORDS}\n"
    served.write({"mxcp-site.yml": site.replace("WORDS", "Old")})
    with served.serve() as server:
        server.modern = "2026-07-28"
        discover = lambda: server.request("server/discover")["result"]["instructions"]  # noqa: E731
        assert server.value("one") == 1
        assert discover() == "Old"
        served.write({"mxcp-site.yml": site.replace("WORDS", "New")})
        eventually(discover, "New", server)


def test_a_prompt_in_python_ends_on_the_code_it_began_on(served: Project) -> None:
    code = (
        "import asyncio, pathlib\n{more}async def waits():\n"
        "    while not pathlib.Path('go').exists():\n        await asyncio.sleep(0.02)\n"
        "    return VERSION\nVERSION = 'old'\n"
    )
    served.write({"python/waits.py": code.format(more="")})
    served.write({"prompts/waits.yml": (
        "mxcp: 1\nprompt: {name: waits, language: python, source: {file: ../python/waits.py}}\n"
    )})  # fmt: skip
    served.python_tool("other", "def other():\n    return 1\n")
    with served.serve() as server:
        server.initialize()
        assert server.value("other") == 1
        running = server.start("prompts/get", {"name": "waits"})
        served.write({"python/other.py": "def other():\n    return 2\n"})
        served.write({"python/waits.py": code.format(more="").replace("old", "new")})
        eventually(lambda: server.value("other"), 2, server)
        served.write({"go": ""})
        message = server.answer(running)["result"]["messages"][0]
        assert message["content"]["text"] == "old"


def test_what_init_hooks_attach_is_there_when_a_reload_is_checked(served: Project) -> None:
    served.python_tool(
        "hooked",
        "from mxcp.runtime import db, on_init\n@on_init\ndef attach():\n"
        "    db.execute(\"ATTACH IF NOT EXISTS ':memory:' AS other\")\n"
        "    db.execute('CREATE OR REPLACE MACRO other.seven() AS 7')\n"
        "def hooked():\n    return 1\n",
    )
    served.sql_tool("seven", "SELECT other.seven() AS n", "return: {type: integer}")
    with served.serve("--no-watch") as server:
        server.initialize()
        assert server.value("seven") == 7
        served.sql_tool("one", "SELECT 5 AS n", "return: {type: integer}")
        server.signal(signal.SIGHUP)
        eventually(lambda: server.value("one"), 5, server)
        assert server.value("seven") == 7
        assert "reload: " not in server.stderr


def test_what_was_refused_is_part_of_the_next_change(served: Project) -> None:
    head = "parameters: [{name: a, type: integer}]"
    served.python_tool("adds", "def adds(a):\n    return a\n", head)
    yaml = (served.folder / "tools/adds.yml").read_text()
    with served.serve() as server:
        server.initialize()
        assert server.value("adds", a=1) == 1
        # Both files at once, one with a mistake; then only that one is mended.
        served.write({"python/adds.py": "def adds(a, b):\n    return a + b\n"})
        served.write({"tools/adds.yml": yaml.replace("name: a,", "nam: a,")})
        server.wait_for_log("not served until it is mended")
        mended = yaml.replace("type: integer}]", "type: integer}, {name: b, type: integer}]")
        assert mended != yaml
        served.write({"tools/adds.yml": mended})
        eventually(lambda: server.call("adds", a=1, b=2).get("isError", False), False, server)
        assert server.value("adds", a=1, b=2) == 3


def test_an_end_does_not_wait_for_a_reload_that_waits(served: Project) -> None:
    served.python_tool("stuck", "import time\ndef stuck():\n    print('it runs')\n    time.sleep(600)\n")
    with served.serve("--no-watch", "--debug") as server:
        server.initialize()
        server.start_call("stuck")
        server.wait_for_log("it runs")
        server.signal(signal.SIGHUP)
        server.wait_for_log("reload begins")
        server.signal(signal.SIGTERM)
        server.wait()
