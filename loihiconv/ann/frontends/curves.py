"""Which operations are a function of one activation, value by value: found by carrying them out on other values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import fx

from loihiconv.ann.frontends.quantized import plain
from loihiconv.ann.frontends.registry import Signal
from loihiconv.ann.frontends.tracing import Trace, carried_out
from loihiconv.ann.graph import Curve, Node
from loihiconv.ann.passes.curves import INSTEAD
from loihiconv.core.errors import UnsupportedLayer
from loihiconv.core.linear import Array

_FURTHEST = 8
"""Results before an operation that are tried."""
_CORE = 16.0
"""How far from 0 a curve is known closely."""
_FAR = 1e4
"""How far it is known at all."""
_NEAR = 1e-6
"""How near to 0 it is known, where logarithms and roots are steep."""
_STEP, _EVENLY = 1 / 512, 0.2
"""Distance of places that are tried in the core, and from where on."""
_SAME = 1e-5
"""Difference of what the same value gives in two places, relative to the largest value nearby, that is rounding."""
_STEEP = 0.05
"""Difference from one place to the next, relative to the largest value nearby, that is a jump."""
_STRAIGHT = 2e-3
"""Difference from a straight line between two places, relative to the largest value nearby or to it, beyond which too few were tried."""


def _places() -> Array:
    """Values that operations are tried on, in order: next to 0 and beyond the core in steps in proportion to them, evenly in between."""
    even = np.arange(round(_EVENLY / _STEP), round(_CORE / _STEP)) * _STEP
    positive = np.concatenate([np.geomspace(_NEAR, even[0], 1200, endpoint=False), even, np.geomspace(_CORE, _FAR, 400)])
    return np.concatenate([-positive[::-1], [0.0], positive])


_PLACES = _places()


def curves_at(trace: Trace, results: Mapping[fx.Node, Any], refused: Collection[str]) -> dict[str, Curve]:
    """The curves among operations that are refused.

    Parameters
    ----------
    trace : Trace
    results : {operation: Signal or anything else}
        What each operation was read as.
    refused : names of nodes

    Returns
    -------
    {name of the node: Curve}
    """
    made: dict[str, fx.Node] = {}
    for node, result in results.items():
        if isinstance(result, Signal) and result.name in refused:
            made.setdefault(result.name, node)

    def is_refused(node: fx.Node) -> bool:
        result = results[node]
        return not isinstance(result, Signal) or result.name in refused

    found = {name: curve_at(trace, node, is_refused) for name, node in made.items()}
    sources = {name: results[curve.of] for name, curve in found.items() if curve is not None}
    return {
        name: Curve(name, (sources[name].name,), curve.x, curve.y)
        for name, curve in found.items()
        if curve is not None and isinstance(sources[name], Signal)
    }


def with_remedy(error: UnsupportedLayer, curve: Curve, node: Node) -> UnsupportedLayer:
    """Why an operation is refused that computes a curve, and that ReLUs can stand for it."""
    what, remedy = error.what, error.remedy
    if curve.inputs != node.inputs:
        what, remedy = f"{what.split()[0]} ends a curved function of one activation", "retrain with ReLU"
    return UnsupportedLayer(what, where=error.where, limit=error.limit, remedy=f"{remedy}; or {INSTEAD}")


class Found(NamedTuple):
    """A curve.

    Attributes
    ----------
    of : fx.Node
        Gives the activation.
    x, y : array (n,)
        As `loihiconv.ann.graph.Curve` has them.
    """

    of: fx.Node
    x: Array
    y: Array


def curve_at(trace: Trace, node: fx.Node, refused: Callable[[fx.Node], bool]) -> Found | None:
    """What an operation makes of one result before it, if that is a curve: of the nearest that is not refused, else of others.

    Parameters
    ----------
    trace : Trace
    node : fx.Node
        The operation.
    refused : callable (fx.Node) -> bool
        Whether a result cannot be converted.
    """
    sources = list(islice(_dominators(trace, node), _FURTHEST))
    first = next((i for i, source in enumerate(sources) if not refused(source)), len(sources) - 1) + 1
    # a logarithm of 1 + relu(x) is a curve of x alone
    for source in (*reversed(sources[:first]), *sources[first:]):
        if (table := _table(trace, source, node)) is not None:
            return Found(source, *table)
    return None


def _dominators(trace: Trace, node: fx.Node) -> Iterator[fx.Node]:
    """Results that an operation takes its input from alone, the nearest first."""
    order = {other: i for i, other in enumerate(trace.nodes)}
    front = _taken(trace, node)
    while front:
        last = max(front, key=order.__getitem__)
        if len(front) == 1:
            yield last
        front = (front - {last}) | _taken(trace, last)


def _taken(trace: Trace, node: fx.Node) -> set[fx.Node]:
    return {other for other in node.all_input_nodes if other in trace.dependent}


def _table(trace: Trace, source: fx.Node, node: fx.Node) -> tuple[Array, Array] | None:
    """Places, and what the operation gives there; None where it is no function of each value by itself, or jumps."""
    given, result = (plain(trace.values[other]) for other in (source, node))
    if not all(isinstance(value, torch.Tensor) and value.is_floating_point() for value in (given, result)) or given.shape != result.shape:
        return None
    steps = _between(trace, source, node)
    if not all(_may_be_pointwise(trace, step, given.shape) for step in steps):
        return None
    if not _changed_elsewhere(trace, steps).isdisjoint([source, *steps]):
        return None
    x = _PLACES
    every = max(1, len(x) // given.numel())  # at so many places one run tells most operations apart
    y = _carried_out(trace, steps, source, node, given, x[::every])
    if y is not None and every > 1:
        y = _carried_out(trace, steps, source, node, given, x)
    return (x, y) if y is not None and _is_curve(x, y) else None


def _may_be_pointwise(trace: Trace, step: fx.Node, shape: torch.Size) -> bool:
    """Whether an operation gives as many values as it takes, and treats them alike as far as its constants tell: to try it costs time."""
    result = plain(trace.values[step])
    if not isinstance(result, torch.Tensor) or result.shape != shape:
        return False
    constants = [plain(trace.values[other]) for other in step.all_input_nodes if other not in trace.dependent]
    if step.op == "call_module":
        constants += trace.modules[str(step.target)].parameters()
    return all(not isinstance(value, torch.Tensor) or (value == value.flatten()[:1]).all() for value in constants)


def _between(trace: Trace, source: fx.Node, node: fx.Node) -> list[fx.Node]:
    """The operations from one result to another, in order."""
    needed, waiting = {node}, [node]
    while waiting:
        for other in _taken(trace, waiting.pop()):
            if other is not source and other not in needed:
                needed.add(other)
                waiting.append(other)
    return [other for other in trace.nodes if other in needed]


def _changed_elsewhere(trace: Trace, steps: Sequence[fx.Node]) -> set[fx.Node]:
    """Results that other operations change in place."""
    changed = {other for step, others in trace.memory.overwritten.items() if step not in steps for other in others}
    return changed | set(trace.memory.stale)


def _carried_out(trace: Trace, steps: Sequence[fx.Node], source: fx.Node, node: fx.Node, given: torch.Tensor, x: Array) -> Array | None:
    """Values at some places; None where they depend on which value of the activation it is, or on the other ones."""
    rng, size = np.random.default_rng(0), given.numel()
    once, again = (rng.permutation(np.resize(np.arange(len(x)), -(-len(x) // size) * size)) for _ in range(2))
    y = np.empty(len(x))
    for order in (once, again):
        results = []
        for part in np.split(order, len(order) // size):
            tensor = torch.from_numpy(x[part]).to(given.dtype).reshape(given.shape)
            result = _result(trace, steps, {source: tensor}, node)
            if result is None or result.shape != given.shape or not result.isfinite().all():
                return None
            results.append(result.detach().double().numpy().reshape(-1))
        values = np.concatenate(results)
        if order is once:
            y[order] = values
        near = float(np.abs(y[np.abs(x) <= _CORE]).max(initial=0.0))
        if (np.abs(values - y[order]) > _SAME * np.maximum(near, np.abs(y[order]))).any():
            return None
    return y


def _result(trace: Trace, steps: Sequence[fx.Node], values: dict[fx.Node, Any], node: fx.Node) -> torch.Tensor | None:
    """What an operation gives once others have given these values; None where it fails."""
    values = {other: value.clone() for other, value in values.items()}

    def value_of(other: fx.Node) -> Any:
        return values[other] if other in values else trace.values[other]

    try:
        with torch.no_grad():
            for step in steps:
                args, kwargs = fx.node.map_arg((step.args, step.kwargs), value_of)
                values[step] = carried_out(step, trace.modules.__getitem__, args, kwargs)
    except (RuntimeError, TypeError, ValueError, IndexError):
        return None
    result = plain(values[node])
    return result if isinstance(result, torch.Tensor) else None


def _is_curve(x: Array, y: Array) -> bool:
    """Whether a function does not jump, and is as good as straight between its points: every second one tells where the others are."""
    core = np.abs(x) <= _CORE
    near = float(np.abs(y[core]).max())
    if np.ptp(y[core]) == 0 or float(np.abs(np.diff(y[core])).max()) > _STEEP * near:
        return False
    between = np.interp(x[1::2], x[::2], y[::2])
    return bool((np.abs(between - y[1::2]) <= _STRAIGHT * np.maximum(near, np.abs(between))).all())
