"""The front end for networks that were fine-tuned here: see `loihiconv.finetuning`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from loihiconv.ann.evaluator import Evaluator, outputs_of
from loihiconv.ann.frontends.model import FloatModel
from loihiconv.ann.frontends.tuned_file import TunedFile, read_tuned, write_tuned
from loihiconv.ann.graph import Ann, Quantize
from loihiconv.core.errors import InvalidModel
from loihiconv.core.given import check_path
from loihiconv.core.linear import Array, Shape

BATCH = 128
"""Samples that are evaluated at a time."""


class TunedModel(FloatModel):
    """A network whose activations are rounded to the rates of T steps: it is converted, compared and swept like any other.

    Its file is the network, so that nothing is there to be misread; what rounding does to outputs is in `outputs`.

    Parameters
    ----------
    content : TunedFile
    name : str
        What messages call it.

    Attributes
    ----------
    timesteps : int
        That it was trained for.
    record : JSON values
        How it was trained: choices, samples, and the mean loss of each epoch.
    """

    def __init__(self, content: TunedFile, name: str = "fine-tuned network") -> None:
        self._content, self._ann, self.name = content, content.ann, name
        self.record: Mapping[str, Any] = content.record
        self.sample_shape = self._ann.sample_shape
        if len(self._ann.inputs) > 1:
            self.inputs = self._ann.input_parts
            self.input_names = tuple(part.name for part in self.inputs)
        self._evaluator = Evaluator(self._ann)
        self.timesteps = int(self.record["timesteps"])
        self.trained = (self.timesteps, 0 if self.record.get("rates") == "spikes" else self.timesteps)
        samples, epochs = int(self.record["samples"]), int(self.record["epochs"])
        trained = f"{epochs} {'epoch' if epochs == 1 else 'epochs'} on {samples:,} samples"
        self.notes = (f"fine-tuned for timesteps={self.timesteps}, {trained}; batch norms are folded",)

    @property
    def scales(self) -> dict[str, Array]:
        """λ of each rectified layer: what T spikes in T steps stand for."""
        return {node.name: np.asarray(node.scale) * node.high for node in self._ann if isinstance(node, Quantize)}

    @classmethod
    def read(cls, path: Path) -> TunedModel:
        """The network in a file that `save` has written.

        Raises
        ------
        InvalidModel
            If it cannot be read.
        """
        content = read_tuned(path)
        try:
            return cls(content, path.name)
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidModel("is damaged: its record says too little", where=str(path), remedy="copy it again") from error

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file, atomically: safetensors, with the network as JSON in them.

        Raises
        ------
        InvalidSetting
            If the file cannot be written.
        """
        check_path(path, "save")
        write_tuned(self._content, path)

    def with_inputs(self, parts: Any) -> FloatModel:
        return self if tuple(parts) == self.inputs or len(parts) == 1 else super().with_inputs(parts)

    def ann(self, shape: Shape) -> Ann:
        if tuple(shape) != self.sample_shape:
            raise InvalidModel(f"samples of shape {tuple(shape)}", where=self.name, limit=f"{self.sample_shape} expected")
        return self._ann

    def outputs(self, x: Array) -> Array:
        parts = [np.asarray(x[begin : begin + BATCH], np.float32) for begin in range(0, len(x), BATCH)]
        return np.concatenate([outputs_of(self._ann, self._evaluator(part)[0]).numpy() for part in parts])
