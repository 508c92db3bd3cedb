"""What a network ends with becomes a readout: synapses, and one neuron per output."""

from __future__ import annotations

import numpy as np

from loihiconv.ann.graph import Add, Ann, Linear, Node
from loihiconv.ann.passes.rewrite import Rewrite, fresh, identity, layer_of, splice
from loihiconv.core.linear import Dense, Sparse

MOST_DENSE = 2048
"""Outputs of a network of classes; more of them are those of places, and no matrix of all by all."""


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
        size = ann.shapes[node.name][0]
        places = np.arange(size, dtype=np.int32)
        same = Dense(np.eye(size)) if size <= MOST_DENSE else Sparse(np.ones(size), places, places, (size,), (size, 1, 1))
        flat = Linear(name, (node.name,), same, layer=layer_of(node) or node.name)
        return splice(ann, node.name, [node, flat], result=name)
