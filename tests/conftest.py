from __future__ import annotations

from pathlib import Path

import pytest
from harness import Project


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "stdio: runs the server; these tests are repeated in the sanitizer build"
    )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project."""
    made = Project(tmp_path / "project", tmp_path / "home")
    return made.write({"mxcp-site.yml": Project.SITE})


@pytest.fixture
def nowhere(tmp_path: Path) -> Project:
    """A folder that is no project."""
    return Project(tmp_path / "nowhere", tmp_path / "home")
