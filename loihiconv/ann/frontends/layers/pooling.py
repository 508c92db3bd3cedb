"""Pooling: means, sums and maxima over windows or whole axes."""

# ruff: noqa: D103  each handler is named after what it reads, and says nothing that its decorator does not

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from loihiconv.ann.frontends.layers.activations import maximum
from loihiconv.ann.frontends.layers.arguments import triple, window
from loihiconv.ann.frontends.layers.constants import total
from loihiconv.ann.frontends.layers.fused import nodes_of
from loihiconv.ann.frontends.layers.resampling import each_channel
from loihiconv.ann.frontends.layers.stacks import along_stack, behind_samples, stacked
from loihiconv.ann.frontends.registry import Call, Result, Signal, on_function, on_module
from loihiconv.ann.frontends.remedies import Refused
from loihiconv.ann.graph import AvgPool, Gather, Linear, MaxPool, Reshape, arranged
from loihiconv.core.linear import Array, Conv, Pair, Sparse

# --- means over windows


@on_function(F.avg_pool2d, F.avg_pool1d, torch.avg_pool1d)
def avg_pool(
    call: Call,
    input: Signal,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Result:
    image, after = _image(call, input), arranged(call.shape[1:])
    (kernel, step), around = (
        (window(input.shape, size, 1) for size in (kernel_size, stride or kernel_size)),
        window(input.shape, padding, 0),
    )
    pool = AvgPool(call.name, (input.name,), kernel, step, around)
    ends = ((n - 1) * s + k - p for n, s, k, p in zip(after[1:], step, kernel, around, strict=True))
    inside = all(end <= size + p for end, size, p in zip(ends, image[1:], around, strict=True))  # else with ceil_mode, beyond the padding
    if inside and divisor_override is None and (count_include_pad or not any(around)):
        return pool
    return each_channel(call, input)


@on_module(nn.AvgPool2d)
def avg_pool_module(call: Call, module: nn.AvgPool2d, input: Signal) -> Result:
    options = (module.kernel_size, module.stride, module.padding, module.ceil_mode, module.count_include_pad, module.divisor_override)
    return avg_pool(call, input, *options)


@on_module(nn.AvgPool1d)
def avg_pool1d_module(call: Call, module: nn.AvgPool1d, input: Signal) -> Result:
    return avg_pool(call, input, module.kernel_size, module.stride, module.padding, module.ceil_mode, module.count_include_pad)


@on_function(F.avg_pool3d, F.adaptive_avg_pool3d)
def avg_pool3d(call: Call, input: Signal, *sizes: Any, **options: Any) -> Result:
    return each_channel(call, input)


@on_module(nn.AvgPool3d, nn.AdaptiveAvgPool3d)
def avg_pool3d_module(call: Call, module: nn.Module, input: Signal) -> Result:
    return each_channel(call, input)


@on_function(F.adaptive_avg_pool2d, F.adaptive_avg_pool1d, torch.adaptive_avg_pool1d)
def adaptive_avg_pool(call: Call, input: Signal, output_size: Any) -> Result:
    kernel = _equal_windows(call, input)
    if kernel is None:
        return each_channel(call, input)
    return input if kernel == (1, 1) else AvgPool(call.name, (input.name,), kernel, kernel)


@on_module(nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool1d)
def adaptive_avg_pool_module(call: Call, module: nn.AdaptiveAvgPool2d, input: Signal) -> Result:
    return adaptive_avg_pool(call, input, module.output_size)


# --- means, sums and maxima over whole axes


@on_function(torch.mean, "mean")
def mean(call: Call, input: Signal, dim: Any = None, keepdim: bool = False, *, axis: Any = None, dtype: Any = None) -> Result:
    return _reduced(call, input, dim if axis is None else axis, mean=True)


@on_function(torch.sum, "sum")
def sum_(call: Call, input: Signal, dim: Any = None, keepdim: bool = False, *, axis: Any = None, dtype: Any = None) -> Result:
    return _reduced(call, input, dim if axis is None else axis, mean=False)


@on_function(torch.amax, "amax")
def amax(call: Call, input: Signal, dim: Any = (), keepdim: bool = False) -> Result:
    if parts := stacked(call, input):
        *nodes, behind = behind_samples(call, parts)
        rest = tuple(1 if axis == 0 else axis for axis in along_stack(call, input, _axes(input, dim)))
        return (*nodes, behind, *nodes_of(amax(call, Signal(behind.name, (input.shape[1], input.shape[0], *input.shape[2:])), rest)))
    kept = _kept(call, input, dim)
    groups = int(kept.max()) + 1
    order = np.argsort(kept, kind="stable")
    each = len(order) // groups
    first = Gather(call.fresh(f"{call.name}.windows"), (input.name,), order, (groups, 1, each))
    pool = MaxPool(call.fresh(f"{call.name}.max"), (first.name,), (1, each), (1, each))
    return first, pool, Reshape(call.name, (pool.name,), arranged(call.shape[1:]))


@on_function(torch.max, "max")
def max_(call: Call, input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Result | tuple[Result, ...]:
    if other is not None or isinstance(dim, (Signal, torch.Tensor)):
        return maximum(call, input, dim if other is None else other)
    if dim is None:
        raise call.refuse("over everything has no spiking counterpart", "take it over axes, as in x.amax((2, 3))")
    largest = replace(call, shape=call.repeat({input: torch.zeros(input.shape)}).values.shape)
    return amax(largest, input, dim, keepdim), Refused(call.fresh(f"{call.name}.indices"), (input.name,), call.refuse("gives indices", ""))


def _of_stack(call: Call, input: Signal, parts: Sequence[Signal], dim: Any, *, mean: bool) -> Result:
    """The sum or mean of results on an axis before that of samples: of an ensemble."""
    rest = tuple(axis - 1 for axis in along_stack(call, input, _axes(input, dim)) if axis)
    added = replace(call, name=call.fresh(f"{call.name}.stack"), shape=parts[0].shape) if rest else call
    nodes = total(added, [(part, 1 / len(parts) if mean else 1.0) for part in parts])
    return (*nodes, *nodes_of(_reduced(call, Signal(added.name, added.shape), rest, mean=mean))) if rest else nodes


def _reduced(call: Call, input: Signal, dim: Any, *, mean: bool) -> Result:
    if parts := stacked(call, input):
        return _of_stack(call, input, parts, dim, mean=mean)
    kept = _kept(call, input, dim)
    shape, outputs = arranged(input.shape[1:]), int(kept.max()) + 1
    each = len(kept) // outputs
    weight = 1 / each if mean else 1.0
    after = arranged(call.shape[1:])
    if len(shape) == 3 and outputs == shape[0] and np.array_equal(kept, np.arange(outputs).repeat(each)):  # height and width
        window = (shape[1], shape[2])
        if mean and after == (outputs, 1, 1):
            return AvgPool(call.name, (input.name,), window, window)
        total = Linear(call.fresh(f"{call.name}.window"), (input.name,), Conv(np.full((outputs, 1, *window), weight), groups=outputs))
        return total, Reshape(call.name, (total.name,), after)
    if len(shape) == 3 and each == shape[0] and np.array_equal(kept, np.tile(np.arange(outputs), each)):  # channels
        total = Linear(call.fresh(f"{call.name}.channels"), (input.name,), Conv(np.full((1, each, 1, 1), weight)))
        return total, Reshape(call.name, (total.name,), after)
    order = np.argsort(kept, kind="stable").astype(np.int32)
    map = Sparse(np.full(len(kept), weight), kept[order].astype(np.int32), order, after, shape)
    return Linear(call.name, (input.name,), map)


def _kept(call: Call, input: Signal, dim: Any) -> Array:
    """For each value of the flattened input, which value of the flattened result it is part of."""
    axes = _axes(input, dim)
    if 0 in axes:
        raise call.refuse("mixes samples", "keep the first axis for samples, as in x.mean((2, 3))")
    sizes = [1 if axis in axes else size for axis, size in enumerate(input.shape)][1:]
    return np.broadcast_to(np.arange(prod(sizes)).reshape(sizes), input.shape[1:]).ravel()


def _axes(input: Signal, dim: Any) -> tuple[int, ...]:
    """Axes that are reduced, in order, all of them where none is named."""
    axes = tuple(range(len(input.shape))) if dim is None or dim == () else dim if isinstance(dim, (tuple, list)) else (dim,)
    return tuple(sorted(axis % len(input.shape) for axis in axes))


# --- maxima over windows


@on_function(F.max_pool2d, torch.max_pool2d, F.max_pool1d, torch.max_pool1d, F.max_pool3d, torch.max_pool3d)
def max_pool(
    call: Call,
    input: Signal,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Result:
    if return_indices:
        raise call.refuse("returns indices", "call it without return_indices")
    if len(input.shape) == 5:
        sizes = (triple(value) for value in (kernel_size, stride or kernel_size, padding, dilation))
        return _over_windows(call, input, [_taps(*axis) for axis in zip(input.shape[2:], call.shape[2:], *sizes, strict=True)])
    shape, after = _image(call, input), arranged(call.shape[1:])
    kernel, step, spacing = (window(input.shape, size, 1) for size in (kernel_size, stride or kernel_size, dilation))
    before, reach = window(input.shape, padding, 0), []
    for axis in (0, 1):  # with ceil_mode, the last window may reach beyond the padding
        last = (after[axis + 1] - 1) * step[axis] + (kernel[axis] - 1) * spacing[axis] + 1
        reach.append(max(before[axis], last - before[axis] - shape[axis + 1]))
        taps = np.arange(after[axis + 1])[:, None] * step[axis] - before[axis] + np.arange(kernel[axis]) * spacing[axis]
        if not ((taps >= 0) & (taps < shape[axis + 1])).any(axis=1).all():
            raise call.refuse("has windows with nothing but padding, whose maximum is infinite", "use less padding or dilation")
    return MaxPool(call.name, (input.name,), kernel, step, (before[0], reach[0], before[1], reach[1]), spacing)


@on_module(nn.MaxPool2d, nn.MaxPool1d, nn.MaxPool3d)
def max_pool_module(call: Call, module: nn.MaxPool2d, input: Signal) -> Result:
    options = (module.kernel_size, module.stride, module.padding, module.dilation, module.ceil_mode, module.return_indices)
    return max_pool(call, input, *options)


@on_function(F.adaptive_max_pool2d, F.adaptive_max_pool1d, torch.adaptive_max_pool1d, F.adaptive_max_pool3d)
def adaptive_max_pool(call: Call, input: Signal, output_size: Any, return_indices: bool = False) -> Result:
    if return_indices:
        raise call.refuse("returns indices", "call it without return_indices")
    if len(input.shape) == 5:
        return _over_windows(call, input, [_adaptive(size, count) for size, count in zip(input.shape[2:], call.shape[2:], strict=True)])
    kernel = _equal_windows(call, input)
    if kernel is not None:
        return input if kernel == (1, 1) else MaxPool(call.name, (input.name,), kernel, kernel)
    # Unequal windows: those that are smaller take their last row or column more than once.
    shape, after = _image(call, input), arranged(call.shape[1:])
    down, right = (_adaptive(size, count) for size, count in zip(shape[1:], after[1:], strict=True))
    pixels = down[:, :, None, None] * shape[2] + right[None, None]
    index = (np.arange(shape[0])[:, None] * (shape[1] * shape[2]) + pixels.ravel()).ravel()
    spread = Gather(call.fresh(f"{call.name}.windows"), (input.name,), index, (shape[0], down.size, right.size))
    window = (down.shape[1], right.shape[1])
    return spread, MaxPool(call.name, (spread.name,), window, window)


@on_module(nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool3d)
def adaptive_max_pool_module(call: Call, module: nn.AdaptiveMaxPool2d, input: Signal) -> Result:
    return adaptive_max_pool(call, input, module.output_size, module.return_indices)


def _taps(size: int, count: int, kernel: int, stride: int, padding: int, dilation: int) -> Array:
    """Places (count, kernel) along one axis; a window has its nearest tap again in place of each that lies in the padding."""
    first = np.arange(count)[:, None] * stride - padding
    below, above = -(np.minimum(first, 0) // dilation), (size - 1 - first) // dilation
    return np.asarray(first + np.clip(np.arange(kernel), below, above) * dilation)


def _over_windows(call: Call, input: Signal, axes: list[Array]) -> Result:
    """The maximum over windows that are products of places (count, taps) along each axis of space."""
    places = np.zeros((1, 1), np.int64)
    for size, along in zip(input.shape[2:], axes, strict=True):
        places = (places[:, None, :, None] * size + along[None, :, None, :]).reshape(len(places) * len(along), -1)
    (windows, taps), channels = places.shape, input.shape[1]
    index = np.arange(channels)[:, None] * prod(input.shape[2:]) + places.ravel()
    first = Gather(call.fresh(f"{call.name}.windows"), (input.name,), index.ravel(), (channels, windows, taps))
    pool = MaxPool(call.fresh(f"{call.name}.max"), (first.name,), (1, taps), (1, taps))
    return first, pool, Reshape(call.name, (pool.name,), arranged(call.shape[1:]))


def _adaptive(size: int, count: int) -> Array:
    """Places (count, longest window) of adaptive pooling along one axis: from floor(i size / count) to ceil((i + 1) size / count)."""
    begins = np.arange(count) * size // count
    ends = -(-(np.arange(1, count + 1) * size) // count)
    return np.minimum(begins[:, None] + np.arange((ends - begins).max()), ends[:, None] - 1)


def _equal_windows(call: Call, input: Signal) -> Pair | None:
    """The windows of adaptive pooling where they are all alike; the sizes are those that the example came out with."""
    shape, after = _image(call, input), arranged(call.shape[1:])
    if shape[1] % after[1] or shape[2] % after[2]:
        return None
    return shape[1] // after[1], shape[2] // after[2]


def _image(call: Call, input: Signal) -> tuple[int, ...]:
    """The input's shape (C, H, W)."""
    if len(input.shape) not in (3, 4):
        raise call.refuse(f"acts on an input of shape {input.shape[1:]}", "use it on (C, H, W) or (C, L)")
    return arranged(input.shape[1:])
