"""Where values are arranged anew: `Reshape`, `Gather` and `Concat` move to where they cost least, and end as synapses or as nothing.

A neuron does not care where in a shape it stands, so that what is elementwise comes first. What permutes the network's input is
done by the host, which writes the samples; dense layers take what they take in any shape.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from loihiconv.ann.graph import Add, Affine, Ann, AvgPool, Concat, Gather, Input, LeakyRelu, Linear, MaxPool, Node, Relu, Reshape
from loihiconv.ann.passes.rewrite import Replacement, Rewrite, by_channel, compact, fresh, layer_of, rewired, splice
from loihiconv.core.linear import Array, Conv, Dense, LinearMap, Shape, Sparse

Moves = Reshape | Gather
"""What arranges the values of one result."""

FEW_WEIGHTS = 1 << 20
"""Most weights of a convolution that picks channels, where synapses one by one would be fewer."""


def index_of(node: Moves) -> Array:
    """For each value of the flattened result its place in the flattened input; -1 for a zero."""
    return node.index if isinstance(node, Gather) else np.arange(prod(node.shape))


def is_permutation(ann: Ann, node: Node) -> bool:
    """Whether every value of the input comes out once."""
    if isinstance(node, Reshape):
        return True
    if not isinstance(node, Gather) or len(node.index) != prod(ann.shapes[node.inputs[0]]):
        return False
    return bool((np.bincount(node.index[node.index >= 0], minlength=len(node.index)) == 1).all())


class MergeMoves(Rewrite):
    """Arranging what has just been arranged is one step; one that leaves everything as it was is none."""

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, Moves) and (isinstance(ann[node.inputs[0]], Moves) or _nothing(ann, node))

    def transform(self, ann: Ann, node: Node) -> Ann:
        assert isinstance(node, Moves)
        first = ann[node.inputs[0]]
        if not isinstance(first, Moves):
            return splice(ann, node.name, result=node.inputs[0])
        outer, inner = index_of(node), index_of(first)
        merged = np.where(outer < 0, -1, inner[outer])
        return splice(ann, node.name, [_moved(node.name, first.inputs[0], merged, ann.shapes[first.inputs[0]], node.shape)])


class ReluBeforeMoves(Rewrite):
    """relu(P x) = P relu(x): so a layer's own shape is that of its neurons, and one arrangement may undo another."""

    def match(self, ann: Ann, node: Node) -> bool:
        if not isinstance(node, Relu | LeakyRelu) or not is_permutation(ann, moves := ann[node.inputs[0]]):
            return False
        if isinstance(node, LeakyRelu):
            return True
        return by_channel(_values_before(ann, moves, np.asarray(node.bound)), ann.shapes[moves.inputs[0]])

    def transform(self, ann: Ann, node: Node) -> Ann:
        moves = ann[node.inputs[0]]
        assert isinstance(moves, Moves)
        before = replace(node, inputs=moves.inputs)
        if isinstance(before, Relu):
            before = replace(before, bound=_values_before(ann, moves, np.asarray(before.bound)))
        if isinstance(before, LeakyRelu):
            before = replace(before, slope=_values_before(ann, moves, np.asarray(before.slope)))
        name = fresh(ann, f"{moves.name}.after")
        return splice(ann, node.name, [before, replace(moves, name=name, inputs=(node.name,))], result=name)


class AffineBeforeMoves(Rewrite):
    """s P x + t = P (s' x + t'), where s' is a factor of whole channels, which a convolution can take in."""

    def match(self, ann: Ann, node: Node) -> bool:
        if not isinstance(node, Affine) or not is_permutation(ann, moves := ann[node.inputs[0]]) or ann.is_input(moves.inputs[0]):
            return False
        return by_channel(_values_before(ann, moves, node.scale), ann.shapes[moves.inputs[0]])

    def transform(self, ann: Ann, node: Node) -> Ann:
        moves = ann[node.inputs[0]]
        assert isinstance(moves, Moves)
        assert isinstance(node, Affine)
        scale, shift = (_values_before(ann, moves, values) for values in (node.scale, node.shift))
        before, name = Affine(node.name, moves.inputs, scale, shift), fresh(ann, f"{moves.name}.after")
        return splice(ann, node.name, [before, replace(moves, name=name, inputs=(node.name,))], result=name)


