"""What model files of several formats have in common: they say what their inputs are, and a PyTorch model carries them out."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from math import prod
from pathlib import Path

from loihiconv.ann.frontends.model import FloatModel
from loihiconv.ann.frontends.open_shapes import OpenShape, fits, whole
from loihiconv.ann.frontends.torch_model import TorchModel
from loihiconv.core.errors import InvalidData, UnsupportedLayer
from loihiconv.core.linear import Array, Shape
from loihiconv.core.parts import Part, divided


class FileModel(FloatModel):
    """A model file.

    Parameters
    ----------
    path : Path
    names : sequence of str
        Of its inputs.
    declared : sequence of shapes, or None
        Of a sample of each, as the file says; None where it says nothing.
    reader : TorchModel or None
        Carries it out; None where something in it cannot be.
    arrange : str
        How samples are to be arranged, for errors.
    """

    def __init__(
        self, path: Path, names: Sequence[str], declared: Sequence[OpenShape | None], reader: TorchModel | None, arrange: str
    ) -> None:
        self.path, self.name = path, path.name
        self._names, self._declared, self._arrange = tuple(names), tuple(declared), arrange
        self._reader = reader
        if reader is not None:
            reader.name = self.name
        shapes = whole(self._declared)
        if len(names) > 1:
            self.input_names = self._names
            if shapes is not None:
                self._take([Part(*pair) for pair in zip(names, shapes, strict=True)])
        elif shapes is not None:
            self.sample_shape = shapes[0]

    def with_inputs(self, parts: Sequence[Part]) -> FloatModel:
        names = tuple(part.name for part in parts)
        if len(self._names) == len(names) == 1:
            return self
        if names != self._names:
            what = f"takes {len(self._names)} inputs ({', '.join(self._names)}), given are {', '.join(names)}"
            raise UnsupportedLayer(what, where=self.name, remedy="give an array for each by its name")
        other = copy.copy(self)
        other._take(parts)
        other.check_shape(other.sample_shape or ())
        return other

    def with_curves(self) -> FloatModel:
        other = copy.copy(self)
        if self._reader is not None:
            other._reader = self._reader.with_curves()
        return other

    def _take(self, parts: Sequence[Part]) -> None:
        """Several inputs of these shapes."""
        self.inputs, self.sample_shape = tuple(parts), (sum(part.size for part in parts),)
        if self._reader is not None:
            self._reader = self._reader.with_inputs(parts)
            self._reader.name = self.name

    def by_input(self, x: Array) -> dict[str, Array]:
        """Samples as the file has its inputs: {name: array}."""
        return divided(x, self.inputs) if self.inputs else {self._names[0]: x}

    def check_shape(self, shape: Shape) -> None:
        """Raise `InvalidData` for samples that the file does not take."""
        parts = self.inputs or (Part(self._names[0], tuple(shape)),)
        if len(self._names) != len(parts) or sum(part.size for part in parts) != prod(shape):
            what = f"one array for {len(self._names)} inputs ({', '.join(self._names)})"
            raise InvalidData(what, where=self.name, remedy="give one for each")
        for part, declared in zip(parts, self._declared, strict=True):
            if not fits(part.shape, declared):
                raise InvalidData(
                    f"samples of shape {part.shape}",
                    where=self.name if len(parts) == 1 else f"{self.name}, input {part.name}",
                    limit=f"the file takes ({', '.join('any' if n is None else str(n) for n in declared or ())})",
                    remedy=self._arrange,
                )
