"""Fold batch normalization into weights and biases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihiconv.ann.graph import Ann, BatchNorm, Linear, MaxPool, Node
from loihiconv.ann.passes.rewrite import Replacement, Rewrite, column, per_channel, splice
from loihiconv.core.linear import Array


def scale_and_shift(norm: BatchNorm) -> tuple[Array, Array]:
    """(s, t) per channel with BN(x) = s x + t, in float64.

    ``s = gamma / sqrt(var + eps)``, ``t = beta - s mean`` (Ioffe and Szegedy 2015, "inference" in algorithm 2).
    """
    gamma, beta, mean, var = (np.asarray(v, np.float64) for v in (norm.gamma, norm.beta, norm.mean, norm.var))
    scale = gamma / np.sqrt(var + norm.eps)
    return scale, beta - scale * mean


class FoldBatchNorm(Rewrite):
    """BN(W x + b) = (s W) x + (s b + t), rows of W scaled (Rueckauer et al. 2016, section 3.3)."""

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, BatchNorm) and isinstance(ann[node.inputs[0]], Linear) and len(ann.users(node.inputs[0])) == 1

    def transform(self, ann: Ann, node: Node) -> Ann:
        linear = ann[node.inputs[0]]
        assert isinstance(node, BatchNorm)
        assert isinstance(linear, Linear)
        scale, shift = scale_and_shift(node)
        shape = ann.shapes[linear.name]
        scaled = linear.map.scaled(np.broadcast_to(column(scale, shape), shape), np.ones(ann.shapes[linear.inputs[0]]))
        bias = column(shift, shape) + (0 if linear.bias is None else column(scale, shape) * linear.bias)
        folded = replace(linear, map=scaled, bias=bias)
        return splice(ann, node.name, [folded], result=folded.name, drop=[linear.name])


class FoldBatchNormForward(Rewrite):
    """W BN(x) + b = (W s) x + (W t + b), columns of W scaled: where only linear layers take a normalized vector."""

    def match(self, ann: Ann, node: Node) -> bool:
        if not isinstance(node, BatchNorm) or len(ann.shapes[node.name]) != 1:
            return False
        users = ann.users(node.name)
        return bool(users) and all(isinstance(user, Linear) for user in users)

    def transform(self, ann: Ann, node: Node) -> Ann:
        assert isinstance(node, BatchNorm)
        scale, shift = scale_and_shift(node)
        for user in ann.users(node.name):
            assert isinstance(user, Linear)
            shape = ann.shapes[user.name]
            bias = user.map.apply(shift[None])[0].reshape(shape) + (0 if user.bias is None else user.bias)
            scaled = user.map.scaled(np.ones(shape), scale)
            ann = splice(ann, user.name, [replace(user, inputs=node.inputs, map=scaled, bias=bias)])
        return ann


class SwapBatchNormMaxPool(Rewrite):
    """BN(maxpool(x)) = maxpool(BN(x)) where no channel's scale is negative: then BN reaches the layer before."""

    def match(self, ann: Ann, node: Node) -> bool:
        if not isinstance(node, BatchNorm) or not isinstance(ann[node.inputs[0]], MaxPool) or len(ann.users(node.inputs[0])) > 1:
            return False
        return bool(np.all(scale_and_shift(node)[0] >= 0))

    def transform(self, ann: Ann, node: Node) -> Ann:
        pool = ann[node.inputs[0]]
        swapped = [replace(node, inputs=pool.inputs), replace(pool, inputs=(node.name,))]
        return splice(ann, node.name, swapped, result=pool.name, drop=[pool.name])


class BatchNormToLinear(Replacement):
    """BN(x) = s x + t as a layer of its own, where none of the other rules applies."""

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, BatchNorm)

    def new(self, ann: Ann, node: Node) -> list[Node]:
        assert isinstance(node, BatchNorm)
        scale, shift = scale_and_shift(node)
        shape = ann.shapes[node.name]
        return [Linear(node.name, node.inputs, per_channel(scale, shape), column(shift, shape))]
