"""Layers with weights, and batch normalization."""

# ruff: noqa: D103  each handler is named after what it reads, and says nothing that its decorator does not

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from loihiconv.ann.frontends.layers.arguments import pair, require_image
from loihiconv.ann.frontends.registry import Call, Signal, on_function, on_module
from loihiconv.ann.graph import BatchNorm, Linear, Node
from loihiconv.core.linear import Conv, Dense, Pair


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
    require_image(call, input)
    kernels = call.array(weight, "weight")
    around = _conv_padding(padding, (kernels.shape[2], kernels.shape[3]), pair(dilation))
    biases = None if bias is None else call.array(bias, "bias")[:, None, None]
    return Linear(call.name, (input.name,), Conv(kernels, pair(stride), around, pair(dilation), groups), biases)


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
    if len(input.shape) not in (2, 4):
        raise call.refuse(f"acts on an input of shape {input.shape[1:]}", "use it on (C,) or (C, H, W)")
    mean, var = call.array(running_mean, "running_mean"), call.array(running_var, "running_var")
    gamma = np.ones_like(mean) if weight is None else call.array(weight, "weight")
    beta = np.zeros_like(mean) if bias is None else call.array(bias, "bias")
    return BatchNorm(call.name, (input.name,), gamma, beta, mean, var, eps)


@on_module(nn.BatchNorm1d, nn.BatchNorm2d)
def batch_norm_module(call: Call, module: nn.BatchNorm2d, input: Signal) -> Node:
    return batch_norm(call, input, module.running_mean, module.running_var, module.weight, module.bias, eps=module.eps)