class MovesBeforeAffine(Rewrite):
    """P (s x + t) = s' P x + t' for the network's input x, so that the host can arrange it."""

    def match(self, ann: Ann, node: Node) -> bool:
        affine = ann[node.inputs[0]] if isinstance(node, Moves) else None
        return isinstance(affine, Affine) and ann.is_input(affine.inputs[0]) and is_permutation(ann, node)

    def transform(self, ann: Ann, node: Node) -> Ann:
        affine = ann[node.inputs[0]]
        assert isinstance(node, Moves)
        assert isinstance(affine, Affine)
        before, index = ann.shapes[affine.name], index_of(node)
        scale, shift = (
            compact(np.broadcast_to(values, before).ravel()[index].reshape(node.shape), node.shape)
            for values in (affine.scale, affine.shift)
        )
        name = fresh(ann, f"{node.name}.affine")
        return splice(ann, node.name, [replace(node, inputs=affine.inputs), Affine(name, (node.name,), scale, shift)], result=name)


class AddBeforeMoves(Rewrite):
    """P x + P y = P (x + y)."""

    def match(self, ann: Ann, node: Node) -> bool:
        if not isinstance(node, Add):
            return False
        first, *rest = (ann[name] for name in node.inputs)
        return is_permutation(ann, first) and all(_alike(ann, first, other) for other in rest)

    def transform(self, ann: Ann, node: Node) -> Ann:
        moves = ann[node.inputs[0]]
        assert isinstance(moves, Moves)
        inputs = tuple(ann[name].inputs[0] for name in node.inputs)
        name = fresh(ann, f"{moves.name}.after")
        return splice(ann, node.name, [replace(node, inputs=inputs), replace(moves, name=name, inputs=(node.name,))], result=name)


class FlattenConcats(Replacement):
    """[[x, y], z] = [x, y, z]: as in dense blocks, where each layer adds its channels to all before."""

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, Concat) and any(isinstance(ann[name], Concat) for name in node.inputs)

    def new(self, ann: Ann, node: Node) -> list[Node]:
        inputs = [part for name in node.inputs for part in (ann[name].inputs if isinstance(ann[name], Concat) else (name,))]
        return [Concat(node.name, tuple(inputs))]


class ConcatAfter(Replacement):
    """relu([x, y]) = [relu(x), relu(y)], and so it is with factors and pooling: parts that are joined stay populations of their own."""

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, Relu | LeakyRelu | Affine | AvgPool | MaxPool) and isinstance(ann[node.inputs[0]], Concat)

    def new(self, ann: Ann, node: Node) -> list[Node]:
        joined = ann[node.inputs[0]]
        parts: list[Node] = []
        begin = 0
        for i, source in enumerate(joined.inputs):
            end = begin + ann.shapes[source][0]
            part = replace(node, name=fresh(ann, f"{node.name}.part{i}"), inputs=(source,))
            shape = ann.shapes[joined.name]
            if isinstance(part, Affine):
                part = replace(part, scale=_of(part.scale, shape, begin, end), shift=_of(part.shift, shape, begin, end))
            if isinstance(part, Relu):
                part = replace(part, bound=_of(np.asarray(part.bound), shape, begin, end))
            if isinstance(part, LeakyRelu):
                part = replace(part, slope=_of(np.asarray(part.slope), shape, begin, end))
            parts.append(part)
            begin = end
        return [*parts, Concat(node.name, tuple(part.name for part in parts))]


