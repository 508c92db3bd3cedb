"""What ``package.module:function`` or ``file.py:function`` names. Looking it up imports the module: it EXECUTES ITS CODE."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from loihiconv.core.errors import LoihiconvError


def named(name: str, what: str, error: type[LoihiconvError]) -> Any:
    """The object that is named; modules in the working directory are found.

    Parameters
    ----------
    name : str
        ``package.module:function``, or ``path/to/file.py:function``.
    what : str
        What errors call it, such as "a factory".
    error : type
        Of the errors.

    Raises
    ------
    LoihiconvError
        Of type ``error``, if there is no such module or function.
    """
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise error(f"does not name {what}", where=repr(name), remedy="write package.module:function or file.py:function")
    module = found = _module(module_name, error)
    for part in attribute.split("."):
        if not hasattr(found, part):
            near = ", ".join(n for n in vars(module) if not n.startswith("_") and callable(getattr(module, n)))
            raise error(f"module {module_name} has no {attribute!r}", where=name, remedy=f"it has: {near}" if near else "")
        found = getattr(found, part)
    return found


def call(function: Callable[[], Any], name: str, what: str, error: type[LoihiconvError]) -> Any:
    """What a user's function returns, called without arguments; what it prints goes to stderr, and what it raises is an error."""
    with _guarded(name, f"{what} fails", error, "it must work without arguments"):
        return function()


def _module(module_name: str, error: type[LoihiconvError]) -> Any:
    if not module_name.endswith(".py"):
        if not all(part.isidentifier() for part in module_name.split(".")):
            remedy = "write package.module:function or file.py:function"
            raise error("neither a module's name nor a Python file", where=module_name, remedy=remedy)
        return _imported(module_name, Path.cwd(), error)
    file = Path(module_name).resolve()
    if not file.is_file():
        raise error("no such file", where=module_name, remedy="write package.module:function or file.py:function")
    module = _imported(file.stem, file.parent, error)
    if (found := getattr(module, "__file__", None)) is None or Path(found).resolve() != file:
        raise error(f"another module is called {file.stem!r}: {found}", where=module_name, remedy="rename the file")
    return module


def _imported(module_name: str, folder: Path, error: type[LoihiconvError]) -> Any:
    """A module, those of a folder before others."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    with _guarded(module_name, "cannot be imported", error, ""):
        try:
            return importlib.import_module(module_name)
        except ModuleNotFoundError as cause:
            if cause.name and module_name.split(".")[: len(cause.name.split("."))] == cause.name.split("."):
                remedy = "give it as package.module, importable from the working directory, or as file.py"
                raise error(f"there is no module {cause.name!r}", where=module_name, remedy=remedy) from cause
            raise error(f"needs {cause.name!r}, which is not installed", where=module_name) from cause


@contextmanager
def _guarded(where: str, what: str, error: type[LoihiconvError], remedy: str) -> Iterator[None]:
    """Code of users: stdout is for results alone, and neither exceptions nor exits get out."""
    try:
        with redirect_stdout(sys.stderr):
            yield
    except LoihiconvError:
        raise
    except SystemExit as cause:
        raise error(f"{what}: it ends the program (exit {cause.code})", where=where, remedy="it must return") from cause
    except Exception as cause:
        raise error(f"{what}: {type(cause).__name__}: {cause}", where=where, remedy=remedy) from cause
