"""Temporary folders that say whose they are, so that those of processes that were killed, or of before a restart, are found and removed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import stat
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from multiprocessing import shared_memory
from pathlib import Path

from loihiconv.core.json_text import read_json
from loihiconv.core.log import LOG

PREFIX = "loihiconv-"
MARK = "owner.json"
SCRATCH = "scratch"
"""A link, in a folder, to one more temporary folder of its owner's, that `multiprocessing` has made."""
_MULTIPROCESSING = "pymp-"
_GONE = "-gone"
"""How the name of a folder ends that is being removed."""
_PREFIX_OF_PYTHON = "_SHM_NAME_PREFIX"
_SHARED = Path("/dev/shm")
_SYSTEM = Path("/proc")
_MACHINE = Path("/etc/machine-id")


@dataclass(frozen=True)
class Owner:
    """A process, told from all others that ever were.

    Attributes
    ----------
    machine : str
        Name and identity of the machine, or of the container.
    boot : str
        Which of its starts; "" where the system does not say (not Linux).
    processes : str
        The namespace that process numbers are of.
    pid : int
    start : str
        When the process began, in ticks since the boot: another one may get its number later.
    """

    machine: str
    boot: str
    processes: str
    pid: int
    start: str

    @classmethod
    def this(cls) -> Owner:
        """The process that asks."""
        identity = _text(_MACHINE)
        machine = f"{socket.gethostname()} {identity}".strip()
        boot = _text(_SYSTEM / "sys/kernel/random/boot_id")
        try:
            namespace = os.readlink(_SYSTEM / "self/ns/pid")
        except OSError:
            boot = namespace = ""
        pid = os.getpid()
        return cls(machine, boot, namespace, pid, started(pid) or "")

    def gone(self, here: Owner) -> bool:
        """Whether the process has certainly ended, as a process ``here`` can tell: False where it cannot."""
        if not (self.boot and here.boot) or self.machine != here.machine:
            return False
        if self.boot != here.boot:
            return True
        return self.processes == here.processes and started(self.pid) != self.start


def started(pid: int) -> str | None:
    """When a process began, in ticks since the boot (``/proc/PID/stat``, field 22); None where there is none, or it has ended."""
    text = _text(_SYSTEM / str(pid) / "stat")
    fields = text.rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 and fields[0] not in ("Z", "X") else None


def make_temporary(kind: str) -> Path:
    """A new folder ``loihiconv-KIND-...`` that this process owns; first, once for each place, those that nobody owns any more are removed.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    place = tempfile.gettempdir()
    _sweep_once(place)
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{kind}-", dir=place)).resolve()
    try:
        (folder / MARK).write_text(json.dumps(asdict(Owner.this())))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def remove_temporary(folder: Path) -> None:
    """Remove a folder and the folder of this user's that its link `SCRATCH` names; under another name first, where nobody can add files."""
    with suppress(OSError):
        scratch = Path(os.readlink(folder / SCRATCH))
        if scratch.name.startswith(_MULTIPROCESSING) and _is_own(scratch):
            shutil.rmtree(scratch, ignore_errors=True)
    moved = folder.with_name(folder.name + _GONE)
    with suppress(OSError):
        folder.rename(moved)
    for each in (folder, moved):
        shutil.rmtree(each, ignore_errors=True)


def shared_names(folder: Path) -> str:
    """How names of shared memory begin that processes of a folder's owner make: two letters and five digits of the folder's name."""
    return "lc" + hashlib.sha256(folder.name.removesuffix(_GONE).encode()).hexdigest()[:5]


def name_shared_memory(folder: Path) -> None:
    """Have this process, and those that it forks, give shared memory such names; else nobody knows whose it is when all were killed."""
    if hasattr(shared_memory, _PREFIX_OF_PYTHON):  # a name of Python's own, no promise
        setattr(shared_memory, _PREFIX_OF_PYTHON, f"/{shared_names(folder)}")


def remove_shared_memory(folder: Path) -> None:
    """Remove what processes of a folder's owner, all of which have ended, left in shared memory."""
    for path in _SHARED.glob(f"{shared_names(folder)}??????"):
        with suppress(OSError):
            if path.lstat().st_uid == os.geteuid():
                path.unlink()


def sweep(place: str | os.PathLike[str]) -> list[Path]:
    """Remove folders of this user's in a place whose owners have certainly ended, and say which; nothing is followed, nothing raised."""
    here, removed = Owner.this(), []
    with suppress(OSError):
        for entry in list(os.scandir(place)):
            path = Path(entry.path)
            if entry.name.startswith(PREFIX) and _is_own(path) and (entry.name.endswith(_GONE) or _is_left(path, here)):
                remove_temporary(path)
                remove_shared_memory(path)
                removed.append(path)
                LOG.info("removed %s, whose process has ended without doing so", path)
    return removed


@cache
def _sweep_once(place: str) -> None:
    sweep(place)


def _is_own(path: Path) -> bool:
    """Whether a path is a folder, no link to one, that belongs to this user and to nobody else."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _is_left(folder: Path, here: Owner) -> bool:
    """Whether a folder says whose it is, and that is a process which has ended."""
    owner = _owner(folder)
    return owner is not None and owner.gone(here)


def _owner(folder: Path) -> Owner | None:
    try:
        said = read_json(_text(folder / MARK))
        owner = Owner(**said)
    except (ValueError, TypeError):
        return None
    return owner if all(isinstance(value, type(getattr(_NOBODY, name))) for name, value in vars(owner).items()) else None


_NOBODY = Owner("", "", "", 0, "")


def _text(path: Path) -> str:
    """What a small file says, "" where it cannot be read."""
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
