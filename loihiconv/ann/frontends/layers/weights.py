"""Layers with weights, and batch normalization."""

# ruff: noqa: D103  each handler is named after what it reads, and says nothing that its decorator does not

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from loihiconv.ann.frontends.layers.arguments import pair, triple, window
from loihiconv.ann.frontends.registry import Call, Result, Signal, on_function, on_module
from loihiconv.ann.graph import BatchNorm, Gather, Linear, Node, Reshape, arranged
from loihiconv.core.linear import Array, Conv, Dense, Pair


@on_function(F.linear)
def linear(call: Call, input: Signal, weight: Any, bias: Any = None) -> Result:
    weights, biases = call.array(weight, "weight"), None if bias is None else call.array(bias, "bias")
    if len(input.shape) == 2:
        return Linear(call.name, (input.name,), Dense(weights), biases)
    # The last axis becomes the channels of a convolution of one pixel, and the last axis again.
    (outputs, features), rows = weights.shape, prod(input.shape[1:-1])
    first = Gather(call.fresh(f"{call.name}.first"), (input.name,), _transposed(rows, features), (features, rows, 1))
    conv = Linear(call.name, (first.name,), Conv(weights[:, :, None, None]), None if biases is None else biases[:, None, None])
    last = Gather(call.fresh(f"{call.name}.last"), (conv.name,), _transposed(outputs, rows), arranged(call.shape[1:]))
    return first, conv, last


def _transposed(rows: int, columns: int) -> Array:
    """For each value of the transposed matrix (columns, rows) its place in the matrix."""
    return np.arange(rows * columns).reshape(rows, columns).T.ravel()


@on_module(nn.Linear)
def linear_module(call: Call, module: nn.Linear, input: Signal) -> Result:
    return linear(call, input, module.weight, module.bias)


