"""The last operations of a network, as functions that the host computes on its outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import numpy as np

from loihiconv.ann.graph import Add, Affine, Ann, BatchNorm, Clamp, Gather, LeakyRelu, Linear, Node, Relu, Reshape, needed
from loihiconv.core.ending import Clip, LastFunction, Leaky, Pick, Rescale, Shaped, joined, keeps_order
from loihiconv.core.linear import Shape


def host_function(node: Node) -> LastFunction | None:
    """What a node does to outputs, as a function for the host; None where that takes synapses."""
    match node:
        case Relu(levels=0):
            return Clip(np.zeros(()), np.asarray(node.bound, np.float64))
        case Clamp():
            return Clip(np.asarray(node.low, np.float64), np.asarray(node.high, np.float64))
        case LeakyRelu():
            return Leaky(np.asarray(node.slope, np.float64))
        case Affine():
            return Rescale(np.asarray(node.scale, np.float64), np.asarray(node.shift, np.float64))
        case Reshape():
            return Shaped(node.shape)
        case Gather():
            return Pick(node.index, node.shape)
        case _:
            return None


def split_off(ann: Ann) -> tuple[Ann, tuple[str, ...]]:
    """The network without a last ReLU, clamp or leaky ReLU and what follows it, which become part of its ending; and a note.

    Outputs are then exact on either side of its kinks, and the readout takes the place of a population. That is so where the values
    before it come from synapses, and the largest stays the largest, as a readout decides for the largest potential.
    """
    last: list[tuple[Node, LastFunction]] = []
    node = ann.output
    while (function := host_function(node)) is not None and len(node.inputs) == 1:
        last.insert(0, (node, function))
        node = ann[node.inputs[0]]
    kink = next((i for i, (n, _) in enumerate(last) if isinstance(n, Relu | Clamp | LeakyRelu)), None)
    if kink is None:
        return ann, ()
    last = last[kink:]
    body = last[0][0].inputs[0]
    functions = after([(ann.shapes[n.inputs[0]], (f,)) for n, f in last], ann.shapes[body], ann.shapes[last[-1][0].name])
    if not keeps_order(functions) or not _summed(ann, body):
        return ann, ()
    dropped = {n.name for n, _ in last}
    kept = tuple(n for n in ann.nodes if n.name not in dropped)
    place = next(i for i, n in enumerate(kept) if n.name == body)
    nodes = needed((*kept[:place], *kept[place + 1 :], kept[place]), body)
    name = last[0][0].name
    return replace(ann, nodes=nodes, ending=joined((*functions, *ann.ending), (prod(ann.shapes[body]),))), (said(name),)


def after(steps: Sequence[tuple[Shape, tuple[LastFunction, ...]]], shape: Shape, final: Shape) -> tuple[LastFunction, ...]:
    """Functions that each take values of their own shape, one after the other, on the flattened values of a first shape.

    Parameters
    ----------
    steps : sequence of (shape, functions)
        What each takes.
    shape, final : tuple of int
        Of the values before, and of what comes out.
    """
    functions: list[LastFunction] = [Shaped(shape)]
    for given, some in steps:
        functions += [Shaped(given), *some]
    return joined((*functions, Shaped(final)), (prod(shape),))


def said(name: str) -> str:
    """What a user should know of a function that the host computes."""
    return f"{name}: computed by the host, on the readout's outputs"


def _summed(ann: Ann, name: str) -> bool:
    """Whether values come from synapses, but for factors and arrangements."""
    node = ann[name]
    while isinstance(node, Affine | BatchNorm | Reshape | Gather):
        node = ann[node.inputs[0]]
    return isinstance(node, Linear | Add)
