"""Fold batch normalization, and whatever else scales and shifts values one by one, into weights and biases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihiconv.ann.graph import Affine, Ann, BatchNorm, Linear, MaxPool, Node
from loihiconv.ann.passes.rewrite import Replacement, Rewrite, as_bias, by_channel, column, compact, elementwise, fresh, splice
from loihiconv.core.linear import Array, Conv, Dense, LinearMap, Shape, Sparse


def scale_and_shift(norm: BatchNorm) -> tuple[Array, Array]:
    """(s, t) per channel with BN(x) = s x + t, in float64.

    ``s = gamma / sqrt(var + eps)``, ``t = beta - s mean`` (Ioffe and Szegedy 2015, "inference" in algorithm 2).
    """
    gamma, beta, mean, var = (np.asarray(v, np.float64) for v in (norm.gamma, norm.beta, norm.mean, norm.var))
    scale = gamma / np.sqrt(var + norm.eps)
    return scale, beta - scale * mean


class BatchNormToAffine(Replacement):
    """BN(x) = s x + t, with one s and one t per channel."""

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, BatchNorm)

    def new(self, ann: Ann, node: Node) -> list[Node]:
        assert isinstance(node, BatchNorm)
        scale, shift = (column(values, ann.shapes[node.name]) for values in scale_and_shift(node))
        return [Affine(node.name, node.inputs, scale, shift)]


class MergeAffine(Rewrite):
    """s2 (s1 x + t1) + t2 = (s2 s1) x + (s2 t1 + t2)."""

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, Affine) and isinstance(ann[node.inputs[0]], Affine)

    def transform(self, ann: Ann, node: Node) -> Ann:
        first = ann[node.inputs[0]]
        assert isinstance(node, Affine)
        assert isinstance(first, Affine)
        merged = Affine(node.name, first.inputs, node.scale * first.scale, node.scale * first.shift + node.shift)
        return splice(ann, node.name, [merged])


class FoldAffine(Rewrite):
    """s (W x + b) + t = (s W) x + (s b + t), rows of W scaled (Rueckauer et al. 2016, section 3.3)."""

    def match(self, ann: Ann, node: Node) -> bool:
        if not isinstance(node, Affine) or not isinstance(linear := ann[node.inputs[0]], Linear) or len(ann.users(linear.name)) > 1:
            return False
        return not isinstance(linear.map, Conv) or by_channel(node.scale, ann.shapes[node.name])

    def transform(self, ann: Ann, node: Node) -> Ann:
        linear, shape = ann[node.inputs[0]], ann.shapes[node.name]
        assert isinstance(node, Affine)
        assert isinstance(linear, Linear)
        bias = node.shift + (0 if linear.bias is None else node.scale * linear.bias)
        folded = replace(linear, map=_scaled_rows(linear.map, node.scale, shape), bias=as_bias(bias, shape))
        return splice(ann, node.name, [folded], result=folded.name, drop=[linear.name])


class FoldAffineForward(Rewrite):
    """W (s x + t) + b = (W s) x + (W t + b), columns of W scaled: where only dense and sparse layers take the result."""

    def match(self, ann: Ann, node: Node) -> bool:
        if not isinstance(node, Affine):
            return False
        users = ann.users(node.name)
        return bool(users) and all(isinstance(user, Linear) and isinstance(user.map, Dense | Sparse) for user in users)

    def transform(self, ann: Ann, node: Node) -> Ann:
        assert isinstance(node, Affine)
        scale, shift = (np.broadcast_to(values, ann.shapes[node.name]).ravel() for values in (node.scale, node.shift))
        for user in ann.users(node.name):
            assert isinstance(user, Linear)
            linear, shape = user.map, ann.shapes[user.name]
            columns = scale[linear.columns] if isinstance(linear, Sparse) else scale
            bias = linear.apply(shift[None])[0].reshape(shape) + (0 if user.bias is None else user.bias)
            folded = replace(user, inputs=node.inputs, map=linear.with_weight(linear.weight * columns), bias=bias)
            ann = splice(ann, user.name, [folded])
        return ann


class AffineBeforeMaxPool(Rewrite):
    """s maxpool(x) + t = maxpool(s x + t) where no channel's s is negative: then both reach the linear layer before."""

    def match(self, ann: Ann, node: Node) -> bool:
        if not isinstance(node, Affine) or not isinstance(pool := ann[node.inputs[0]], MaxPool) or len(ann.users(pool.name)) > 1:
            return False
        return _reaches_linear(ann, pool) and _monotonic(node, ann.shapes[node.name])

    def transform(self, ann: Ann, node: Node) -> Ann:
        pool = ann[node.inputs[0]]
        swapped = [replace(node, inputs=pool.inputs), replace(pool, inputs=(node.name,))]
        return splice(ann, node.name, swapped, result=pool.name, drop=[pool.name])


class AffineAfterMaxPool(Rewrite):
    """maxpool(s x + t) = s maxpool(x) + t where no channel's s is negative: what a ReLU gives is pooled as it is, as spikes."""

    def match(self, ann: Ann, node: Node) -> bool:
        if not isinstance(node, MaxPool) or not isinstance(affine := ann[node.inputs[0]], Affine):
            return False
        return not _reaches_linear(ann, affine) and _monotonic(affine, ann.shapes[affine.name])

    def transform(self, ann: Ann, node: Node) -> Ann:
        affine = ann[node.inputs[0]]
        assert isinstance(affine, Affine)
        scale, shift = (compact(values, ann.shapes[affine.name]) for values in (affine.scale, affine.shift))
        after = Affine(fresh(ann, f"{node.name}.affine"), (node.name,), scale, shift)
        return splice(ann, node.name, [replace(node, inputs=affine.inputs), after], result=after.name)


class AffineToLinear(Replacement):
    """s x + t as a layer of its own, where none of the other rules applies."""

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, Affine)

    def new(self, ann: Ann, node: Node) -> list[Node]:
        assert isinstance(node, Affine)
        shape = ann.shapes[node.name]
        bias = as_bias(node.shift, shape) if np.any(node.shift) else None
        return [Linear(node.name, node.inputs, elementwise(node.scale, shape), bias)]


def _scaled_rows(linear: LinearMap, scale: Array, shape: Shape) -> LinearMap:
    """The map x -> s linear(x), whose results have this shape."""
    if isinstance(linear, Conv):
        rows = np.broadcast_to(compact(scale, shape), (shape[0], 1, 1)).reshape(-1, 1, 1, 1)
        return linear.with_weight(linear.weight * rows)
    flat = np.broadcast_to(scale, shape).ravel()
    return linear.with_weight(linear.weight * (flat[:, None] if isinstance(linear, Dense) else flat[linear.rows]))


def _reaches_linear(ann: Ann, node: Node) -> bool:
    """Whether a node takes its input, past any pooling, from a linear layer, into which factors can go."""
    source = ann[node.inputs[0]]
    while isinstance(source, MaxPool):
        source = ann[source.inputs[0]]
    return isinstance(source, Linear | Affine)


def _monotonic(node: Affine, shape: Shape) -> bool:
    """Whether it keeps the order of the values of a channel."""
    return bool(np.all(node.scale >= 0)) and by_channel(node.scale, shape) and by_channel(node.shift, shape)
