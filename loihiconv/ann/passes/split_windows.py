"""Long rows and columns of a max-pooling are pooled in two steps, so that no comparison waits for dozens of others."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

from loihiconv.ann.graph import Ann, MaxPool, Node
from loihiconv.ann.passes.maxpool import WHOLE, of_sums
from loihiconv.ann.passes.rewrite import Rewrite, fresh, splice
from loihiconv.core.linear import Pair

MORE = 1.5
"""Times as many neurons as in one step that two steps may take."""


@dataclass(frozen=True)
class Split:
    """A window of k values as windows of their maxima, k = (outer - 1) step + inner.

    Attributes
    ----------
    inner, outer : int
        Values of a stretch, and stretches of a window.
    step : int
        Places from one stretch to the next of the same window; stretches overlap where it is below ``inner``.
    every : int
        Places of the image from one stretch to the next that is pooled: no more than windows ask for.
    """

    inner: int
    outer: int
    step: int
    every: int

    @property
    def depth(self) -> int:
        """Comparisons that follow one another."""
        return self.inner + self.outer - 2


class SplitLongWindows(Rewrite):
    """The maximum of a row of k values is that of the maxima of its stretches: about 2 sqrt(k) comparisons deep in place of k - 1.

    Windows that lie side by side, as one over the whole row, take hardly more comparing neurons than before, those that overlap fewer; both
    in far fewer populations, with short delays (chips have up to 62).

    Parameters
    ----------
    sums : bool
        Only where sums are pooled, which gates cannot compare.
    """

    def __init__(self, *, sums: bool = False) -> None:
        self.sums = sums

    def match(self, ann: Ann, node: Node) -> bool:
        if not isinstance(node, MaxPool) or min(node.kernel) > 1 or max(node.kernel) <= WHOLE:
            return False
        return (not self.sums or of_sums(ann, node)) and bool(splits(ann, node))

    def transform(self, ann: Ann, node: Node) -> Ann:
        assert isinstance(node, MaxPool)
        split = min(splits(ann, node), key=lambda split: (split.depth, split.inner))
        axis, step = _long(node), split.step * node.dilation[_long(node)]
        inner = MaxPool(
            fresh(ann, f"{node.name}.stretches"),
            node.inputs,
            _with(node.kernel, axis, split.inner),
            _with(node.stride, axis, split.every),
            node.padding,
            node.dilation,
        )
        stride = node.stride[axis] // split.every if ann.shapes[node.name][axis + 1] > 1 else ann.shapes[node.inputs[0]][axis + 1]
        outer = MaxPool(
            node.name,
            (inner.name,),
            _with((1, 1), axis, split.outer),
            _with((1, 1), axis, stride),
            dilation=_with((1, 1), axis, step // split.every),
        )
        return splice(ann, node.name, [inner, outer])


def splits(ann: Ann, pool: MaxPool) -> list[Split]:
    """Every way to pool its long axis in two steps that does not take many more neurons."""
    axis = _long(pool)
    length, dilation = pool.kernel[axis], pool.dilation[axis]
    padded = ann.shapes[pool.inputs[0]][axis + 1] + sum(pool.padding[2 * axis : 2 * axis + 2])
    windows = ann.shapes[pool.name][axis + 1]
    found = []
    for step in range(2, length // 2 + 1):
        outer = length // step
        inner = length - (outer - 1) * step
        every = gcd(pool.stride[axis], step * dilation) if windows > 1 else step * dilation
        stretches = (padded - dilation * (inner - 1) - 1) // every + 1
        if inner * stretches + outer * windows <= MORE * length * windows:
            found.append(Split(inner, outer, step, every))
    return found


def _long(pool: MaxPool) -> int:
    """The axis of a window of one row or one column."""
    return int(pool.kernel[1] > 1)


def _with(pair: Pair, axis: int, value: int) -> Pair:
    return (value, pair[1]) if axis == 0 else (pair[0], value)
