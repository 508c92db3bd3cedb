"""The front end for ONNX: a file as a `FloatModel`."""

from __future__ import annotations

from contextlib import suppress
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

_QUANTIZERS = ("QuantizeLinear", "QLinearConv", "QLinearMatMul")
_TOLERANCE = 1e-3
"""Relative to the largest output: what leaving out the quantization of activations may change."""


class OnnxModel(FloatModel):
    """An ONNX file of one input and one output.

    Parameters
    ----------
    path : Path

    Raises
    ------
    LoihiconvError
        `InvalidModel` if the file is damaged or a package is missing, `UnsupportedLayer` if it has several inputs or outputs.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.name
        self._graph, proto = read_file(path)
        self.sample_shape = self._graph.sample_shape
        self._reader = TorchModel(Interpreter(self._graph, InferredShapes(proto)))
        self._reader.name = self.name
        self._runtime: Runtime | None = None
        self._quantizers = [op.name for op in self._graph.operations if op.kind in _QUANTIZERS and op.live]
        if self._quantizers:
            self.notes = (f"{self.name}: {len(self._quantizers)} operations quantize activations; that is left out, as it is done here",)

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
        """Outputs (N, classes) as onnxruntime computes them."""
        if self._runtime is None:
            self._try(x[:1])
            self._runtime = Runtime(self.path)
        return self._runtime(x)

    def _check(self, shape: Shape) -> None:
        declared = self._graph.sample
        fits = declared is None or (len(declared) == len(shape) and all(n in (None, m) for n, m in zip(declared, shape, strict=True)))
        if not fits:
            raise InvalidData(
                f"samples of shape {tuple(shape)}",
                where=self.name,
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
