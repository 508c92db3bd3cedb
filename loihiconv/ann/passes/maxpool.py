"""What becomes of max-pooling: gates, a tree of ReLUs, or average pooling."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from math import prod

import numpy as np

from loihiconv.ann.graph import Add, Ann, Linear, MaxPool, Node, Relu
from loihiconv.ann.passes.lower_linear import average
from loihiconv.ann.passes.merge_linear import never_negative
from loihiconv.ann.passes.rewrite import Rewrite, fresh, identity, rewired, spikes, splice
from loihiconv.core.errors import UnsupportedLayer
from loihiconv.core.linear import Array, Conv, LinearMap

WHOLE = 9
"""Most values of a window that are compared one after the other; larger windows are pooled along rows, then columns."""


class SpikesBeforeMaxPool(Rewrite):
    """relu(x) = x where x cannot be negative: sums of spikes become a population, whose units a window can compare."""

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, MaxPool) and not spikes(ann, node.inputs[0]) and _never_negative(ann, ann[node.inputs[0]])

    def transform(self, ann: Ann, node: Node) -> Ann:
        relu = Relu(fresh(ann, f"{node.inputs[0]}.relu"), node.inputs)
        return splice(ann, node.name, [relu, rewired(node, {node.inputs[0]: relu.name})])


class MaxPoolToAverage(Rewrite):
    """The mean in place of the maximum: another function, for boards without gates."""

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, MaxPool)

    def transform(self, ann: Ann, node: Node) -> Ann:
        assert isinstance(node, MaxPool)
        conv = average(ann.shapes[node.name][0], node.kernel, node.stride, node.padding)
        return splice(ann, node.name, [Linear(node.name, node.inputs, conv)])

    def note(self, node: Node) -> str:
        return f"{node.name}: average pooling stands in for max-pooling"


@dataclass(frozen=True, eq=False)
class _Sum:
    """A sum of the pooled input's values within each window, with these factors (kH, kW), and of ReLUs, with theirs."""

    window: Array
    relus: dict[str, int] = field(default_factory=dict)

    def plus(self, other: _Sum, sign: int = 1) -> _Sum:
        relus = dict(self.relus)
        for name, factor in other.relus.items():
            relus[name] = relus.get(name, 0) + sign * factor
        return _Sum(self.window + sign * other.window, relus)


class SplitLargeWindows(Rewrite):
    """The maximum of a window is that of its rows' maxima: kH + kW - 2 comparisons in place of kH kW - 1.

    Windows of up to `WHOLE` values stay whole: each comparison of rows is one per row of the image, so there is little to gain.
    """

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, MaxPool) and min(node.kernel) > 1 and prod(node.kernel) > WHOLE

    def transform(self, ann: Ann, node: Node) -> Ann:
        assert isinstance(node, MaxPool)
        _check_padding(ann, node)
        (kh, kw), (down, right), (vertical, horizontal) = node.kernel, node.stride, node.padding
        rows = MaxPool(fresh(ann, f"{node.name}.rows"), node.inputs, (1, kw), (1, right), (0, horizontal))
        return splice(ann, node.name, [rows, MaxPool(node.name, (rows.name,), (kh, 1), (down, 1), (vertical, 0))])


