"""What a model takes: one input, of the shape of a sample."""

from __future__ import annotations

import inspect

import torch
from torch import nn

from loihiconv.ann.frontends import exported, torchscript
from loihiconv.ann.frontends.copies import name_of
from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from loihiconv.core.linear import Shape


def check_arguments(model: nn.Module) -> None:
    """Refuse what needs several inputs."""
    if isinstance(model, torch.jit.ScriptModule):
        required = torchscript.required_inputs(model)
    else:
        parameters = inspect.signature(model.forward).parameters.values()
        required = [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if len(required) > 1:
        raise UnsupportedLayer(
            f"forward() takes {len(required)} inputs ({', '.join(required)})",
            where=name_of(model),
            limit="a spiking network here has one input",
            remedy="give forward() one tensor argument, or wrap the model in one that does",
        )


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


def example_of(shape: Shape, dtype: torch.dtype) -> torch.Tensor:
    """Random samples of a shape (N, \\*shape)."""
    if len(shape) < 2 or any(not isinstance(size, int) or size < 1 for size in shape):
        raise InvalidModel(f"{shape[1:]} is not the shape of a sample", limit="positive integers such as (1, 28, 28) expected")
    # A generator of our own: the user's random numbers go on as if nothing had happened.
    return torch.rand(*shape, dtype=dtype, generator=torch.Generator().manual_seed(0))
