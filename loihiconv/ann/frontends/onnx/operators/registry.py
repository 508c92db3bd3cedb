"""Which ONNX operator is carried out by which function.

A function takes the `Operation` and its inputs, None for optional ones that are left out, and gives its result, or a tuple of them. It is
called with tensors to compute, and with stand-ins for them to be recorded: so it must not ask for values that depend on the network's
input. What it cannot do it refuses with ``operation.refuse``; what PyTorch can compute and nobody can convert it hands on, since
whoever reads PyTorch says why not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor

from loihiconv.ann.frontends.handlers import Handlers
from loihiconv.ann.frontends.onnx.graph import Operation

Handler: TypeAlias = Callable[..., Any]

MOST_VALUES = 2**28
"""Values that one operator may make out of nothing: a damaged file may ask for any number."""

_HANDLERS: Handlers[str] = Handlers()
operator = _HANDLERS.on
"""Register a function for operators."""


def handler(kind: str) -> Handler | None:
    """The function for an operator."""
    return _HANDLERS.of(kind)


def constant(operation: Operation, value: Any, what: str) -> Tensor:
    """An input that must not depend on the network's input.

    Raises
    ------
    UnsupportedLayer
        If it does.
    InvalidModel
        If it is missing.
    """
    if value is None:
        raise operation.broken(f"lacks its {what}")
    if not isinstance(value, Tensor):
        raise operation.refuse(f"takes its {what} from the network's input", "use constants")
    return value


def integers(operation: Operation, value: Any, what: str) -> tuple[int, ...]:
    """A constant input, or an attribute, as integers."""
    if isinstance(value, (tuple, list)):
        return tuple(int(v) for v in value)
    if isinstance(value, (int, float)):
        return (int(value),)
    return tuple(int(v) for v in constant(operation, value, what).flatten().tolist())


def number(operation: Operation, value: Any, what: str) -> float:
    """A constant input, or an attribute, as one number."""
    if isinstance(value, (int, float)):
        return float(value)
    values = constant(operation, value, what).flatten().tolist()
    if len(values) != 1:
        raise operation.broken(f"has {len(values)} values as its {what}, where one is expected")
    return float(values[0])


def axis_of(operation: Operation, x: Any, axis: int, *, batch: bool = False) -> int:
    """An axis counted from the front.

    Raises
    ------
    UnsupportedLayer
        If it is the batch axis, unless ``batch``: samples must be kept apart.
    """
    rank = len(x.shape)
    if not -rank <= axis < max(rank, 1):
        raise operation.broken(f"acts on axis {axis} of shape {tuple(x.shape)}")
    axis %= max(rank, 1)
    if axis == 0 and operation.live and not batch:
        raise operation.refuse("acts on the batch axis", "keep samples apart: the first axis must not be touched")
    return axis


def check_size(operation: Operation, shape: tuple[int, ...]) -> None:
    """Raise InvalidModel where a result would be absurdly large."""
    if any(size < 0 for size in shape) or torch.Size(shape).numel() > MOST_VALUES:
        raise operation.broken(f"makes a tensor of shape {shape}")
