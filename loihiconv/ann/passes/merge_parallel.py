"""Merge linear branches from the same node to the same sum: the blocks of RepVGG (Ding et al. 2021, arXiv:2101.03697), and skips."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

import numpy as np

from loihiconv.ann.graph import Add, Ann, Linear, Node
from loihiconv.ann.passes.rewrite import Rewrite, fresh, identity, layer_of, splice
from loihiconv.core.composition import grouped, ungrouped
from loihiconv.core.linear import Array, Conv, Dense, LinearMap, Shape, Sparse, from_matrix


class Branch(NamedTuple):
    """A part of a sum: a linear map of what a node gives."""

    source: str
    map: LinearMap
    bias: Array | None


class MergeParallel(Rewrite):
    """W1 x + b1 + W2 x + b2 = (W1 + W2) x + (b1 + b2), where the sum is one map of no more weights than the two; x alone is 1 x.

    So a 3x3 convolution, a 1x1 convolution and the identity beside one another become one 3x3 convolution.
    """

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, Add) and _pair(ann, node) is not None

    def transform(self, ann: Ann, node: Node) -> Ann:
        pair = _pair(ann, node)
        assert pair is not None  # it matched
        first, second, merged = pair
        rest = [name for i, name in enumerate(node.inputs) if i not in (first, second)]
        assert isinstance(node, Add)
        layer = node.layer if node is ann.output else node.layer or _larger(ann, node.inputs[first], node.inputs[second])
        if not rest:
            return splice(ann, node.name, [Linear(node.name, (merged.source,), merged.map, merged.bias, layer=layer)])
        name = fresh(ann, f"{node.name}.merged")
        linear = Linear(name, (merged.source,), merged.map, merged.bias, layer=layer)
        return splice(ann, node.name, [linear, replace(node, inputs=(name, *rest))])


def _pair(ann: Ann, node: Node) -> tuple[int, int, Branch] | None:
    """The first two parts of a sum that can be one: their places, and what they become."""
    branches = [_branch(ann, name) for name in node.inputs]
    for i, j in combinations(range(len(branches)), 2):
        a, b = branches[i], branches[j]
        if a.source == b.source and (total := parallel_sum(a.map, b.map, ann.shapes[a.source])) is not None:
            return i, j, Branch(a.source, total, b.bias if a.bias is None else a.bias if b.bias is None else a.bias + b.bias)
    return None


def _larger(ann: Ann, *names: str) -> str:
    """The layer of most weights among parts of a sum, which users know the sum by."""
    parts = [part for part in map(ann.__getitem__, names) if isinstance(part, Linear)]
    return layer_of(max(parts, key=lambda part: part.map.weight.size)) if parts else ""


def _branch(ann: Ann, name: str) -> Branch:
    node = ann[name]
    return Branch(node.inputs[0], node.map, node.bias) if isinstance(node, Linear) else Branch(name, identity(ann.shapes[name]), None)


def parallel_sum(a: LinearMap, b: LinearMap, input_shape: Shape) -> LinearMap | None:
    """The map x -> a(x) + b(x), both of which give the same shape; None where that is neither kind of map, or has more weights."""
    if isinstance(a, Dense) and isinstance(b, Dense):
        return Dense(a.weight + b.weight)
    if isinstance(a, Sparse) and isinstance(b, Sparse):
        return from_matrix(a.matrix + b.matrix, a.outputs, a.inputs)
    if isinstance(a, Sparse) and isinstance(b, Dense):
        a, b = b, a
    if isinstance(a, Dense) and isinstance(b, Sparse):
        return Dense(a.weight + b.matrix.toarray())
    if not isinstance(a, Conv) or not isinstance(b, Conv) or a.stride != b.stride or not (_solid(a) and _solid(b)):
        return None
    rows, columns = (_common(a, b, axis, input_shape) for axis in (0, 1))
    groups = int(np.gcd(a.groups, b.groups))
    channels = input_shape[0] // groups
    if len(a.weight) * channels * rows.size * columns.size > a.weight.size + b.weight.size:
        return None
    total = np.zeros((len(a.weight), input_shape[0], rows.size, columns.size), np.result_type(a.weight, b.weight))
    for conv, top, left in zip((a, b), rows.offsets, columns.offsets, strict=True):
        height, width = conv.weight.shape[2:]
        total[:, :, top : top + height, left : left + width] += ungrouped(conv, input_shape[0])
    return Conv(grouped(total, groups), a.stride, (*rows.padding, *columns.padding), groups=groups)


class _Axis(NamedTuple):
    """A kernel's size along one axis that two smaller ones fit into, where they lie in it, and its padding before and after."""

    size: int
    offsets: tuple[int, int]
    padding: tuple[int, int]


def _common(a: Conv, b: Conv, axis: int, input_shape: Shape) -> _Axis:
    before = max(conv.padding[2 * axis] for conv in (a, b))
    first, second = (before - conv.padding[2 * axis] for conv in (a, b))
    size = max(first + a.weight.shape[2 + axis], second + b.weight.shape[2 + axis])
    last = (a.output_shape(input_shape)[axis + 1] - 1) * a.stride[axis]  # where the last window begins, in the padded input
    return _Axis(size, (first, second), (before, last + size - before - input_shape[axis + 1]))


def _solid(conv: Conv) -> bool:
    """Whether the kernel's taps are neighbours."""
    return conv.extent == conv.weight.shape[2:]
