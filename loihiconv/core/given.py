"""What users give, told from what they meant: whatever is of another kind ends in one line.

Imports nothing but errors and choices, so that whoever checks a path or a name loads nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from math import isnan
from numbers import Real
from reprlib import Repr
from typing import Any, get_args

from loihiconv.core.choices import Task
from loihiconv.core.errors import InvalidSetting

_REPR = Repr()
_REPR.maxstring = _REPR.maxother = 60


def shown(value: Any) -> str:
    """A value on part of a line: numbers, words and names as they are written, of anything else the type."""
    if value is None or isinstance(value, (bool, int, float, str, bytes, os.PathLike)):
        return _REPR.repr(value)
    if isinstance(value, (tuple, list)) and len(value) < 6 and all(v is None or isinstance(v, (bool, int, float, str)) for v in value):
        return _REPR.repr(value)
    name = type(value).__qualname__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def check_path(value: Any, where: str) -> None:
    """Raise `InvalidSetting` for what names no file; a number would be taken for an open one."""
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value):
        raise InvalidSetting(f"{shown(value)} is no path", where=where, limit="a path expected")


def check_task(given: object) -> None:
    """Raise `InvalidSetting` for what is no task and not None."""
    known = get_args(Task)
    if given is not None and not (isinstance(given, str) and given in known):
        guess = did_you_mean(given, known) if isinstance(given, str) else ""
        raise InvalidSetting(f"task {shown(given)}{guess}", where="task", limit=f"{', '.join(known)} expected")


def check_number(value: Any, where: str, *, low: float, above: bool = False) -> None:
    """Raise `InvalidSetting` for what is no number, or one below its range; with ``above`` the end itself is out of it, too."""
    number = isinstance(value, Real) and not isinstance(value, bool) and not isnan(value)
    if not number or value < low or (above and value == low):
        raise InvalidSetting(shown(value), where=where, limit=f"a number {'above' if above else 'of at least'} {low:g} expected")


def check_callable(value: Callable[..., Any] | None, where: str) -> None:
    """Raise `InvalidSetting` for what is neither None nor a function."""
    if value is not None and not callable(value):
        raise InvalidSetting(f"{shown(value)} cannot be called", where=where, limit="a function expected, or None")


def several(value: Any, where: str, example: str) -> tuple[Any, ...]:
    """The names in a collection, or `InvalidSetting`, for a single word, too, which is a collection of letters."""
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise InvalidSetting(shown(value), where=where, limit=f"a list of names expected, such as {example}")
    return tuple(value)


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """``, did you mean 'x'?`` for a misspelt name, or nothing where none is close; small letters, spaces, "-" and "_" are alike."""
    alike = {_plain(word): word for word in known}
    close = get_close_matches(_plain(str(name)), alike, n=1)
    return f", did you mean {alike[close[0]]!r}?" if close else ""


def _plain(name: str) -> str:
    return name.lower().replace(" ", "_").replace("-", "_")