class MovesByHost(Rewrite):
    """The host writes samples in the order in which the network takes them."""

    def match(self, ann: Ann, node: Node) -> bool:
        if not is_permutation(ann, node) or not ann.is_input(node.inputs[0]) or node is ann.output:
            return False
        return all(_alike(ann, node, user) for user in ann.users(node.inputs[0]))

    def transform(self, ann: Ann, node: Node) -> Ann:
        assert isinstance(node, Moves)
        before = ann[node.inputs[0]]
        assert isinstance(before, Input)
        order = index_of(node) if before.order is None else before.order[index_of(node)]
        unmoved = np.array_equal(order, np.arange(len(order)))
        entry = Input(before.name, shape=node.shape, sample_shape=before.given, order=None if unmoved else order)
        names = {user.name: entry.name for user in ann.users(entry.name)}
        nodes = [entry if n is before else rewired(n, names) for n in ann.nodes if n.name not in names]
        return Ann(tuple(nodes))


class DropReshape(Rewrite):
    """Users of a shape that need none take the values themselves."""

    def match(self, ann: Ann, node: Node) -> bool:
        if not isinstance(node, Reshape):
            return False
        users = ann.users(node.name)
        return node is ann.output or all(isinstance(user, Linear) and isinstance(user.map, Dense | Sparse) for user in users)

    def transform(self, ann: Ann, node: Node) -> Ann:
        return splice(ann, node.name, result=node.inputs[0])


class ShapeOfDense(Rewrite):
    """A dense layer's neurons stand in the shape in which the next layer takes them."""

    def match(self, ann: Ann, node: Node) -> bool:
        if not isinstance(node, Reshape) or not isinstance(relu := ann[node.inputs[0]], Relu):
            return False
        dense = ann[relu.inputs[0]]
        alone = len(ann.users(relu.name)) == len(ann.users(dense.name)) == 1
        return alone and isinstance(dense, Linear) and isinstance(dense.map, Dense)

    def transform(self, ann: Ann, node: Node) -> Ann:
        assert isinstance(node, Reshape)
        relu = ann[node.inputs[0]]
        dense = ann[relu.inputs[0]]
        assert isinstance(dense, Linear)
        bias = None if dense.bias is None else np.broadcast_to(dense.bias, ann.shapes[dense.name]).reshape(node.shape)
        shaped = [replace(dense, shape=node.shape, bias=bias), replace(relu, inputs=(dense.name,))]
        return splice(ann, node.name, shaped, result=relu.name, drop=[dense.name, relu.name])


class MovesToLinear(Replacement):
    """What is left of arranging is done by synapses, one per value."""

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, Moves)

    def new(self, ann: Ann, node: Node) -> list[Node]:
        assert isinstance(node, Moves)
        picking = picked(index_of(node), ann.shapes[node.inputs[0]], node.shape)
        return [Linear(node.name, node.inputs, picking, layer=layer_of(ann[node.inputs[0]]))]


class ConcatToAdd(Replacement):
    """[x, y] = [x, 0] + [0, y]: a convolution of one pixel puts each part among the channels."""

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, Concat)

    def new(self, ann: Ann, node: Node) -> list[Node]:
        shape, begin = ann.shapes[node.name], 0
        parts: list[Node] = []
        for i, source in enumerate(node.inputs):
            count = prod(ann.shapes[source])
            index = np.full(prod(shape), -1)
            index[begin : begin + count] = np.arange(count)
            parts.append(Linear(fresh(ann, f"{node.name}.part{i}"), (source,), picked(index, ann.shapes[source], shape)))
            begin += count
        return [*parts, Add(node.name, tuple(part.name for part in parts))]


def picked(index: Array, before: Shape, shape: Shape) -> LinearMap:
    """The map y[i] = x[index[i]]: a convolution of one pixel where channels are picked and windows are regular, else a `Sparse`.

    So it is, too, where the convolution would have far more weights than there are values, as where a detector joins its thousands of
    anchors: these are the channels of that.
    """
    small = shape[0] * before[0] <= max(FEW_WEIGHTS, np.count_nonzero(index >= 0))
    if small and len(before) == len(shape) == 3 and (conv := _as_convolution(index.reshape(shape), before)) is not None:
        return conv
    rows = np.flatnonzero(index >= 0).astype(np.int32)
    return Sparse(np.ones(len(rows)), rows, index[rows].astype(np.int32), shape, before)


