"""The front end for ONNX: a file as a `FloatModel`."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from contextlib import suppress
from math import prod
from pathlib import Path

import numpy as np

from loihiconv.ann.frontends.model import FloatModel
from loihiconv.ann.frontends.onnx.interpreter import Interpreter
from loihiconv.ann.frontends.onnx.reading import read_file
from loihiconv.ann.frontends.onnx.runtime import Runtime
from loihiconv.ann.frontends.onnx.shapes import InferredShapes
from loihiconv.ann.frontends.torch_model import TorchModel
from loihiconv.ann.graph import Ann
from loihiconv.core.errors import InvalidData, LoihiconvError, UnsupportedLayer
from loihiconv.core.linear import Array, Shape
from loihiconv.core.parts import Part, divided

_QUANTIZERS = ("QuantizeLinear", "QLinearConv", "QLinearMatMul")
_TOLERANCE = 1e-3
"""Relative to the largest output: what leaving out the quantization of activations may change."""


class OnnxModel(FloatModel):
    """An ONNX file.

    Parameters
    ----------
    path : Path

    Raises
    ------
    LoihiconvError
        `InvalidModel` if the file is damaged or a package is missing, `UnsupportedLayer` if an input is no tensor of samples.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.name
        self._graph, proto = read_file(path)
        self._reader = TorchModel(Interpreter(self._graph, InferredShapes(proto)))
        self._reader.name = self.name
        names, shapes = self._graph.inputs, self._graph.sample_shapes
        if len(names) > 1:
            self.input_names = names
            if shapes is not None:
                self._take([Part(*pair) for pair in zip(names, shapes, strict=True)])
        elif shapes is not None:
            self.sample_shape = shapes[0]
        self._runtime: Runtime | None = None
        self._quantizers = [op.name for op in self._graph.operations if op.kind in _QUANTIZERS and op.live]
        if self._quantizers:
            self.notes = (f"{self.name}: {len(self._quantizers)} operations quantize activations; that is left out, as it is done here",)

    def with_inputs(self, parts: Sequence[Part]) -> FloatModel:
        names = [part.name for part in parts]
        if len(self._graph.inputs) == 1 and len(names) == 1:
            return self
        if names != list(self._graph.inputs):
            raise UnsupportedLayer(
                f"takes {len(self._graph.inputs)} inputs ({', '.join(self._graph.inputs)}), given are {', '.join(names)}",
                where=self.name,
                remedy="give an array for each by its name",
            )
        other = copy.copy(self)
        other._take(parts)
        other._check(other.sample_shape or ())
        return other

    def _take(self, parts: Sequence[Part]) -> None:
        """Several inputs of these shapes."""
        self.inputs, self.sample_shape = tuple(parts), (sum(part.size for part in parts),)
        name = self._reader.name
        self._reader = self._reader.with_inputs(parts)
        self._reader.name = name

    def ann(self, shape: Shape) -> Ann:
        self._check(shape)
        ann = self._reader.ann(shape)
        if self._quantizers:
            self._check_quantization(shape)
        return ann

    def problems(self, shape: Shape) -> tuple[LoihiconvError, ...]:
        try:
            self._check(shape)
            return self._reader.problems(shape) or super().problems(shape)
        except LoihiconvError as error:
            return (error,)

    def outputs(self, x: Array) -> Array:
        """Outputs (N, values) as onnxruntime computes them."""
        if self._runtime is None:
            self._try(x[:1])
            self._runtime = Runtime(self.path)
        outputs = self._graph.outputs
        if len(outputs) > 1:
            outputs = self._reader.chosen(x.shape[1:]).names
        return self._runtime(divided(x, self.inputs) if self.inputs else {self._graph.inputs[0]: x}, outputs)

    def _check(self, shape: Shape) -> None:
        parts = self.inputs or (Part(self._graph.inputs[0], tuple(shape)),)
        if len(self._graph.inputs) != len(parts) or sum(part.size for part in parts) != prod(shape):
            names = ", ".join(self._graph.inputs)
            raise InvalidData(f"one array for {len(self._graph.inputs)} inputs ({names})", where=self.name, remedy="give one for each")
        for part, declared in zip(parts, self._graph.samples, strict=True):
            fits = declared is None or (
                len(declared) == len(part.shape) and all(n in (None, m) for n, m in zip(declared, part.shape, strict=True))
            )
            if not fits:
                raise InvalidData(
                    f"samples of shape {part.shape}",
                    where=self.name if len(parts) == 1 else f"{self.name}, input {part.name}",
                    limit=f"the file takes ({', '.join('any' if n is None else str(n) for n in declared or ())})",
                    remedy="arrange samples as the file takes them",
                )

    def _try(self, x: Array) -> None:
        """Carry the file out here first: onnxruntime trusts files, and ends the process on some that contradict themselves."""
        with suppress(UnsupportedLayer):
            self._reader.outputs(x)

    def _check_quantization(self, shape: Shape) -> None:
        """Refuse a network that is another one without the quantization of its activations."""
        x = np.random.default_rng(0).random((8, *shape), np.float32)
        expected, found = self.outputs(x), self._reader.outputs(x)
        largest = float(np.abs(expected).max())
        worst = float(np.abs(expected - found).max()) if found.shape == expected.shape else np.inf
        if not worst <= _TOLERANCE * largest:
            raise UnsupportedLayer(
                f"quantizes its activations ({len(self._quantizers)} operations), which changes its outputs by up to "
                f"{worst / largest if largest else np.inf:.1%}",
                where=self._quantizers[0],
                limit=f"up to {_TOLERANCE:.1%} is left out",
                remedy="convert the float network that it was made from; quantization is done here",
            )
