"""Files and folders that are written atomically: finished, or not at all."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import stat
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from loihiconv.core.errors import InvalidSetting

if TYPE_CHECKING:
    from loihiconv.core.linear import Array

PART = ".loihiconv-"
"""How the name of a file begins that is still being written."""


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A file to write to that takes the place of ``path`` when the block ends well, and vanishes when it does not.

    No reader and no crash ever meets half a file. Raises OSError as `open` does.
    """
    target = Path(os.path.realpath(path))
    temporary = _beside(target)
    try:
        # Not tempfile: its files are readable by their owner only, whatever the umask.
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:  # Ctrl-C too
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A folder to fill that becomes ``target`` when the block ends well, and vanishes when it does not; see `check_free`."""
    temporary = _beside(target)
    with _explained(target):
        try:
            temporary.mkdir()
            yield temporary
            temporary.rename(target)
        except InvalidSetting as error:
            if not error.where.startswith(str(temporary)):
                raise
            where = str(target) + error.where.removeprefix(str(temporary))  # the other name is gone
            raise InvalidSetting(error.what, where=where, limit=error.limit, remedy=error.remedy) from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def write_npz(path: str | os.PathLike[str], arrays: Mapping[str, Array], *, compressed: bool = False) -> None:
    """Write arrays as ``.npz`` atomically."""
    import numpy as np  # whoever has arrays has loaded it; the command line looks at paths before that

    kind = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    # Not numpy.savez: on a full disk it leaves the archive open, and Python complains of that later.
    with _explained(path), replacing(path) as file, zipfile.ZipFile(file, "w", kind) as archive:
        for name, values in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(values), allow_pickle=False)  # type: ignore[no-untyped-call]


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write JSON values atomically."""
    with _explained(path), replacing(path) as file:
        file.write(json.dumps(value, indent=2, allow_nan=False).encode() + b"\n")


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write bytes atomically."""
    with _explained(path), replacing(path) as file:
        file.write(content)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write text as UTF-8 atomically; of bytes that are none, as names of files may have, their numbers."""
    write_bytes(path, text.encode(errors="backslashreplace"))


def read_bytes(path: str | os.PathLike[str], most: int | None = None) -> bytes:
    """What is in a file.

    Raises
    ------
    ValueError
        If there are more than so many bytes of it, or it is a device, which may have no end.
    OSError
        As `open` does.
    """
    with open(path, "rb") as file:
        if stat.S_ISCHR(os.fstat(file.fileno()).st_mode):
            raise ValueError("a device, no file")
        data = file.read() if most is None else file.read(most + 1)
    if most is not None and len(data) > most:
        raise ValueError(f"larger than {most >> 20} MiB")
    return data


def make_folder(path: str | os.PathLike[str]) -> None:
    """Make a folder, and those above it, unless it is there."""
    with _explained(path):
        Path(path).mkdir(parents=True, exist_ok=True)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise `InvalidSetting` at once where writing ``path`` must fail later, after the work is done."""
    folder = Path(path).resolve().parent
    if not folder.is_dir():
        raise InvalidSetting("its folder does not exist", where=str(path), remedy="make the folder first")
    if Path(path).is_dir():
        raise InvalidSetting("is a folder", where=str(path), limit="a file name expected")
    if not os.access(folder, os.W_OK):
        raise InvalidSetting("its folder cannot be written to", where=str(path))


def check_free(folder: Path) -> None:
    """Raise `InvalidSetting` at once where the folder exists or could not be made."""
    if folder.exists():
        raise InvalidSetting("exists", where=str(folder), remedy="remove it or choose another name")
    if not folder.parent.is_dir():
        raise InvalidSetting("its folder does not exist", where=str(folder), remedy="make the folder first")
    if not os.access(folder.parent, os.W_OK):
        raise InvalidSetting("its folder cannot be written to", where=str(folder))


def _beside(target: Path) -> Path:
    """A name in the same folder that nothing else has."""
    return target.parent / f"{PART}{secrets.token_hex(8)}.tmp"


@contextmanager
def _explained(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InvalidSetting(f"cannot be written: {error.strerror or error}", where=str(path)) from error
