"""Sums of linear maps of what populations send: what lies between one population of neurons and the next.

Graphs of others have many linear nodes in a row, and sums of branches. Neurons on a chip take their input through one set of synapses
for each source, so that all of that has to be multiplied out.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from loihiconv.ann.passes.merge_parallel import parallel_sum
from loihiconv.core.composition import CannotCompose, compose
from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from loihiconv.core.linear import Array, Conv, Dense, LinearMap, Shape, Sparse

MOST_VALUES = 2**26
"""Of a signal: more neurons than all boards have."""
DENSE_LIMIT = 2**25
"""Weights of a dense matrix that is written out where there is no other way."""


@dataclass(frozen=True, eq=False)
class Branch:
    """A linear map of what one population sends; no map stands for the identity.

    Parameters
    ----------
    source : str
    shape : tuple of int
        Of the source.
    map : Dense, Conv or None
    """

    source: str
    shape: Shape
    map: LinearMap | None = None


@dataclass(frozen=True, eq=False)
class Signal:
    """A sum of branches, and a constant current.

    Parameters
    ----------
    shape : tuple of int
        (n,) or (C, H, W).
    branches : tuple of Branch
    bias : float64 array (\\*shape)
    """

    shape: Shape
    branches: tuple[Branch, ...]
    bias: Array

    @classmethod
    def of(cls, source: str, shape: Shape) -> Signal:
        """What a population sends."""
        return cls(shape, (Branch(source, shape),), np.zeros(shape))

    def reshaped(self, shape: Shape) -> Signal:
        """The same values in the same order, as another shape."""
        return Signal(shape, self.branches, self.bias.reshape(shape))

    def through(self, linear: LinearMap, where: str) -> Signal:
        """What a linear map gives of it.

        Parameters
        ----------
        linear : Dense or Conv
        where : str
            The node, for errors.
        """
        shape = fitting(linear, self.shape, where)
        branches = tuple(Branch(b.source, b.shape, _product(linear, self.shape, b, where)) for b in self.branches)
        bias = linear.apply(self.bias[None])[0].reshape(shape) if self.bias.any() else np.zeros(shape)
        return Signal(shape, branches, bias)

    def plus(self, bias: Array, where: str) -> Signal:
        """With a bias per neuron, or per channel, on top."""
        values = per_neuron(bias, self.shape, where, "a bias", channels=True)
        return Signal(self.shape, self.branches, self.bias + values)

    def times(self, factor: Array, where: str) -> Signal:
        """With each neuron's input multiplied by a factor of its own.

        Parameters
        ----------
        factor : float64 array (\\*shape)
        where : str
        """
        branches = tuple(Branch(b.source, b.shape, _rows_times(self._map(b, where), b, factor, where)) for b in self.branches)
        return Signal(self.shape, branches, self.bias * factor)

    def merged(self, where: str) -> tuple[tuple[str, LinearMap], ...]:
        """(source, map) of each branch, where branches of one source have become one as far as that takes no more weights."""
        found: list[tuple[Branch, LinearMap]] = []
        for branch in self.branches:
            linear = self._map(branch, where)
            for i, (other, before) in enumerate(found):
                if other.source == branch.source and (total := parallel_sum(before, linear, branch.shape)) is not None:
                    found[i] = (other, total)
                    break
            else:
                found.append((branch, linear))
        return tuple((branch.source, linear) for branch, linear in found)

    def _map(self, branch: Branch, where: str) -> LinearMap:
        return branch.map if branch.map is not None else identity(branch.shape, where)


def total(signals: list[Signal], where: str) -> Signal:
    """Sum of signals of one shape, as edges that meet sum them."""
    first, *rest = signals
    for other in rest:
        if other.shape != first.shape:
            raise InvalidModel(f"takes shapes {first.shape} and {other.shape}, which cannot be summed", where=where)
    return Signal(first.shape, tuple(b for s in signals for b in s.branches), np.sum([s.bias for s in signals], axis=0))


def fitting(linear: LinearMap, shape: Shape, where: str) -> Shape:
    """Shape of a map's output, or `InvalidModel` where its input has another one than it takes, or the output is too large."""
    try:
        return limited(linear.output_shape(shape), where)
    except ValueError as error:
        raise InvalidModel(str(error), where=where) from error


