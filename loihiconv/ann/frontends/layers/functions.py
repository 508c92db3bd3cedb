"""What one activation becomes when it is compared, selected, multiplied and added up with itself: ReLUs, or a function that jumps."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import add
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
_MOST_KNOTS = 64
"""Of a function that is looked at: those that fold values again and again have twice as many each time."""


@dataclass(frozen=True, eq=False)
class Fragment(Refused):
    """A function of the one result that it takes, which jumps or is a constant: no network, unless what is made of it is one.

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
    found = _made_of(call.nodes, {signal.name for signal in signals}, rank, nearest)
    functions = None if found is None else _functions(*found, rank)
    if found is None or functions is None:
        return None
    root, made = found
    shape = arranged(call.shape[1:])
    constants = [None if isinstance(value, Signal) else line(0.0, compact(constant(call, value), shape), rank) for value in values]
    given = [functions[value.name] if known is None else known for value, known in zip(values, constants, strict=True)]
    return OfOne(root, given, {node for node, _ in made})


def fragment_of(call: Call, result: Result | tuple[Result, ...]) -> Result | tuple[Result, ...]:
    """What is done to a `Fragment` value by value as a function of the same result, which may be continuous where that jumps."""
    given = [result] if isinstance(result, Node) else list(result) if isinstance(result, Sequence) else []
    made = {node.name: node for node in given if isinstance(node, Node) and not isinstance(node, Refused)}
    before = [call.nodes.get(name) for node in made.values() for name in node.inputs]
    first = next((node for node in before if isinstance(node, Fragment)), None)
    if first is None or len(made) < len(given):
        return result
    last = list(made)[-1]
    rank = len(arranged(call.shape[1:]))
    found = _made_of({**call.nodes, **made}, {last}, rank, nearest=True, among=call.nodes)
    functions = None if found is None else _functions(*found, rank)
    if found is None or functions is None:
        return result
    function = functions[last]
    whole = written(call, found[0], function)
    return replace(first, name=call.name, inputs=(found[0],), function=function, compared=None) if isinstance(whole, Fragment) else whole


def written(call: Call, of: str, function: Pieces) -> Result:
    """The nodes that compute a function of a node's result, with as few neurons as possible; a `Fragment` where it jumps."""
    if (jump := function.jump) is not None:
        place, before, after = (value + 0.0 for value in jump)  # no -0
        error = call.refuse(f"jumps from {before:.4g} to {after:.4g} where values pass {place:.4g}", BY_HAND)
        return Fragment(call.name, (of,), error, function=function)
    shape, clean = arranged(call.shape[1:]), _clean(function)
    if not clean.slopes.any():
        return Fragment(call.name, (of,), call.refuse("gives nothing but constants", "leave it out"), function=function)
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


def _made_of(
    nodes: dict[str, Node], names: set[str], rank: int, nearest: bool, among: Container[str] | None = None
) -> tuple[str, list[tuple[Node, Pieces]]] | None:
    """A result, perhaps ``among`` some, that others are made of value by value, and nodes on the way with functions of what they sum."""
    waiting, found = names, None
    passed: list[tuple[Node, Pieces]] = []
    for node in reversed(nodes.values()):
        if node.name not in waiting:
            continue
        if len(waiting) == 1 and not isinstance(node, Fragment) and (among is None or node.name in among):
            found = node.name, len(passed)
            if nearest:
                break
        if (function := _function(node, rank)) is None:
            break
        passed.append((node, function))
        waiting = waiting - {node.name} | {*node.inputs}
    return None if found is None else (found[0], passed[: found[1]][::-1])


def _functions(root: str, made: list[tuple[Node, Pieces]], rank: int) -> dict[str, Pieces] | None:
    """Results as functions of the one that they are made of; None where they have too many knots."""
    functions = {root: line(1.0, 0.0, rank)}
    for node, function in made:
        functions[node.name] = reduce(add, [function.after(functions[name]) for name in node.inputs])
        if len(functions[node.name].knots) > _MOST_KNOTS:
            return None
    return functions


def _function(node: Node, rank: int) -> Pieces | None:
    """A node's function of what it takes; of the sum of that, if these are several results."""
    match node:
        case Add():
            return line(1.0, 0.0, rank)
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
