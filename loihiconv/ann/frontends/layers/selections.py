"""Comparisons of activations, and what selects by them: ReLUs, bounds and slopes that are written by hand.

A comparison jumps, so that no neuron computes it. What is selected by it need not: see `loihiconv.ann.frontends.pieces`.
"""

# ruff: noqa: D103  each handler is named after what it reads, and says nothing that its decorator does not

from __future__ import annotations

import operator
from dataclasses import replace
from typing import Any

import torch

from loihiconv.ann.frontends.layers.activations import larger
from loihiconv.ann.frontends.layers.constants import total
from loihiconv.ann.frontends.layers.functions import BY_HAND, Fragment, OfOne, of_one, written
from loihiconv.ann.frontends.layers.moves import moved
from loihiconv.ann.frontends.pieces import Pieces, line, positive
from loihiconv.ann.frontends.registry import Call, Result, Signal, on_function
from loihiconv.ann.frontends.stands import assign
from loihiconv.ann.graph import arranged

# --- comparisons: 1 where they hold


@on_function(operator.gt, torch.gt, torch.greater, "gt", "greater")
def greater(call: Call, input: Any, other: Any) -> Result:
    return _compared(call, input, other, strict=True)


@on_function(operator.ge, torch.ge, torch.greater_equal, "ge", "greater_equal")
def greater_equal(call: Call, input: Any, other: Any) -> Result:
    return _compared(call, input, other, strict=False)


@on_function(operator.lt, torch.lt, torch.less, "lt", "less")
def less(call: Call, input: Any, other: Any) -> Result:
    return _compared(call, other, input, strict=True)


@on_function(operator.le, torch.le, torch.less_equal, "le", "less_equal")
def less_equal(call: Call, input: Any, other: Any) -> Result:
    return _compared(call, other, input, strict=False)


@on_function(torch.sign, torch.sgn, "sign", "sgn")
def sign(call: Call, input: Signal) -> Result:
    found = _found(call, input)
    (x,) = found.functions
    return _fragment(call, found.of, positive(x, strict=True) - positive(-x, strict=True))


@on_function(operator.invert, torch.logical_not, torch.bitwise_not, "logical_not", "bitwise_not")
def negation(call: Call, input: Signal) -> Result:
    found = _found(call, input)
    return _fragment(call, found.of, _not(_condition(call, found.functions[0])))


@on_function(operator.and_, torch.logical_and, torch.bitwise_and, "logical_and", "bitwise_and")
def both(call: Call, input: Any, other: Any) -> Result:
    found = _found(call, input, other)
    a, b = (_condition(call, function) for function in found.functions)
    return _fragment(call, found.of, _product(a, b))


@on_function(operator.or_, torch.logical_or, torch.bitwise_or, "logical_or", "bitwise_or")
def either(call: Call, input: Any, other: Any) -> Result:
    found = _found(call, input, other)
    a, b = (_condition(call, function) for function in found.functions)
    return _fragment(call, found.of, _not(_product(_not(a), _not(b))))


# --- selections


@on_function(torch.where)
def where(call: Call, condition: Any, input: Any = None, other: Any = None) -> Result | tuple[Result, ...]:
    return _selected(call, condition, input, other) if isinstance(condition, Signal) else moved(call, condition, input, other)


@on_function("where")
def where_method(call: Call, input: Any, condition: Any, other: Any = None) -> Result | tuple[Result, ...]:
    return where(call, condition, input, other)


@on_function(torch.masked_fill, "masked_fill", "masked_fill_")
def masked_fill(call: Call, input: Any, mask: Any, value: Any) -> Result | tuple[Result, ...]:
    return where(call, mask, value, input) if isinstance(mask, Signal) else moved(call, input, mask, value)


@on_function(assign)
def assigned(call: Call, tensor: Any, index: Any, value: Any) -> Result | tuple[Result, ...]:
    return where(call, index, value, tensor) if isinstance(index, Signal) else moved(call, tensor, index, value)


def _selected(call: Call, condition: Signal, a: Any, b: Any) -> Result:
    """Condition a + (1 - condition) b."""
    if (found := of_one(call, condition, a, b)) is not None:
        chosen, first, second = found.functions
        chosen = _condition(call, chosen)
        return written(call, found.of, _product(chosen, first) + _product(_not(chosen), second))
    compared = node.compared if isinstance(node := call.nodes.get(condition.name), Fragment) else None
    if compared is not None and isinstance(a, Signal) and isinstance(b, Signal) and {a.name, b.name} == {*compared}:
        return larger(call, a, b, 1 if a.name == compared[0] else -1)
    raise call.refuse("selects by other values than those it selects from", f"that is a gate, a product of two activations; {BY_HAND}")


def _compared(call: Call, a: Any, b: Any, *, strict: bool) -> Result:
    """1 where a > b, or a >= b."""
    if (found := of_one(call, a, b, nearest=False)) is not None:
        first, second = found.functions
        return _fragment(call, found.of, positive(first - second, strict=strict))
    if not (isinstance(a, Signal) and isinstance(b, Signal)):
        raise call.refuse("compares values of different shapes", BY_HAND)
    difference = total(replace(call, name=call.fresh(f"{call.name}.difference")), [(a, 1), (b, -1)])
    x = line(1.0, 0.0, len(arranged(call.shape[1:])))
    last = _fragment(call, difference[-1].name, positive(x, strict=strict))
    return *difference, replace(last, compared=(a.name, b.name))


def _fragment(call: Call, of: str, function: Pieces) -> Fragment:
    """A function that is none of a network, even where it does not jump."""
    result: Any = written(call, of, function) if function.jump is not None else None
    error = result.error if isinstance(result, Fragment) else call.refuse("gives nothing but constants", "leave it out")
    return Fragment(call.name, (of,), error, function=function)


def _found(call: Call, *values: Any) -> OfOne:
    found = of_one(call, *values, nearest=False)
    if found is None:
        raise call.refuse("joins conditions on different values", BY_HAND)
    return found


def _condition(call: Call, function: Pieces) -> Pieces:
    if not function.is_binary:
        raise call.refuse("takes a condition that is not one of true and false", "compare values, as in x > 0")
    return function


def _product(a: Pieces, b: Pieces) -> Pieces:
    """The product of a condition and any function."""
    product = a.times(b)
    assert product is not None  # a condition has no slope
    return product


def _not(a: Pieces) -> Pieces:
    return line(0.0, 1.0, a.knots.ndim - 1) - a
