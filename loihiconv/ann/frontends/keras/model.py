"""The front end for Keras: a file as a `FloatModel`."""

from __future__ import annotations

from pathlib import Path

from loihiconv.ann.frontends.keras.network import read_file
from loihiconv.ann.frontends.keras.reference.evaluation import evaluate
from loihiconv.ann.frontends.keras.translation import translated
from loihiconv.ann.frontends.model import FloatModel
from loihiconv.ann.frontends.onnx.interpreter import Interpreter
from loihiconv.ann.frontends.torch_model import TorchModel
from loihiconv.ann.graph import Ann
from loihiconv.core.errors import InvalidData, LoihiconvError
from loihiconv.core.linear import Array, Shape


class KerasModel(FloatModel):
    """A ``.keras`` or HDF5 file of one input and one output. Samples are as the model takes them: channels last.

    Parameters
    ----------
    path : Path

    Raises
    ------
    LoihiconvError
        `InvalidModel` if the file is damaged or h5py is missing, `UnsupportedLayer` if it has several inputs or outputs or is a class.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.name
        self._network = read_file(path)
        self.sample_shape = self._network.sample_shape
        graph, self._problems = translated(self._network)
        self._reader: TorchModel | None = None
        if graph is not None:
            self._reader = TorchModel(Interpreter(graph, lambda batch: {}))
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
        """Outputs (N, classes), worked out in NumPy from what Keras says its layers do."""
        self._check(x.shape[1:])
        return evaluate(self._network, x)

    def _check(self, shape: Shape) -> None:
        declared = self._network.sample
        if len(declared) != len(shape) or any(n not in (None, m) for n, m in zip(declared, shape, strict=True)):
            raise InvalidData(
                f"samples of shape {tuple(shape)}",
                where=self.name,
                limit=f"the file takes ({', '.join('any' if n is None else str(n) for n in declared)})",
                remedy="arrange samples as the model takes them, channels last",
            )
