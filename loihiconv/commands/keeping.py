"""What commands say of slices that are kept: how far a run came that was cut off, and what to type to go on."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loihiconv.commands.terminal import note
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.files import check_writable
from loihiconv.core.numbers import count

RESUME = "--resume"


def check_kept(folder: Path | None, *, resume: bool) -> None:
    """Raise `InvalidSetting` where a folder for slices cannot be used as it is asked for.

    Parameters
    ----------
    folder : Path or None
        None where no slices are kept.
    resume : bool
        Whether a run is to go on; where none was begun it begins.
    """
    if folder is None:
        if resume:
            raise InvalidSetting("nothing is kept to go on with", where=RESUME, remedy="name what is written, as at the first time")
        return
    if folder.exists():
        if not resume:
            remedy = f"go on with it: {RESUME}; or remove it"
            raise InvalidSetting("an unfinished run is kept there", where=str(folder), remedy=remedy)
        if not folder.is_dir():
            raise InvalidSetting("is no folder", where=str(folder), limit="slices of a run expected")
        return
    check_writable(folder)


@contextmanager
def kept(folder: Path | None, samples: int) -> Iterator[None]:
    """Say what is kept when the block does not end well; remove it when it does.

    Parameters
    ----------
    folder : Path or None
    samples : int
        That are run, by each back end.
    """
    try:
        yield
    except BaseException as error:  # Ctrl-C too
        from loihiconv.backends.slices import AnotherRun, samples_done

        if folder is not None and folder.is_dir() and not isinstance(error, AnotherRun):
            _say(folder, samples_done(folder), samples)
        raise
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _say(folder: Path, done: dict[str, int], samples: int) -> None:
    """How far a run came; a folder without a slice is removed."""
    if not any(done.values()):
        shutil.rmtree(folder, ignore_errors=True)
        return
    each = " and ".join(f"{count(number)} of {count(samples)} samples{of}" for of, number in done.items())
    words = [word for word in sys.argv[1:] if word != RESUME]
    note(f"{each} are kept in {folder}; to go on: {shlex.join(['loihiconv', *words, RESUME])}")
