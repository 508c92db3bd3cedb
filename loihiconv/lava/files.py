"""What processes read from a job's folder while they run, and write into it; see `job` for the formats."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np

from loihiconv.core.linear import Array
from loihiconv.lava.faults import VARIABLE, reached


class Samples:
    """Rows of a ``.npy`` file (N, \\*shape), channels first, as Lava's arrays; mapped, so one sample is read at a time."""

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self._rows, self._shape = np.load(path, mmap_mode="r"), shape

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, sample: int) -> Array:
        return np.ascontiguousarray(self._rows[sample].reshape(self._shape[::-1]).T, dtype=np.int32)


class SpikeRecorder:
    """Counts spikes of a population, and keeps all of them where that is wanted.

    Parameters
    ----------
    parameters : mapping
        Of the process: "shape", "window", "counts" and "spikes".
    """

    def __init__(self, parameters: Any) -> None:
        self.window, self.counts_file, self.spikes_file = parameters["window"], parameters["counts"], parameters["spikes"]
        self.counts = np.zeros((2, *parameters["shape"][::-1]), np.int32)
        self.raster: list[Array] = []

    def record(self, spikes: Array, step: int) -> None:
        """Take the bool spikes, or payloads of one byte, of one step of a window; at its end, write."""
        graded, spikes = spikes.dtype != bool, spikes.T
        self.counts[0] += spikes != 0
        if graded:
            self.counts[1] += spikes
        if self.spikes_file:
            self.raster.append(spikes.flatten() if graded else np.packbits(spikes.ravel()))
        if not self.window.is_last(step):
            return
        if self.spikes_file:
            append(self.spikes_file, np.concatenate(self.raster))
            self.raster = []
        append(self.counts_file, self.counts if graded else self.counts[0])
        self.counts[:] = 0


class PotentialRecorder:
    """Writes a readout's potentials at the end of each window, and after every step where that is wanted.

    Parameters
    ----------
    parameters : mapping
        Of the process: "window", "potentials" and "course".
    delay : int
        Steps of each window whose potentials count as 0.
    """

    def __init__(self, parameters: Any, delay: int = 0) -> None:
        self.window, self.delay = parameters["window"], delay
        self.file, self.course_file = parameters["potentials"], parameters["course"]
        self.course: list[Array] = []

    def wants(self, time_step: int) -> bool:
        """Whether the potentials after a step of the run are to be written."""
        place = self.window.locate(time_step)
        return place is not None and (self.course_file is not None or self.window.is_last(place[1]))

    def record(self, potentials: Array, time_step: int) -> None:
        """Take the potentials after a step that is wanted."""
        _, step = self.window.locate(time_step)
        values = np.array(potentials.T.ravel(), "<i4")
        if self.course_file is not None:
            self.course.append(values if step >= self.delay else np.zeros_like(values))
        if not self.window.is_last(step):
            return
        if self.course_file is not None:
            append(self.course_file, np.stack(self.course))
            self.course = []
        append(self.file, values)


def sign_extended(values: Array) -> Array:
    """24-bit registers as int32: what comes off a chip has zeros where the sign should go on.

    (x << 8) >> 8 in 32 bits, arithmetically; numbers that already carry their sign stay as they are.
    """
    return np.asarray(np.right_shift(np.left_shift(np.asarray(values).astype(np.int64).astype(np.int32), 8), 8))


def append(path: Path, values: Array) -> None:
    """Append one sample in a single write, so that a reader meets whole samples but for the last one.

    Raises
    ------
    OSError
        If it cannot be written whole: a full disk takes as much as fits and says nothing.
    """
    data = np.ascontiguousarray(values).data.cast("B")
    with path.open("ab", buffering=0) as file:
        reached("sample")
        if os.environ.get(VARIABLE):
            file.write(data[: len(data) // 2])
            reached("write")
            data = data[len(data) // 2 :]
        if file.write(data) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
