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
    end, dims = _reached(op, w), len(w.kernel)
    mode = _mode(w, end)
    if mode is not None:
        return _MAX[dims](x, w.kernel, w.stride, w.begin, w.dilation, mode)
    if not op.never_negative and (cut := _cut(w, end)) is not None:  # windows further out are left out again
        pads, places = cut
        pooled = _MAX[dims](x, w.kernel, w.stride, pads, w.dilation)
        return pooled[places]
    # Nothing is below zero after a ReLU, so that zeros never win against what is there.
    padded = F.pad(x, flat_pads(w.begin, end), value=0.0 if op.never_negative else -torch.inf)
    return _MAX[dims](padded, w.kernel, w.stride, 0, w.dilation)


def _cut(w: Window, end: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[slice, ...]] | None:
    """The same padding on both sides with which windows are those that are asked for and others, and which of them these are."""
    pads = tuple(map(max, w.begin, end))
    before = [(pad - begin, stride) for pad, begin, stride in zip(pads, w.begin, w.stride, strict=True)]
    if any(more % stride for more, stride in before) or any(2 * pad > reach for pad, reach in zip(pads, w.reach, strict=True)):
        return None
    sizes = zip(w.input, w.begin, end, w.reach, w.stride, strict=True)
    counts = [(size + begin + after - reach) // stride + 1 for size, begin, after, reach, stride in sizes]
    places = tuple(slice(more // stride, more // stride + count) for (more, stride), count in zip(before, counts, strict=True))
    return pads, (slice(None), slice(None), *places)


@operator("AveragePool")
def average_pool(op: Operation, x: Any) -> Any:
    w = _window(op, x)
    if any(d != 1 for d in w.dilation):
        raise op.refuse("is dilated", "train with dilations of 1")
    whole, end, dims = bool(op.get("count_include_pad", 0)), _reached(op, w), len(w.kernel)
    counted = _counts(w, end, whole)
    mode = _mode(w, end)
    if mode is not None and (not whole or w.begin == w.end):
        return _AVERAGE[dims](x, w.kernel, w.stride, w.begin, mode, whole)
    padded = F.pad(x, flat_pads(w.begin, end)) if any((*w.begin, *end)) else x
    mean = _AVERAGE[dims](padded, w.kernel, w.stride)
    return mean if bool((counted == prod(w.kernel)).all()) else torch.mul(mean, prod(w.kernel) / counted)


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


def _mode(w: Window, end: tuple[int, ...]) -> bool | None:
    """PyTorch's ``ceil_mode`` with which it has the same windows, given the padding before the input on both sides, or None."""
    if any(2 * begin > kernel for begin, kernel in zip(w.begin, w.kernel, strict=True)):
        return None
    sizes = tuple(zip(w.input, w.stride, w.reach, w.begin, strict=True))
    wanted = [(n + b + e - reach) // stride for (n, stride, reach, b), e in zip(sizes, end, strict=True)]
    if wanted == [(n + 2 * b - reach) // stride for n, stride, reach, b in sizes]:
        return False
    steps = [-(-(n + 2 * b - reach) // stride) for n, stride, reach, b in sizes]
    within = [step - (step * stride >= n + b) for step, (n, stride, _, b) in zip(steps, sizes, strict=True)]
    return True if wanted == within else None


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
