"""Make or refresh one virtual environment from the lock file; run by ``setup_env.sh`` with the environment's own interpreter.

Only the standard library is used. The packages of ``requirements/lock.txt`` are installed with their hashes checked, and the project
itself editable; beside Lava, on Python 3.10, lava-dl without what it depends on; and SANA-FE in a folder of its own, ``sanafe``. A stamp,
written last, says what the environment was made from: without a matching one it is brought up to date, and without any, as after an
interruption, made anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK, TOOLS_LOCK, LAVA_DL, SANAFE = (ROOT / "requirements" / name for name in ("lock.txt", "tools.lock", "lava_dl.txt", "sanafe.txt"))
WITH_LAVA = sys.version_info[:2] == (3, 10)
TOOLS = ROOT / ".venv-tools"
UV_MINIMUM = (0, 5)  # older ones know neither all markers nor all options used here


class SetupFailed(Exception):
    """One line for the user."""


def main() -> int:
    """Bring the environment named on the command line up to date; returns the exit status."""
    environment = ROOT / sys.argv[1]
    start = time.monotonic()
    try:
        if is_current(environment):
            return 0
        with alone(environment):
            if not is_current(environment):  # another process may have made it meanwhile
                refresh(environment)
                say(f"{environment.name} is ready ({time.monotonic() - start:.0f} s)")
    except SetupFailed as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted; the next run starts over")
        return 130
    return 0


def say(text: str) -> None:
    """Print one line of progress."""
    print(f"setup: {text}", flush=True)


def stamp_of(environment: Path) -> str:
    """Two checksums: of what an environment can only be made anew for, its place and interpreter, and of what it holds."""
    place = f"{environment}\n{sys.version}\n{os.path.realpath(sys.executable)}"
    content = b"".join(path.read_bytes() for path in (LOCK, LAVA_DL, SANAFE, ROOT / "pyproject.toml", Path(__file__)))
    return "".join(f"{hashlib.sha256(part).hexdigest()}\n" for part in (place.encode(), content))


def stamp_path(environment: Path) -> Path:
    """Where an environment's stamp is."""
    return environment / "loihiconv-stamp"


def read_stamp(environment: Path) -> str:
    """The stamp of an environment; empty for one that is missing or was not finished."""
    try:
        return stamp_path(environment).read_text()
    except OSError:
        return ""


def is_current(environment: Path) -> bool:
    """Whether an environment is complete and made from what is in the checkout now."""
    return read_stamp(environment) == stamp_of(environment) and starts(environment)


def starts(environment: Path) -> bool:
    """Whether the environment's interpreter starts and is the version that runs this script."""
    code = f"import sys; sys.exit(sys.version_info[:3] != {tuple(sys.version_info[:3])})"
    try:
        return subprocess.run([python_of(environment), "-I", "-S", "-c", code], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def python_of(environment: Path) -> str:
    """The interpreter of an environment."""
    return str(environment / "bin" / "python")


@contextmanager
def alone(environment: Path) -> Iterator[None]:
    """Wait until no other process sets up this environment; the kernel frees the lock of a process that dies."""
    with open(environment.with_name(f"{environment.name}.lock"), "w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say(f"waiting for another process that sets up {environment.name}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def refresh(environment: Path) -> None:
    """Install what the lock file lists, and the project; the stamp goes first and comes back last."""
    can_be_updated = read_stamp(environment).split()[:1] == stamp_of(environment).split()[:1] and starts(environment)
    stamp_path(environment).unlink(missing_ok=True)
    if environment.exists() and not can_be_updated:
        shutil.rmtree(environment)
    say(f"{'updating' if can_be_updated else 'making'} {environment.name} with Python {sys.version.split()[0]}")
    if uv := find_uv():
        say("installing with uv: seconds once its cache is filled, minutes before")
        install_with_uv(uv, environment)
    else:
        say("uv is not to be had; installing with pip, which takes minutes")
        install_with_pip(environment)
    temporary = stamp_path(environment).with_suffix(".tmp")
    temporary.write_text(stamp_of(environment))
    temporary.replace(stamp_path(environment))


def find_uv() -> str | None:
    """A uv that starts and is recent: from PATH, or a private one that is installed with pip."""
    private = str(TOOLS / "bin" / "uv")
    for candidate in ("uv", private):
        if uv_version(candidate) >= UV_MINIMUM:
            return candidate
    say("installing uv into .venv-tools")
    with alone(TOOLS):
        shutil.rmtree(TOOLS, ignore_errors=True)
        try:
            run([sys.executable, "-m", "venv", str(TOOLS)], quiet=True)
            run([python_of(TOOLS), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(TOOLS_LOCK)], quiet=True)
        except SetupFailed:
            return None
    return private if uv_version(private) >= UV_MINIMUM else None


def uv_version(uv: str) -> tuple[int, ...]:
    """Version of a uv, () where it does not start: a name on PATH may be a shim that leads nowhere."""
    try:
        output = subprocess.run([uv, "--version"], capture_output=True, text=True, check=False, cwd=ROOT)
        return tuple(int(part) for part in output.stdout.split()[1].split(".")[:2]) if output.returncode == 0 else ()
    except (OSError, IndexError, ValueError):
        return ()


def install_with_uv(uv: str, environment: Path) -> None:
    """Install with uv, which links packages out of its cache."""
    if not environment.exists():
        run([uv, "venv", "--quiet", "--no-project", "--python", sys.executable, str(environment)])
    python = ["--quiet", "--python", python_of(environment)]
    run([uv, "pip", "sync", *python, "--require-hashes", str(LOCK)], attempts=2)
    if WITH_LAVA:
        run([uv, "pip", "install", *python, "--require-hashes", "--no-deps", "-r", str(LAVA_DL)], attempts=2)
    run([uv, "pip", "install", *python, "--require-hashes", "--target", str(environment / "sanafe"), "-r", str(SANAFE)], attempts=2)
    run([uv, "pip", "install", *python, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])


def install_with_pip(environment: Path) -> None:
    """Install with pip, the slow way that needs nothing else."""
    if not environment.exists():
        run([sys.executable, "-m", "venv", str(environment)])
    pip = [python_of(environment), "-m", "pip", "install", "--quiet"]
    run([*pip, "--require-hashes", "-r", str(LOCK)], attempts=2)
    if WITH_LAVA:
        run([*pip, "--require-hashes", "--no-deps", "-r", str(LAVA_DL)], attempts=2)
    run([*pip, "--upgrade", "--require-hashes", "--target", str(environment / "sanafe"), "-r", str(SANAFE)], attempts=2)
    run([*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])


def run(command: list[str], *, attempts: int = 1, quiet: bool = False) -> None:
    """Run a command, again where a download may have failed by chance."""
    settings = {"PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "UV_HTTP_TIMEOUT": os.environ.get("UV_HTTP_TIMEOUT", "120")}
    for attempt in range(attempts):
        try:
            subprocess.run(command, env={**os.environ, **settings}, stdin=subprocess.DEVNULL, capture_output=quiet, check=True, cwd=ROOT)
        except (OSError, subprocess.CalledProcessError) as problem:
            error: Exception = problem
        else:
            return
        if attempt + 1 < attempts:
            say("that failed; once more")
    reason = f"exit status {error.returncode}, see above" if isinstance(error, subprocess.CalledProcessError) else str(error)
    raise SetupFailed(f"`{' '.join(command[:4])} ...` failed ({reason}); mend that and run it again")


if __name__ == "__main__":
    sys.exit(main())
