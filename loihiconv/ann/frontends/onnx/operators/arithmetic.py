"""Sums, products and other functions of single values."""

# ruff: noqa: D103  each function is named after what it carries out, and says nothing that its decorator does not

from __future__ import annotations

from functools import reduce
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from loihiconv.ann.frontends.onnx.graph import Operation
from loihiconv.ann.frontends.onnx.operators.registry import Handler, axis_of, integers, operator

_ONE: dict[str, Handler] = {
    "Abs": torch.abs,
    "Neg": torch.neg,
    "Exp": torch.exp,
    "Log": torch.log,
    "Sqrt": torch.sqrt,
    "Reciprocal": torch.reciprocal,
    "Floor": torch.floor,
    "Ceil": torch.ceil,
    "Round": torch.round,
    "Sign": torch.sign,
    "Erf": torch.erf,
    "Sin": torch.sin,
    "Cos": torch.cos,
    "Not": torch.logical_not,
}
_TWO: dict[str, Handler] = {
    "Add": torch.add,
    "Mul": torch.mul,
    "Equal": torch.eq,
    "Greater": torch.gt,
    "GreaterOrEqual": torch.ge,
    "Less": torch.lt,
    "LessOrEqual": torch.le,
    "And": torch.logical_and,
    "Or": torch.logical_or,
}
_MANY: dict[str, Handler] = {"Sum": torch.add, "Max": torch.maximum, "Min": torch.minimum, "Mean": torch.add}
_REDUCE: dict[str, Handler] = {"ReduceMean": torch.mean, "ReduceSum": torch.sum, "ReduceMax": torch.amax, "ReduceMin": torch.amin}


@operator(*_ONE)
def one(op: Operation, x: Any) -> Any:
    return _ONE[op.kind](x)


@operator(*_TWO)
def two(op: Operation, a: Any, b: Any) -> Any:
    return _TWO[op.kind](a, b)


@operator("Sub")
def sub(op: Operation, a: Any, b: Any) -> Any:
    return torch.add(a, -b) if op.live and isinstance(b, Tensor) else torch.sub(a, b)


@operator("Div")
def div(op: Operation, a: Any, b: Any) -> Any:
    if op.live and isinstance(b, Tensor) and b.is_floating_point():
        return torch.mul(a, 1 / b)
    whole = isinstance(a, Tensor) and isinstance(b, Tensor) and not a.is_floating_point() and not b.is_floating_point()
    return torch.div(a, b, rounding_mode="trunc") if whole else torch.div(a, b)


@operator("Pow")
def power(op: Operation, a: Any, b: Any) -> Any:
    if isinstance(b, Tensor) and b.numel() == 1:
        return torch.pow(a, float(b))
    if op.live and not (isinstance(a, Tensor) and isinstance(b, Tensor)):
        raise op.refuse("has an exponent that is no single number", "use a constant exponent")
    return torch.pow(a, b)


@operator("Mod")
def mod(op: Operation, a: Any, b: Any) -> Any:
    return torch.fmod(a, b) if op.get("fmod", 0) else torch.remainder(a, b)


@operator(*_MANY)
def many(op: Operation, *parts: Any) -> Any:
    bounds = [float(part) for part in parts if isinstance(part, Tensor) and part.numel() == 1]
    if op.kind in ("Max", "Min") and op.live and len(bounds) == len(parts) - 1 and not isinstance(parts[0], Tensor):
        return _bounded(op, parts[0], bounds)
    total = reduce(_MANY[op.kind], parts)
    return torch.div(total, len(parts)) if op.kind == "Mean" and len(parts) > 1 else total


def _bounded(op: Operation, x: Any, bounds: list[float]) -> Any:
    """A maximum or minimum of activations and numbers, as TensorFlow writes bounds."""
    if op.kind == "Min":
        return torch.clamp(x, 0.0 if op.never_negative and min(bounds) > 0 else None, min(bounds))
    return F.relu(x) if max(bounds) == 0 else torch.clamp(x, max(bounds), None)


@operator(*_REDUCE)
def reduced(op: Operation, x: Any, axes: Any = None) -> Any:
    given = integers(op, op.get("axes", axes) if op.get("axes", axes) is not None else (), "axes")
    if not given and op.get("noop_with_empty_axes", 0):
        return x
    chosen = tuple(axis_of(op, x, axis, batch=True) for axis in given or range(len(x.shape)))  # of an ensemble, samples come second
    keep = bool(op.get("keepdims", 1))
    if op.live and op.kind == "ReduceMean" and len(x.shape) == 4 and set(chosen) == {2, 3}:  # what torch's exporter makes of that
        mean = F.adaptive_avg_pool2d(x, 1)
        return mean if keep else torch.reshape(mean, tuple(x.shape[:2]))
    return _REDUCE[op.kind](x, chosen, keep)


@operator("ReduceProd")
def reduce_prod(op: Operation, x: Any, axes: Any = None) -> Any:
    given = integers(op, op.get("axes", axes) if op.get("axes", axes) is not None else (), "axes")
    for axis in sorted((axis_of(op, x, axis) for axis in given or range(len(x.shape))), reverse=True):
        x = torch.prod(x, axis, bool(op.get("keepdims", 1)))
    return x


@operator("Einsum")
def einsum(op: Operation, *parts: Any) -> Any:
    return torch.einsum(str(op.get("equation", "")), *parts)


@operator("ArgMax")
def argmax(op: Operation, x: Any) -> Any:
    if op.get("select_last_index", 0):
        raise op.refuse("takes the last of equal values", "take the first")
    return torch.argmax(x, axis_of(op, x, int(op.get("axis", 0))), bool(op.get("keepdims", 1)))


@operator("Where")
def where(op: Operation, condition: Any, a: Any, b: Any) -> Any:
    return torch.where(condition, a, b)
