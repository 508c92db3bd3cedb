"""Several neurons for each activation: channels that are there as many times, which add up to what one was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod

import numpy as np

from loihiconv.ann.graph import Add, Ann, Input, Linear, Node, Relu
from loihiconv.ann.passes.rewrite import as_bias, fresh, identity, spikes
from loihiconv.core import numbers as n
from loihiconv.core.errors import LimitExceeded
from loihiconv.core.linear import Array, Conv, Dense, LinearMap, Shape, Sparse
from loihiconv.core.network import assert_never

MOST_WEIGHTS = 2**28
"""Of a network with copies: 2 GiB in float64, of which a conversion holds some at a time; twice what all cores of Kapoho Point hold."""


def check_copies(ann: Ann, copies: int) -> None:
    """Raise `LimitExceeded` where copies would make more weights than a conversion should be tried with."""
    if copies == 1 or (weights := copied_weights(ann, copies)) <= MOST_WEIGHTS:
        return
    most = max((c for c in range(2, copies) if copied_weights(ann, c) <= MOST_WEIGHTS), default=1)
    fewer = f"use copies={most} or more timesteps" if most > 1 else "use more timesteps in place of copies"
    what = f"{copies} neurons for each activation make {n.short(weights)} weights of {n.short(copied_weights(ann, 1))}"
    raise LimitExceeded(what, where="copies", limit=f"at most {n.short(MOST_WEIGHTS)}", remedy=fewer)


def copied_weights(ann: Ann, copies: int) -> int:
    """Weights of `with_copies`, without those of skips, before it is made."""
    wanted = _wanted(ann, copies)
    linear = [node for node in ann if isinstance(node, Linear)]
    return sum(node.map.weight.size * sum(wanted[node.name]) * (copies if spikes(ann, node.inputs[0]) else 1) for node in linear)


def with_copies(ann: Ann, copies: int) -> Ann:
    """The same function with so many copies of every rectified channel, next to each other, each with its share in what comes after.

    Copies of a channel are equal in an Ann. As neurons that start at potentials of their own they are not, and their mean rate is as many
    times as fine as the rate of one.

    Parameters
    ----------
    ann : Ann
        After the passes.
    copies : int, at least 1
        R; channel c becomes channels R c to R c + R - 1. Inputs and the output stay as they are.
    """
    if copies == 1:
        return ann
    wanted = _wanted(ann, copies)
    nodes: list[Node] = []
    for node in ann:
        match node:
            case Relu():
                source = _called(ann, node.inputs[0], copies, wanted)
                nodes.append(replace(node, inputs=(source,), bound=_repeated(np.asarray(node.bound), ann.shapes[node.name], copies)))
            case Linear() | Add():
                for times in sorted(wanted[node.name], reverse=True):  # the output comes last
                    nodes += _version(ann, node, times, copies, wanted)
            case _:
                nodes.append(node)
    return replace(ann, nodes=tuple(nodes))


def copied_scales(ann: Ann, scales: dict[str, Array], copies: int) -> dict[str, Array]:
    """λ of the nodes of `with_copies`, which are those of the channels that they are copies of."""
    return {name: _repeated(np.asarray(scale), ann.shapes[name], copies) if spikes(ann, name) else scale for name, scale in scales.items()}


def _wanted(ann: Ann, copies: int) -> dict[str, set[int]]:
    """How many times those that take a linear map or a sum want each of its channels."""
    wanted: dict[str, set[int]] = {node.name: set() for node in ann}
    wanted[ann.output.name].add(1)
    for node in reversed(ann.nodes):
        if isinstance(node, Relu):
            wanted[node.inputs[0]].add(copies)
        elif isinstance(node, Add):
            for name in node.inputs:
                wanted[name] |= wanted[node.name]
    return wanted


def _called(ann: Ann, name: str, times: int, wanted: dict[str, set[int]]) -> str:
    """The name of a linear map or sum whose channels are there so many times."""
    return name if times == min(wanted[name]) else fresh(ann, f"{name}.copies")


def _version(ann: Ann, node: Linear | Add, times: int, copies: int, wanted: dict[str, set[int]]) -> Iterator[Node]:
    """A linear map or a sum with its channels so many times, and the maps that it needs for that."""
    name, shape = _called(ann, node.name, times, wanted), ann.shapes[node.name]
    if isinstance(node, Linear):
        source = node.inputs[0]
        linear = _map(ann, node.map, source, shape, times, copies)
        bias = None if node.bias is None else _repeated(as_bias(node.bias, shape), shape, times)
        given = None if node.shape is None else (node.shape[0] * times, *node.shape[1:])
        yield replace(node, name=name, map=linear, bias=bias, shape=given, layer=node.layer or node.name)
        return
    sources = []
    for i, source in enumerate(node.inputs):
        if not spikes(ann, source) and not isinstance(ann[source], Input):
            sources.append(_called(ann, source, times, wanted))
        else:
            part = fresh(ann, f"{name}.copies_of_{i}")
            yield Linear(part, (source,), _map(ann, identity(shape), source, shape, times, copies))
            sources.append(part)
    yield replace(node, name=name, inputs=tuple(sources))


def _map(ann: Ann, linear: LinearMap, source: str, outputs: Shape, times: int, copies: int) -> LinearMap:
    """A map that gives its channels so many times, from copies of what it takes if there are some, each with an equal share."""
    inputs = ann.shapes[source]
    if spikes(ann, source):
        linear = _from_copies(linear, inputs, copies)
    return _to_copies(linear, outputs, times)


def _from_copies(linear: LinearMap, inputs: Shape, copies: int) -> LinearMap:
    match linear:
        case Conv():
            return linear.with_weight(linear.weight.repeat(copies, axis=1) / copies)
        case Dense():
            weight = linear.weight.reshape(len(linear.weight), inputs[0], -1)
            return Dense(weight.repeat(copies, axis=1).reshape(len(weight), -1) / copies)
        case Sparse():
            columns, shape = _places(linear.columns, inputs, copies), (inputs[0] * copies, *inputs[1:])
            shared = linear.with_weight(np.tile(linear.weight, copies) / copies)
            return shared.at(np.tile(linear.rows, copies), columns, linear.outputs, shape)
        case _:
            assert_never(linear)


def _to_copies(linear: LinearMap, outputs: Shape, times: int) -> LinearMap:
    match linear:
        case Conv():
            return linear.with_weight(linear.weight.repeat(times, axis=0))
        case Dense():
            weight = linear.weight.reshape(outputs[0], -1, linear.weight.shape[1])
            return Dense(weight.repeat(times, axis=0).reshape(-1, weight.shape[2]))
        case Sparse():
            rows, shape = _places(linear.rows, outputs, times), (outputs[0] * times, *outputs[1:])
            repeated = linear.with_weight(np.tile(linear.weight, times))
            return repeated.at(rows, np.tile(linear.columns, times), shape, linear.inputs)
        case _:
            assert_never(linear)


def _places(places: Array, shape: Shape, copies: int) -> Array:
    """Where flattened places are once each channel is there so many times: those of all first copies, then of all second ones, ..."""
    channel, inner = np.divmod(places.astype(np.int64), prod(shape[1:]))
    return np.concatenate([(channel * copies + copy) * prod(shape[1:]) + inner for copy in range(copies)])


def _repeated(values: Array, shape: Shape, times: int) -> Array:
    """Values that broadcast to a shape, for so many copies of each channel."""
    by_channel = values.ndim == len(shape) and values.size > 1
    return values.repeat(times, axis=0) if by_channel else values
