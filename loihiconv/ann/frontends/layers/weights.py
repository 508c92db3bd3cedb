"""Layers with weights, and batch normalization."""

# ruff: noqa: D103  each handler is named after what it reads, and says nothing that its decorator does not

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from scipy.sparse import csr_array
from torch import nn

from loihiconv.ann.frontends.layers.arguments import pair
from loihiconv.ann.frontends.registry import Call, Result, Signal, on_function, on_module
from loihiconv.ann.graph import BatchNorm, Gather, Linear, Node, arranged
from loihiconv.core.composition import MOST_SYNAPSES
from loihiconv.core.linear import Array, Conv, Dense, Pair, from_matrix


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
    around = _conv_padding(call, padding, (kernels.shape[2], kernels.shape[3]), _window(call, dilation))
    map = Conv(kernels, _window(call, stride), around, _window(call, dilation), groups)
    return Linear(call.name, (input.name,), map, _per_channel(call, bias))


@on_module(nn.Conv2d, nn.Conv1d)
def conv_module(call: Call, module: nn.Conv2d, input: Signal) -> Result:
    if module.padding_mode != "zeros" and module.padding not in ("valid", (0, 0), (0,)):
        raise call.refuse(f"pads with padding_mode={module.padding_mode!r}", "put nn.ReflectionPad2d or its like before it, and pad with 0")
    return conv(call, input, module.weight, module.bias, module.stride, module.padding, module.dilation, module.groups)


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
    (down, right), (dy, dx) = _window(call, stride, 1), _window(call, dilation, 1)
    (top, left), (extra_rows, extra_columns) = _window(call, padding, 0), _window(call, output_padding, 0)
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
    kernels = call.array(weight, "weight")
    outputs, count = len(kernels), prod(call.shape[2:])
    if (size := kernels.size * count) > MOST_SYNAPSES:
        raise call.refuse(f"has {size:,} synapses, more than {MOST_SYNAPSES:,}", "use fewer channels or a coarser input")
    # Where each weight finds its input, 0 for padding: the convolution of a numbered image with one tap at a time.
    numbers = torch.arange(1, prod(input.shape[1:]) + 1, dtype=torch.float64).reshape(1, *input.shape[1:])
    taps = torch.eye(prod(kernels.shape[2:]), dtype=torch.float64).reshape(-1, 1, *kernels.shape[2:])
    per_channel = F.conv3d(numbers.transpose(0, 1), taps, None, stride, padding, dilation)  # (C, taps, D, H, W)
    places = per_channel.reshape(groups, -1, count).long().numpy()  # (groups, C / groups taps, positions)
    flat = kernels.reshape(groups, outputs // groups, -1, 1)
    rows = np.arange(outputs * count).reshape(groups, outputs // groups, 1, count)
    weights, rows, columns = np.broadcast_arrays(flat, rows, places[:, None])
    there = columns > 0
    matrix = csr_array((weights[there], (rows[there], columns[there] - 1)), shape=(outputs * count, prod(input.shape[1:])))
    map = from_matrix(matrix, arranged(call.shape[1:]), arranged(input.shape[1:]))
    return Linear(call.name, (input.name,), map, _per_channel(call, bias))


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


def _window(call: Call, size: Any, nothing: int = 1) -> Pair:
    """(vertical, horizontal) of stride, dilation or padding; one axis of space is the horizontal one."""
    return pair(size) if len(call.shape) == 4 else (nothing, pair(size)[1])


def _conv_padding(call: Call, padding: Any, kernel: Pair, dilation: Pair) -> tuple[int, int, int, int]:
    if padding == "valid":
        return 0, 0, 0, 0
    if padding == "same":  # the odd pixel goes to the end, as in torch
        (rows, columns) = ((k - 1) * d for k, d in zip(kernel, dilation, strict=True))
        return rows // 2, rows - rows // 2, columns // 2, columns - columns // 2
    vertical, horizontal = _window(call, padding, 0)
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
