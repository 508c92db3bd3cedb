"""Sums and differences, constant factors and offsets."""

# ruff: noqa: D103  each handler is named after what it reads, and says nothing that its decorator does not

from __future__ import annotations

import operator
from typing import Any

import torch

from loihiconv.ann.frontends.layers.constants import affine, constant, per_channel, total
from loihiconv.ann.frontends.layers.functions import fewer_neurons, of_one, written
from loihiconv.ann.frontends.pieces import line
from loihiconv.ann.frontends.registry import Call, Result, Signal, on_function, on_module_named

PRODUCT = (
    "products of two activations (gates, squeeze-and-excitation, attention) have no spiking counterpart here: train without them; "
    "constant factors are fine"
)


@on_function(operator.add, operator.iadd, torch.add, "add", "add_")
def add(call: Call, input: Any, other: Any, *, alpha: float = 1) -> Result:
    if isinstance(input, Signal) and isinstance(other, Signal):
        return _sum(call, input, other, alpha)
    if isinstance(input, Signal):
        return affine(call, input, shift=alpha * constant(call, other))
    return affine(call, other, alpha, constant(call, input))


def _sum(call: Call, a: Signal, b: Signal, factor: float) -> Result:
    """A + factor b, written with fewer neurons where both are made of one activation: x + abs(x) = 2 relu(x)."""
    if (found := of_one(call, a, b)) is not None:
        first, second = found.functions
        function = first + line(factor, 0.0, second.knots.ndim - 1).after(second)
        if fewer_neurons(call, found, function):
            return written(call, found.of, function)
    return total(call, [(a, 1), (b, factor)])


@on_function(operator.sub, operator.isub, torch.sub, torch.subtract, "sub", "sub_", "subtract", "subtract_")
def subtract(call: Call, input: Any, other: Any, *, alpha: float = 1) -> Result:
    return add(call, input, other, alpha=-alpha)


@on_function(torch.rsub, "rsub")
def subtract_from(call: Call, input: Any, other: Any, *, alpha: float = 1) -> Result:
    return add(call, other, input, alpha=-alpha)


@on_function(operator.mul, operator.imul, torch.mul, torch.multiply, "mul", "mul_", "multiply", "multiply_")
def multiply(call: Call, input: Any, other: Any) -> Result:
    if isinstance(input, Signal) and isinstance(other, Signal):
        found = of_one(call, input, other)  # x * (x > 0) is a ReLU
        product = found.functions[0].times(found.functions[1]) if found is not None else None
        if found is None or product is None:
            raise call.refuse("multiplies two activations", PRODUCT)
        return written(call, found.of, product)
    signal, factor = (input, other) if isinstance(input, Signal) else (other, input)
    return affine(call, signal, constant(call, factor))


@on_function(operator.truediv, operator.itruediv, torch.div, torch.divide, torch.true_divide, "div", "div_", "divide", "true_divide")
def divide(call: Call, input: Any, other: Any, *, rounding_mode: str | None = None) -> Result:
    if rounding_mode is not None:
        raise call.refuse(f"has rounding_mode={rounding_mode!r}", "divide without rounding")
    if not isinstance(input, Signal) or isinstance(other, Signal):
        raise call.refuse("divides by an activation", "divide by constants only; use BatchNorm in place of norms of activations")
    divisor = constant(call, other)
    if not divisor.all():
        raise call.refuse("divides by zero", "check the constant")
    return affine(call, input, 1 / divisor)


@on_function(operator.neg, torch.neg, torch.negative, "neg", "neg_", "negative")
def negative(call: Call, input: Signal) -> Result:
    return affine(call, input, -1)


@on_function(operator.pos, torch.positive, "positive")
def positive(call: Call, input: Signal) -> Result:
    return input


@on_function(operator.pow, torch.pow, torch.square, "pow", "square")
def power(call: Call, input: Any, exponent: Any = 2) -> Result:
    if isinstance(input, Signal) and exponent == 1:
        return input
    raise call.refuse("takes powers of activations", PRODUCT)


@on_function(torch.lerp, "lerp")
def interpolate_between(call: Call, input: Any, end: Any, weight: Any) -> Result:
    if isinstance(weight, Signal) or (isinstance(weight, torch.Tensor) and weight.numel() != 1):
        raise call.refuse("has a weight that is not one constant number", "use one number")
    share = float(weight)
    if isinstance(input, Signal) and isinstance(end, Signal):
        return total(call, [(input, 1 - share), (end, share)])
    if isinstance(input, Signal):
        return affine(call, input, 1 - share, share * constant(call, end))
    return affine(call, end, share, (1 - share) * constant(call, input))


@on_module_named(
    "torchvision.transforms.transforms.Normalize",
    "torchvision.transforms.v2._misc.Normalize",
    "torchvision.transforms._presets.Normalize",
    "kornia.enhance.normalize.Normalize",
)
def normalize(call: Call, module: Any, input: Signal) -> Result:
    mean, std = (
        per_channel(constant(call, torch.as_tensor(getattr(module, name), dtype=torch.float64).reshape(-1)), input)
        for name in ("mean", "std")
    )
    return affine(call, input, 1 / std, -mean / std)
