"""Activations that are linear but for kinks."""

# ruff: noqa: D103  each handler is named after what it reads, and says nothing that its decorator does not

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from loihiconv.ann.frontends.layers.constants import constant, per_channel, scaled, total
from loihiconv.ann.frontends.layers.functions import of_one, written
from loihiconv.ann.frontends.registry import Call, Result, Signal, on_function, on_module
from loihiconv.ann.graph import Add, Affine, Clamp, LeakyRelu, Relu, Round


@on_function(F.relu, F.relu_, torch.relu, torch.relu_, "relu", "relu_")
def relu(call: Call, input: Signal, inplace: bool = False) -> Result:
    return Relu(call.name, (input.name,))


@on_module(nn.ReLU)
def relu_module(call: Call, module: nn.ReLU, input: Signal) -> Result:
    return relu(call, input)


@on_function(F.relu6)
def relu6(call: Call, input: Signal, inplace: bool = False) -> Result:
    return _clamp(call, input, 0, 6)


@on_function(F.hardtanh, F.hardtanh_)
def hardtanh(call: Call, input: Signal, min_val: float = -1, max_val: float = 1, inplace: bool = False) -> Result:
    return _clamp(call, input, min_val, max_val)


@on_module(nn.Hardtanh, nn.ReLU6)
def hardtanh_module(call: Call, module: nn.Hardtanh, input: Signal) -> Result:
    return _clamp(call, input, module.min_val, module.max_val)


@on_function(torch.clamp, torch.clamp_, torch.clip, torch.clip_, "clamp", "clamp_", "clip", "clip_")
def clamp(call: Call, input: Signal, min: Any = None, max: Any = None) -> Result:
    return _clamp(call, input, -inf if min is None else min, inf if max is None else max)


@on_function(torch.clamp_min, torch.clamp_min_, "clamp_min", "clamp_min_")
def clamp_min(call: Call, input: Signal, min: Any) -> Result:
    return _clamp(call, input, min, inf)


@on_function(torch.clamp_max, torch.clamp_max_, "clamp_max", "clamp_max_")
def clamp_max(call: Call, input: Signal, max: Any) -> Result:
    return _clamp(call, input, -inf, max)


@on_function(torch.maximum, torch.fmax, "maximum", "fmax")
def maximum(call: Call, input: Any, other: Any = None) -> Result:
    if isinstance(input, Signal) and isinstance(other, Signal):
        return larger(call, input, other, 1)
    signal, bound = (input, other) if isinstance(input, Signal) else (other, input)
    return _clamp(call, signal, _operand(call, bound), inf)


@on_function(torch.minimum, torch.min, torch.fmin, "minimum", "min", "fmin")
def minimum(call: Call, input: Any, other: Any = None) -> Result:
    if isinstance(input, Signal) and isinstance(other, Signal):
        return larger(call, input, other, -1)
    signal, bound = (input, other) if isinstance(input, Signal) else (other, input)
    return _clamp(call, signal, -inf, _operand(call, bound))


@on_function(F.threshold, torch.threshold, torch.threshold_)
def threshold(call: Call, input: Signal, threshold: float, value: float, inplace: bool = False) -> Result:
    if threshold != value:
        raise call.refuse(f"jumps from {value} to {threshold}", "use equal threshold and value, or ReLU")
    return _clamp(call, input, threshold, inf)


@on_module(nn.Threshold)
def threshold_module(call: Call, module: nn.Threshold, input: Signal) -> Result:
    return threshold(call, input, module.threshold, module.value)


@on_function(F.leaky_relu, F.leaky_relu_)
def leaky_relu(call: Call, input: Signal, negative_slope: float = 0.01, inplace: bool = False) -> Result:
    return LeakyRelu(call.name, (input.name,), np.full((), float(negative_slope)))


@on_module(nn.LeakyReLU)
def leaky_relu_module(call: Call, module: nn.LeakyReLU, input: Signal) -> Result:
    return leaky_relu(call, input, module.negative_slope)


@on_function(F.prelu, torch.prelu, "prelu")
def prelu(call: Call, input: Signal, weight: Any) -> Result:
    return LeakyRelu(call.name, (input.name,), per_channel(call.array(weight, "weight").astype(np.float64), input))


@on_module(nn.PReLU)
def prelu_module(call: Call, module: nn.PReLU, input: Signal) -> Result:
    return prelu(call, input, module.weight)


