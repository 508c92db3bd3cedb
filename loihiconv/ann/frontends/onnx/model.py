"""The front end for ONNX: a file as a `FloatModel`."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np

from loihiconv.ann.frontends.file_model import FileModel
from loihiconv.ann.frontends.onnx.interpreter import Interpreter
from loihiconv.ann.frontends.onnx.reading import read_file
from loihiconv.ann.frontends.onnx.runtime import Runtime
from loihiconv.ann.frontends.onnx.shapes import InferredShapes
from loihiconv.ann.frontends.torch_model import TorchModel
from loihiconv.ann.graph import Ann
from loihiconv.core.errors import LoihiconvError, UnsupportedLayer
from loihiconv.core.linear import Array, Shape

_QUANTIZERS = ("QuantizeLinear", "QLinearConv", "QLinearMatMul")
_TOLERANCE = 1e-3
"""Relative to the largest output: what leaving out the quantization of activations may change."""


class OnnxModel(FileModel):
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
        self._graph, proto = read_file(path)
        self._reader: TorchModel
        reader = TorchModel(Interpreter(self._graph, InferredShapes(proto)))
        super().__init__(path, self._graph.inputs, self._graph.samples, reader, "arrange samples as the file takes them")
        self._runtime: Runtime | None = None
        self._quantizers = [op.name for op in self._graph.operations if op.kind in _QUANTIZERS and op.live]
        if self._quantizers:
            self.notes = (f"{self.name}: {len(self._quantizers)} operations quantize activations; that is left out, as it is done here",)

    def ann(self, shape: Shape) -> Ann:
        self.check_shape(shape)
        ann = self._reader.ann(shape)
        if self._quantizers:
            self._check_quantization(shape)
        return ann

    def problems(self, shape: Shape) -> tuple[LoihiconvError, ...]:
        try:
            self.check_shape(shape)
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
        return self._runtime(self.by_input(x), outputs)

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
