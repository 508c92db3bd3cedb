"""Handlers for the layers and functions of PyTorch that can be converted."""

# ruff: noqa: D103  each handler is named after what it reads, and says nothing that its decorator does not

from __future__ import annotations

import operator
from math import prod
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from loihiconv.ann.frontends.registry import Call, Signal, on_function, on_module
from loihiconv.ann.frontends.remedies import Refused
from loihiconv.ann.graph import Add, AvgPool, BatchNorm, Flatten, Linear, MaxPool, Node, Pad, Relu
from loihiconv.core.linear import Conv, Dense, Pair

# --- weights


@on_function(F.linear)
def linear(call: Call, input: Signal, weight: Any, bias: Any = None) -> Node:
    if len(input.shape) != 2:
        raise call.refuse(f"acts on the last axis of shape {input.shape[1:]} only", "put nn.Flatten() before it")
    return Linear(call.name, (input.name,), Dense(call.array(weight, "weight")), None if bias is None else call.array(bias, "bias"))


@on_module(nn.Linear)
def linear_module(call: Call, module: nn.Linear, input: Signal) -> Node:
    return linear(call, input, module.weight, module.bias)


@on_function(F.conv2d, torch.conv2d)
def conv2d(
    call: Call, input: Signal, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Node:
    _require_image(call, input)
    kernels = call.array(weight, "weight")
    around = _conv_padding(padding, (kernels.shape[2], kernels.shape[3]), _pair(dilation))
    biases = None if bias is None else call.array(bias, "bias")[:, None, None]
    return Linear(call.name, (input.name,), Conv(kernels, _pair(stride), around, _pair(dilation), groups), biases)


@on_module(nn.Conv2d)
def conv2d_module(call: Call, module: nn.Conv2d, input: Signal) -> Node:
    if module.padding_mode != "zeros" and module.padding not in ("valid", (0, 0)):
        raise call.refuse(f"pads with padding_mode={module.padding_mode!r}", "train with padding_mode='zeros'")
    return conv2d(call, input, module.weight, module.bias, module.stride, module.padding, module.dilation, module.groups)


def _conv_padding(padding: Any, kernel: Pair, dilation: Pair) -> tuple[int, int, int, int]:
    if padding == "valid":
        return 0, 0, 0, 0
    if padding == "same":  # the odd pixel goes to the end, as in torch
        (rows, columns) = ((k - 1) * d for k, d in zip(kernel, dilation, strict=True))
        return rows // 2, rows - rows // 2, columns // 2, columns - columns // 2
    vertical, horizontal = _pair(padding)
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
    if len(input.shape) not in (2, 4):
        raise call.refuse(f"acts on an input of shape {input.shape[1:]}", "use it on (C,) or (C, H, W)")
    mean, var = call.array(running_mean, "running_mean"), call.array(running_var, "running_var")
    gamma = np.ones_like(mean) if weight is None else call.array(weight, "weight")
    beta = np.zeros_like(mean) if bias is None else call.array(bias, "bias")
    return BatchNorm(call.name, (input.name,), gamma, beta, mean, var, eps)


@on_module(nn.BatchNorm1d, nn.BatchNorm2d)
def batch_norm_module(call: Call, module: nn.BatchNorm2d, input: Signal) -> Node:
    return batch_norm(call, input, module.running_mean, module.running_var, module.weight, module.bias, eps=module.eps)


# --- activations


@on_function(F.relu, F.relu_, torch.relu, torch.relu_, "relu", "relu_")
def relu(call: Call, input: Signal, inplace: bool = False) -> Node:
    return Relu(call.name, (input.name,))


@on_module(nn.ReLU)
def relu_module(call: Call, module: nn.ReLU, input: Signal) -> Node:
    return Relu(call.name, (input.name,))


@on_function(F.softmax, F.log_softmax, torch.softmax, torch.log_softmax, "softmax", "log_softmax")
def softmax(call: Call, input: Signal, dim: int | None = None, *ignored: Any, **also_ignored: Any) -> Node:
    over_classes = dim is None or dim % len(input.shape) == 1
    where = "anywhere but at the very end, over the classes," if over_classes else f"over axis {dim}"
    error = call.refuse(f"{where} has no spiking counterpart", "remove it; at the end of a network it does not change the class")
    return Refused(call.name, (input.name,), error, fine_at_end=over_classes)


@on_module(nn.Softmax, nn.LogSoftmax)
def softmax_module(call: Call, module: nn.Softmax, input: Signal) -> Node:
    return softmax(call, input, module.dim)


# --- pooling


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
    if any(_pair(padding)) and not count_include_pad:
        raise call.refuse("has count_include_pad=False, a mean over fewer values at the border", "train with count_include_pad=True")
    if divisor_override is not None:
        raise call.refuse("has a divisor_override", "train without it and scale the next layer's weights instead")
    pool = AvgPool(call.name, (input.name,), _pair(kernel_size), _pair(stride or kernel_size), _pair(padding))
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
    if _pair(dilation) != (1, 1):
        raise call.refuse("is dilated", "train with dilation=1")
    if return_indices:
        raise call.refuse("returns indices", "call it without return_indices")
    pool = MaxPool(call.name, (input.name,), _pair(kernel_size), _pair(stride or kernel_size), _pair(padding))
    return _pool_without_ceil(call, input, pool)


@on_module(nn.MaxPool2d)
def max_pool2d_module(call: Call, module: nn.MaxPool2d, input: Signal) -> Node:
    options = (module.kernel_size, module.stride, module.padding, module.dilation, module.ceil_mode, module.return_indices)
    return max_pool2d(call, input, *options)


def _pool_without_ceil(call: Call, input: Signal, pool: AvgPool | MaxPool) -> Node:
    _require_image(call, input)
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
    _require_image(call, input)
    height, width = input.shape[2:]
    rows, columns = call.shape[2:]
    if height % rows or width % columns:
        raise call.refuse(
            f"turns {height}x{width} into {rows}x{columns} with unequal windows", "choose an output size that divides the input's"
        )
    kernel = (height // rows, width // columns)
    return input if kernel == (1, 1) else pool(call.name, (input.name,), kernel, kernel)


# --- shapes


@on_function(F.pad)
def pad(call: Call, input: Signal, pad: Any, mode: str = "constant", value: float | None = None) -> Node | Signal:
    if mode != "constant" or value:
        raise call.refuse(f"has mode={mode!r}, value={value}", "pad with zeros")
    _require_image(call, input)
    left, right, top, bottom, *others = (*pad, 0, 0)[: max(4, len(pad))]
    if any(others):
        raise call.refuse("pads the channel or batch axis", "pad height and width only")
    return Pad(call.name, (input.name,), (top, bottom, left, right)) if any((top, bottom, left, right)) else input


@on_module(nn.ZeroPad2d)
def zero_pad2d(call: Call, module: nn.ZeroPad2d, input: Signal) -> Node | Signal:
    return pad(call, input, module.padding)


@on_module(nn.ConstantPad2d)
def constant_pad2d(call: Call, module: nn.ConstantPad2d, input: Signal) -> Node | Signal:
    return pad(call, input, module.padding, value=module.value)


@on_module(nn.Flatten)
def flatten(call: Call, module: nn.Flatten, input: Signal) -> Node | Signal:
    return reshape(call, input)


@on_function(torch.flatten, torch.reshape, torch.squeeze, "flatten", "reshape", "view", "squeeze")
def reshape(call: Call, input: Signal, *sizes: Any, **named_sizes: Any) -> Node | Signal:
    # All of these keep the order of the values, so the shape that the example came out with says everything.
    if call.shape == input.shape:
        return input
    if call.shape != (input.shape[0], prod(input.shape[1:])):
        raise call.refuse(
            f"turns shape {input.shape[1:]} into {call.shape[1:]}", "only x.flatten(1), which keeps samples apart, is possible"
        )
    return Flatten(call.name, (input.name,))


# --- sums, and what does nothing


@on_function(operator.add, operator.iadd, torch.add, "add", "add_")
def add(call: Call, input: Any, other: Any, *, alpha: float = 1) -> Node:
    if not isinstance(input, Signal) or not isinstance(other, Signal):
        raise call.refuse("adds a constant", "put it into the bias of the layer before")
    if alpha != 1:
        raise call.refuse(f"has alpha={alpha}", "put the factor into the weights of the layer before")
    if input.shape != other.shape:
        raise call.refuse(f"broadcasts {input.shape[1:]} and {other.shape[1:]}", "add results of equal shape")
    return Add(call.name, (input.name, other.name))


@on_function(F.dropout, F.dropout2d, F.alpha_dropout, F.feature_alpha_dropout, torch.dropout)
def dropout(call: Call, input: Signal, p: float = 0.5, training: bool = False, inplace: bool = False) -> Signal:
    if training and p > 0:
        raise call.refuse("is random during evaluation too", "call it with training=self.training")
    return input


@on_module(nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)
def nothing(call: Call, module: nn.Module, input: Signal) -> Signal:
    return input


@on_function("contiguous", "clone", "detach", "float", torch.clone, torch.detach)
def unchanged(call: Call, input: Signal, **options: Any) -> Signal:
    return input


def _pair(size: Any) -> Pair:
    """(vertical, horizontal) from a number or a sequence of one or two."""
    sizes = tuple(size) if isinstance(size, (tuple, list)) else (size,)
    return int(sizes[0]), int(sizes[-1])


def _require_image(call: Call, input: Signal) -> None:
    if len(input.shape) != 4:
        raise call.refuse(f"acts on an input of shape {input.shape[1:]}", "use it on images (C, H, W)")
