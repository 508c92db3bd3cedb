"""What onnxruntime computes: the reference that a read ONNX file is held against."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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
        entries = [value for value in self._session.get_inputs() if value.name not in constants]
        for entry in entries:
            if entry.type not in _TYPES:
                raise InvalidModel(f"takes {entry.type}", where=f"{path}: {entry.name}", limit="floats expected")
        self._types = {entry.name: _TYPES[entry.type] for entry in entries}
        first = entries[0].shape
        self._batch = first[0] if first and isinstance(first[0], int) else None

    def __call__(self, inputs: Mapping[str, Array], outputs: Sequence[str]) -> Array:
        """Outputs (N, values), one after the other, for samples {input: (N, \\*shape)}; a batch of a fixed size is filled up with zeros."""
        size, samples = self._batch or BATCH, len(next(iter(inputs.values())))
        parts = [{name: x[i : i + size] for name, x in inputs.items()} for i in range(0, samples, size)]
        return np.concatenate([self._run(part, outputs) for part in parts])

    def _run(self, inputs: Mapping[str, Array], outputs: Sequence[str]) -> Array:
        samples = len(next(iter(inputs.values())))
        try:
            batch = {name: self._filled(x).astype(self._types[name]) for name, x in inputs.items()}
            results = self._session.run(list(outputs), batch)
        except Exception as error:
            raise self._failed(error) from error
        return np.concatenate([self._rows(result, samples) for result in results], axis=1)

    def _filled(self, x: Array) -> Array:
        x = np.asarray(x, np.float32)
        return x if not self._batch else np.concatenate([x, np.zeros((self._batch - len(x), *x.shape[1:]), np.float32)])

    def _rows(self, result: Any, samples: int) -> Array:
        expected = self._batch or samples
        if not isinstance(result, np.ndarray) or result.shape[:1] != (expected,):
            raise InvalidModel(
                f"returns {np.shape(result)} for {expected} samples", where=str(self._path), limit="a result for each expected"
            )
        return result[:samples].reshape(samples, -1).astype(np.float32)

    def _failed(self, error: Exception) -> InvalidModel:
        said = (str(error).splitlines() or [""])[0]
        if newest := re.search(r"till opset (\d+)", said):
            remedy = f"update onnxruntime, or export the model again with opset_version={newest[1]}"
            what, limit = "has a later opset than this onnxruntime knows", f"at most {newest[1]} expected"
            return InvalidModel(what, where=str(self._path), limit=limit, remedy=remedy)
        return InvalidModel(
            f"cannot be run by onnxruntime: {said}", where=str(self._path), remedy="check it with onnx.checker, or export it again"
        )
