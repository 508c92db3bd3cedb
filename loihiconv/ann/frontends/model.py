"""What every front end gives: a trained float network that can be read, evaluated and weighed, wherever it comes from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from loihiconv.ann.graph import Ann, BatchNorm, Linear
from loihiconv.core.errors import LoihiconvError, UnsupportedLayer
from loihiconv.core.linear import Array, Shape
from loihiconv.core.parts import Part

Source: TypeAlias = object
"""Where a float network may come from: any type that a front end is registered for, or a `FloatModel` itself."""


@dataclass(frozen=True)
class Stored:
    """What a float network takes to store.

    Attributes
    ----------
    bytes : int
        Of all parameters and constants.
    weights, zeros : int
        Weights, without biases and statistics, and how many of them are 0.
    """

    bytes: int
    weights: int
    zeros: int


class Results(NamedTuple):
    """What a source's operations give for a few samples (N, \\*shape): of each node of `FloatModel.ann` the result (N, ...), in order."""

    x: Array
    nodes: Mapping[str, Array]


class FloatModel(ABC):
    """A trained float network, as conversion, comparison and diagnosis see it.

    A front end derives from it and says how to read the source (`ann`) and how to evaluate it (`outputs`). The two must not come
    from each other: a conversion compares them, so that a misread source is never converted in silence.

    Attributes
    ----------
    name : str
        What messages call it.
    notes : tuple of str
        What a user should know about how it is read.
    sample_shape : tuple of int or None
        Shape of one sample, where the source knows it; None where it leaves an axis open.
    inputs : tuple of Part
        Where it takes several arrays per sample: name and shape of each, once they are known. Samples are then packed, see
        `loihiconv.core.packing.packed`, here as in the `Ann`.
    input_names : tuple of str
        Where it must be given several arrays: what it calls them, in its order.
    trained : (timesteps, silent steps) or None
        Of the spikes that training has seen, where it has: rates are then as they should be, and not to be corrected.
    takes_bytes : bool
        Whether samples have to be whole numbers from 0 to 255, as the source turns them into floats itself.
    """

    name: str
    notes: tuple[str, ...] = ()
    sample_shape: Shape | None = None
    inputs: tuple[Part, ...] = ()
    input_names: tuple[str, ...] = ()
    trained: tuple[int, int] | None = None
    takes_bytes: bool = False

    def with_inputs(self, parts: Sequence[Part]) -> FloatModel:
        """The same for several inputs of these names and shapes.

        Raises
        ------
        LoihiconvError
            `UnsupportedLayer` if it takes others.
        """
        if len(parts) == 1:
            return self
        given = ", ".join(part.name for part in parts)
        raise UnsupportedLayer(f"takes one input, given are {len(parts)} ({given})", where=self.name, remedy="give one array of samples")

    def with_curves(self) -> FloatModel:
        """The same, in which curved activations are read as `Curve` nodes, where they are refused otherwise."""
        return self

    def input_order(self, names: Sequence[str]) -> list[str]:
        """Names of inputs in its own order."""
        known = [name for name in self.input_names if name in names]
        return known if len(known) == len(names) else list(names)

    @abstractmethod
    def ann(self, shape: Shape) -> Ann:
        """The network for samples of this shape (without the batch axis), as it was trained; the passes come later.

        Raises
        ------
        LoihiconvError
            `UnsupportedLayer` if an operation cannot be converted, `InvalidModel` if the source or its parameters are unusable.
        """

    @abstractmethod
    def outputs(self, x: Array) -> Array:
        """Outputs (N, classes) of the source itself, in inference mode and in its own units; neither it nor ``x`` is changed.

        Parameters
        ----------
        x : array (N, \\*shape)
        """

    def outputs_again(self, x: Array) -> Array | None:
        """`outputs` of a second call of what may keep something from its first; None where nothing can be kept, as in files."""
        return None

    @property
    def epsilon(self) -> float:
        """Relative rounding of the numbers that `outputs` is computed in."""
        return float(np.finfo(np.float32).eps)

    def precise_outputs(self, x: Array) -> Array | None:
        """`outputs` in float64, where it can: deep networks in float32 differ from themselves by more than a misread layer would."""
        return None

    def results(self, shape: Shape) -> Results | None:
        """What its operations give for an example, where it can tell: to name the first one that was misread."""
        return None

    def problems(self, shape: Shape) -> tuple[LoihiconvError, ...]:
        """Everything that stands in the way of `ann`, in the order of the network; empty if nothing does."""
        try:
            self.ann(shape)
        except LoihiconvError as error:
            return (error,)
        return ()

    def stored(self, shape: Shape) -> Stored:
        """What it takes to store; here what the nodes of `ann` hold."""
        ann = self.ann(shape)
        weights = [node.map.weight for node in ann if isinstance(node, Linear)]
        others = [node.bias for node in ann if isinstance(node, Linear) and node.bias is not None]
        others += [values for n in ann if isinstance(n, BatchNorm) for values in (n.mean, n.var, n.gamma, n.beta)]
        size = sum(np.asarray(values).nbytes for values in (*weights, *others))
        return Stored(size, sum(w.size for w in weights), sum(w.size - int(np.count_nonzero(w)) for w in weights))
