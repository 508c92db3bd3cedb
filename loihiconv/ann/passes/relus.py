"""Move and remove ReLUs, so that each is a population of neurons that is needed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihiconv.ann.graph import Ann, Input, Linear, MaxPool, Node, Relu
from loihiconv.ann.passes.rewrite import Rewrite, fresh, identity, rewired, spikes, splice


class DropRepeatedRelu(Rewrite):
    """relu(x) = x where x is the result of a ReLU, or of max-pooling one; of two bounds the tighter one counts."""

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, Relu) and spikes(ann, node.inputs[0])

    def transform(self, ann: Ann, node: Node) -> Ann:
        assert isinstance(node, Relu)
        before = ann[node.inputs[0]]
        if not node.bounded or (isinstance(before, Relu) and (np.asarray(before.bound) <= node.bound).all()):
            return splice(ann, node.name, result=before.name)
        assert isinstance(before, Relu)  # `ReluBeforeMaxPool` has moved it there
        tighter = replace(node, inputs=before.inputs, bound=np.minimum(before.bound, node.bound))
        return splice(ann, node.name, [tighter])


class ReluBeforeMaxPool(Rewrite):
    """relu(maxpool(x)) = maxpool(relu(x)): both are monotonic. Spiking neurons then stand on either side of the pooling."""

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, Relu) and isinstance(ann[node.inputs[0]], MaxPool)

    def transform(self, ann: Ann, node: Node) -> Ann:
        pool = ann[node.inputs[0]]
        shared = len(ann.users(pool.name)) > 1
        name = fresh(ann, pool.name) if shared else pool.name
        swapped = [replace(node, inputs=pool.inputs), replace(pool, name=name, inputs=(node.name,))]
        return splice(ann, node.name, swapped, result=name, drop=[] if shared else [pool.name])


class FeedReluByLinear(Rewrite):
    """relu(x) = relu(1 x): neurons take their input through synapses, also from the network's input."""

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, Relu) and isinstance(ann[node.inputs[0]], Input)

    def transform(self, ann: Ann, node: Node) -> Ann:
        synapses = Linear(fresh(ann, f"{node.name}.identity"), node.inputs, identity(ann.shapes[node.name]))
        return splice(ann, node.name, [synapses, rewired(node, {node.inputs[0]: synapses.name})])
