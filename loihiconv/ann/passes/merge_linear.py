"""Merge linear layers that follow one another without a ReLU between them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihiconv.ann.graph import Add, Ann, Linear, Node, Relu
from loihiconv.ann.passes.rewrite import Replacement, fresh, negated, rewired, spikes
from loihiconv.core.composition import MOST_SYNAPSES, CannotCompose, compose
from loihiconv.core.linear import Array, Dense, Shape, Sparse

FEW_SYNAPSES = 1 << 18
"""Most synapses that are written out where a population in between would do: 262,144, some six cores of Loihi 2."""


class MergeLinear(Replacement):
    """W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2).

    Between them there is nothing that could spike, so they must become one set of synapses. The first stays for its other
    users. Where the product is no convolution (say, because the second pads what the first returns) but the
    first cannot return anything negative, a ReLU that changes nothing makes it a population of its own, which takes fewer weights
    than every synapse by itself. Else synapses are written out one by one, and where these are too many, the first becomes two
    populations, of what is above zero and below: x = relu(x) - relu(-x).
    """

    def match(self, ann: Ann, node: Node) -> bool:
        if not isinstance(node, Linear) or not isinstance(first := ann[node.inputs[0]], Linear):
            return False
        return not isinstance(ann[first.inputs[0]], Linear)  # from the first on

    def new(self, ann: Ann, node: Node) -> list[Node]:
        first = ann[node.inputs[0]]
        assert isinstance(node, Linear)
        assert isinstance(first, Linear)
        spiking = never_negative(ann, first)
        try:
            merged = compose(node.map, first.map, ann.shapes[first.inputs[0]], synapses=_allowed(first, node, spiking=spiking))
        except CannotCompose:
            relu = Relu(fresh(ann, f"{first.name}.relu"), (first.name,))
            return [relu, rewired(node, {first.name: relu.name})] if spiking else _by_signs(ann, first, node, relu)
        bias = merged_bias(first, node, ann.shapes[first.name], ann.shapes[node.name])
        return [replace(node, inputs=first.inputs, map=merged, bias=bias)]

    def said(self, node: Node, new: list[Node]) -> str:
        signs = [other for other in new if isinstance(other, Relu)]
        return f"{node.inputs[0]}: two populations, one for each sign" if len(signs) > 1 else ""


def _by_signs(ann: Ann, first: Linear, second: Linear, above: Relu) -> list[Node]:
    """W relu(x) - W relu(-x) + b, with x what the first layer gives."""
    opposite = negated(first, fresh(ann, f"{first.name}.negated"))
    below = Relu(fresh(ann, f"{first.name}.below"), (opposite.name,))
    plus = replace(second, name=fresh(ann, f"{second.name}.above"), inputs=(above.name,))
    minus = replace(negated(second, fresh(ann, f"{second.name}.below")), inputs=(below.name,), bias=None)
    return [above, opposite, below, plus, minus, Add(second.name, (plus.name, minus.name))]


def _allowed(first: Linear, second: Linear, *, spiking: bool) -> int:
    """Most synapses that a product without structure may have, where the alternative is a population in between, or none."""
    if not spiking:
        return MOST_SYNAPSES
    return FEW_SYNAPSES if isinstance(first.map, Sparse) or isinstance(second.map, Sparse) else 0


def merged_bias(first: Linear, second: Linear, middle_shape: Shape, output_shape: Shape) -> Array | None:
    """W2 b1 + b2, per channel where it is the same all over each channel, else per neuron."""
    if first.bias is None:
        return second.bias
    through = second.map.apply(np.broadcast_to(first.bias, middle_shape)[None])[0]
    bias = np.asarray(through if second.bias is None else through + second.bias).reshape(output_shape)
    corner = bias[:, :1, :1] if bias.ndim == 3 else bias
    return corner.copy() if np.allclose(bias, corner, rtol=1e-12, atol=1e-15) else bias


class PushLinearThroughAdd(Replacement):
    """W (x + y) + b = (W x + b) + W y, so that every branch can be merged; a sum without a ReLU cannot spike either."""

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, Linear) and isinstance(ann[node.inputs[0]], Add)

    def new(self, ann: Ann, node: Node) -> list[Node]:
        assert isinstance(node, Linear)
        branches: list[Node] = []
        for i, source in enumerate(ann[node.inputs[0]].inputs):
            name = fresh(ann, f"{node.name}.branch{i}")
            branches.append(Linear(name, (source,), node.map, node.bias if i == 0 else None, layer=node.layer or node.name))
        return [*branches, Add(node.name, tuple(branch.name for branch in branches), node.layer or node.name)]


class FlattenSums(Replacement):
    """(x + y) + z = x + y + z: all synapses of a sum end at the same neurons."""

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, Add) and any(isinstance(ann[name], Add) for name in node.inputs)

    def new(self, ann: Ann, node: Node) -> list[Node]:
        inputs = [part for name in node.inputs for part in (ann[name].inputs if isinstance(ann[name], Add) else (name,))]
        return [replace(node, inputs=tuple(inputs))]


def never_negative(ann: Ann, linear: Linear) -> bool:
    """Whether synapses without negative weights or biases take spikes."""
    bias = linear.bias is None or np.all(linear.bias >= 0)
    return bool(not isinstance(linear.map, Dense) and bias and np.all(linear.map.weight >= 0)) and spikes(ann, linear.inputs[0])
