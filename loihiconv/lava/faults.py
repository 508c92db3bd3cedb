"""Faults where tests ask for them: in the worker or one of Lava's processes, at a moment that is named, not left to luck.

``LOIHICONV_FAULT=MOMENT:WHAT[:COUNT[:MARK]]`` in the environment, which nothing but tests sets, makes the process that comes to a
moment for the COUNT-th time, 1 if nothing is said, do what is asked for: "kill" itself, "hang" for ever, "raise", or find the disk "full".
With MARK it happens once, to whichever process makes the file of that name, with its number in it, so that others see that the moment has
come.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Literal, TypeAlias

VARIABLE = "LOIHICONV_FAULT"
Moment: TypeAlias = Literal["start", "built", "sample", "write", "end"]
"""Before Lava is imported, before it runs, after a sample in one of its processes, with half of a record written, and before the worker
says that it is done."""
_passed: Counter[str] = Counter()


def reached(moment: Moment) -> None:
    """Do what is asked for at a moment, if anything is."""
    asked = os.environ.get(VARIABLE)
    if asked is None:
        return
    where, _, what = asked.partition(":")
    what, _, count = what.partition(":")
    count, _, mark = count.partition(":")
    if where != moment:
        return
    _passed[moment] += 1
    if _passed[moment] == int(count or 1) and (not mark or _is_first(Path(mark))):
        _happen(what)


def _is_first(mark: Path) -> bool:
    """Whether nobody has made a file before; it comes into being whole."""
    own = mark.with_name(f"{mark.name}-{os.getpid()}")
    own.write_text(str(os.getpid()))
    try:
        os.link(own, mark)
    except FileExistsError:
        return False
    finally:
        own.unlink()
    return True


def _happen(what: str) -> None:
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    while what == "hang":
        time.sleep(3600)
    if what == "full":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    raise RuntimeError(f"a fault that {VARIABLE} asks for: {what}")
