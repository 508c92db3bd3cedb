"""Remove flattening: dense layers flatten what they take, and ReLU does not care."""

from __future__ import annotations

from math import prod

import numpy as np

from loihiconv.ann.graph import Add, Ann, Flatten, Linear, Node
from loihiconv.ann.passes.rewrite import Rewrite, fresh, identity, splice
from loihiconv.core.errors import InvalidModel
from loihiconv.core.linear import Dense


class DropFlatten(Rewrite):
    """Users take the image itself; only a sum with a vector needs it flattened, by a dense identity."""

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, Flatten)

    def transform(self, ann: Ann, node: Node) -> Ann:
        try:
            return splice(ann, node.name, result=node.inputs[0])
        except InvalidModel:  # shapes no longer fit together
            return splice(ann, node.name, [Linear(node.name, node.inputs, Dense(np.eye(prod(ann.shapes[node.name]))))])


class OutputIsLinear(Rewrite):
    """The readout takes its input through synapses: a network that ends otherwise gets an identity."""

    def match(self, ann: Ann, node: Node) -> bool:
        return node is ann.output and not isinstance(node, Linear | Add)

    def transform(self, ann: Ann, node: Node) -> Ann:
        name = fresh(ann, f"{node.name}.readout")
        # Nothing takes the output's result, so that it can be put before a node that follows it.
        return splice(ann, node.name, [node, Linear(name, (node.name,), identity(ann.shapes[node.name]))], result=name)


class OutputIsVector(Rewrite):
    """An output of shape (C, 1, 1) becomes (C,), so that the readout has one neuron per class and no image."""

    def match(self, ann: Ann, node: Node) -> bool:
        shape = ann.shapes[node.name]
        return node is ann.output and len(shape) == 3 and shape[1:] == (1, 1)

    def transform(self, ann: Ann, node: Node) -> Ann:
        name = fresh(ann, f"{node.name}.flat")
        flat = Linear(name, (node.name,), Dense(np.eye(ann.shapes[node.name][0])))
        return splice(ann, node.name, [node, flat], result=name)
