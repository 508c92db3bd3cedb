"""What one activation becomes when it is compared, selected, multiplied and added up with itself: ReLUs, or a function that jumps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, NamedTuple

import numpy as np

from loihiconv.ann.frontends.layers.constants import constant
from loihiconv.ann.frontends.pieces import Pieces, bent, clamped, line
from loihiconv.ann.frontends.registry import Call, Result, Signal
from loihiconv.ann.frontends.remedies import Refused
from loihiconv.ann.graph import Add, Affine, Clamp, LeakyRelu, Node, Relu, arranged
from loihiconv.ann.passes.rewrite import compact
from loihiconv.core.linear import Array

BY_HAND = (
    "write a ReLU as F.relu(x), or with the very values that are compared, as in torch.where(x > 0, x, 0.1 * x) or x * (x > 0); "
    "rates cannot stand for jumps"
)
_SMALL = 1e-9
"""Slope, relative to the steepest, that is what rounding has left of 0."""


@dataclass(frozen=True, eq=False)
class Fragment(Refused):
    """A function of the one result that it takes, which jumps: what neurons cannot compute, unless what is made of it is continuous.

    Parameters
    ----------
    function : Pieces
    compared : (str, str) or None
        Of a comparison of two results: which one it asks to be larger, and which smaller.
    """

    function: Pieces = field(kw_only=True)
    compared: tuple[str, str] | None = field(default=None, kw_only=True)


class OfOne(NamedTuple):
    """Several values as functions of one result.

    Attributes
    ----------
    of : str
        The node that gives it.
    functions : list of Pieces
    nodes : set of Node
        What the network has computed of it for those values so far.
    """

    of: str
    functions: list[Pieces]
    nodes: set[Node]

    @property
    def jumps(self) -> bool:
        """Whether some of it is no network yet."""
        return any(isinstance(node, Fragment) for node in self.nodes)

    @property
    def populations(self) -> int:
        """Neurons that this takes for each value."""
        return sum(2 if isinstance(node, LeakyRelu) else isinstance(node, Relu | Clamp) for node in self.nodes)


def of_one(call: Call, *values: Any, nearest: bool = True) -> OfOne | None:
    """Values, some of them results of nodes, as functions of one that they are all made of value by value; None without any.

    That is the nearest, or the first that was computed. What compares has to be a function of the first: a ReLU rests at 0 for all negative
    values, and functions that jump there do not say which of both they are at that very place.
    """
    rank = len(arranged(call.shape[1:]))
    signals = [value for value in values if isinstance(value, Signal)]
    if any(signal.shape != call.shape for signal in signals):
        return None
    chains = [list(_made_of(call.node, signal.name, rank)) for signal in signals]
    names = [[step.name for step in chain if not isinstance(step.node, Fragment)] for chain in chains]
    root = next((name for name in names[0][:: 1 if nearest else -1] if all(name in others for others in names)), None)
    if root is None:
        return None
    found: list[Pieces] = []
    nodes: set[Node] = set()
    for value in values:
        if isinstance(value, Signal):
            steps = list(takewhile(lambda step: step.name != root, chains.pop(0)))
            nodes.update(step.node for step in steps if step.node is not None)
            found.append(_in_turn([step.function for step in reversed(steps)], rank))
        else:
            found.append(line(0.0, compact(constant(call, value), arranged(call.shape[1:])), rank))
    return OfOne(root, found, nodes)


def written(call: Call, of: str, function: Pieces) -> Result:
    """The nodes that compute a function of a node's result, with as few neurons as possible; a `Fragment` where it jumps."""
    if (jump := function.jump) is not None:
        place, before, after = (value + 0.0 for value in jump)  # no -0
        error = call.refuse(f"jumps from {before:.4g} to {after:.4g} where values pass {place:.4g}", BY_HAND)
        return Fragment(call.name, (of,), error, function=function)
    shape, clean = arranged(call.shape[1:]), _clean(function)
    if not clean.slopes.any():
        raise call.refuse("gives nothing but constants", "leave it out")
    if not len(clean.knots):
        slope, offset = (compact(values[0], shape) for values in (clean.slopes, clean.offsets))
        return Signal(of, call.shape) if (slope == 1).all() and not offset.any() else Affine(call.name, (of,), slope, offset)
    bends = _bends(clean)
    if len(bends) == 1:
        return bends[0].nodes(call.fresh, call.name, of, shape)
    terms = [bend.nodes(call.fresh, call.fresh(f"{call.name}.part"), of, shape) for bend in bends]
    return [*(node for term in terms for node in term), Add(call.name, tuple(term[-1].name for term in terms))]


