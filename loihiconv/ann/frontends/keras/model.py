"""The front end for Keras: a file as a `FloatModel`."""

from __future__ import annotations

from pathlib import Path

from loihiconv.ann.frontends.file_model import FileModel
from loihiconv.ann.frontends.keras.network import read_file
from loihiconv.ann.frontends.keras.reference.evaluation import evaluate
from loihiconv.ann.frontends.keras.translation import translated
from loihiconv.ann.frontends.onnx.interpreter import Interpreter
from loihiconv.ann.frontends.torch_model import TorchModel
from loihiconv.ann.graph import Ann
from loihiconv.core.errors import LoihiconvError
from loihiconv.core.linear import Array, Shape


class KerasModel(FileModel):
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
        self._network = read_file(path)
        graph, self._problems = translated(self._network)
        reader = None if graph is None else TorchModel(Interpreter(graph, lambda batch: {}))
        arrange = "arrange samples as the model takes them, channels last"
        super().__init__(path, self._network.inputs, self._network.samples, reader, arrange)

    def ann(self, shape: Shape) -> Ann:
        self.check_shape(shape)
        if self._reader is None:
            raise self._problems[0]
        return self._reader.ann(shape)

    def problems(self, shape: Shape) -> tuple[LoihiconvError, ...]:
        try:
            self.check_shape(shape)
        except LoihiconvError as error:
            return (error,)
        return self._problems if self._reader is None else self._reader.problems(shape)

    def outputs(self, x: Array) -> Array:
        """Outputs (N, values), worked out in NumPy from what Keras says its layers do."""
        self.check_shape(x.shape[1:])
        return evaluate(self._network, self.by_input(x))
