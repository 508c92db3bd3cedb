"""Curved activations, such as SiLU and tanh, with a few ReLUs in their place: for networks that cannot be trained anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import torch

from loihiconv.ann.evaluator import Evaluator
from loihiconv.ann.graph import Add, Affine, Ann, Curve, Node, Relu
from loihiconv.ann.passes.rewrite import Replacement, apply_all, fresh
from loihiconv.core import numbers as n
from loihiconv.core.errors import UnsupportedLayer
from loihiconv.core.linear import Array
from loihiconv.core.record import StraightCurve

INSTEAD = "take 2 ReLUs for it, by approximate=2"
"""What can be done about a curve; two follow most of them well."""
SAMPLES = 32
"""Whose activations decide where straight pieces begin."""
_AT_A_TIME, _VALUES = 4, 20_000
"""Samples that are evaluated together, and values that are kept of each time and curve."""
_POINTS = 301
_MARGIN, _EVENLY = 0.25, 0.05
"""How far beyond the values seen, relative to their range, pieces reach; and the share of the weight that is spread over all of it."""
_ENDS = ((False, False), (False, True), (True, False), (True, True))
"""Whether a curve goes on before the first knot and after the last one, or is level."""
_FLAT = 1e-6
"""Slope, relative to the steepest, of a piece that needs no neuron."""


class CurveToRelus(Replacement):
    """A curve as straight pieces: v_0 + Σ s_i clamp(x - k_i, 0, k_(i+1) - k_i), and a ReLU for what goes on beyond either end.

    Each neuron is bounded by the width of its piece, so that rates of T steps are as fine as they can be. Changes the function.

    Parameters
    ----------
    curves : {name of a node: StraightCurve}
    """

    def __init__(self, curves: Mapping[str, StraightCurve]) -> None:
        self.curves = curves

    def match(self, ann: Ann, node: Node) -> bool:
        return isinstance(node, Curve)

    def new(self, ann: Ann, node: Node) -> list[Node]:
        if node.name not in self.curves:
            remedy = f"retrain with ReLU, or {INSTEAD}"
            raise UnsupportedLayer("a curved activation has no spiking counterpart", where=node.name, remedy=remedy)
        return _terms(ann, node, self.curves[node.name])

    def said(self, node: Node, new: list[Node]) -> str:
        return f"{node.name}: {n.counted(sum(isinstance(other, Relu) for other in new), 'ReLU')} in place of a curve"


def curved(ann: Ann) -> tuple[str, ...]:
    """Names of the activations that are curves."""
    return tuple(node.name for node in ann if isinstance(node, Curve))


def straight(ann: Ann, curves: Mapping[str, StraightCurve]) -> Ann:
    """A network with straight pieces in place of each curve.

    Raises
    ------
    UnsupportedLayer
        If there is a curve of which no pieces are given.
    """
    if not curved(ann):
        return ann
    changed, notes = apply_all(CurveToRelus(curves), ann)
    return replace(changed, notes=(*ann.notes, *notes), ending=ann.ending, parts=ann.parts, output_name=ann.output_name)


def straightened(ann: Ann, x: Array, relus: int) -> dict[str, StraightCurve]:
    """For each curve the straight pieces, of so many ReLUs, that are nearest to it on what samples (N, \\*shape) give it."""
    if not relus or not curved(ann):
        return {}
    seen: dict[str, list[Array]] = {name: [] for name in curved(ann)}
    evaluator = Evaluator(ann)
    for i in range(0, min(len(x), SAMPLES), _AT_A_TIME):
        _, kept = evaluator(x[i : min(i + _AT_A_TIME, SAMPLES)], keep={ann[name].inputs[0] for name in seen})
        for name, values in seen.items():
            given: torch.Tensor = kept[ann[name].inputs[0]].flatten()
            values.append(given[:: -(-len(given) // _VALUES)].double().numpy())
    return {node.name: nearest(node, np.concatenate(seen[node.name]), relus) for node in ann if isinstance(node, Curve)}


def nearest(curve: Curve, given: Array, relus: int) -> StraightCurve:
    """The straight pieces, of so many ReLUs, that differ least from a curve in the mean square over values (n,) that it is given.

    Of all ways to be level or to go on beyond the ends the best; knots begin where their density is (f''^2 p)^(1/5), which is best for many
    of them (de Boor, A Practical Guide to Splines, 2001, chapter XII), and are moved downhill from there.
    """
    low, high = float(given.min()), float(given.max())
    margin = _MARGIN * (high - low) or 1.0
    x = np.linspace(low - margin, high + margin, _POINTS)
    y = np.interp(x, curve.x, curve.y)
    if not np.ptp(y):  # level wherever values lie: neurons that are silent there, as those of a ReLU are
        return StraightCurve((float(x[-1]),), (float(y[0]),), after=1.0)
    counts = np.histogram(given, bins=_POINTS, range=(x[0], x[-1]))[0]
    smooth = np.convolve(counts, np.ones(9) / 9, mode="same") / len(given)
    weight = (1 - _EVENLY) * smooth + _EVENLY / _POINTS
    seen = y[(x >= low) & (x <= high)]
    weight[(y < seen.min() - np.ptp(seen)) | (y > seen.max() + np.ptp(seen))] = 0  # as a logarithm falls beyond the least value
    tries = (_fit(x, y, weight, relus, ends) for ends in _ENDS if relus > 1 or ends != (True, True))
    return min(tries, key=lambda found: found[1])[0]


def _fit(x: Array, y: Array, weight: Array, relus: int, sloped: tuple[bool, bool]) -> tuple[StraightCurve, float]:
    """The best pieces that go on, or are level, before the first knot and after the last one; and their mean square error."""
    from scipy.optimize import minimize

    count = relus + 1 - sum(sloped)
    root = np.sqrt(weight)

    def functions(knots: Array) -> Array:
        """What values at the knots and the slopes at the ends are factors of, (points, factors)."""
        hats = [np.interp(x, knots, unit) for unit in np.eye(count)]
        ends = np.minimum(x - knots[0], 0.0), np.maximum(x - knots[-1], 0.0)
        return np.stack([*hats, *(end for end, wanted in zip(ends, sloped, strict=True) if wanted)], axis=1)

    def fitted(knots: Array) -> tuple[Array, float]:
        basis = functions(knots)
        found = np.linalg.lstsq(basis * root[:, None], y * root, rcond=None)[0]
        return found, float((weight * (basis @ found - y) ** 2).sum())

    def knots_of(free: Array) -> Array:
        return np.asarray(free[0] + np.concatenate([[0.0], np.cumsum(np.exp(free[1:]))]))

    bends = np.gradient(np.gradient(y, x), x)
    density = np.cumsum((bends**2 * weight) ** 0.2 + 1e-6)
    start = np.interp(np.linspace(0, 1, count + 2)[1:-1], density / density[-1], x)
    free = np.concatenate([start[:1], np.log(np.diff(start))])
    found = minimize(lambda free: fitted(knots_of(free))[1], free, method="Nelder-Mead", options={"maxiter": 200 * count})
    knots = knots_of(found.x)
    factors, error = fitted(knots)
    slopes = iter(factors[count:])
    before, after = (float(next(slopes)) if wanted else 0.0 for wanted in sloped)
    return _within(StraightCurve(tuple(map(float, knots)), tuple(map(float, factors[:count])), before, after), x[0], x[-1]), error


def _within(curve: StraightCurve, low: float, high: float) -> StraightCurve:
    """The same between two places: a piece that ends beyond one of them goes on."""
    knots, values, before, after = curve.knots, curve.values, curve.before, curve.after
    if len(knots) > 1 and knots[-1] > high and knots[-2] < high:
        after = (values[-1] - values[-2]) / (knots[-1] - knots[-2])
        knots, values = knots[:-1], values[:-1]
    if len(knots) > 1 and knots[0] < low and knots[1] > low:
        before = (values[1] - values[0]) / (knots[1] - knots[0])
        knots, values = knots[1:], values[1:]
    return StraightCurve(knots, values, before, after)


def _terms(ann: Ann, node: Node, curve: StraightCurve) -> list[Node]:
    """The nodes that compute straight pieces of a node's input, the last one with its name."""
    pieces = [piece for piece in _pieces(curve) if piece[2]]
    nodes: list[Node] = []
    for i, (origin, sign, slope, bound) in enumerate(pieces):
        before, relu = (fresh(ann, f"{node.name}.{kind}{i}") for kind in ("piece", "relu"))
        after = node.name if len(pieces) == 1 else fresh(ann, f"{node.name}.slope{i}")
        nodes.append(Affine(before, node.inputs, np.full((), sign), np.full((), -sign * origin)))
        nodes.append(Relu(relu, (before,), bound=bound))
        nodes.append(Affine(after, (relu,), np.full((), slope), np.full((), 0.0 if i else curve.values[0])))
    return nodes if len(pieces) == 1 else [*nodes, Add(node.name, tuple(other.name for other in nodes[2::3]))]


def _pieces(curve: StraightCurve) -> Iterator[tuple[float, float, float, float]]:
    """Where each piece begins, in which direction it goes, its slope and its width."""
    slopes = np.diff(curve.values) / np.diff(curve.knots)
    steepest = float(np.abs([curve.before, *slopes, curve.after]).max())
    for origin, sign, slope, width in (
        (curve.knots[0], -1.0, -curve.before, np.inf),
        *zip(curve.knots[:-1], np.ones(len(slopes)), slopes, np.diff(curve.knots), strict=True),
        (curve.knots[-1], 1.0, curve.after, np.inf),
    ):
        yield origin, float(sign), float(slope) if abs(slope) > _FLAT * steepest else 0.0, float(width)
