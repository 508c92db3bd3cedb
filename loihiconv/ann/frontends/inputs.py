"""What a model takes: one input of the shape of a sample, or several, by position, by name or in a dict."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from math import prod
from typing import Any, TypeAlias

import torch
from torch import nn

from loihiconv.ann.frontends import exported, torchscript
from loihiconv.ann.frontends.copies import name_of
from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from loihiconv.core.linear import Shape
from loihiconv.core.parts import Part

Calling: TypeAlias = Callable[[Any, Sequence[Any]], Any]
"""(model, tensors in order) -> what the model gives."""
MOST_VALUES = 2**24
"""Of a sample: a damaged file may claim any shape."""


def required_inputs(model: nn.Module) -> tuple[str, ...]:
    """Names of the arguments that a forward cannot do without."""
    if isinstance(model, torch.jit.ScriptModule):
        return tuple(torchscript.required_inputs(model))
    return tuple(p.name for p in _parameters(model) if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD))


def check_arguments(model: nn.Module) -> None:
    """Refuse what needs several inputs, where one is given."""
    if len(required := required_inputs(model)) > 1:
        raise UnsupportedLayer(
            f"forward() takes {len(required)} inputs ({', '.join(required)})",
            where=name_of(model),
            limit="one array was given",
            remedy=f"give a dict with an array for each, {{{required[0]!r}: ..., {required[1]!r}: ...}}, or a tuple of arrays",
        )


def ordered_inputs(model: nn.Module, names: Sequence[str]) -> list[str]:
    """Names in the order of forward's arguments; those of a dict that it takes stay as they are."""
    places = {parameter.name: i for i, parameter in enumerate(_parameters(model))}
    return sorted(names, key=lambda name: places[name]) if all(name in places for name in names) else list(names)


def calling(model: nn.Module, parts: Sequence[Part]) -> Calling:
    """How a model is called with these inputs; one without parts takes a tensor.

    Raises
    ------
    UnsupportedLayer
        If its forward has no place for one of them, or needs another.
    """
    if not parts:
        return lambda module, tensors: module(*tensors)
    names, required = [part.name for part in parts], required_inputs(model)
    parameters = [p for p in _parameters(model) if p.kind is not p.VAR_POSITIONAL]
    if not required and len(parameters) < len(_parameters(model)):  # forward(*inputs)
        return lambda module, tensors: module(*tensors)
    open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters)
    known = [p.name for p in parameters if p.kind is not p.VAR_KEYWORD]
    if all(name in known or open_ended for name in names) and set(required) <= set(names):
        first = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][: len(names)]
        if first == names:
            return lambda module, tensors: module(*tensors)
        return lambda module, tensors: module(**dict(zip(names, tensors, strict=True)))
    if len(required) == 1 and required[0] not in names:
        return lambda module, tensors: module(dict(zip(names, tensors, strict=True)))
    raise UnsupportedLayer(
        f"forward() takes {', '.join(required) or 'nothing that it needs'}; given are {', '.join(names)}",
        where=name_of(model),
        limit="an array for each argument that it needs expected",
        remedy="name the arrays as forward's arguments are named",
    )


def _parameters(model: nn.Module) -> list[inspect.Parameter]:
    if isinstance(model, torch.jit.ScriptModule):
        kind, arguments = inspect.Parameter.POSITIONAL_OR_KEYWORD, model._c._get_method("forward").schema.arguments[1:]
        return [inspect.Parameter(a.name, kind, default=None if a.has_default_value() else inspect.Parameter.empty) for a in arguments]
    return list(inspect.signature(model.forward).parameters.values())


def check_shape(model: nn.Module, shape: Shape) -> None:
    """Refuse what a graph was not exported for."""
    exported_with = exported.example_shape(model)
    if exported_with is None:
        return
    own = exported_with[1:]
    if len(own) != len(shape) or any(size not in (None, given) for size, given in zip(own, shape, strict=True)):
        known = ", ".join("any" if size is None else str(size) for size in own)
        raise InvalidModel(
            f"was exported for samples of shape ({known}), not {tuple(shape)}",
            where=name_of(model),
            remedy="export it with your samples' shape",
        )


def example_of(shape: Shape, dtype: torch.dtype, seed: int = 0) -> torch.Tensor:
    """Random samples of a shape (N, \\*shape)."""
    if len(shape) < 2 or any(not isinstance(size, int) or size < 1 for size in shape):
        raise InvalidModel(f"{shape[1:]} is not the shape of a sample", limit="positive integers such as (1, 28, 28) expected")
    if prod(shape[1:]) > MOST_VALUES:
        raise InvalidModel(f"samples of {prod(shape[1:]):,} values", limit=f"at most {MOST_VALUES:,} are taken")
    # A generator of our own: the user's random numbers go on as if nothing had happened.
    return torch.rand(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def examples_of(parts: Sequence[Part], batch: int, dtype: torch.dtype) -> tuple[torch.Tensor, ...]:
    """Random samples for several inputs, no two of them alike."""
    return tuple(example_of((batch, *part.shape), dtype, seed) for seed, part in enumerate(parts))
