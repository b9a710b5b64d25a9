"""Packages of the project's own virtual environment, where mxcp is installed apart from it (pipx).

Used by _imports.install only, and only when there is such an environment.
"""

import os
import sys

from mxcp import _core

_told = set()
_added = ""


def add(folders):
    """The first of these environments that fits this Python: its packages come behind mxcp's own.

    Behind, because duckdb must stay the one that mxcp has opened the database with.
    """
    global _added
    problems = []
    for folder in folders:
        folder = os.path.abspath(folder)
        if folder == _added or _same(folder, sys.prefix):
            return
        packages, problem = _packages(folder)
        if packages:
            _add_packages(packages)
            _added = folder
            return
        problems.append(problem)
    for problem in problems:
        if problem not in _told:
            _told.add(problem)
            _core.log_warning(problem)


def _same(one, other):
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _packages(folder):
    """(its site-packages, "") or ("", why it is not used)."""
    if not os.path.isfile(os.path.join(folder, "pyvenv.cfg")):
        return "", f"the packages of {folder} are not used: it is not a virtual environment"
    mine = "{}.{}".format(*sys.version_info)
    for lib in ("lib", "lib64"):
        packages = os.path.join(folder, lib, f"python{mine}{sys.abiflags}", "site-packages")
        if os.path.isdir(packages):
            return packages, ""
    version = _version(folder)
    its = f"of Python {version}" if version else "of another Python"
    python = os.path.join(folder, "bin", "python")
    return "", (
        f"the packages of {folder} are not used: it is {its}, and mxcp runs on Python {mine}; "
        f"install mxcp there ({python} -m pip install mxcpp) or make it anew with Python {mine}"
    )


def _version(folder):
    """The major and minor version of its Python, or ""."""
    with open(os.path.join(folder, "pyvenv.cfg"), encoding="utf-8", errors="replace") as file:
        for line in file:
            key, _, value = line.partition("=")
            if key.strip() in ("version", "version_info"):
                return ".".join(value.strip().split(".")[:2])
    return ""


def _add_packages(packages):
    import site

    before = list(sys.path)
    site.addsitedir(packages)  # with its .pth files
    # Whatever a .pth file has put in front goes behind, too.
    new = [entry for entry in sys.path if entry not in before]
    sys.path[:] = before + new
