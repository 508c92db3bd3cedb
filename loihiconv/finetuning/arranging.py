"""Synapses that only arrange or compare, as sums of shifted images: few of their weights are not zero."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from loihiconv.ann.graph import Linear, Node
from loihiconv.core.linear import Conv

MOST = 9
"""Weights per channel up to which this is faster than a depthwise convolution."""


def arranging(node: Node) -> Callable[[Tensor], Tensor] | None:
    """What computes a depthwise convolution that is the same for all channels; None for anything else."""
    if not isinstance(node, Linear) or node.bias is not None or node.shape is not None or not isinstance(node.map, Conv):
        return None
    kernels = node.map.weight
    alike = kernels.shape[1] == 1 and node.map.groups == len(kernels) and bool((kernels == kernels[:1]).all())
    if not alike or not 0 < np.count_nonzero(kernels[0]) <= MOST:
        return None
    linear, taps = node.map, [(int(i), int(j), float(kernels[0, 0, i, j])) for i, j in np.argwhere(kernels[0, 0])]
    return lambda x: _shifted(x, linear, taps)


def _shifted(x: Tensor, linear: Conv, taps: list[tuple[int, int, float]]) -> Tensor:
    top, bottom, left, right = linear.padding
    _, rows, columns = linear.output_shape(tuple(x.shape[1:]))
    padded = F.pad(x, (left, right, top, bottom)) if any(linear.padding) else x
    total: Tensor | None = None
    for i, j, weight in taps:
        down, across = (_places(start * by, size, step) for start, by, size, step in _axes(linear, i, j, rows, columns))
        part = padded[:, :, down, across]
        part = part if weight == 1 else part * weight
        total = part if total is None else total + part
    assert total is not None  # there is a tap
    return total


def _axes(linear: Conv, i: int, j: int, rows: int, columns: int) -> tuple[tuple[int, int, int, int], ...]:
    """Place of a tap, dilation, results and stride, for each axis."""
    return (i, linear.dilation[0], rows, linear.stride[0]), (j, linear.dilation[1], columns, linear.stride[1])


def _places(first: int, size: int, step: int) -> slice:
    return slice(first, first + (size - 1) * step + 1, step)
