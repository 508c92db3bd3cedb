"""What the host computes after the readout: a network's own last functions, so that its outputs are those of the float network.

Potentials, in units of the float network's outputs, pass through these functions one after the other. Every kind says its own shape, its
range, and whether the largest value stays the largest, so that classes can be read off the potentials. Values are float64 arrays
(N, \\*shape); axes count without that of the samples.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, log, prod
from typing import Literal, TypeAlias

import numpy as np

from loihiconv.core.linear import Array, Shape

Range: TypeAlias = "tuple[float, float]"
Curve: TypeAlias = Literal["sigmoid", "logsigmoid", "tanh", "softplus", "softsign", "exp", "silu"]


class HostFunction(ABC):
    """One function on outputs."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What users call it."""

    @abstractmethod
    def __call__(self, x: Array) -> Array:
        """Results (N, \\*output_shape(shape)) for values (N, \\*shape)."""

    def output_shape(self, shape: Shape) -> Shape:
        """Shape of a result; raises ValueError where values of this shape do not fit."""
        return shape

    @property
    def keeps_order(self) -> bool:
        """Whether of several values the largest one stays the largest, or is what the result names."""
        return True

    def range_of(self, given: Range) -> Range:
        """Between which values results lie, where those that are given lie between two; infinite where nothing bounds them."""
        return given


@dataclass(frozen=True, eq=False)
class Pointwise(HostFunction):
    """A smooth function of each value: 1 / (1 + e^-x), its logarithm, tanh x, log(1 + e^x), x / (1 + |x|), e^x, or x / (1 + e^-x)."""

    curve: Curve

    @property
    def title(self) -> str:
        return self.curve

    def __call__(self, x: Array) -> Array:
        return _CURVES[self.curve][0](x)

    @property
    def keeps_order(self) -> bool:
        return self.curve != "silu"

    def range_of(self, given: Range) -> Range:
        return _CURVES[self.curve][1]


