"""Where user code meets the process: leaving, logging, child processes, plain Python programs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from harness import COMMAND, Project, environment

TOOL = "tool:\n  name: {0}\n  language: python\n  source: {{file: ../python/{0}_tool.py}}\n"


def write_tool(project: Project, name: str, code: str) -> None:
    project.write({f"tools/{name}.yml": TOOL.format(name), f"python/{name}_tool.py": code})


def test_what_a_program_does_at_its_end_is_done(project: Project) -> None:
    write_tool(
        project,
        "end",
        """
        import atexit, threading, time
        from concurrent.futures import ThreadPoolExecutor
        from pathlib import Path

        notes = Path(__file__).with_name("notes.txt")
        pool = ThreadPoolExecutor(2)
        leave = threading.Event()
        atexit.register(lambda: note("atexit"))

        def note(text):
            with notes.open("a") as file:
                print(text, file=file)

        def work():
            leave.wait(60)
            time.sleep(0.2)  # the program must wait for it
            note("thread")

        def end():
            threading.Thread(target=work).start()
            pool.submit(leave.set)
            return pool.submit(lambda: "pooled").result()
        """,
    )
    assert project.tool("end").result == "pooled"
    assert (project.folder / "python/notes.txt").read_text().split() == ["thread", "atexit"]


def test_daemon_threads_do_not_keep_the_program(project: Project) -> None:
    write_tool(
        project,
        "daemon",
        """
        import threading

        def daemon():
            threading.Thread(target=threading.Event().wait, daemon=True).start()
            return "left"
        """,
    )
    assert project.tool("daemon").result == "left"


def test_logging_without_any_setup(project: Project) -> None:
    write_tool(
        project,
        "talk",
        """
        import logging

        log = logging.getLogger("shop.orders")

        def talk():
            log.debug("a detail")
            log.info("for information")
            log.warning("look %s", "here")
            return 1
        """,
    )
    ran = project.tool("talk")
    assert ran.result == 1
    assert ran.stderr.splitlines() == ["WARNING:shop.orders:look here"]
    debug = project.tool("talk", "--debug")
    assert "DEBUG:shop.orders:a detail" in debug.stderr.splitlines()


TALK = """
import logging

log = logging.getLogger("shop.orders")

def talk():
    log.debug("a detail")
    log.info("for information")
    log.warning("look %s", "here")
    log.error("bad")
    return 1
"""


@pytest.mark.parametrize(
    ("settings", "seen"),
    [
        ("level: INFO", ["INFO", "WARNING", "ERROR"]),
        ("level: DEBUG", ["DEBUG", "INFO", "WARNING", "ERROR"]),
        ("level: ERROR", ["ERROR"]),
        ("enabled: false", []),
    ],
)
def test_logging_at_the_configured_level(project: Project, settings: str, seen: list[str]) -> None:
    write_tool(project, "talk", TALK)
    project.write({"../home/.mxcp/config.yml": f"mxcp: 1\nlogging: {{{settings}}}\n"})
    lines = project.tool("talk").stderr.splitlines()
    assert [line.split(":")[0] for line in lines if ":shop.orders:" in line] == seen


def test_the_log_file(project: Project) -> None:
    """What goes to stderr goes there too, with time, level and logger."""
    write_tool(project, "talk", TALK)
    project.write({"../home/.mxcp/config.yml": "mxcp: 1\nlogging: {path: logs/mxcp.log}\n"})
    assert "WARNING:shop.orders:look here" in project.tool("talk").stderr
    project.write({"python/talk_tool.py": "def talk():\n    raise ValueError('no')\n"})
    project.tool("talk")
    lines = (project.folder / "logs/mxcp.log").read_text().splitlines()
    time = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}"
    assert re.fullmatch(f"{time} - WARNING - shop.orders - look here", lines[0])
    assert re.fullmatch(f"{time} - ERROR - shop.orders - bad", lines[1])
    assert re.fullmatch(f"{time} - ERROR - mxcp.call - tool 'talk': no", lines[2])


def test_the_log_file_is_rotated(project: Project) -> None:
    write_tool(
        project,
        "talk",
        """
        import logging

        def talk():
            for i in range(100):
                logging.warning("line %d", i)
            return 1
        """,
    )
    project.write(
        {
            "../home/.mxcp/config.yml": "mxcp: 1\n"
            "logging: {path: logs/mxcp.log, max_bytes: 1000, backup_count: 2}\n"
        }
    )
    project.tool("talk")
    files = sorted((project.folder / "logs").iterdir())
    assert len(files) == 3
    assert all(path.stat().st_size <= 1000 for path in files)
    assert (project.folder / "logs/mxcp.log").read_text().endswith("root - line 99\n")


def test_logging_as_user_code_sets_it_up(project: Project) -> None:
    write_tool(
        project,
        "talk",
        """
        import logging

        logging.basicConfig(level=logging.INFO, format="<%(message)s>")

        def talk():
            logging.info("mine")
            return 1
        """,
    )
    assert project.tool("talk").stderr.splitlines() == ["<mine>"]


def test_child_processes(project: Project) -> None:
    """Spawned ones find the project's modules; forked ones cannot use the database by accident."""
    write_tool(
        project,
        "children",
        """
        import multiprocessing
        from mxcp.runtime import db
        from helpers import square

        def query(queue):
            try:
                queue.put(db.execute("SELECT 1"))
            except RuntimeError as error:
                queue.put("forked process" in str(error))

        def children():
            db.execute("SELECT 1")
            queue = multiprocessing.get_context("fork").Queue()
            child = multiprocessing.get_context("fork").Process(target=query, args=(queue,))
            child.start()
            answer = queue.get(timeout=60)
            child.join(60)
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                return [answer, pool.map(square, [2, 3])]
        """,
    )
    project.write({"python/helpers.py": "def square(x):\n    return x * x\n"})
    assert project.tool("children").result == [True, [4, 9]]


def test_a_package_that_is_not_installed(project: Project) -> None:
    write_tool(project, "far", "import sys\nimport no_such_package_here\n\ndef far():\n    return 1\n")
    ran = project.run("run", "tool", "far")
    assert ran.code == 1
    assert "python/far_tool.py:2: No module named 'no_such_package_here'" in ran.stderr
    assert "-m pip install no_such_package_here" in ran.stderr


def test_the_package_in_a_plain_program(tmp_path: Path) -> None:
    """A user's own tests import their modules without mxcp around them."""
    python = Path(COMMAND[0]).parent / "python"
    if not python.exists():
        pytest.skip("the command under test has no interpreter beside it")
    code = """if True:
        import sys
        from mxcp.runtime import config, db, mcp, on_init, plugins
        from mxcp.plugins import MXCPBasePlugin
        from mxcp.sdk.auth.context import get_user_context
        from mxcp.sdk.executor import get_execution_context
        from mxcp.sdk.audit import add_execution_event, begin_execution_event

        assert not {"asyncio", "logging", "typing", "inspect", "re"} & set(sys.modules)

        @on_init
        def hook():
            raise AssertionError("nobody calls it")

        assert config.user_config is None and plugins.list() == []
        assert get_user_context() is None and get_execution_context() is None
        assert MXCPBasePlugin({}) and not MXCPBasePlugin({}).is_authenticated()
        add_execution_event(span=begin_execution_event(), summary="x")
        try:
            db.execute("SELECT 1")
        except RuntimeError as error:
            print(error)
    """
    ran = subprocess.run(
        [python, "-c", code],
        capture_output=True,
        text=True,
        env=environment(tmp_path),
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("mxcp.runtime is not available here")
