"""Pooling."""

# ruff: noqa: D103  each handler is named after what it reads, and says nothing that its decorator does not

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from loihiconv.ann.frontends.layers.arguments import pair, require_image
from loihiconv.ann.frontends.registry import Call, Signal, on_function, on_module
from loihiconv.ann.graph import AvgPool, MaxPool, Node


@on_function(F.avg_pool2d)
def avg_pool2d(
    call: Call,
    input: Signal,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Node:
    if any(pair(padding)) and not count_include_pad:
        raise call.refuse("has count_include_pad=False, a mean over fewer values at the border", "train with count_include_pad=True")
    if divisor_override is not None:
        raise call.refuse("has a divisor_override", "train without it and scale the next layer's weights instead")
    pool = AvgPool(call.name, (input.name,), pair(kernel_size), pair(stride or kernel_size), pair(padding))
    return _pool_without_ceil(call, input, pool)


@on_module(nn.AvgPool2d)
def avg_pool2d_module(call: Call, module: nn.AvgPool2d, input: Signal) -> Node:
    options = (module.kernel_size, module.stride, module.padding, module.ceil_mode, module.count_include_pad, module.divisor_override)
    return avg_pool2d(call, input, *options)


@on_function(F.max_pool2d, torch.max_pool2d)
def max_pool2d(
    call: Call,
    input: Signal,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Node:
    if pair(dilation) != (1, 1):
        raise call.refuse("is dilated", "train with dilation=1")
    if return_indices:
        raise call.refuse("returns indices", "call it without return_indices")
    pool = MaxPool(call.name, (input.name,), pair(kernel_size), pair(stride or kernel_size), pair(padding))
    return _pool_without_ceil(call, input, pool)


@on_module(nn.MaxPool2d)
def max_pool2d_module(call: Call, module: nn.MaxPool2d, input: Signal) -> Node:
    options = (module.kernel_size, module.stride, module.padding, module.dilation, module.ceil_mode, module.return_indices)
    return max_pool2d(call, input, *options)


def _pool_without_ceil(call: Call, input: Signal, pool: AvgPool | MaxPool) -> Node:
    require_image(call, input)
    if pool.output_shape(input.shape[1:]) != call.shape[1:]:
        raise call.refuse("has ceil_mode=True and windows that reach beyond the border", "train with ceil_mode=False or pad before it")
    return pool


@on_function(F.adaptive_avg_pool2d)
def adaptive_avg_pool2d(call: Call, input: Signal, output_size: Any) -> Node | Signal:
    return _adaptive(call, input, AvgPool)


@on_module(nn.AdaptiveAvgPool2d)
def adaptive_avg_pool2d_module(call: Call, module: nn.AdaptiveAvgPool2d, input: Signal) -> Node | Signal:
    return _adaptive(call, input, AvgPool)


@on_function(F.adaptive_max_pool2d)
def adaptive_max_pool2d(call: Call, input: Signal, output_size: Any, return_indices: bool = False) -> Node | Signal:
    return _adaptive(call, input, MaxPool)


@on_module(nn.AdaptiveMaxPool2d)
def adaptive_max_pool2d_module(call: Call, module: nn.AdaptiveMaxPool2d, input: Signal) -> Node | Signal:
    return _adaptive(call, input, MaxPool)


def _adaptive(call: Call, input: Signal, pool: type[AvgPool] | type[MaxPool]) -> Node | Signal:
    """Adaptive pooling whose windows are all alike; the sizes are those that the example came out with."""
    require_image(call, input)
    height, width = input.shape[2:]
    rows, columns = call.shape[2:]
    if height % rows or width % columns:
        raise call.refuse(
            f"turns {height}x{width} into {rows}x{columns} with unequal windows", "choose an output size that divides the input's"
        )
    kernel = (height // rows, width // columns)
    return input if kernel == (1, 1) else pool(call.name, (input.name,), kernel, kernel)
