"""Constants, shapes as values, and what does nothing after training."""

# ruff: noqa: D103  each function is named after what it carries out, and says nothing that its decorator does not

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from loihiconv.ann.frontends.onnx.graph import Operation
from loihiconv.ann.frontends.onnx.operators.registry import check_size, constant, integers, number, operator

_FLOATS, _INTEGERS, _BOOL = (1, 10, 11, 16), (2, 3, 4, 5, 6, 7, 12, 13), 9  # onnx.TensorProto.DataType


@operator("Identity")
def identity(op: Operation, x: Any) -> Any:
    return x


@operator("Dropout")
def dropout(op: Operation, x: Any, ratio: Any = None, training: Any = None) -> tuple[Any, ...]:
    if training is not None and number(op, training, "training_mode"):
        raise op.refuse("is in training mode", "export the model in evaluation mode")
    return (x, None)[: len(op.outputs)]


@operator("Cast")
def cast(op: Operation, x: Any) -> Any:
    to = int(op.get("to", 1))
    if to in _FLOATS:
        return _floats(x)
    if to in _INTEGERS:
        return x.to(torch.int64)
    if to == _BOOL:
        return x.to(torch.bool)
    raise op.refuse(f"to the data type {to} cannot be converted", "use numbers")


@operator("CastLike")
def cast_like(op: Operation, x: Any, other: Any) -> Any:
    if isinstance(x, Tensor) and isinstance(other, Tensor):
        return x.to(other.dtype)
    return _floats(x) if other.dtype.is_floating_point else x


def _floats(x: Any) -> Any:
    """Floats are float32 throughout, as is what is fed in; what is compared has none."""
    return x.float() if isinstance(x, Tensor) or not x.dtype.is_floating_point else x


@operator("Shape")
def shape(op: Operation, x: Any) -> Tensor:
    return torch.tensor([int(n) for n in x.shape][slice(op.get("start", 0), op.get("end"))], dtype=torch.int64)


@operator("Size")
def size(op: Operation, x: Any) -> Tensor:
    return torch.tensor(torch.Size(x.shape).numel(), dtype=torch.int64)


@operator("ConstantOfShape")
def constant_of_shape(op: Operation, shape: Any) -> Tensor:
    sizes = integers(op, shape, "shape")
    check_size(op, sizes)
    return torch.full(sizes, torch.as_tensor(op.get("value", 0.0)).flatten()[0].item())


@operator("Range")
def range_(op: Operation, start: Any, limit: Any, delta: Any) -> Tensor:
    first, last, step = (constant(op, value, "bounds") for value in (start, limit, delta))
    if not step.item():
        raise op.broken("has steps of 0")
    check_size(op, (max(0, int((last - first) / step) + 1),))
    return torch.arange(first.item(), last.item(), step.item(), dtype=first.dtype)


@operator("Expand")
def expand(op: Operation, x: Any, shape: Any) -> Any:
    wanted = list(integers(op, shape, "shape"))
    have = [1] * (len(wanted) - len(x.shape)) + [int(n) for n in x.shape]
    wanted = [1] * (len(have) - len(wanted)) + wanted
    if op.live and op.batch is not None and wanted[0] == op.batch:
        wanted[0] = have[0]
    if any(1 not in (h, w) and h != w for h, w in zip(have, wanted, strict=True)):
        raise op.broken(f"turns shape {tuple(x.shape)} into {tuple(wanted)}")
    sizes = tuple(h if w == 1 else w for h, w in zip(have, wanted, strict=True))
    check_size(op, sizes)
    return x if sizes == tuple(x.shape) else x.expand(sizes)


@operator("Tile")
def tile(op: Operation, x: Any, repeats: Any) -> Any:
    times = integers(op, repeats, "repeats")
    check_size(op, tuple(int(n) * t for n, t in zip(x.shape, times, strict=True)))
    if op.live and times[0] != 1:
        raise op.refuse("repeats samples", "keep samples apart")
    return x if set(times) == {1} else torch.tile(x, times)
