"""What onnxruntime computes: the reference that a read ONNX file is held against."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from loihiconv.core.errors import InvalidModel
from loihiconv.core.linear import Array

BATCH = 256
"""Samples that are evaluated at a time, where the file leaves that open."""
_SILENT = 4
"""Log level: an error comes as an exception and need not be printed too."""
_TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}


class Runtime:
    """An ONNX file in onnxruntime, on the CPU.

    Parameters
    ----------
    path : Path

    Raises
    ------
    InvalidModel
        If onnxruntime is missing or refuses the file.
    """

    def __init__(self, path: Path) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise InvalidModel("onnxruntime is needed for this file", where=str(path), remedy="pip install loihiconv[onnx]") from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _SILENT
        # What it rewrites beyond that may compute in fewer bits than the file says.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        self._path = path
        try:
            self._session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions have no common base
            raise self._failed(error) from error
        constants = {value.name for value in self._session.get_overridable_initializers()}
        entry = next(value for value in self._session.get_inputs() if value.name not in constants)
        if entry.type not in _TYPES:
            raise InvalidModel(f"takes {entry.type}", where=f"{path}: {entry.name}", limit="floats expected")
        self._name, self._type = entry.name, _TYPES[entry.type]
        self._batch = entry.shape[0] if entry.shape and isinstance(entry.shape[0], int) else None

    def __call__(self, x: Array) -> Array:
        """Outputs (N, classes) for samples (N, \\*shape); a batch of a fixed size is filled up with zeros."""
        size = self._batch or BATCH
        return np.concatenate([self._run(x[i : i + size]) for i in range(0, len(x), size)])

    def _run(self, x: Array) -> Array:
        batch = np.asarray(x, np.float32).astype(self._type)
        if self._batch:
            batch = np.concatenate([batch, np.zeros((self._batch - len(x), *x.shape[1:]), self._type)])
        try:
            (result,) = self._session.run(None, {self._name: batch})
        except Exception as error:
            raise self._failed(error) from error
        if not isinstance(result, np.ndarray) or result.shape[:1] != batch.shape[:1]:
            raise InvalidModel(
                f"returns {np.shape(result)} for {len(batch)} samples", where=str(self._path), limit="a result for each expected"
            )
        return result[: len(x)].reshape(len(x), -1).astype(np.float32)

    def _failed(self, error: Exception) -> InvalidModel:
        said = (str(error).splitlines() or [""])[0]
        return InvalidModel(
            f"cannot be run by onnxruntime: {said}", where=str(self._path), remedy="check it with onnx.checker, or export it again"
        )
