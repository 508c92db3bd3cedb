"""Windows of convolutions and pooling in NumPy, channels last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from loihiconv.core.linear import Array


def padded(x: Array, pairs: Sequence[tuple[int, int]], filler: float = 0.0) -> Array:
    """An array with so much before and after each axis."""
    return np.pad(x, pairs, constant_values=filler)


def windows(x: Array, size: Sequence[int], strides: Sequence[int], dilations: Sequence[int], padding: str, filler: float = 0.0) -> Array:
    """What each window sees: (N, \\*places, \\*size, C) from (N, \\*sizes, C).

    Parameters
    ----------
    padding : "valid", "same" or "causal"
    filler : float
        What the padding is filled with.
    """
    around = [_around(n, (k - 1) * d + 1, s, padding) for n, k, s, d in zip(x.shape[1:-1], size, strides, dilations, strict=True)]
    whole = padded(x, [(0, 0), *around, (0, 0)], filler)
    dims = len(size)
    reach = tuple((k - 1) * d + 1 for k, d in zip(size, dilations, strict=True))
    axes: Any = tuple(range(1, dims + 1))
    seen = np.lib.stride_tricks.sliding_window_view(whole, reach, axis=axes)  # (N, *places, C, *reach)
    steps: Any = (slice(None), *(slice(None, None, s) for s in strides), slice(None), *(slice(None, None, d) for d in dilations))
    return np.moveaxis(seen[steps], dims + 1, -1)


def _around(size: int, reach: int, stride: int, padding: str) -> tuple[int, int]:
    if padding == "causal":
        return reach - 1, 0
    if padding != "same":
        return 0, 0
    needed = max(0, (-(-size // stride) - 1) * stride + reach - size)
    return needed // 2, needed - needed // 2


def spread(parts: Array, strides: Sequence[int], size: Sequence[int]) -> Array:
    """Sum of what each pixel adds: (N, \\*out, C) from (N, \\*pixels, \\*size, C).

    Without padding; where a kernel is shorter than the stride, zeros fill the result up to pixels times stride.
    """
    dims = len(size)
    pixels = parts.shape[1 : 1 + dims]
    out = [(n - 1) * s + max(k, s) for n, s, k in zip(pixels, strides, size, strict=True)]
    sums = np.zeros((len(parts), *out, parts.shape[-1]), np.float32)
    for offset in np.ndindex(*size):
        where: Any = (slice(None), *(slice(o, o + (n - 1) * s + 1, s) for o, n, s in zip(offset, pixels, strides, strict=True)))
        sums[where] += parts[(slice(None),) * (1 + dims) + offset]
    return sums
