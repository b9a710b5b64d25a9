"""The tutorial page, and the project that its reader ends up with.

Every code block of the page that names its file is written as printed. The blocks of the steps that
show code without a file name get the names below. Everything else the project needs (YAML for the
functions that the page shows without it, data, the site file) is what the page leaves to the
reader; it is taken from examples/tutorial.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLE = REPOSITORY / "examples" / "tutorial"
PAGE = Path(__file__).resolve().parent / "data" / "python-endpoints-tutorial.md"
USER_CONFIG = "config.yml"

# Section of the page -> the file for its block without a name.
UNNAMED = {
    "Step 7: Error Handling": "python/safe_tools.py",
    "Step 8: Dynamic Database Reload": "python/reload_tools.py",
    "Step 9: Plugin Access": "python/plugin_tools.py",
}
# The migration part shows one tool twice: before in tools/, after beside it.
MIGRATION = {"sql": "tools/get-total.yml", "python": "migration/get-total.yml"}


@dataclass
class Block:
    section: str
    language: str
    path: str  # "" when the page names no file
    code: str
    caption: str  # the line of text above it


def blocks(text: str) -> list[Block]:
    found, section, caption, lines = [], "", "", text.splitlines()
    i = 0
    while i < len(lines):
        line = lines[i]
        if line.startswith("## "):
            section = line[3:].strip()
        if line.startswith("```"):
            info = line[3:]
            end = lines.index("```", i + 1)
            title = re.search(r'title="([^"]+)"', info)
            named = re.search(r"\(`([^`]+)`\):\s*$", caption)
            path = title.group(1) if title else named.group(1) if named else ""
            code = "\n".join(lines[i + 1 : end]) + "\n"
            found.append(Block(section, info.split()[0], path, code, caption))
            i = end
            caption = ""
        elif line.strip():
            caption = line
        i += 1
    return found


def page_files(text: str | None = None) -> dict[str, str]:
    """File -> content, as the page prints it."""
    files: dict[str, str] = {}
    for block in blocks(PAGE.read_text() if text is None else text):
        path = block.path
        if path == "~/.mxcp/config.yml":
            path = USER_CONFIG
        elif not path and block.section in UNNAMED and block.language == "python":
            path = UNNAMED[block.section]
        elif not path and block.section == "Migration from SQL" and block.language == "yaml":
            path = MIGRATION["sql" if "language: sql" in block.code else "python"]
        if path:
            assert path not in files, f"the page has {path} twice"
            files[path] = block.code
    return files


def write_project(folder: Path) -> None:
    """The reader's project: the page's files, then what the page leaves to the reader."""
    printed = page_files()
    for path, content in printed.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
    for source in sorted(EXAMPLE.rglob("*")):
        path = source.relative_to(EXAMPLE)
        if not source.is_file() or path.parts[0] in {"data", "audit", "drift"}:
            continue
        if path.as_posix() in printed or "__pycache__" in path.parts:
            continue
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / path)
