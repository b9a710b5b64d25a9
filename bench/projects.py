"""Project folders: those of generated tools, for what grows with their number, and a fair order of files."""

import os
import time
from pathlib import Path

SITE = """\
mxcp: 1
project: generated
profile: default
dbt:
  enabled: false
profiles:
  default: {}
"""

TOOL = """\
mxcp: 1
tool:
  name: add_{number}
  description: Adds {number} to a number
  parameters:
    - name: x
      type: integer
      description: A number
      minimum: 0
      default: 1
  return:
    type: integer
"""

SQL = """\
  source:
    code: |
      SELECT $x + {number} AS sum
"""

PYTHON = """\
  language: python
  source:
    file: ../python/{module}.py
"""


def generate(folder: Path, tools: int, python: bool) -> Path:
    """A project of SQL tools; with `python` every other one is a Python function, 25 to a module."""
    (folder / "tools").mkdir(parents=True)
    (folder / "python").mkdir()
    (folder / "mxcp-site.yml").write_text(SITE)
    modules: dict[str, str] = {}
    for number in range(tools):
        text = TOOL.format(number=number)
        if python and number % 2:
            module = f"adders_{number // 50}"
            text += PYTHON.format(module=module)
            modules[module] = modules.get(module, "") + (
                f"def add_{number}(x: int = 1) -> int:\n    return x + {number}\n\n\n"
            )
        else:
            text += SQL.format(number=number)
        (folder / "tools" / f"add_{number}.yml").write_text(text)
    for module, text in modules.items():
        (folder / "python" / f"{module}.py").write_text(text.rstrip("\n") + "\n")
    return folder


def touch(folder: Path, number: int) -> None:
    """Another description of one tool: the definition changes, its answers do not."""
    file = folder / "tools" / f"add_{number}.yml"
    text = file.read_text().split("\n")
    text[3] = f"  description: Adds {number} to a number, as of {time.monotonic_ns()}"
    replaced = file.with_suffix(".new")
    replaced.write_text("\n".join(text))
    replaced.replace(file)


def to_the_middle(folder: Path, names: list[str]) -> dict[str, int]:
    """Renames the files of these tools until they come neither early nor late in the folder.

    The peer looks for a tool on every call by reading the folder's files in the order in which the
    file system gives them, until it meets the name; first or last is a factor of two. That order
    depends on a hash of the name on some file systems, so another name is another place. Returns the
    place of each tool.
    """
    files = {name: f"{name}.yml" for name in names}
    for attempt in range(2000):
        order = [entry.name for entry in os.scandir(folder)]
        places = {name: order.index(file) for name, file in files.items()}
        middle = (len(order) - 1) / 2
        worst = max(places, key=lambda name: abs(places[name] - middle))
        if abs(places[worst] - middle) <= len(order) / 4:
            break
        renamed = f"{worst}-{attempt}.yml"
        os.rename(folder / files[worst], folder / renamed)
        files[worst] = renamed
    return {name: place + 1 for name, place in places.items()}