@on_function(F.rrelu, F.rrelu_, torch.rrelu, torch.rrelu_)
def rrelu(call: Call, input: Signal, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False) -> Result:
    if training:
        raise call.refuse("is random during evaluation too", "call it with training=self.training")
    return leaky_relu(call, input, (lower + upper) / 2)


@on_module(nn.RReLU)
def rrelu_module(call: Call, module: nn.RReLU, input: Signal) -> Result:
    return rrelu(call, input, module.lower, module.upper)


@on_function(torch.abs, torch.abs_, torch.absolute, "abs", "abs_", "absolute")
def absolute(call: Call, input: Signal) -> Result:
    return LeakyRelu(call.name, (input.name,), np.full((), -1.0))


@on_function(F.hardsigmoid, "hardsigmoid")
def hardsigmoid(call: Call, input: Signal, inplace: bool = False) -> Result:
    name = call.fresh(f"{call.name}.line")
    line = Affine(name, (input.name,), np.full((), 1 / 6), np.full((), 1 / 2))
    return line, Relu(call.name, (name,), bound=1.0)


@on_module(nn.Hardsigmoid)
def hardsigmoid_module(call: Call, module: nn.Hardsigmoid, input: Signal) -> Result:
    return hardsigmoid(call, input)


@on_function(F.softshrink)
def softshrink(call: Call, input: Signal, lambd: float = 0.5) -> Result:
    near = call.fresh(f"{call.name}.near")  # what is cut out of the line: x - clamp(x, -λ, λ)
    around = Clamp(near, (input.name,), np.full((), -float(lambd)), np.full((), float(lambd)))
    minus = scaled(call.fresh(f"{call.name}.minus"), near, -1)
    return around, minus, Add(call.name, (input.name, minus.name))


@on_module(nn.Softshrink)
def softshrink_module(call: Call, module: nn.Softshrink, input: Signal) -> Result:
    return softshrink(call, input, module.lambd)


@on_function(torch.floor, torch.floor_, "floor", "floor_")
def floor(call: Call, input: Signal) -> Result:
    return Round(call.name, (input.name,), "floor")


@on_function(torch.ceil, torch.ceil_, "ceil", "ceil_")
def ceil(call: Call, input: Signal) -> Result:
    return Round(call.name, (input.name,), "ceil")


@on_function(torch.round, torch.round_, "round", "round_")
def nearest(call: Call, input: Signal, *, decimals: int = 0) -> Result:
    if decimals:
        raise call.refuse(f"has decimals={decimals}", "round to whole numbers")
    return Round(call.name, (input.name,), "nearest")


def _clamp(call: Call, input: Signal, low: Any, high: Any) -> Result:
    """Bounds on either side: a ReLU where the lower one is zero."""
    if input.shape != call.shape:
        raise call.refuse(f"broadcasts {input.shape[1:]} to {call.shape[1:]}", "use bounds of the input's shape, or numbers")
    least, most = (constant(call, end, "bound") for end in (low, high))
    if not least.any() and most.ndim == 0:
        return Relu(call.name, (input.name,), bound=float(most))
    return Clamp(call.name, (input.name,), least, most)


def _operand(call: Call, bound: Any) -> Any:
    if bound is None or (isinstance(bound, int) and not isinstance(bound, bool) and call.operation in ("max", "min")):
        raise call.refuse("reduces axes", "use max-pooling layers")
    return bound


def larger(call: Call, a: Signal, b: Signal, sign: int) -> Result:
    """max(a, b) = a + relu(b - a), min(a, b) = a - relu(a - b); with fewer neurons where both are made of one activation."""
    if a.shape != b.shape:
        raise call.refuse(f"broadcasts {a.shape[1:]} and {b.shape[1:]}", "compare results of equal shape")
    if (found := of_one(call, a, b)) is not None:
        first, second = found.functions if sign > 0 else [-function for function in found.functions]
        most = first.larger(second)
        return written(call, found.of, most if sign > 0 else -most)
    difference = replace(call, name=call.fresh(f"{call.name}.difference"))
    ahead = Relu(call.fresh(f"{call.name}.ahead"), (difference.name,))
    change = scaled(call.fresh(f"{call.name}.change"), ahead.name, sign)
    return (*total(difference, [(b, sign), (a, -sign)]), ahead, change, Add(call.name, (a.name, change.name)))