def fewer_neurons(call: Call, found: OfOne, function: Pieces) -> bool:
    """Whether a function takes fewer neurons than what it was made of, or is the first of it that is a network."""
    if found.jumps:
        return True
    needed = sum(2 if bend.slope is not None and bend.slope.any() else 1 for bend in _bends(_clean(function)))
    return function.jump is None and needed < found.populations


class _Bend(NamedTuple):
    """end + factor relu(sign (x - begin)), bounded by ``bound``; leaky with a slope."""

    begin: Array
    factor: Array
    end: Array
    sign: float = 1.0
    bound: Array | None = None
    slope: Array | None = None

    def nodes(self, fresh: Callable[[str], str], name: str, of: str, shape: tuple[int, ...]) -> list[Node]:
        before, factor, end = (compact(values, shape) for values in (self.begin, self.factor, self.end))
        nodes: list[Node] = []
        if self.sign != 1 or before.any():
            nodes.append(Affine(fresh(f"{name}.input"), (of,), np.full((), self.sign), -self.sign * before))
            of = nodes[-1].name
        plain = bool((factor == 1).all()) and not end.any()
        inner = name if plain else fresh(f"{name}.relu")
        if self.slope is not None and self.slope.any():
            nodes.append(LeakyRelu(inner, (of,), compact(self.slope, shape)))
        elif self.bound is None:
            nodes.append(Relu(inner, (of,)))
        else:
            bound = compact(self.bound, shape)
            nodes.append(Relu(inner, (of,), bound=float(bound)) if not bound.ndim else Clamp(inner, (of,), np.zeros(()), bound))
        return nodes if plain else [*nodes, Affine(name, (inner,), factor, end)]


def _bends(function: Pieces) -> list[_Bend]:
    """Bends whose sum is a continuous function with knots."""
    knots, changes = np.where(np.isfinite(function.knots), function.knots, 0.0), np.diff(function.slopes, axis=0)
    if not len(knots):
        return []
    left, right = function.slopes[0], function.slopes[1]
    value = np.where(np.isfinite(function.knots[0]), function.at_knots()[0], function.offsets[0])
    nothing = np.zeros(())
    if len(knots) == 1 and right.all():
        return [_Bend(knots[0], right, value, slope=left / right)]
    if len(knots) == 2 and right.all() and np.isfinite(function.knots).all() and not left.any() and not function.slopes[2].any():
        return [_Bend(knots[0], right, value, bound=knots[1] - knots[0])]
    both = [_Bend(knots[0], right, nothing), _Bend(knots[0], -left, nothing, sign=-1.0)]
    further = [_Bend(knot, change, nothing) for knot, change in zip(knots[1:], changes[1:], strict=True)]
    first, *others = [bend for bend in (*both, *further) if bend.factor.any()]
    return [first._replace(end=value), *others]


def _clean(function: Pieces) -> Pieces:
    """Without slopes that rounding has left."""
    steepest = np.abs(function.slopes).max(initial=0.0)
    slopes = np.where(np.abs(function.slopes) < _SMALL * steepest, 0.0, function.slopes)
    return Pieces(function.knots, slopes, function.offsets).simplified()


class _Made(NamedTuple):
    """A result, by the node's name, and as a function of what the node takes; a line for the last of them."""

    name: str
    node: Node | None
    function: Pieces


def _made_of(node_of: Callable[[str], Node | None], name: str, rank: int) -> Iterator[_Made]:
    """A result, and those that it is made of value by value."""
    while (node := node_of(name)) is not None and (function := _function(node, rank)) is not None:
        yield _Made(name, node, function)
        name = node.inputs[0]
    yield _Made(name, node, line(1.0, 0.0, rank))


def _function(node: Node, rank: int) -> Pieces | None:
    match node:
        case Affine():
            scale, shift = np.broadcast_arrays(node.scale, node.shift)
            return line(scale, shift, rank)
        case Relu(levels=0):
            return clamped(0.0, node.bound, rank) if _alike(node.bound) else None
        case LeakyRelu():
            return bent(node.slope, 1.0, rank)
        case Clamp():
            return clamped(node.low, node.high, rank) if _alike(node.low) and _alike(node.high) else None
        case Fragment():
            return node.function
        case _:
            return None


def _alike(bound: float | Array) -> bool:
    """Whether all values are bounded, or none."""
    return bool(np.isfinite(bound).all() or not np.isfinite(bound).any())


def _in_turn(functions: Sequence[Pieces], rank: int) -> Pieces:
    result = line(1.0, 0.0, rank)
    for function in functions:
        result = function.after(result)
    return result
