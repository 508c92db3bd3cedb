"""JSON of files that others may have written: of two equal names none is taken, and what is no JSON is one kind of error."""

from __future__ import annotations

import json
from typing import Any


def read_json(text: bytes | str) -> Any:
    """The values of a text.

    Raises
    ------
    ValueError
        If it is no JSON, nested deeper than Python reads, holds a number of thousands of digits, or gives a name twice.
    """
    try:
        return json.loads(text, object_pairs_hook=_once)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, whose names stand once."""
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice[:40]!r} stands there twice")
    return values
