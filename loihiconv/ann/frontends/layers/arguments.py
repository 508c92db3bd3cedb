"""How arguments of layers are read."""

from __future__ import annotations

from typing import Any

from loihiconv.core.linear import Pair


def pair(size: Any) -> Pair:
    """(vertical, horizontal) from a number or a sequence of one or two."""
    sizes = tuple(size) if isinstance(size, (tuple, list)) else (size,)
    return int(sizes[0]), int(sizes[-1])
