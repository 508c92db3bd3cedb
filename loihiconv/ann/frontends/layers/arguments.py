"""How arguments of layers are read."""

from __future__ import annotations

from typing import Any

from loihiconv.ann.frontends.registry import Call, Signal
from loihiconv.core.linear import Pair


def pair(size: Any) -> Pair:
    """(vertical, horizontal) from a number or a sequence of one or two."""
    sizes = tuple(size) if isinstance(size, (tuple, list)) else (size,)
    return int(sizes[0]), int(sizes[-1])


def require_image(call: Call, input: Signal) -> None:
    """Refuse what has no shape (C, H, W)."""
    if len(input.shape) != 4:
        raise call.refuse(f"acts on an input of shape {input.shape[1:]}", "use it on images (C, H, W)")