@on_function(F.conv2d, torch.conv2d, F.conv1d, torch.conv1d)
def conv(
    call: Call, input: Signal, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Result:
    kernels = _kernels(call, input, weight)
    strides, spacing = (window(call.shape, size, 1) for size in (stride, dilation))
    sides = padding if isinstance(padding, str) else window(call.shape, padding, 0)
    map = Conv(kernels, strides, _conv_padding(sides, (kernels.shape[2], kernels.shape[3]), spacing), spacing, groups)
    return Linear(call.name, (input.name,), map, _per_channel(call, bias))


@on_module(nn.Conv2d, nn.Conv1d)
def conv_module(call: Call, module: nn.Conv2d, input: Signal) -> Result:
    if module.padding_mode != "zeros" and module.padding not in ("valid", (0, 0), (0,)):
        return _padded_conv(call, module, input)
    return conv(call, input, module.weight, module.bias, module.stride, module.padding, module.dilation, module.groups)


def _padded_conv(call: Call, module: nn.Conv2d, input: Signal) -> Result:
    """A convolution of what `torch.nn.functional.pad` repeats, mirrors or continues at the border."""
    kernels, shape = _kernels(call, input, module.weight), input.shape[1:]
    numbered = torch.arange(prod(shape), dtype=torch.float64).reshape(1, *shape)
    index = F.pad(numbered, module._reversed_padding_repeated_twice, mode=module.padding_mode)[0]
    border = Gather(call.fresh(f"{call.name}.border"), (input.name,), index.numpy().astype(np.int64).ravel(), arranged(tuple(index.shape)))
    strides, spacing = (window(call.shape, size, 1) for size in (module.stride, module.dilation))
    map = Conv(kernels, strides, (0, 0, 0, 0), spacing, module.groups)
    return border, Linear(call.name, (border.name,), map, _per_channel(call, module.bias))


@on_function(F.conv_transpose2d, torch.conv_transpose2d, F.conv_transpose1d, torch.conv_transpose1d)
def conv_transpose(
    call: Call,
    input: Signal,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Result:
    # A convolution of the input with zeros between its pixels, with kernels turned around (Dumoulin and Visin 2016, section 4.6).
    kernels = _kernels(call, input, weight)
    channels, per_group, *size = kernels.shape
    turned = kernels.reshape(groups, channels // groups, per_group, *size).swapaxes(1, 2)[..., ::-1, ::-1]
    (down, right), (dy, dx) = window(call.shape, stride, 1), window(call.shape, dilation, 1)
    (top, left), (extra_rows, extra_columns) = window(call.shape, padding, 0), window(call.shape, output_padding, 0)
    shape = arranged(input.shape[1:])
    spread = (channels, (shape[1] - 1) * down + 1, (shape[2] - 1) * right + 1)
    index = np.full(spread, -1)
    index[:, ::down, ::right] = np.arange(prod(shape)).reshape(shape)
    (above, beside) = ((k - 1) * d - p for k, d, p in zip(size, (dy, dx), (top, left), strict=True))
    around = (above, above + extra_rows, beside, beside + extra_columns)
    map = Conv(np.ascontiguousarray(turned.reshape(groups * per_group, channels // groups, *size)), (1, 1), around, (dy, dx), groups)
    if spread == shape:
        return Linear(call.name, (input.name,), map, _per_channel(call, bias))
    first = Gather(call.fresh(f"{call.name}.spread"), (input.name,), index.ravel(), spread)
    return first, Linear(call.name, (first.name,), map, _per_channel(call, bias))


@on_module(nn.ConvTranspose2d, nn.ConvTranspose1d)
def conv_transpose_module(call: Call, module: nn.ConvTranspose2d, input: Signal) -> Result:
    options = (module.stride, module.padding, module.output_padding, module.groups, module.dilation)
    return conv_transpose(call, input, module.weight, module.bias, *options)


@on_function(F.conv3d, torch.conv3d)
def conv3d(
    call: Call, input: Signal, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Result:
    if len(input.shape) != 5:
        raise call.refuse(f"acts on an input of shape {input.shape[1:]}", "use it on (C, D, H, W)")
    # A convolution in two dimensions whose channels are all (channel, depth) pairs: weights are zero where depths do not meet.
    kernels = call.array(weight, "weight")
    (outputs, channels, taps, *_), (_, _, deep, *size), depths = kernels.shape, input.shape, call.shape[2]
    (step, *strides), (spacing, *dilations) = (triple(values) for values in (stride, dilation))
    sides: Any
    if isinstance(padding, str):
        before, sides = (0 if padding == "valid" else (taps - 1) * spacing // 2), padding
    else:
        before, *sides = triple(padding)
    banded = np.zeros((outputs, depths, channels, deep, *kernels.shape[3:]), kernels.dtype)
    for depth, tap in product(range(depths), range(taps)):
        if 0 <= (origin := depth * step - before + tap * spacing) < deep:
            banded[:, depth, :, origin] = kernels[:, :, tap]
    map = Conv(
        banded.reshape(outputs * depths, channels * deep, *kernels.shape[3:]),
        pair(strides),
        _conv_padding(sides, (kernels.shape[3], kernels.shape[4]), pair(dilations)),
        pair(dilations),
        groups,
    )
    first = Reshape(call.fresh(f"{call.name}.depths"), (input.name,), (input.shape[1] * deep, *size))
    biases = None if bias is None else call.array(bias, "bias").repeat(depths)[:, None, None]
    conv = Linear(call.fresh(f"{call.name}.planes"), (first.name,), map, biases)
    return first, conv, Reshape(call.name, (conv.name,), arranged(call.shape[1:]))


@on_module(nn.Conv3d)
def conv3d_module(call: Call, module: nn.Conv3d, input: Signal) -> Result:
    if module.padding_mode != "zeros":
        raise call.refuse(f"pads with padding_mode={module.padding_mode!r}", "train with padding_mode='zeros'")
    return conv3d(call, input, module.weight, module.bias, module.stride, module.padding, module.dilation, module.groups)


def _kernels(call: Call, input: Signal, weight: Any) -> Array:
    """Weights with two axes of space; what has one is an image of one row."""
    kernels = call.array(weight, "weight")
    if len(input.shape) != kernels.ndim:
        raise call.refuse(f"acts on an input of shape {input.shape[1:]}", f"use it on ({'C, L' if kernels.ndim == 3 else 'C, H, W'})")
    return kernels[:, :, None] if kernels.ndim == 3 else kernels


def _per_channel(call: Call, bias: Any) -> Array | None:
    return None if bias is None else call.array(bias, "bias")[:, None, None]


def _conv_padding(padding: Any, kernel: Pair, dilation: Pair) -> tuple[int, int, int, int]:
    if padding == "valid":
        return 0, 0, 0, 0
    if padding == "same":  # the odd pixel goes to the end, as in torch
        (rows, columns) = ((k - 1) * d for k, d in zip(kernel, dilation, strict=True))
        return rows // 2, rows - rows // 2, columns // 2, columns - columns // 2
    vertical, horizontal = pair(padding)
    return vertical, vertical, horizontal, horizontal


@on_function(F.batch_norm)
def batch_norm(
    call: Call,
    input: Signal,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Node:
    if training or running_mean is None or running_var is None:
        raise call.refuse("has no running statistics", "train with track_running_stats=True")
    mean, var = call.array(running_mean, "running_mean"), call.array(running_var, "running_var")
    gamma = np.ones_like(mean) if weight is None else call.array(weight, "weight")
    beta = np.zeros_like(mean) if bias is None else call.array(bias, "bias")
    return BatchNorm(call.name, (input.name,), gamma, beta, mean, var, eps)


@on_module(nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
def batch_norm_module(call: Call, module: nn.BatchNorm2d, input: Signal) -> Node:
    return batch_norm(call, input, module.running_mean, module.running_var, module.weight, module.bias, eps=module.eps)
