"""ATen operators as the functions that users call: graphs of torch.export and TorchScript are made of them.

An operator has the arguments of the function or method of the same name, in the same order, so that it is read by that one's handler. Those
that differ are in `loihiconv.ann.frontends.aten_functions`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch._ops import OpOverload

from loihiconv.ann.frontends.aten_functions import FUNCTIONS
from loihiconv.ann.frontends.registry import function_handler

_SPEED_ONLY = ("cudnn_enabled", "cudnn_enable", "implicit", "non_blocking")


def counterpart(target: Any) -> Callable[..., Any] | None:
    """What to call for an operator, with the operator's own arguments: None for what is no operator."""
    if not isinstance(target, OpOverload):
        return None
    function = function_of(target._schema.name.removeprefix("aten::"))
    if function is None:
        packet: Callable[..., Any] = target.overloadpacket
        return packet  # messages have its name, without that of the overload
    return partial(carry_out, function, target._schema)


def carry_out(function: Callable[..., Any], schema: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a function with the arguments of an operator: those that are always given by place, the others by name where they matter."""
    by_place: list[Any] = []
    by_name: dict[str, Any] = {}
    for argument, value in bound(schema, args, kwargs):
        if not argument.has_default_value():
            by_place.append(value)
        elif not _same(value, argument.default_value) and argument.name not in _SPEED_ONLY:
            by_name[argument.name] = value
    return function(*by_place, **by_name)


def bound(schema: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """Arguments of an operator's schema with the values that are given."""
    arguments = list(schema.arguments)
    given = {argument.name: value for argument, value in zip(arguments, args)} | dict(kwargs)  # noqa: B905  the rest have defaults
    return [(argument, given[argument.name]) for argument in arguments if argument.name in given]


def function_of(name: str) -> Callable[..., Any] | None:
    """What to call for an operator: the function or method that there is a handler for, or else one of the same name."""
    if (function := FUNCTIONS.of(name)) is not None:
        return function
    functions = [getattr(place, name) for place in (F, torch) if callable(getattr(place, name, None))]
    for function in functions:
        if function_handler(function) is not None:
            return function  # type: ignore[no-any-return]
    method = partial(_method, name) if callable(getattr(torch.Tensor, name, None)) else None
    if method is not None and function_handler(name) is not None:
        return method
    return getattr(torch, name, None) or method or getattr(F, name, None)


def _method(name: str, input: Any, *args: Any, **kwargs: Any) -> Any:
    return getattr(input, name)(*args, **kwargs)


def _same(value: Any, default: Any) -> bool:
    """Whether an argument has its default value; sizes of one axis are written with and without brackets."""
    if isinstance(value, (bool, int, float, str, type(None), list, tuple)):
        given, usual = (tuple(v) if isinstance(v, (list, tuple)) else v for v in (value, default))
        return bool(type(given) is type(usual) and given == usual)
    return False
