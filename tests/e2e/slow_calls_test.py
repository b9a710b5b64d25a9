"""Long calls and short ones at the same time."""

from __future__ import annotations

import os

import pytest
from harness import ENDLESS, Project

pytestmark = pytest.mark.stdio


def test_more_long_statements_than_threads_leave_room_for_a_short_one(project: Project) -> None:
    project.sql_tool("endless", ENDLESS)
    project.sql_tool("quick", "SELECT 7 AS n", "return: {type: integer}")
    project.python_tool(
        "in_python",
        "from mxcp.runtime import db\n\n\ndef in_python():\n    return db.execute('SELECT 8 AS n')[0]['n']\n",
        "return: {type: integer}",
    )
    with project.serve() as server:
        server.initialize()
        long = [server.start_call("endless") for _ in range(max(4, 2 * (os.cpu_count() or 1)) + 2)]
        for _ in range(3):
            assert server.value("quick") == 7
            assert server.value("in_python") == 8
        for id in long:
            server.send("notifications/cancelled", {"requestId": id})
        assert server.value("quick") == 7
