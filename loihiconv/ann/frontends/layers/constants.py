"""Constants that meet signals: how they broadcast, and what scales, shifts and sums become."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import torch

from loihiconv.ann.frontends.registry import Call, Result, Signal
from loihiconv.ann.graph import Add, Affine, Gather, Node, arranged
from loihiconv.core.linear import Array


def constant(call: Call, value: Any, parameter: str = "constant") -> Array:
    """A number, parameter or buffer as a float64 array that broadcasts to one sample of the result.

    Raises
    ------
    UnsupportedLayer
        If it differs from sample to sample, or is no constant.
    """
    if isinstance(value, (bool, int, float)):
        return np.full((), float(value))
    values = call.array(torch.as_tensor(value) if isinstance(value, (np.ndarray, np.generic, list, tuple)) else value, parameter)
    values = values.astype(np.float64)
    if values.size == 1:
        return values.reshape(())
    if values.ndim >= len(call.shape):
        if values.ndim > len(call.shape) or (values != values[:1]).any():
            raise call.refuse(f"takes a constant of shape {values.shape}, one value per sample", "give it one value for all samples")
        values = values[0]
    shape = call.shape[1:]
    return values if arranged(shape) == shape else np.broadcast_to(values, shape).reshape(arranged(shape))


def per_channel(values: Array, input: Signal) -> Array:
    """One value, or one per channel, shaped to broadcast to a signal as its node has it."""
    return values.reshape(()) if values.size == 1 else values.reshape(-1, *(1,) * (len(arranged(input.shape[1:])) - 1))


def affine(call: Call, input: Signal, scale: Array | float = 1.0, shift: Array | float = 0.0) -> Result:
    """Scale x + shift, repeated along axes where the result is larger than x; x itself where that is nothing."""
    factor, offset = np.asarray(scale, np.float64), np.asarray(shift, np.float64)
    if (factor == 1).all() and not offset.any() and input.shape == call.shape:
        return input
    before, source = _spread(call, input)
    return (*before, Affine(call.name, (source,), factor, offset))


def total(call: Call, terms: Sequence[tuple[Signal, float]]) -> tuple[Node, ...]:
    """The sum of signals, each with its factor, repeated along axes where the result is larger than they are."""
    nodes: list[Node] = []
    names: list[str] = []
    for signal, factor in terms:
        before, source = _spread(call, signal)
        nodes.extend(before)
        if factor != 1:
            nodes.append(scaled(call.fresh(f"{call.name}.term"), source, factor))
            source = nodes[-1].name
        names.append(source)
    return (*nodes, Add(call.name, tuple(names)))


def scaled(name: str, source: str, factor: float) -> Node:
    """The result of ``source`` times a number."""
    return Affine(name, (source,), np.full((), float(factor)), np.zeros(()))


def _spread(call: Call, input: Signal) -> tuple[tuple[Node, ...], str]:
    """Nodes that repeat a signal along axes of length 1, and the name of the last one."""
    if len(input.shape) != len(call.shape):
        raise call.refuse(
            f"broadcasts {input.shape[1:]} to {call.shape[1:]} and mixes samples", "give both the same number of axes, such as (N, C, 1, 1)"
        )
    if input.shape == call.shape:
        return (), input.name
    places = np.arange(prod(input.shape[1:])).reshape(input.shape[1:])
    index = np.broadcast_to(places, call.shape[1:]).ravel()
    name = call.fresh(f"{call.name}.spread")
    return (Gather(name, (input.name,), index, arranged(call.shape[1:])),), name
