"""The tutorial's project, for every test of the page."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import Project
from tutorial_data import Api, make_tutorial


@pytest.fixture
def api() -> Iterator[Api]:
    server = Api()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def shared_page(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """For the tests that change nothing."""
    return make_tutorial(tmp_path_factory.mktemp("tutorial"))


@pytest.fixture
def page(tmp_path: Path) -> Project:
    """A fresh one."""
    return make_tutorial(tmp_path)
