"""Products of sparse maps on the CPU: for each output its few weights, times many rows of spikes or payloads at once.

A row alone would be gathered value by value. So `ROWS` rows are laid side by side, and a synapse is one multiplication of as many
numbers. Sums are float32, which is exact wherever `loihiconv.simulator.synapses` may use it, and added in the order of inputs, however
rows are cut.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from loihiconv.core.linear import Sparse
from loihiconv.simulator.compiled import compiled
from loihiconv.simulator.vectors import converted, fill, load, store

ROWS = 32
"""Multiplied together: two of the widest registers of float32 that processors have."""
TOGETHER = 16
"""Outputs that are written together: a cache line of float32."""
LINE = 64
"""Bytes of a cache line."""


class SparseProduct:
    """A sparse map, ready to run.

    Parameters
    ----------
    linear : Sparse
        Between vectors in the simulator's order; see `loihiconv.simulator.layout.sparse_channels_last`.
    unit : float
        What weights are multiplied with.
    """

    def __init__(self, linear: Sparse, unit: float) -> None:
        (outputs,) = linear.outputs
        self.outputs = outputs
        self.starts = np.searchsorted(linear.rows, np.arange(outputs + 1)).astype(np.int64)
        self.columns = linear.columns.astype(np.int64) * ROWS
        self.weight = linear.weight.astype(np.float32) * np.float32(unit)

    def __call__(self, messages: torch.Tensor) -> torch.Tensor:
        """Sums (N, outputs) in float32 of uint8 or float32 messages (N, inputs)."""
        out = np.empty((len(messages), self.outputs), np.float32)
        _multiply(messages.contiguous().numpy(), self.starts, self.columns, self.weight, out)
        return torch.from_numpy(out)


@compiled
def _multiply(messages: Any, starts: Any, columns: Any, weight: Any, out: Any) -> None:
    rows, outputs = out.shape
    beside = np.zeros(messages.shape[1] * ROWS, messages.dtype)
    sums = np.empty(ROWS * TOGETHER, np.float32)
    for begin in range(0, rows, ROWS):
        here = min(ROWS, rows - begin)
        _lay_beside(messages, begin, here, beside)
        for first in range(0, outputs, TOGETHER):
            count = min(TOGETHER, outputs - first)
            for i in range(count):
                total = fill(np.float32(0), ROWS)
                for k in range(starts[first + i], starts[first + i + 1]):
                    total = total + fill(weight[k], ROWS) * converted(load(beside, columns[k], ROWS), total)
                store(sums, i * ROWS, total)
            for r in range(here):
                for i in range(count):
                    out[begin + r, first + i] = sums[i * ROWS + r]


@compiled
def _lay_beside(messages: Any, begin: int, here: int, beside: Any) -> None:
    """Some rows, value by value. A cache line of each is read at a time: rows may be a power of two apart, and then share few lines."""
    inputs = messages.shape[1]
    for first in range(0, inputs, LINE):
        last = min(first + LINE, inputs)
        for r in range(here):
            for i in range(first, last):
                beside[i * ROWS + r] = messages[begin + r, i]