def limited(shape: Shape, where: str) -> Shape:
    """A shape, or `InvalidModel` where a file claims more values than anything could run."""
    if prod(shape) > MOST_VALUES:
        raise InvalidModel(f"a signal of shape {shape}", where=where, limit=f"at most {MOST_VALUES} values expected")
    return shape


def identity(shape: Shape, where: str) -> LinearMap:
    """The map that passes each neuron on to its like."""
    if len(shape) == 3:
        return Conv(np.ones((shape[0], 1, 1, 1)), groups=shape[0])
    return Dense(np.eye(_small(shape, shape, where)[0]))


def per_neuron(values: Array, shape: Shape, where: str, what: str, *, channels: bool = False) -> Array:
    """Values for each neuron, of one number, one for each neuron, or one for each channel: float64 (\\*shape)."""
    values = np.asarray(values, np.float64)
    if values.size == 1:
        return np.full(shape, values.ravel()[0])
    if values.size == prod(shape) and (values.ndim == 1 or [n for n in values.shape if n > 1] == [n for n in shape if n > 1]):
        return values.reshape(shape)
    if values.shape in ((shape[0],), (shape[0], 1), (shape[0], 1, 1)) and (channels or values.ndim == len(shape)):
        return np.broadcast_to(values.reshape(-1, *(1,) * (len(shape) - 1)), shape)
    raise InvalidModel(f"{what} of shape {values.shape} for neurons of shape {shape}", where=where)


def compressed(values: Array) -> Array:
    """Values for each neuron as one for each channel, where all of a channel's are the same."""
    corner = values[:, :1, :1] if values.ndim == 3 else values
    return np.array(corner if np.array_equal(np.broadcast_to(corner, values.shape), values) else values)


def _product(second: LinearMap, middle: Shape, branch: Branch, where: str) -> LinearMap:
    given = branch.shape if branch.map is None else branch.map.output_shape(branch.shape)
    if isinstance(second, Conv) and given != middle:  # it was reshaped on the way
        second = _written_out(second, middle, where)
    if branch.map is None:
        return second
    try:
        return compose(second, branch.map, branch.shape, synapses=0)
    except CannotCompose:
        return compose(_written_out(second, middle, where), branch.map, branch.shape)


def _written_out(linear: LinearMap, shape: Shape, where: str) -> Dense:
    """A convolution as the matrix that it is."""
    n = _small(linear.output_shape(shape), shape, where)[0]
    return Dense(linear.adjoint(np.eye(n).reshape(n, *linear.output_shape(shape)), shape).reshape(n, -1))


def _small(output: Shape, shape: Shape, where: str) -> tuple[int, int]:
    """Rows and columns of a matrix that is not too large to be written out."""
    rows, columns = prod(output), prod(shape)
    if rows * columns > DENSE_LIMIT:
        raise UnsupportedLayer(
            f"becomes a matrix of {rows} x {columns} weights, as its layers are no convolution together",
            where=where,
            limit=f"at most {DENSE_LIMIT} weights",
            remedy="put neurons between linear layers that follow one another, or train the second without padding",
        )
    return rows, columns


def _rows_times(linear: LinearMap, branch: Branch, factor: Array, where: str) -> LinearMap:
    if isinstance(linear, Sparse):
        return linear.with_weight(linear.weight * factor.reshape(-1)[linear.rows])
    if isinstance(linear, Conv):
        per_channel = compressed(factor)
        if linear.output_shape(branch.shape) == factor.shape and per_channel.shape == (len(factor), 1, 1):
            return linear.with_weight(linear.weight * per_channel[..., None])
        linear = _written_out(linear, branch.shape, where)
    return Dense(linear.weight * factor.reshape(-1, 1))
