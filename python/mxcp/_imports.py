"""How the user's modules are found, and what is done when they import duckdb or logging.

Used by the native module only. It imports nothing that the interpreter has not loaded anyway.
"""

import _frozen_importlib as _bootstrap
import _frozen_importlib_external as _external
import _imp
import os
import sys

from mxcp import _core

_FOREIGN = (os.sep + "site-packages" + os.sep, os.sep + "dist-packages" + os.sep)

_root = ""  # the project
_modules = ""  # <root>/python


def _under(path, folder):
    return path == folder or path.startswith(folder + os.sep)


def owned(path):
    """Whether a file or folder is the project's own (a virtual environment inside it is not)."""
    if not _root or not _under(path, _root):
        return False
    if any(part in path + os.sep for part in _FOREIGN):
        return False
    return not (_under(sys.prefix, _root) and _under(path, sys.prefix))


def _canonical_name(path):
    """The dotted name of a file under python/, or ""."""
    if not path.startswith(_modules + os.sep) or not path.endswith(".py"):
        return ""
    parts = path[len(_modules) + 1 : -3].split(os.sep)
    if parts[-1] == "__init__":
        parts.pop()
    if not parts or not all(part.isidentifier() for part in parts):
        return ""
    return "" if parts[0] in sys.stdlib_module_names else ".".join(parts)


class _Loader(_external.SourceFileLoader):
    """Reads source files; does not trust a .pyc that is older than the source it was made from.

    Python compares whole seconds and the size, so that a file which is changed twice within a
    second would be run in its old form after a reload.
    """

    def path_stats(self, path):
        try:
            cached = _external.cache_from_source(path)
            if os.stat(cached).st_mtime_ns <= os.stat(path).st_mtime_ns:
                os.unlink(cached)
        except (OSError, NotImplementedError):
            pass
        return super().path_stats(path)


class _Alias:
    """`import python.x` from a file in the root is the module `x`, not a second copy of it."""

    def __init__(self, name):
        self.name = name

    def create_module(self, spec):
        module = _bootstrap._gcd_import(self.name)
        self.spec = module.__spec__
        return module

    def exec_module(self, module):
        module.__spec__ = self.spec


class _Finder(_external.FileFinder):
    def find_spec(self, fullname, target=None):
        spec = super().find_spec(fullname, target)
        if spec is None or not isinstance(spec.loader, _Loader):
            return spec
        name = _canonical_name(spec.origin)
        if name and name != fullname:
            return _bootstrap.ModuleSpec(fullname, _Alias(name), origin=spec.origin)
        return spec


def _path_hook(path):
    if not owned(path) or not os.path.isdir(path):
        raise ImportError("not a folder of the project", path=path)
    return _Finder(
        path,
        (_external.ExtensionFileLoader, _imp.extension_suffixes()),
        (_Loader, _external.SOURCE_SUFFIXES),
        (_external.SourcelessFileLoader, _external.BYTECODE_SUFFIXES),
    )


def _position():
    """In front of the installed packages, behind the standard library."""
    for i, entry in enumerate(sys.path):
        if entry.endswith(("site-packages", "dist-packages")):
            return i
    return len(sys.path)


def install(root, modules, folders):
    """`folders` go to sys.path, in this order."""
    global _root, _modules
    _root, _modules = root, modules
    if _path_hook not in sys.path_hooks:
        sys.path_hooks.insert(0, _path_hook)
    if _Watch not in sys.meta_path:
        sys.meta_path.insert(0, _Watch)
        for name, action in _Watch.actions.items():
            if name in sys.modules:
                action(sys.modules[name])
    forget_folders()
    _demote_script_folder()
    add_environment(root)
    sys.path[:] = [entry for entry in sys.path if entry not in folders]
    at = _position()
    sys.path[at:at] = folders


def add_environment(root):
    """The virtual environment that is active or in the project, when mxcp is not installed in it."""
    found = [os.environ.get("VIRTUAL_ENV", "")]
    if os.path.isfile(os.path.join(root, ".venv", "pyvenv.cfg")):
        found.append(os.path.join(root, ".venv"))
    found = [folder for folder in found if folder and os.path.abspath(folder) != sys.prefix]
    if found:
        from mxcp import _environment

        _environment.add(found)


def _demote_script_folder():
    """Python puts the folder of the started script (bin/) in front of everything."""
    folder = os.path.dirname(os.path.realpath(sys.argv[0])) if sys.argv and sys.argv[0] else ""
    if folder and sys.path and sys.path[0] == folder and not owned(folder):
        sys.path.append(sys.path.pop(0))


def forget_folders():
    """What was known about the contents of the project's folders."""
    for path in [p for p in sys.path_importer_cache if owned(p)]:
        del sys.path_importer_cache[path]


def _home(module):
    """The file or folder that a module came from, or ""."""
    members = getattr(module, "__dict__", {})
    file = members.get("__file__")
    if not file:
        try:
            file = next(iter(members.get("__path__") or ()), "")
        except Exception:  # a lazy package in the middle of something
            file = ""
    return file if isinstance(file, str) else ""


