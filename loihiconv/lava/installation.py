"""An environment for Lava, which needs Python 3.10: made, and removed again.

uv makes it where there is one, since it also gets a Python 3.10; else the ``venv`` of a Python 3.10 on this machine, and pip. It is made
beside its place and moved there when Lava has been imported from it, so that whatever is found there works.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from loihiconv.core.errors import BackendFailed, BackendUnavailable, InvalidSetting
from loihiconv.lava.interpreter import environment_folder, environment_python

REQUIREMENT = "lava-nc>=0.10,<0.11"
VERSION = (3, 10)
_MARK = "loihiconv-lava"
"""A file in an environment that says who made it: nothing else is ever removed."""
_TELL = "import os, sys; print(*sys.version_info[:2], os.path.realpath(sys.executable))"
_IMPORT = "import lava.magma, importlib.metadata as m; print(m.version('lava-nc'))"


def install(say: Callable[[str], None] = lambda text: None, *, python: str | None = None) -> str:
    """Make the environment, in place of one that is there; returns the version of lava-nc.

    Parameters
    ----------
    say : callable (text)
        Told what is done.
    python : str, optional
        A Python 3.10 to make it from, instead of one that is looked for.

    Raises
    ------
    BackendUnavailable
        If there is no Python 3.10, and no uv to get one.
    BackendFailed
        If a program fails, with the end of what it printed; what was there before stays.
    InvalidSetting
        If the folder holds something else.
    """
    folder = environment_folder()
    _check_ours(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise InvalidSetting(f"cannot be made: {error.strerror}", where=str(folder), remedy="set LOIHICONV_LAVA_HOME") from error
    try:
        made = beside / "environment"
        _make(made, say, python)
        version = _output([str(made / "bin" / "python"), "-c", _IMPORT])
        (made / _MARK).write_text(f"{REQUIREMENT}\n")
        if folder.exists():
            folder.rename(beside / "before")
        made.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return version


def remove() -> bool:
    """Remove the environment; whether there was one."""
    folder = environment_folder()
    _check_ours(folder)
    if not folder.exists():
        return False
    shutil.rmtree(folder)
    return True


def installed_version() -> str | None:
    """The version of lava-nc in the environment, or None where there is none, or it does not work."""
    python = environment_python()
    if not python.is_file():
        return None
    try:
        return _output([str(python), "-c", _IMPORT])
    except BackendFailed:
        return None


def _make(folder: Path, say: Callable[[str], None], python: str | None) -> None:
    uv = shutil.which("uv")
    if uv is not None:
        chosen = python or ".".join(map(str, VERSION))
        say(f"uv makes an environment with Python {chosen}")
        _output([uv, "venv", "--quiet", "--python", chosen, str(folder)])
        say(f"uv installs {REQUIREMENT}")
        _output([uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), REQUIREMENT])
        return
    base = _base(python)
    say(f"{base} makes an environment")
    _output([base, "-m", "venv", str(folder)])
    say(f"pip installs {REQUIREMENT}, which takes some minutes")
    _output([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", REQUIREMENT])


def _base(python: str | None) -> str:
    """A Python 3.10, or an error."""
    for candidate in [python] if python else _candidates():
        path = _answers(candidate)
        if path is not None:
            return path
    version = ".".join(map(str, VERSION))
    what = f"{python} is no Python {version} that starts" if python else f"no Python {version} is on this machine, and no uv to get one"
    remedy = f"install uv (https://docs.astral.sh/uv) or Python {version}, or name one with --python"
    raise BackendUnavailable(what, where="lava install", limit="lava-nc runs on no other", remedy=remedy)


def _candidates() -> Iterator[str]:
    version = ".".join(map(str, VERSION))
    if sys.version_info[:2] == VERSION:
        yield sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    yield f"python{version}"
    yield from (str(path / "bin" / "python") for path in sorted(pyenv.glob(f"{version}*"), reverse=True))
    yield from ("python3", "python")
    yield from (f"{place}/python{version}" for place in ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"))


def _answers(candidate: str) -> str | None:
    """The real path of an interpreter if it starts and is of the right version: a name on the path proves nothing (pyenv's shims)."""
    try:
        major, minor, path = _output([candidate, "-I", "-c", _TELL]).split(maxsplit=2)
    except (BackendFailed, ValueError):
        return None
    return path if (int(major), int(minor)) == VERSION else None


def _output(command: Sequence[str]) -> str:
    """What a program prints; BackendFailed with the end of it where it fails."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "VIRTUAL_ENV")}
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL, env=environment)
    except subprocess.CalledProcessError as error:
        said = " ".join(f"{error.stdout}\n{error.stderr}".split())[-600:]
        raise BackendFailed(f"{command[0]} fails with status {error.returncode}: {said}", where="lava install") from error
    except OSError as error:
        raise BackendFailed(f"{command[0]} does not start: {error.strerror}", where="lava install") from error
    return done.stdout.strip()


def _check_ours(folder: Path) -> None:
    if folder.exists() and not (folder / _MARK).is_file():
        raise InvalidSetting(
            "holds something that 'loihiconv lava install' has not made",
            where=str(folder),
            remedy="remove it yourself, or set LOIHICONV_LAVA_HOME to another folder",
        )
