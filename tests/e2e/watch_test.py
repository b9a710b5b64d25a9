"""Changed files under a running server: taken up when valid, refused with a report when not."""

from __future__ import annotations

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
