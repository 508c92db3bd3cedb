"""The front end for Keras: a file as a `FloatModel`."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from math import prod
from pathlib import Path

from loihiconv.ann.frontends.keras.network import read_file
from loihiconv.ann.frontends.keras.reference.evaluation import evaluate
from loihiconv.ann.frontends.keras.translation import translated
from loihiconv.ann.frontends.model import FloatModel
from loihiconv.ann.frontends.onnx.interpreter import Interpreter
from loihiconv.ann.frontends.torch_model import TorchModel
from loihiconv.ann.graph import Ann
from loihiconv.core.errors import InvalidData, LoihiconvError, UnsupportedLayer
from loihiconv.core.linear import Array, Shape
from loihiconv.core.parts import Part, divided


class KerasModel(FloatModel):
    """A ``.keras`` or HDF5 file. Samples are as the model takes them: channels last.

    Parameters
    ----------
    path : Path

    Raises
    ------
    LoihiconvError
        `InvalidModel` if the file is damaged or h5py is missing, `UnsupportedLayer` if it is a class.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.name
        self._network = read_file(path)
        graph, self._problems = translated(self._network)
        self._reader: TorchModel | None = None
        if graph is not None:
            self._reader = TorchModel(Interpreter(graph, lambda batch: {}))
            self._reader.name = self.name
        names, shapes = self._network.inputs, self._network.sample_shapes
        if len(names) > 1:
            self.input_names = names
            if shapes is not None:
                self._take([Part(*pair) for pair in zip(names, shapes, strict=True)])
        elif shapes is not None:
            self.sample_shape = shapes[0]

    def with_inputs(self, parts: Sequence[Part]) -> FloatModel:
        names, own = [part.name for part in parts], self._network.inputs
        if len(own) == len(names) == 1:
            return self
        if names != list(own):
            what = f"takes {len(own)} inputs ({', '.join(own)}), given are {', '.join(names)}"
            raise UnsupportedLayer(what, where=self.name, remedy="give an array for each by its name")
        other = copy.copy(self)
        other._take(parts)
        other._check(other.sample_shape or ())
        return other

    def _take(self, parts: Sequence[Part]) -> None:
        """Several inputs of these shapes."""
        self.inputs, self.sample_shape = tuple(parts), (sum(part.size for part in parts),)
        if self._reader is not None:
            self._reader = self._reader.with_inputs(parts)
            self._reader.name = self.name

    def ann(self, shape: Shape) -> Ann:
        self._check(shape)
        if self._reader is None:
            raise self._problems[0]
        return self._reader.ann(shape)

    def problems(self, shape: Shape) -> tuple[LoihiconvError, ...]:
        try:
            self._check(shape)
        except LoihiconvError as error:
            return (error,)
        return self._problems if self._reader is None else self._reader.problems(shape)

    def outputs(self, x: Array) -> Array:
        """Outputs (N, values), worked out in NumPy from what Keras says its layers do."""
        self._check(x.shape[1:])
        return evaluate(self._network, divided(x, self.inputs) if self.inputs else {self._network.inputs[0]: x})

    def _check(self, shape: Shape) -> None:
        own = self._network.inputs
        parts = self.inputs or (Part(own[0], tuple(shape)),)
        if len(own) != len(parts) or sum(part.size for part in parts) != prod(shape):
            raise InvalidData(f"one array for {len(own)} inputs ({', '.join(own)})", where=self.name, remedy="give one for each")
        for part, declared in zip(parts, self._network.samples, strict=True):
            if len(declared) != len(part.shape) or any(n not in (None, m) for n, m in zip(declared, part.shape, strict=True)):
                raise InvalidData(
                    f"samples of shape {part.shape}",
                    where=self.name if len(parts) == 1 else f"{self.name}, input {part.name}",
                    limit=f"the file takes ({', '.join('any' if n is None else str(n) for n in declared)})",
                    remedy="arrange samples as the model takes them, channels last",
                )