def unload():
    """Takes the project's modules out of sys.modules; returns them by name."""
    gone = {
        name: module
        for name, module in list(sys.modules.items())
        if name != "__main__" and owned(_home(module))
    }
    for name in gone:
        sys.modules.pop(name, None)
    forget_folders()
    return gone


def load_file(name, path):
    """Runs a file that has no dotted name."""
    module = sys.modules.get(name)
    if module is None:
        loader = _Loader(name, path)
        spec = _external.spec_from_file_location(name, path, loader=loader)
        module = _bootstrap.module_from_spec(spec)
        sys.modules[name] = module
        try:
            loader.exec_module(module)
        except BaseException:
            sys.modules.pop(name, None)
            raise
    return module


def load_code(name, path, code):
    """Runs code that stands in an endpoint's YAML file."""
    module = sys.modules[name] = type(sys)(name)
    module.__file__ = path
    try:
        exec(code, module.__dict__)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def installed_elsewhere(name):
    """Where else on sys.path a module of this name is found, or ""."""
    entries = [entry for entry in sys.path if not owned(entry or os.getcwd())]
    spec = _external.PathFinder.find_spec(name, entries)
    return (spec.origin or "") if spec is not None and spec.loader is not None else ""


# --- duckdb and logging ---------------------------------------------------------------------------


_opened_by_payload = []


def _guard_connect(module):
    original = getattr(module, "connect", None)
    if original is None or hasattr(original, "_mxcp_original"):
        return

    def connect(database=":memory:", *args, **kwargs):
        managed = _core.check_connect(database)
        connection = original(database, *args, **kwargs)
        if managed:
            _opened_by_payload.append(connection)
        return connection

    connect.__doc__ = original.__doc__
    connect._mxcp_original = original
    module.connect = connect


def close_payload_connections():
    """A connection that a reload payload forgot would be a second DuckDB on the file."""
    while _opened_by_payload:
        try:
            _opened_by_payload.pop().close()
        except Exception:
            pass


def _set_up_logging(logging):
    """What user code logs goes where mxcp's own log goes, at its level: to stderr and into the log
    file. Unless user code says otherwise (basicConfig still works)."""

    class Handler(logging.StreamHandler):
        stream = property(lambda self: sys.stderr, lambda self, value: None)

    level = _core.log_threshold()
    handler = Handler()
    handler.setLevel(level)
    handler.setFormatter(logging.Formatter("%(levelname)s:%(name)s:%(message)s"))
    logging.lastResort = handler
    logging.getLogger().setLevel(level)

    # The file gets what is logged whatever handlers there are: also those of `logging.warning()`,
    # which makes one of its own.
    message_only = logging.Formatter("%(message)s")
    call_handlers = logging.Logger.callHandlers

    def callHandlers(self, record):  # noqa: N802
        call_handlers(self, record)
        if record.levelno >= level:
            try:
                _core.log_to_file(record.levelno, record.name, message_only.format(record))
            except Exception:
                handler.handleError(record)

    logging.Logger.callHandlers = callHandlers


class _After:
    """A loader that calls back when the module has been executed."""

    def __init__(self, loader, action):
        self.loader = loader
        self.action = action

    def __getattr__(self, name):
        return getattr(self.loader, name)

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        spec = module.__spec__
        spec.loader = module.__loader__ = self.loader
        self.loader.exec_module(module)
        self.action(module)


class _Watch:
    """The first finder: knows when one of a few modules is imported."""

    actions = {
        "duckdb": _guard_connect,
        "_duckdb": _guard_connect,
        "logging": _set_up_logging,
    }

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        action = cls.actions.get(name)
        if action is None:
            return None
        for finder in sys.meta_path:
            if finder is cls:
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = _After(spec.loader, action)
                return spec
        return None


# --- leaving --------------------------------------------------------------------------------------


def finish(seconds):
    """What happens at the end of a Python program, without the end.

    Waits a while for the user's own threads that are no daemons, then runs the atexit handlers.
    """
    threading = sys.modules.get("threading")
    if threading is not None:
        _wait_for_threads(threading, seconds)
    atexit = sys.modules.get("atexit")
    if atexit is not None:
        atexit._run_exitfuncs()


def adopt_thread(name):
    """Names a thread of the native side, the current one.

    Python takes such threads for daemons, and the threads that user code starts in them would
    inherit that: they would be cut off at the end.
    """
    thread = sys.modules["threading"].current_thread()
    thread.name = name
    thread._daemonic = False


def _wait_for_threads(threading, seconds):
    def mine():
        here = (threading.main_thread(), threading.current_thread())
        ours = threading._DummyThread
        return [
            t
            for t in threading.enumerate()
            if not t.daemon and t not in here and not isinstance(t, ours)
        ]

    def wait():
        # concurrent.futures tells its idle threads to end in one of these.
        for function in reversed(getattr(threading, "_threading_atexits", ())):
            function()
        for thread in mine():
            thread.join()

    if not mine() and not getattr(threading, "_threading_atexits", ()):
        return
    waiter = threading.Thread(target=wait, daemon=True)
    waiter.start()
    waiter.join(seconds)
    if waiter.is_alive():
        names = ", ".join(repr(t.name) for t in mine())
        _core.log_warning(f"leaving while threads of user code still run: {names}")
