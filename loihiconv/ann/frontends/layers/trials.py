"""Operations without a handler of their own: what is affine, whatever its name, is read off from what it gives.

An affine operation is known by its results for zeros and for each value alone. So products with constants in all their spellings (``@``,
``einsum``, ``tensordot``), cumulative sums, folding, sampling on a constant grid and three-dimensional transposed convolutions need
nothing of their own. What is not affine, or mixes samples, shows on random values of both signs and several sizes, and is refused.
"""

# ruff: noqa: D103  each handler is named after what it reads, and says nothing that its decorator does not

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any, TypeAlias

import numpy as np
import torch
from scipy.sparse import csc_array, hstack

from loihiconv.ann.frontends.layers.weights import linear
from loihiconv.ann.frontends.registry import Call, Result, Signal, on_function, signals_in
from loihiconv.ann.frontends.remedies import remedy
from loihiconv.ann.graph import Add, Affine, Linear, Node, arranged
from loihiconv.core.composition import MOST_SYNAPSES
from loihiconv.core.linear import Array, Dense, LinearMap, Shape, from_matrix

MOST_INPUTS = 2**15
"""Values that an operation is tried on one by one."""
SIZES = (1e-2, 1.0, 1e2)
"""Of the random values that it is tried on: what bends anywhere between them is not affine."""
_TOLERANCES = {torch.float64: 1e-9, torch.float32: 1e-5}
_BATCH = 256

_Function: TypeAlias = Callable[[Array], Array]


class _NotAffine(Exception):
    """The operation is no affine one, or cannot be tried."""


@on_function(torch.matmul, torch.mm, operator.matmul, "matmul", "mm")
def product(call: Call, input: Any, other: Any) -> Result:
    if isinstance(input, Signal) and isinstance(other, torch.Tensor) and other.ndim == 2:
        return linear(call, input, other.t())
    return by_trial(call, input, other)


def by_trial(call: Call, *arguments: Any, **options: Any) -> Result:
    """The nodes of an operation that is affine in all signals that it is given, sample by sample; it is refused where it is not."""
    refusal = call.refuse("cannot be converted", remedy(call.operation))
    uses = signals_in((arguments, tuple(options.values())))
    found = list({signal.name: signal for signal in uses}.values())
    if not call.shape or any(signal.shape[:1] != call.shape[:1] for signal in found):
        raise refusal
    for dtype, tolerance in _TOLERANCES.items():
        try:
            return _read(call, found, partial(_results, call, found, uses, dtype), tolerance)
        except _NotAffine:
            continue
    raise refusal


def _results(call: Call, found: list[Signal], uses: list[Signal], dtype: torch.dtype, x: Array) -> Array:
    """What an operation gives, (N, outputs), for samples (N, inputs) of all its signals, one after the other."""
    parts = np.split(x, np.cumsum([prod(signal.shape[1:]) for signal in found])[:-1], axis=1)
    tensors = {signal.name: torch.tensor(part, dtype=dtype) for signal, part in zip(found, parts, strict=True)}
    try:
        result = call.repeat({use: tensors[use.name].reshape(len(x), *use.shape[1:]) for use in uses})
    except (
        RuntimeError,
        IndexError,
        TypeError,
        ValueError,
        AttributeError,
        AssertionError,
    ) as error:  # such as another dtype, or another number of samples
        raise _NotAffine from error
    if not isinstance(result, torch.Tensor) or result.dtype != dtype or result.shape != (len(x), *call.shape[1:]):
        raise _NotAffine
    return result.detach().double().reshape(len(x), -1).numpy()


def _read(call: Call, found: list[Signal], function: _Function, tolerance: float) -> Result:
    samples, inputs, outputs = call.shape[0], sum(prod(signal.shape[1:]) for signal in found), prod(call.shape[1:])
    origin = function(np.zeros((samples, inputs)))
    rng = np.random.default_rng(0)
    tried = [(x, function(x) - origin) for x in (rng.normal(0, size, (samples, inputs)) for size in SIZES)]

    def fits(linear: _Function) -> bool:
        return all(np.allclose(linear(x), y, rtol=0, atol=tolerance * (np.abs(y).max() + np.abs(origin).max())) for x, y in tried)

    if not (np.isfinite(origin).all() and fits(lambda x: function(x - 1.7 * x[:, ::-1]) - function(-1.7 * x[:, ::-1]))):
        raise _NotAffine
    if (origin != origin[0]).any():
        raise call.refuse("adds other constants to each sample", "give one constant for all samples")
    bias = origin[0].reshape(arranged(call.shape[1:]))
    if inputs == outputs and len(found) == 1:
        factors = function(np.ones_like(origin))[0] - origin[0]
        if fits(lambda x: x * factors):
            return _value_by_value(call, found[0], factors, bias)
    if inputs > MOST_INPUTS:
        raise call.refuse(f"must be tried on each of its {inputs} values, more than {MOST_INPUTS}", remedy(call.operation))
    matrix = _matrix(call, function, inputs, origin[0])
    if not fits(lambda x: np.asarray((matrix @ x.T).T)):
        raise call.refuse("mixes samples, or treats them differently", "keep the first axis for samples")
    return _parts(call, found, matrix, bias)


def _value_by_value(call: Call, input: Signal, factors: Array, bias: Array) -> Result:
    if (factors == 1).all() and not bias.any() and input.shape == call.shape:
        return input
    shape = arranged(input.shape[1:])
    if shape != bias.shape:
        return _parts(call, [input], csc_array(np.diag(factors)), bias)
    return Affine(call.name, (input.name,), factors.reshape(shape), bias)


def _matrix(call: Call, function: _Function, inputs: int, origin: Array) -> csc_array:
    """The matrix (outputs, inputs), from what each value gives alone."""
    batch = _BATCH
    try:
        function(np.zeros((batch, inputs)))
    except _NotAffine:  # it holds constants for so many samples as the network was read with
        batch = call.shape[0]
    columns, synapses = [], 0
    for begin in range(0, inputs, batch):
        responses = function(np.eye(batch, inputs, begin)) - origin
        columns.append(csc_array(responses[: inputs - begin].T))
        synapses += columns[-1].nnz
        if synapses > MOST_SYNAPSES:
            raise call.refuse(f"has more than {MOST_SYNAPSES} synapses", "use layers, such as nn.Linear or nn.Conv2d")
    return csc_array(hstack(columns))


def _parts(call: Call, found: list[Signal], matrix: csc_array, bias: Array) -> Result:
    """One linear layer for each signal, and their sum."""
    if not matrix.nnz:
        raise call.refuse("gives nothing but constants", "leave it out")
    ends = np.cumsum([prod(signal.shape[1:]) for signal in found])
    layers: list[Node] = []
    for signal, end in zip(found, ends, strict=True):
        name = call.name if len(found) == 1 else call.fresh(f"{call.name}.{signal.name}")
        own = _map(matrix[:, end - prod(signal.shape[1:]) : end], arranged(call.shape[1:]), arranged(signal.shape[1:]))
        layers.append(Linear(name, (signal.name,), own, None if layers or not bias.any() else bias))
    return layers[0] if len(layers) == 1 else (*layers, Add(call.name, tuple(layer.name for layer in layers)))


def _map(matrix: csc_array, outputs: Shape, inputs: Shape) -> LinearMap:
    """Between vectors, where most weights are there, a `Dense`."""
    dense = len(outputs) == len(inputs) == 1 and 2 * matrix.nnz > prod(matrix.shape)
    return Dense(matrix.toarray()) if dense else from_matrix(matrix, outputs, inputs)
