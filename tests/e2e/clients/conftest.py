from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from harness import Project


@pytest.fixture
def everything(tmp_path: Path) -> Project:
    """The project that has something for each thing that a client can ask for."""
    shutil.copytree(Path(__file__).parent / "project", tmp_path / "project")
    return Project(tmp_path / "project", tmp_path / "home")
