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
from loihiconv.ann.frontends.onnx.types import computes_in_half, takes_bytes
from loihiconv.ann.frontends.torch_model import TorchModel
from loihiconv.ann.graph import Ann
from loihiconv.core.errors import InvalidData, LoihiconvError, UnsupportedLayer
from loihiconv.core.linear import Array, Shape


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
        self.takes_bytes = takes_bytes(proto)
        self._half = computes_in_half(proto)

    def ann(self, shape: Shape) -> Ann:
        self.check_shape(shape)
        return self._reader.ann(shape)

    def problems(self, shape: Shape) -> tuple[LoihiconvError, ...]:
        try:
            self.check_shape(shape)
            return self._reader.problems(shape) or super().problems(shape)
        except LoihiconvError as error:
            return (error,)

    def outputs(self, x: Array) -> Array:
        """Outputs (N, values) as onnxruntime computes them."""
        if self.takes_bytes and not ((x >= 0) & (x <= 255) & (x == np.rint(x))).all():
            remedy = "give the bytes as they are, not divided and not normalized (--input-scale 1): the file does that itself"
            raise InvalidData("samples that are no bytes", where=self.name, limit="whole numbers from 0 to 255 expected", remedy=remedy)
        if self._runtime is None:
            self._try(x[:1])
            self._runtime = Runtime(self.path)
        outputs = self._graph.outputs
        if len(outputs) > 1:
            outputs = self._reader.chosen(x.shape[1:]).names
        return self._runtime(self.by_input(x), outputs)

    @property
    def epsilon(self) -> float:
        return float(np.finfo(np.float16).eps) if self._half else super().epsilon

    def _try(self, x: Array) -> None:
        """Carry the file out here first: onnxruntime trusts files, and ends the process on some that contradict themselves."""
        with suppress(UnsupportedLayer):
            self._reader.outputs(x)
