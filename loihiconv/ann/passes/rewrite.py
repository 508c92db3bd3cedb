"""What all rewrites share: a rewrite looks at one node, and returns another network where it applies."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from itertools import chain, count
from math import prod

import numpy as np

from loihiconv.ann.graph import Add, Ann, Linear, MaxPool, Node, Relu, needed
from loihiconv.core.linear import Array, Conv, LinearMap, Shape, Sparse


class Rewrite(ABC):
    """One rule that leaves the network's function as it is (up to rounding)."""

    @abstractmethod
    def match(self, ann: Ann, node: Node) -> bool:
        """Whether the rule applies at this node."""

    @abstractmethod
    def transform(self, ann: Ann, node: Node) -> Ann:
        """The network after applying the rule at a node that matches."""

    def note(self, node: Node) -> str:
        """What the user should know about having applied it; mostly nothing."""
        return ""


class Replacement(Rewrite):
    """One rule that looks at the network and puts others in place of a node, the last of which has its name.

    All nodes that match are replaced at once: large networks have thousands.
    """

    @abstractmethod
    def new(self, ann: Ann, node: Node) -> list[Node]:
        """What takes the place of a node that matches."""

    def said(self, node: Node, new: list[Node]) -> str:
        """`note`, where it depends on what has taken a node's place."""
        return self.note(node)

    def transform(self, ann: Ann, node: Node) -> Ann:
        return splice(ann, node.name, self.new(ann, node))

    def sweep(self, ann: Ann) -> tuple[Ann, list[str]]:
        """The network with every match replaced, but for those whose new nodes want a name that has just been given away."""
        nodes: list[Node] = []
        notes: list[str] = []
        added: set[str] = set()
        for node in ann:
            new = self.new(ann, node) if self.match(ann, node) else [node]
            names = {other.name for other in new} - {node.name}
            if names & added:
                new = [node]
            elif new != [node]:
                notes.append(self.said(node, new))
                added |= names
            nodes.extend(new)
        return (pruned(nodes, ann.output.name), notes) if notes else (ann, notes)


def apply_all(rewrite: Rewrite, ann: Ann) -> tuple[Ann, tuple[str, ...]]:
    """Apply one rewrite wherever it matches, until it matches nowhere; and its notes."""
    notes: list[str] = []
    while isinstance(rewrite, Replacement):
        ann, new = rewrite.sweep(ann)
        if not new:
            return ann, tuple(filter(None, notes))
        notes += new
    begin = 0  # what comes before has been looked at; what a change makes match there is found in the next round
    while True:
        found = next(((i, node) for i, node in enumerate(ann.nodes[begin:], begin) if rewrite.match(ann, node)), None)
        if found is not None:
            begin, node = found
            ann = rewrite.transform(ann, node)
            notes.append(rewrite.note(node))
        elif begin:
            begin = 0
        else:
            return ann, tuple(filter(None, notes))


def splice(ann: Ann, name: str, new: Iterable[Node] = (), result: str | None = None, drop: Collection[str] = ()) -> Ann:
    """Put ``new`` nodes in place of the node ``name``, and give its users the ``result`` of another.

    Nodes named in ``drop``, and those that the output no longer depends on, go away.
    """
    target = name if result is None else result
    nodes: list[Node] = []
    for node in ann:
        if node.name == name:
            nodes.extend(new)
        elif node.name not in drop:
            nodes.append(rewired(node, {name: target}))
    return pruned(nodes, target if ann.output.name == name else ann.output.name)


def rewired(node: Node, names: Mapping[str, str]) -> Node:
    """The node, taking the results of others."""
    if not any(name in names for name in node.inputs):
        return node
    return replace(node, inputs=tuple(names.get(name, name) for name in node.inputs))


def pruned(nodes: Iterable[Node], output: str) -> Ann:
    """The network of those nodes that ``output`` depends on."""
    return Ann(needed(tuple(nodes), output))


def fresh(ann: Ann, name: str) -> str:
    """``name``, or with a number after it where that is taken."""
    return next(c for c in chain((name,), (f"{name}_{i}" for i in count(1))) if c not in ann)


def spikes(ann: Ann, name: str) -> bool:
    """Whether a node's result becomes the output of spiking neurons, and so is never negative."""
    node = ann[name]
    return isinstance(node, Relu) or (isinstance(node, MaxPool) and spikes(ann, node.inputs[0]))


def layer_of(node: Node) -> str:
    """The linear layer that users know the neurons by which take this result; empty where there is none."""
    if isinstance(node, Linear):
        return node.layer or node.name
    return node.layer if isinstance(node, Add) else ""


def negated(linear: Linear, name: str) -> Linear:
    """The layer that gives -x where this one gives x."""
    bias = None if linear.bias is None else -linear.bias
    return replace(linear, name=name, map=linear.map.with_weight(-linear.map.weight), bias=bias)


def elementwise(scale: Array, shape: Shape) -> LinearMap:
    """The map that multiplies every value of inputs of ``shape`` by its factor, which broadcasts to it."""
    factors = np.asarray(scale, np.float64)
    if len(shape) == 3 and by_channel(factors, shape):
        return Conv(np.broadcast_to(compact(factors, shape), (shape[0], 1, 1)).reshape(-1, 1, 1, 1).copy(), groups=shape[0])
    places = np.arange(prod(shape), dtype=np.int32)
    return Sparse(np.broadcast_to(factors, shape).ravel(), places, places, shape, shape)


def identity(shape: Shape) -> LinearMap:
    """The map that leaves inputs of ``shape`` as they are."""
    return elementwise(np.ones(()), shape)


def compact(values: Array, shape: Shape) -> Array:
    """The smallest array that broadcasts to the same of ``shape``: one number, one per channel (C, 1, ...), or all of them."""
    values = np.asarray(values)
    first = values.reshape(-1)[:1]
    if values.size == 1 or (values == first).all():
        return first.reshape(())
    if values.shape == (shape[0], *(1,) * (len(shape) - 1)):
        return values
    full = np.broadcast_to(values, shape)
    one_each = (slice(None),) + (slice(1),) * (len(shape) - 1)
    channels = full[one_each]
    return np.array(channels if (full == channels).all() else full)


def as_bias(values: Array, shape: Shape) -> Array:
    """Values that broadcast to ``shape``, one per channel or all of them."""
    small = compact(values, shape)
    return small if small.ndim else np.full((shape[0], *(1,) * (len(shape) - 1)), small)


def by_channel(values: Array, shape: Shape) -> bool:
    """Whether values that broadcast to ``shape`` are the same all over each channel."""
    return compact(values, shape).shape in ((), (shape[0], *(1,) * (len(shape) - 1)))


def column(values: Array, shape: Shape) -> Array:
    """One value per channel, shaped so as to broadcast to ``shape``."""
    return values.reshape(-1, *(1,) * (len(shape) - 1))
