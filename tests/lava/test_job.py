"""A job's files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from loihiconv.lava.job import Job, Settings, finished_samples, read_records
from tests.lava.small import chain


def test_half_written_samples_are_not_read(tmp_path: Path) -> None:
    network, job = chain(timesteps=2), Job(tmp_path)
    assert finished_samples(job, network) == 0
    job.counts(1).write_bytes(np.array([[1, 2, 0], [2, 2, 1]], "<i4").tobytes())
    job.spikes(1).write_bytes(bytes([0b11000000, 0b01000000, 0b11100000, 0b11000000]))
    job.potentials.write_bytes(np.array([5, 6, 7], "<i4").tobytes())  # the second sample is half written
    records = read_records(job, network, Settings(samples=3, record_spikes=True))
    assert records.potentials.tolist() == [[5, 6]]
    assert records.spike_counts["hidden"].tolist() == [[1, 2, 0]]
    assert records.spikes["hidden"].astype(int).tolist() == [[[1, 1, 0], [0, 1, 0]]]
