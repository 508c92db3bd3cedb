"""How arguments of layers are read."""

from __future__ import annotations

from typing import Any

from loihiconv.core.linear import Pair, Shape


def pair(size: Any) -> Pair:
    """(vertical, horizontal) from a number or a sequence of one or two."""
    sizes = tuple(size) if isinstance(size, (tuple, list)) else (size,)
    return int(sizes[0]), int(sizes[-1])


def triple(sizes: Any) -> tuple[int, ...]:
    """(depth, height, width) from a number or a sequence of three."""
    return tuple(sizes) if isinstance(sizes, (tuple, list)) else (sizes,) * 3


def window(shape: Shape, size: Any, nothing: int) -> Pair:
    """(vertical, horizontal) of a window, its stride, dilation or padding; one axis of space is the horizontal one.

    Parameters
    ----------
    shape : tuple of int
        Of a batch that the window slides over.
    size : number or sequence
    nothing : int
        What an axis has that is not there.
    """
    return pair(size) if len(shape) == 4 else (nothing, pair(size)[1])