@dataclass(frozen=True, eq=False)
class Softmax(HostFunction):
    """e^x / Σ e^x over one axis, or its logarithm."""

    axis: int
    log: bool = False

    @property
    def title(self) -> str:
        return "log-softmax" if self.log else "softmax"

    def __call__(self, x: Array) -> Array:
        shifted = x - x.max(axis=self.axis + 1, keepdims=True)
        total = np.exp(shifted).sum(axis=self.axis + 1, keepdims=True)
        return np.asarray(shifted - np.log(total) if self.log else np.exp(shifted) / total)

    def output_shape(self, shape: Shape) -> Shape:
        _check_axis(self.axis, shape)
        return shape

    def range_of(self, given: Range) -> Range:
        return (-inf, 0.0) if self.log else (0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Argmax(HostFunction):
    """Index of the largest value along an axis, the first one in a tie."""

    axis: int
    keepdims: bool = False

    @property
    def title(self) -> str:
        return "argmax"

    def __call__(self, x: Array) -> Array:
        return np.asarray(x.argmax(axis=self.axis + 1, keepdims=self.keepdims), np.float64)

    def output_shape(self, shape: Shape) -> Shape:
        _check_axis(self.axis, shape)
        return (*shape[: self.axis], *((1,) if self.keepdims else ()), *shape[self.axis + 1 :])

    def range_of(self, given: Range) -> Range:
        return (0.0, inf)


@dataclass(frozen=True, eq=False)
class Clip(HostFunction):
    """min(max(x, low), high): ReLU and its kin; both broadcast to a sample's values."""

    low: Array
    high: Array

    @property
    def title(self) -> str:
        return "ReLU" if not self.low.any() and np.isinf(self.high).all() else "clamp"

    def __call__(self, x: Array) -> Array:
        return np.asarray(np.minimum(np.maximum(x, self.low), self.high))

    def output_shape(self, shape: Shape) -> Shape:
        return _broadcast(shape, self.low, self.high)

    @property
    def keeps_order(self) -> bool:
        return self.low.size == self.high.size == 1

    def range_of(self, given: Range) -> Range:
        return float(self(np.asarray(given[0])).min()), float(self(np.asarray(given[1])).max())  # it never falls


@dataclass(frozen=True, eq=False)
class Leaky(HostFunction):
    """x where x > 0, else slope x; slopes broadcast to a sample's values."""

    slope: Array

    @property
    def title(self) -> str:
        return "leaky ReLU"

    def __call__(self, x: Array) -> Array:
        return np.where(x > 0, x, self.slope * x)

    def output_shape(self, shape: Shape) -> Shape:
        return _broadcast(shape, self.slope)

    @property
    def keeps_order(self) -> bool:
        return self.slope.size == 1 and bool((self.slope >= 0).all())

    def range_of(self, given: Range) -> Range:
        return (-inf, inf)


@dataclass(frozen=True, eq=False)
class Rescale(HostFunction):
    """scale x + shift; both broadcast to a sample's values."""

    scale: Array
    shift: Array

    @property
    def title(self) -> str:
        return "scaling"

    def __call__(self, x: Array) -> Array:
        return np.asarray(x * self.scale + self.shift)

    def output_shape(self, shape: Shape) -> Shape:
        return _broadcast(shape, self.scale, self.shift)

    @property
    def keeps_order(self) -> bool:
        return self.scale.size == self.shift.size == 1 and bool((self.scale > 0).all())

    def range_of(self, given: Range) -> Range:
        if not np.all(self.scale):
            return (-inf, inf)
        ends = [np.multiply(self.scale, end) + self.shift for end in given]
        return float(min(end.min() for end in ends)), float(max(end.max() for end in ends))


@dataclass(frozen=True, eq=False)
class Shaped(HostFunction):
    """The same values in another shape."""

    shape: Shape

    @property
    def title(self) -> str:
        return "reshape"

    def __call__(self, x: Array) -> Array:
        return x.reshape(len(x), *self.shape)

    def output_shape(self, shape: Shape) -> Shape:
        if prod(shape) != prod(self.shape):
            raise ValueError(f"{prod(self.shape)} values expected, got shape {shape}")
        return self.shape


@dataclass(frozen=True, eq=False)
class Pick(HostFunction):
    """Some of the values, y[i] = x[index[i]] on flattened samples, 0 for an index of -1; the result has this shape."""

    index: Array
    shape: Shape

    @property
    def title(self) -> str:
        return "selection"

    def __call__(self, x: Array) -> Array:
        flat = x.reshape(len(x), -1)
        return np.where(self.index >= 0, flat[:, self.index], 0.0).reshape(len(x), *self.shape)

    def output_shape(self, shape: Shape) -> Shape:
        if self.index.ndim != 1 or len(self.index) != prod(self.shape) or self.index.max(initial=-1) >= prod(shape):
            raise ValueError(f"{len(self.index)} indices do not give shape {self.shape} from {shape}")
        return self.shape

    @property
    def keeps_order(self) -> bool:
        return False

    def range_of(self, given: Range) -> Range:
        return given if (self.index >= 0).all() else (min(given[0], 0.0), max(given[1], 0.0))


LastFunction: TypeAlias = Pointwise | Softmax | Argmax | Clip | Leaky | Rescale | Shaped | Pick
"""The kinds of `HostFunction`, as files hold them."""


def finish(ending: Sequence[HostFunction], x: Array) -> Array:
    """What the host makes of outputs (N, \\*shape) of the readout."""
    for function in ending:
        x = function(x)
    return x


def ending_shape(ending: Sequence[HostFunction], shape: Shape) -> Shape:
    """Shape of what `finish` gives; raises ValueError where a function does not fit."""
    for function in ending:
        shape = function.output_shape(shape)
    return shape


def ending_range(ending: Sequence[HostFunction]) -> Range:
    """Between which values the outputs of a network lie that ends so."""
    found = (-inf, inf)
    for function in ending:
        found = function.range_of(found)
    return found


def yes_above(between: Range) -> float:
    """Above which an output says yes: a half where it is a probability, its logarithm where it is that, else 0."""
    low, high = between
    if low >= 0 and high <= 1:
        return 0.5
    return log(0.5) if high <= 0 else 0.0


def keeps_order(ending: Sequence[HostFunction]) -> bool:
    """Whether the largest output of the readout stays the largest."""
    return all(function.keeps_order for function in ending)


def described(ending: Sequence[HostFunction]) -> str:
    """The functions in words, those that only arrange values left out; empty where there are none."""
    return ", ".join(function.title for function in ending if not isinstance(function, Shaped))


def joined(ending: Sequence[LastFunction], shape: Shape) -> tuple[LastFunction, ...]:
    """The same functions with one `Shaped` for several in a row, and none that leaves values of this shape as they are."""
    found: list[LastFunction] = []
    for function in ending:
        if isinstance(function, Shaped) and found and isinstance(found[-1], Shaped):
            found.pop()
        if not (isinstance(function, Shaped) and ending_shape(found, shape) == function.shape):
            found.append(function)
    return tuple(found)


def _sigmoid(x: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))


_CURVES: Mapping[Curve, tuple[Callable[[Array], Array], Range]] = {
    "sigmoid": (_sigmoid, (0.0, 1.0)),
    "logsigmoid": (lambda x: -np.logaddexp(0.0, -x), (-inf, 0.0)),
    "tanh": (np.tanh, (-1.0, 1.0)),
    "softplus": (lambda x: np.logaddexp(0.0, x), (0.0, inf)),
    "softsign": (lambda x: x / (1 + np.abs(x)), (-1.0, 1.0)),
    "exp": (np.exp, (0.0, inf)),
    "silu": (lambda x: x * _sigmoid(x), (-0.2785, inf)),
}


def _check_axis(axis: int, shape: Shape) -> None:
    if not 0 <= axis < len(shape):
        raise ValueError(f"axis {axis} of shape {shape}")


def _broadcast(shape: Shape, *values: Array) -> Shape:
    for array in values:
        try:
            fits = np.broadcast_shapes(array.shape, shape) == shape
        except ValueError:
            fits = False
        if not fits:
            raise ValueError(f"shape {array.shape} does not broadcast to {shape}")
    return shape
