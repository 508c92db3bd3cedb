"""Functions that are linear but for kinks, with ReLUs: LeakyReLU, PReLU, absolute values and bounds on either side."""

from __future__ import annotations

import numpy as np

from loihiconv.ann.graph import Add, Affine, Ann, Clamp, LeakyRelu, Linear, Node, Relu
from loihiconv.ann.passes.rewrite import Rewrite, by_channel, compact, fresh, negated, spikes, splice
from loihiconv.core.errors import UnsupportedLayer
from loihiconv.core.linear import Array, Shape


class LeakyReluToSum(Rewrite):
    """leaky(x) = relu(x) - a relu(-x): one population for each sign, whose sum goes into the synapses that follow.

    |x| has a = -1; one slope per channel is PReLU (He et al. 2015, arXiv:1502.01852, equation 1).
    """

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, LeakyRelu)

    def transform(self, ann: Ann, node: Node) -> Ann:
        assert isinstance(node, LeakyRelu)
        slope, source, zero = np.asarray(node.slope), ann[node.inputs[0]], np.zeros(())
        if not slope.any():
            return splice(ann, node.name, [Relu(node.name, node.inputs)])
        names = [fresh(ann, f"{node.name}.{part}") for part in ("positive", "negated", "negative", "sloped")]
        positive, opposite, negative, sloped = names
        minus: Node = Affine(opposite, node.inputs, np.full((), -1.0), zero)
        if isinstance(source, Linear):
            minus = negated(source, opposite)
        parts = [
            Relu(positive, node.inputs),
            minus,
            Relu(negative, (opposite,)),
            Affine(sloped, (negative,), -slope, zero),
            Add(node.name, (positive, sloped)),
        ]
        return splice(ann, node.name, parts)

    def note(self, node: Node) -> str:
        assert isinstance(node, LeakyRelu)
        return f"{node.name}: two populations, one for each sign" if np.any(node.slope) else ""


class ClampToRelu(Rewrite):
    """clamp(x, low, high) = low + relu(x - low), bounded by high - low; without a lower end it is high - relu(high - x).

    Where x is not negative and zero lies within the ends, it is a ReLU with the bound ``high``. Bounds that differ within a channel
    become a bound of 1: low + w clamp((x - low) / w, 0, 1) with w = high - low.
    """

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, Clamp)

    def transform(self, ann: Ann, node: Node) -> Ann:
        assert isinstance(node, Clamp)
        shape = ann.shapes[node.name]
        low, high = (compact(np.asarray(values, np.float64), shape) for values in (node.low, node.high))
        if np.isneginf(low).all() and np.isposinf(high).all():
            return splice(ann, node.name, result=node.inputs[0])
        never_negative = spikes(ann, node.inputs[0]) and (low <= 0).all() and (high >= 0).all()
        if (never_negative or not low.any()) and by_channel(high, shape):
            return splice(ann, node.name, [Relu(node.name, node.inputs, bound=high)])
        shift, relu = fresh(ann, f"{node.name}.shift"), fresh(ann, f"{node.name}.relu")
        scale, origin, bound = _between(node, low, high, shape)
        inverse = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale != 0)
        parts = [
            Affine(shift, node.inputs, inverse, -origin * inverse),
            Relu(relu, (shift,), bound=bound),
            Affine(node.name, (relu,), scale, origin),
        ]
        return splice(ann, node.name, parts)


def _between(node: Clamp, low: Array, high: Array, shape: Shape) -> tuple[Array, Array, Array]:
    """(s, t, b) with clamp(x, low, high) = t + s relu((x - t) / s), where the ReLU is bounded by b."""
    low, high = np.broadcast_arrays(low, high)
    if (np.isneginf(low) & np.isposinf(high)).any():
        raise UnsupportedLayer("bounds some values and leaves others as they are", where=node.name, remedy="bound all of them")
    open_below = np.isneginf(low)
    sign, origin = np.where(open_below, -1.0, 1.0), np.where(open_below, high, low)
    bound = np.where(open_below, np.inf, high - low)
    if by_channel(bound, shape):
        return sign, origin, compact(bound, shape)
    width = np.where(np.isfinite(bound), bound, 1.0)
    unit = np.where(np.isfinite(bound), 1.0, np.inf)
    if not by_channel(unit, shape):
        raise UnsupportedLayer("bounds some values of a channel on one side only", where=node.name, remedy="bound all of them alike")
    return sign * width, origin, compact(unit, shape)
