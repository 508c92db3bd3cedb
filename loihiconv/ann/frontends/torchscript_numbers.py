"""What TorchScript computes that is no tensor: sizes, flags, lists, and what holds them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import fx

from loihiconv.core.errors import InvalidModel


def _raise(message: Any = "", *_: Any) -> None:
    raise InvalidModel(
        f"forward() raises: {message}", remedy="give the shape of one sample, without the batch axis, that the model runs on"
    )


def _same(value: Any, *_: Any) -> Any:
    return value


PRIMITIVES: dict[str, Callable[..., Any]] = {
    "prim::ListConstruct": lambda *values: list(values),
    "prim::TupleConstruct": lambda *values: tuple(values),
    "prim::DictConstruct": lambda *values: dict(zip(values[::2], values[1::2], strict=True)),
    "prim::CreateObject": lambda: None,
    "prim::ListUnpack": tuple,
    "prim::TupleUnpack": tuple,
    "prim::TupleIndex": operator.getitem,
    "prim::NumToTensor": _same,  # traced sizes: they stay numbers
    "prim::unchecked_cast": _same,
    "prim::Uninitialized": lambda: None,
    "prim::RaiseException": _raise,
    "prim::Print": lambda *values: None,
    "prim::dtype": lambda tensor: tensor.dtype,
    "prim::device": lambda tensor: tensor.device,
    "prim::min": lambda *values: min(*values),
    "prim::max": lambda *values: max(*values),
    "prim::data": lambda tensor: tensor.detach(),
    "prim::is_cuda": lambda tensor: False,
}
"""By the kind of a node, without its attributes."""

_NUMBERS: dict[str, Callable[..., Any]] = {
    **{name: getattr(operator, name) for name in ("add", "sub", "mul", "eq", "ne", "lt", "le", "gt", "ge", "neg", "mod", "pow")},
    "floordiv": operator.floordiv,
    "floor_divide": operator.floordiv,
    "remainder": operator.mod,
    "rsub": lambda a, b, *_: b - a,
    "__not__": operator.not_,
    "__and__": operator.and_,
    "__or__": operator.or_,
    "bool": bool,
    "Bool": bool,
    "Int": int,
    "Float": float,
    "IntImplicit": int,
    "ScalarImplicit": _same,
    "warn": lambda *_: None,
    "str": str,
    "abs": abs,
    "round": round,
    "floor": math.floor,
    "ceil": math.ceil,
    "sqrt": math.sqrt,
    "detach": _same,
    "format": str.format,
    "percentFormat": operator.mod,
}

_ANY: dict[str, Callable[..., Any]] = {
    "__is__": operator.is_,
    "__isnot__": operator.is_not,
    "__contains__": operator.contains,
    "len": len,
    "list": list,
    "keys": lambda d: list(d.keys()),
    "values": lambda d: list(d.values()),
    "items": lambda d: list(d.items()),
}
"""Whatever is in their lists."""


def number_function(name: str, inputs: list[Any]) -> Callable[..., Any] | None:
    """What Python calls an operator that is not applied to tensors; None where it is."""
    if name in _ANY and (name.startswith("__is") or not _is_tensor(inputs[0])):
        return _ANY[name]
    if inputs and isinstance(inputs[0], (list, dict, tuple)):
        return _on_lists(name)
    if any(_is_tensor(value) for value in inputs) or not inputs:
        return None
    if name in ("add", "sub") and len(inputs) == 3:  # the last one is alpha
        return lambda a, b, alpha: _NUMBERS[name](a, alpha * b)
    if name == "div":
        return _divided
    return _NUMBERS.get(name)


def _on_lists(name: str) -> Callable[..., Any] | None:
    functions: dict[str, Callable[..., Any]] = {
        "__getitem__": operator.getitem,
        "_set_item": operator.setitem,
        "append": list.append,
        "add": operator.add,
        "add_": operator.iadd,
        "mul": operator.mul,
        "eq": operator.eq,
        "ne": operator.ne,
        "slice": lambda values, start=None, end=None, step=1: values[start:end:step],
        "copy": list,
    }
    return functions.get(name)


def _divided(a: Any, b: Any, rounding: str | None = None) -> Any:
    return {"floor": operator.floordiv, "trunc": lambda a, b: int(a / b), None: operator.truediv}[rounding](a, b)


def _is_tensor(value: Any) -> bool:
    return isinstance(value, (torch.Tensor, fx.Proxy))
