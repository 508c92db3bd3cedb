"""Activations. All but a few are handed on to PyTorch's own, which say why they cannot be converted."""

# ruff: noqa: D103  each function is named after what it carries out, and says nothing that its decorator does not

from __future__ import annotations

from math import prod
from typing import Any

import torch
import torch.nn.functional as F

from loihiconv.ann.frontends.onnx.graph import Operation
from loihiconv.ann.frontends.onnx.operators.registry import Handler, axis_of, constant, number, operator

_PLAIN: dict[str, Handler] = {
    "Relu": F.relu,
    "Sigmoid": torch.sigmoid,
    "Tanh": torch.tanh,
    "Softplus": F.softplus,
    "Softsign": F.softsign,
    "Mish": F.mish,
    "HardSwish": F.hardswish,
}


@operator(*_PLAIN)
def plain(op: Operation, x: Any) -> Any:
    return _PLAIN[op.kind](x)


@operator("Clip")
def clip(op: Operation, x: Any, low: Any = None, high: Any = None) -> Any:
    low, high = op.get("min", low), op.get("max", high)
    smallest = None if low is None else number(op, low, "minimum")
    largest = None if high is None else number(op, high, "maximum")
    if smallest is not None and op.live and op.never_negative and smallest <= 0:
        smallest = 0.0
    smallest, largest = (None if v is None or abs(v) > 1e30 else v for v in (smallest, largest))  # how "none" was written once
    if largest is None and smallest in (None, 0):
        return x if smallest is None else F.relu(x)
    return torch.clamp(x, smallest, largest)


@operator("LeakyRelu")
def leaky_relu(op: Operation, x: Any) -> Any:
    return F.leaky_relu(x, float(op.get("alpha", 0.01)))


@operator("PRelu")
def prelu(op: Operation, x: Any, slope: Any) -> Any:
    slope = constant(op, slope, "slope")
    aligned = (1,) * (len(x.shape) - slope.ndim) + tuple(slope.shape)
    if any(size != 1 for axis, size in enumerate(aligned) if axis != 1):
        return torch.where(x > 0, x, x * slope)  # for each pixel; PyTorch has no function for it
    return F.prelu(x, slope.flatten())


@operator("Elu")
def elu(op: Operation, x: Any) -> Any:
    return F.elu(x, float(op.get("alpha", 1.0)))


@operator("Celu")
def celu(op: Operation, x: Any) -> Any:
    return F.celu(x, float(op.get("alpha", 1.0)))


@operator("Selu")
def selu(op: Operation, x: Any) -> Any:
    return F.selu(x)


@operator("Gelu")
def gelu(op: Operation, x: Any) -> Any:
    return F.gelu(x, approximate=op.get("approximate", "none"))


@operator("HardSigmoid")
def hard_sigmoid(op: Operation, x: Any) -> Any:
    return torch.clamp(torch.add(torch.mul(x, float(op.get("alpha", 0.2))), float(op.get("beta", 0.5))), 0.0, 1.0)


@operator("ThresholdedRelu")
def thresholded_relu(op: Operation, x: Any) -> Any:
    return F.threshold(x, float(op.get("alpha", 1.0)), 0.0)


@operator("Softmax", "LogSoftmax")
def softmax(op: Operation, x: Any) -> Any:
    over = F.softmax if op.kind == "Softmax" else F.log_softmax
    if op.opset >= 13:
        return over(x, axis_of(op, x, int(op.get("axis", -1))))
    axis = axis_of(op, x, int(op.get("axis", 1)))
    sizes = tuple(x.shape)
    if prod(sizes[axis + 1 :]) == 1:
        return over(x, axis)
    flat = torch.reshape(x, (prod(sizes[:axis]), prod(sizes[axis:])))  # what the axis meant before opset 13
    return torch.reshape(over(flat, 1), sizes)
