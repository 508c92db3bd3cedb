"""Files that a command writes are none that it reads, nor two results in one."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

from loihiconv.core.errors import InvalidSetting

WRITTEN = ("out", "html", "markdown", "plot", "svg", "junit", "nir", "netx")
"""Parameters of commands that name a file to write."""


def kept_apart(command: Callable[..., None]) -> Callable[..., None]:
    """The command, which first looks that nothing it writes takes the place of something that it reads."""

    @wraps(command)
    def wrapper(*positional: Any, **arguments: Any) -> None:
        check_apart(arguments)
        command(*positional, **arguments)

    return wrapper


def check_apart(arguments: Mapping[str, Any]) -> None:
    """Raise `InvalidSetting` where a file that is written is another one of a command's arguments, too.

    Parameters
    ----------
    arguments : {parameter: value}
        Those that are paths, or text with a path before a colon as in ``mynets.py:lenet``, count.
    """
    given = {name: str(value) for name, value in arguments.items() if isinstance(value, (str, Path)) and str(value)}
    read = [os.path.realpath(path) for name, text in given.items() if name not in WRITTEN for path in (text, text.partition(":")[0])]
    taken = {path: "is read by this command" for path in read if os.path.isfile(path)}
    for name in (name for name in WRITTEN if name in given):
        path = os.path.realpath(given[name])
        if path in taken:
            raise InvalidSetting(taken[path], where=f"--{name} {given[name]}", remedy="choose another name")
        taken[path] = "is written twice"
