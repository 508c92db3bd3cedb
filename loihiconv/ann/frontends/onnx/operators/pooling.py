"""Pooling."""

# ruff: noqa: D103  each function is named after what it carries out, and says nothing that its decorator does not

from __future__ import annotations

from math import prod
from typing import Any

import torch
import torch.nn.functional as F

from loihiconv.ann.frontends.onnx.graph import Operation
from loihiconv.ann.frontends.onnx.operators.registry import check_size, integers, operator
from loihiconv.ann.frontends.onnx.windows import Window, flat_pads, window

_MAX = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
_AVERAGE: dict[int, Any] = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


@operator("MaxPool")
def max_pool(op: Operation, x: Any) -> Any:
    if len([name for name in op.outputs if name]) > 1:
        raise op.refuse("returns indices", "use its values alone")
    w = _window(op, x)
    begin, end = w.begin, _reached(op, w)
    if begin == end and all(2 * b <= k for b, k in zip(begin, w.kernel, strict=True)):
        return _MAX[len(w.kernel)](x, w.kernel, w.stride, begin, w.dilation)
    if not op.never_negative and _ceil_reaches(w, end) and all(2 * b <= k for b, k in zip(begin, w.kernel, strict=True)):
        return _MAX[len(w.kernel)](x, w.kernel, w.stride, begin, w.dilation, True)
    # Nothing is below zero after a ReLU, so that zeros never win against what is there.
    padded = F.pad(x, flat_pads(begin, end), value=0.0 if op.never_negative else -torch.inf)
    return _MAX[len(w.kernel)](padded, w.kernel, w.stride, 0, w.dilation)


@operator("AveragePool")
def average_pool(op: Operation, x: Any) -> Any:
    w = _window(op, x)
    if any(d != 1 for d in w.dilation):
        raise op.refuse("is dilated", "train with dilations of 1")
    whole, end, dims = bool(op.get("count_include_pad", 0)), _reached(op, w), len(w.kernel)
    counted = _counts(w, end, whole)
    even = bool((counted == prod(w.kernel)).all())
    if even and w.begin == end and all(2 * b <= k for b, k in zip(w.begin, w.kernel, strict=True)):
        return _AVERAGE[dims](x, w.kernel, w.stride, w.begin)
    padded = F.pad(x, flat_pads(w.begin, end)) if any((*w.begin, *end)) else x
    mean = _AVERAGE[dims](padded, w.kernel, w.stride)
    return mean if even else torch.mul(mean, prod(w.kernel) / counted)


def _counts(w: Window, end: tuple[int, ...], padding_counts: bool) -> torch.Tensor:
    """Values that each window takes the mean of, (1, 1, \\*sizes): what lies beyond the padding never counts."""
    edge = w.end if padding_counts else (0,) * len(end)
    inside = torch.ones(1, 1, *w.input)
    inside = F.pad(inside, flat_pads(w.begin, edge), value=float(padding_counts))
    inside = F.pad(inside, flat_pads([0] * len(end), [reached - e for reached, e in zip(end, edge, strict=True)]))
    sums = _AVERAGE[len(w.kernel)](inside, w.kernel, w.stride) * prod(w.kernel)
    return torch.round(sums)


@operator("GlobalAveragePool")
def global_average_pool(op: Operation, x: Any) -> Any:
    dims = len(x.shape) - 2
    pools: dict[int, Any] = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d}
    return pools[dims](x, (1,) * dims) if dims in pools else torch.mean(x, tuple(range(2, dims + 2)), True)


@operator("GlobalMaxPool")
def global_max_pool(op: Operation, x: Any) -> Any:
    sizes = tuple(x.shape[2:])
    return _MAX[len(sizes)](x, sizes) if len(sizes) in _MAX else torch.amax(x, tuple(range(2, len(sizes) + 2)), True)


@operator("LpPool")
def lp_pool(op: Operation, x: Any) -> Any:
    w = _window(op, x)
    if len(w.kernel) != 2 or any((*w.begin, *w.end)):
        raise op.refuse("cannot be converted", "use AveragePool or MaxPool")
    return F.lp_pool2d(x, float(op.get("p", 2)), w.kernel, w.stride)


def _window(op: Operation, x: Any) -> Window:
    w = window(op, x, integers(op, op.get("kernel_shape", ()), "kernel_shape"))
    if len(w.kernel) not in _MAX:
        raise op.refuse(f"has windows along {len(w.kernel)} axes", "use pooling along one or two")
    return w


def _ceil_reaches(w: Window, end: tuple[int, ...]) -> bool:
    """Whether PyTorch's ``ceil_mode``, with the padding before the input on both sides, has as many windows."""
    for size, stride, reach, begin, last in zip(w.input, w.stride, w.reach, w.begin, end, strict=True):
        steps = -(-(size + 2 * begin - reach) // stride)
        if steps * stride >= size + begin:
            steps -= 1
        if steps != (size + begin + last - reach) // stride:
            return False
    return True


def _reached(op: Operation, w: Window) -> tuple[int, ...]:
    """Padding after the input up to where the last window ends, which ``ceil_mode`` may set beyond the padding."""
    reached = []
    for size, stride, reach, begin, end in zip(w.input, w.stride, w.reach, w.begin, w.end, strict=True):
        free = size + begin + end - reach
        steps = -(-free // stride) if op.get("ceil_mode", 0) else free // stride
        if op.get("ceil_mode", 0) and steps * stride >= size + begin:  # a window that would begin in the padding at the end
            steps -= 1
        reached.append(max(end, steps * stride + reach - size - begin))
    check_size(op, tuple(reached))
    return tuple(reached)
