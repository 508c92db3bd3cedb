"""Convolutions as NIR can say them: with the same zeros on either side, and square kernels where that costs only zeros."""

from __future__ import annotations

import numpy as np

from loihiconv.core.linear import Conv, Pair


def symmetric(conv: Conv) -> Conv:
    """The same map with padding (p, p, q, q), at least 0.

    Where padding differs between two sides, or crops, the kernel gets rows or columns of zeros that make up for it. ``nir`` 1.0 takes
    kernels for square when it checks shapes, so that oblong ones are filled up with zeros, too, where an even number is missing.
    """
    (top, bottom, left, right), (kh, kw) = conv.padding, conv.weight.shape[2:]
    vertical, horizontal = max(top, bottom, 0), max(left, right, 0)
    if (vertical, horizontal) == (top, left) == (bottom, right) and kh == kw:
        return conv
    if (
        (vertical, horizontal) != (top, left)
        or (top, left) != (bottom, right)
        or (kh - kw) % 2 == 0
        or (conv.extent[0] - conv.extent[1]) % 2 == 0
    ):
        conv = undilated(conv)
    (kh, kw), (height, width) = conv.weight.shape[2:], (vertical, horizontal)
    rows, columns = (size + 2 * pad - sum(given) for size, pad, given in ((kh, height, (top, bottom)), (kw, width, (left, right))))
    if (rows - columns) % 2 == 0:
        height += max(columns - rows, 0) // 2
        width += max(rows - columns, 0) // 2
    zeros = ((0, 0), (0, 0), (height - top, height - bottom), (width - left, width - right))
    return Conv(np.pad(conv.weight, zeros), conv.stride, (height, height, width, width), conv.dilation, conv.groups)


def undilated(conv: Conv) -> Conv:
    """The same map with the zeros of its dilation written out."""
    if conv.dilation == (1, 1):
        return conv
    weight = np.zeros((*conv.weight.shape[:2], *conv.extent), conv.weight.dtype)
    weight[:, :, :: conv.dilation[0], :: conv.dilation[1]] = conv.weight
    return Conv(weight, conv.stride, conv.padding, groups=conv.groups)


def misread(conv: Conv) -> bool:
    """Whether ``nir`` 1.0 computes other shapes for it than it has: it overlooks groups, and takes kernels for square."""
    kernel: Pair = (conv.weight.shape[2], conv.weight.shape[3])
    return conv.groups > 1 or kernel[0] != kernel[1]
