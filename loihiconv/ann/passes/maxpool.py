"""What becomes of max-pooling: gates, a tree of ReLUs, or average pooling."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product
from math import prod

import numpy as np

from loihiconv.ann.graph import Add, Ann, Linear, MaxPool, Node, Relu, windows
from loihiconv.ann.passes.layout import picked
from loihiconv.ann.passes.lower_linear import average
from loihiconv.ann.passes.merge_linear import never_negative
from loihiconv.ann.passes.rewrite import Rewrite, fresh, identity, rewired, spikes, splice
from loihiconv.core.errors import UnsupportedLayer
from loihiconv.core.linear import Array, LinearMap, Sparse

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
        mean = average(ann.shapes[node.name][0], node.kernel, node.stride, node.padding)
        return splice(ann, node.name, [Linear(node.name, node.inputs, replace(mean, dilation=node.dilation))])

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


class InsideWindows(Rewrite):
    """Where zeros of the padding could win over values that may be negative, windows at the border take a value of theirs twice instead.

    Parameters
    ----------
    sums : bool
        Only where sums are pooled, which gates cannot compare; so it is with the other rules.
    """

    def __init__(self, *, sums: bool = False) -> None:
        self.sums = sums

    def match(self, ann: Ann, node: Node) -> bool:
        padded = isinstance(node, MaxPool) and any(node.padding) and not spikes(ann, node.inputs[0])
        return padded and (not self.sums or of_sums(ann, node))

    def transform(self, ann: Ann, node: Node) -> Ann:
        assert isinstance(node, MaxPool)
        (channels, height, width), (_, rows, columns) = ann.shapes[node.inputs[0]], ann.shapes[node.name]
        down = _inside(node, 0, height, rows)
        right = _inside(node, 1, width, columns)
        pixels = (down[:, :, None, None] * width + right[None, None]).ravel()
        index = (np.arange(channels)[:, None] * (height * width) + pixels).ravel()
        spread = picked(index, (channels, height, width), (channels, down.size, right.size))
        name = fresh(ann, f"{node.name}.windows")
        return splice(ann, node.name, [Linear(name, node.inputs, spread), MaxPool(node.name, (name,), node.kernel, node.kernel)])


def _inside(pool: MaxPool, axis: int, size: int, count: int) -> Array:
    """Places (count, window) along an axis; those in the padding are replaced by one of the same window that lies inside."""
    places = np.arange(count)[:, None] * pool.stride[axis] - pool.padding[2 * axis]
    places = places + np.arange(pool.kernel[axis]) * pool.dilation[axis]
    inside = (places >= 0) & (places < size)
    if not inside.any(axis=1).all():
        raise UnsupportedLayer("has windows that see nothing but padding", where=pool.name, remedy="pad less")
    return np.where(inside, places, places[np.arange(count), inside.argmax(axis=1)][:, None])


class SplitLargeWindows(Rewrite):
    """The maximum of a window is that of its rows' maxima: kH + kW - 2 comparisons in place of kH kW - 1.

    Windows of up to `WHOLE` values stay whole: each comparison of rows is one per row of the image, so there is little to gain.
    """

    def __init__(self, *, sums: bool = False) -> None:
        self.sums = sums

    def match(self, ann: Ann, node: Node) -> bool:
        large = isinstance(node, MaxPool) and min(node.kernel) > 1 and prod(node.kernel) > WHOLE
        return large and (not self.sums or of_sums(ann, node))

    def transform(self, ann: Ann, node: Node) -> Ann:
        assert isinstance(node, MaxPool)
        (kh, kw), (down, right), (dy, dx) = node.kernel, node.stride, node.dilation
        top, bottom, before, after = node.padding
        rows = MaxPool(fresh(ann, f"{node.name}.rows"), node.inputs, (1, kw), (1, right), (0, 0, before, after), (1, dx))
        return splice(ann, node.name, [rows, MaxPool(node.name, (rows.name,), (kh, 1), (down, 1), (top, bottom, 0, 0), (dy, 1))])


class MaxPoolToReluTree(Rewrite):
    """max(m, x) = m + relu(x - m), one value of the window after the other.

    A window of k values takes k - 1 comparing populations and one that sums up; all synapses are +-1. ReLUs take the λ of the
    pooled population, so that they stay +-1 in the spiking network.

    A spike that says that x is ahead cannot be taken back when m catches up, so that maxima come out too large. In a balanced tree,
    which compares maxima with maxima, both sides of a comparison do, here only one: with windows of 3x3 the outputs err a quarter
    less for it (`benchmarks/NOTES.md`). Levels cost delay, no accuracy: each waits for the spikes of the same step.

    A maximum that can be negative is a sum, which merges into the synapses that follow, or where windows are padded two populations,
    one for each sign.
    """

    def __init__(self, *, sums: bool = False) -> None:
        self.sums = sums

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, MaxPool) and (not self.sums or of_sums(ann, node))

    def transform(self, ann: Ann, node: Node) -> Ann:
        assert isinstance(node, MaxPool)
        source = node.inputs[0]
        rectified = spikes(ann, source)
        scale_of = source if rectified else ""
        nodes: list[Node] = []

        def summed(total: _Sum, name: str) -> str:
            """Add the nodes that compute a sum; the name of the last one."""
            synapses: list[tuple[str, LinearMap]] = [(source, _windows(ann, node, total.window))] if total.window.any() else []
            unit = identity(ann.shapes[node.name])
            synapses += [(relu, unit.with_weight(factor * unit.weight)) for relu, factor in total.relus.items()]
            if len(synapses) == 1:
                nodes.append(Linear(fresh(ann, f"{name}.synapses"), (synapses[0][0],), synapses[0][1], layer=name))
                return nodes[-1].name
            parts: list[Node] = [Linear(fresh(ann, f"{name}.part{i}"), (origin,), map) for i, (origin, map) in enumerate(synapses)]
            parts.append(Add(fresh(ann, f"{name}.sum"), tuple(part.name for part in parts), layer=name))
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
            pooled = ann[source]
            if not isinstance(pooled, Linear) or not isinstance(pooled.map, Sparse):
                return splice(ann, node.name, nodes, result=last)
            # Windows without structure would have to be written out with every layer that follows.
            return splice(ann, node.name, [*nodes, *_both_signs(ann, node.name, last)])
        # The sum is not negative either; as a population it fires like the gates would, and what follows needs one set of synapses.
        return splice(ann, node.name, [*nodes, Relu(node.name, (last,), scale_of)])

    def note(self, node: Node) -> str:
        return f"{node.name}: max-pooling is computed by a tree of comparing populations"


def _both_signs(ann: Ann, name: str, source: str) -> list[Node]:
    """The sum x = relu(x) - relu(-x) as two populations and their sum, of this name."""
    unit = identity(ann.shapes[name])
    minus = unit.with_weight(-unit.weight)
    positive, negated, negative, back = (fresh(ann, f"{name}.{part}") for part in ("positive", "negated", "negative", "back"))
    parts: list[Node] = [Relu(positive, (source,)), Linear(negated, (source,), minus), Relu(negative, (negated,))]
    return [*parts, Linear(back, (negative,), minus), Add(name, (positive, back))]


def of_sums(ann: Ann, pool: Node) -> bool:
    """Whether it pools sums; those that are never negative have become populations in `SpikesBeforeMaxPool`."""
    return isinstance(ann[pool.inputs[0]], Linear | Add)


def _windows(ann: Ann, pool: MaxPool, factors: Array) -> LinearMap:
    conv = windows(pool, ann.shapes[pool.name][0])
    return conv.with_weight(conv.weight * factors)


def _units(ann: Ann, pool: MaxPool) -> list[Array]:
    """One-hot factors (kH, kW) of those places of a window that ever lie within the image, in row-major order."""
    seen = [
        [
            any(
                0 <= r * pool.stride[a] - pool.padding[2 * a] + i * pool.dilation[a] < ann.shapes[pool.inputs[0]][a + 1]
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