class MaxPoolToReluTree(Rewrite):
    """max(m, x) = m + relu(x - m), one value of the window after the other.

    A window of k values takes k - 1 comparing populations and one that sums up; all synapses are +-1. ReLUs take the λ of the
    pooled population, so that they stay +-1 in the spiking network.

    A spike that says that x is ahead cannot be taken back when m catches up, so that maxima come out too large. In a balanced tree,
    which compares maxima with maxima, both sides of a comparison do, here only one: with windows of 3x3 the outputs err a quarter
    less for it (`benchmarks/NOTES.md`). Levels cost delay, no accuracy: each waits for the spikes of the same step.
    """

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, MaxPool)

    def transform(self, ann: Ann, node: Node) -> Ann:
        assert isinstance(node, MaxPool)
        source = node.inputs[0]
        rectified = _check_padding(ann, node)
        scale_of = source if rectified else ""
        nodes: list[Node] = []

        def summed(total: _Sum, name: str) -> str:
            """Add the nodes that compute a sum; the name of the last one."""
            synapses: list[tuple[str, LinearMap]] = [(source, _windows(ann, node, total.window))] if total.window.any() else []
            unit = identity(ann.shapes[node.name])
            synapses += [(relu, unit.with_weight(factor * unit.weight)) for relu, factor in total.relus.items()]
            if len(synapses) == 1:
                nodes.append(Linear(fresh(ann, f"{name}.synapses"), (synapses[0][0],), synapses[0][1]))
                return nodes[-1].name
            parts: list[Node] = [Linear(fresh(ann, f"{name}.part{i}"), (origin,), map) for i, (origin, map) in enumerate(synapses)]
            parts.append(Add(fresh(ann, f"{name}.sum"), tuple(part.name for part in parts)))
            nodes.extend(parts)
            return parts[-1].name

        largest, *values = [_Sum(window) for window in _units(ann, node)]
        for compared, value in enumerate(values):
            name = f"{node.name}.max{compared}"
            relu = Relu(fresh(ann, name), (summed(value.plus(largest, -1), name),), scale_of)
            nodes.append(relu)
            largest = largest.plus(_Sum(0 * value.window, {relu.name: 1}))
        last = summed(largest, node.name)
        if not rectified:
            return splice(ann, node.name, nodes, result=last)
        # The sum is not negative either; as a population it fires like the gates would, and what follows needs one set of synapses.
        return splice(ann, node.name, [*nodes, Relu(node.name, (last,), scale_of)])

    def note(self, node: Node) -> str:
        return f"{node.name}: max-pooling is computed by a tree of comparing populations"


def _check_padding(ann: Ann, pool: MaxPool) -> bool:
    """Whether what is pooled cannot be negative; if it can, zeros of the padding could win, and there must be none."""
    if not (rectified := spikes(ann, pool.inputs[0])) and any(pool.padding):
        raise UnsupportedLayer(
            "pads values that can be negative, and zeros could win", where=pool.name, remedy="put a ReLU before the pooling"
        )
    return rectified


def windows_of(pool: MaxPool, channels: int) -> Conv:
    """A depthwise convolution of ones with the windows of a max-pooling."""
    (kh, kw), (vertical, horizontal) = pool.kernel, pool.padding
    return Conv(np.ones((channels, 1, kh, kw)), pool.stride, (vertical, vertical, horizontal, horizontal), groups=channels)


def _windows(ann: Ann, pool: MaxPool, factors: Array) -> LinearMap:
    conv = windows_of(pool, ann.shapes[pool.name][0])
    return conv.with_weight(conv.weight * factors)


def _units(ann: Ann, pool: MaxPool) -> list[Array]:
    """One-hot factors (kH, kW) of those places of a window that ever lie within the image, in row-major order."""
    seen = [
        [
            any(
                0 <= r * pool.stride[a] - pool.padding[a] + i < ann.shapes[pool.inputs[0]][a + 1]
                for r in range(ann.shapes[pool.name][a + 1])
            )
            for i in range(pool.kernel[a])
        ]
        for a in (0, 1)
    ]
    units = []
    for i, j in product(*map(range, pool.kernel)):
        if seen[0][i] and seen[1][j]:
            units.append(np.zeros(pool.kernel))
            units[-1][i, j] = 1
    return units


def _never_negative(ann: Ann, node: Node) -> bool:
    if isinstance(node, Add):
        return all(spikes(ann, name) or _never_negative(ann, ann[name]) for name in node.inputs)
    return isinstance(node, Linear) and never_negative(ann, node)
