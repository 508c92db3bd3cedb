"""Which Python runs Lava: the one that is named, this one, or that of an environment which `loihiconv.lava.installation` has made."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from loihiconv.core.errors import BackendUnavailable

PYTHON_VARIABLE = "LOIHICONV_LAVA_PYTHON"
HOME_VARIABLE = "LOIHICONV_LAVA_HOME"
INSTALL = f"run 'loihiconv lava install', which makes an environment for it, or set {PYTHON_VARIABLE} to a Python 3.10 that has lava-nc"


def find_python(python: str | None = None) -> str:
    """Interpreter with lava-nc: the one given, else LOIHICONV_LAVA_PYTHON, else this one if it can have Lava, else the one installed.

    Raises
    ------
    BackendUnavailable
        If there is none.
    """
    chosen, where = (python, "python") if python else (os.environ.get(PYTHON_VARIABLE), PYTHON_VARIABLE)
    if chosen:
        found = shutil.which(chosen)
        if not found:
            raise BackendUnavailable(f"{chosen} is no program", where=where, remedy="name an interpreter in which lava-nc is installed")
        return os.path.abspath(found)
    here, version = _has_lava(), ".".join(map(str, sys.version_info[:2]))
    if here and sys.version_info[:2] == (3, 10):
        return sys.executable
    if (installed := environment_python()).is_file():
        return str(installed)
    if here:
        what = f"lava-nc fails to import on this Python {version}"
        raise BackendUnavailable(what, where="backend lava", limit="it needs 3.10", remedy=INSTALL)
    raise BackendUnavailable(f"lava-nc is not installed for this Python {version}", where="backend lava", remedy=INSTALL)


def environment_folder() -> Path:
    """Where Lava's environment is, or would be: LOIHICONV_LAVA_HOME, else ``loihiconv/lava`` among the user's data."""
    if given := os.environ.get(HOME_VARIABLE):
        return Path(os.path.abspath(given))
    data = os.environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local", "share")
    return Path(os.path.abspath(data)) / "loihiconv" / "lava"


def environment_python() -> Path:
    """The interpreter of that environment, whether it is there or not."""
    return environment_folder() / "bin" / "python"


def interpreter_environment(interpreter: str) -> dict[str, str]:
    """The environment without what is meant for this interpreter, where Lava's is another one."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP")}
    if os.path.samefile(interpreter, sys.executable):
        path = [os.path.abspath(p) for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
        environment |= {"PYTHONPATH": os.pathsep.join(path)} if path else {}
    return environment


def _has_lava() -> bool:
    try:
        return find_spec("lava.magma") is not None
    except ModuleNotFoundError:
        return False