def _as_convolution(index: Array, before: Shape) -> Conv | None:
    """Channels of the input at y = stride i - padding, zeros outside of the image; None where it is something else."""
    there = index >= 0
    channel, pixel = np.divmod(index, before[1] * before[2])
    rows, columns = np.divmod(pixel, before[2])
    channels = np.where(there, channel, -1).max(axis=(1, 2))
    if (channels < 0).all():
        return None
    down, right = (_progression(values, there, axis) for axis, values in ((1, rows), (2, columns)))
    if down is None or right is None:
        return None
    weight = np.zeros((len(index), before[0], 1, 1))
    used = channels >= 0
    weight[np.flatnonzero(used), channels[used]] = 1
    around = [
        extent
        for (stride, start), size, count in zip((down, right), before[1:], index.shape[1:], strict=True)
        for extent in (-start, start + (count - 1) * stride + 1 - size)
    ]
    if any(extent < -size for extent, size in zip(around, np.repeat(before[1:], 2), strict=True)):
        return None
    conv = Conv(weight, (down[0], right[0]), (around[0], around[1], around[2], around[3]))
    if conv.output_shape(before) != index.shape:
        return None
    numbers = np.arange(1, prod(before) + 1, dtype=np.float64).reshape(1, *before)
    if not np.array_equal(conv.apply(numbers)[0].astype(np.int64) - 1, np.where(there, index, -1)):
        return None
    alike = before[0] == len(index) and np.array_equal(channels, np.arange(before[0]))
    return Conv(np.ones((before[0], 1, 1, 1)), conv.stride, conv.padding, groups=before[0]) if alike else conv


def _progression(values: Array, there: Array, axis: int) -> tuple[int, int] | None:
    """(stride, first value) of places along one axis, from two of them."""
    per = np.where(there, values, -1).max(axis=tuple(a for a in range(3) if a != axis))
    known = np.flatnonzero(per >= 0)
    if len(known) < 2:
        return (1, int(per[known[0]] - known[0])) if len(known) else None
    stride = int(per[known[1]] - per[known[0]]) // int(known[1] - known[0])
    return (stride, int(per[known[0]] - stride * known[0])) if stride > 0 else None


def _moved(name: str, source: str, index: Array, before: Shape, shape: Shape) -> Moves:
    """The node that picks these values, by its simplest name."""
    if len(index) == prod(before) and np.array_equal(index, np.arange(len(index))):
        return Reshape(name, (source,), shape)
    return Gather(name, (source,), index, shape)


def _nothing(ann: Ann, node: Moves) -> bool:
    before = ann.shapes[node.inputs[0]]
    return node.shape == before and np.array_equal(index_of(node), np.arange(prod(before)))


def _alike(ann: Ann, a: Node, b: Node) -> bool:
    """Whether two nodes arrange inputs of the same shape in the same way."""
    if not isinstance(a, Moves) or not isinstance(b, Moves):
        return False
    same = a.shape == b.shape and ann.shapes[a.inputs[0]] == ann.shapes[b.inputs[0]]
    return same and (a is b or np.array_equal(index_of(a), index_of(b)))


def _values_before(ann: Ann, moves: Node, values: Array) -> Array:
    """Of values that broadcast to what an arrangement gives, those for what it takes."""
    assert isinstance(moves, Moves)
    if values.size == 1:
        return values.reshape(())
    before = ann.shapes[moves.inputs[0]]
    arranged = np.empty(prod(before), values.dtype)
    arranged[index_of(moves)] = np.broadcast_to(values, moves.shape).ravel()
    return compact(arranged.reshape(before), before)


def _of(values: Array, shape: Shape, begin: int, end: int) -> Array:
    """The values for some of the channels, of those that broadcast to ``shape``."""
    small = compact(values, shape)
    return small[begin:end] if small.ndim else small
