"""What processes read and write, without Lava."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from loihiconv.lava.files import PotentialRecorder, Samples, SpikeRecorder, append, sign_extended
from loihiconv.lava.window import Window


def test_samples_come_one_at_a_time_in_lavas_order(tmp_path: Path) -> None:
    x = np.arange(24, dtype=np.int16).reshape(2, 3, 2, 2)  # two images of 3 channels
    np.save(tmp_path / "x.npy", x)
    sample = Samples(tmp_path / "x.npy", (2, 2, 3))[1]
    assert (sample.dtype, sample.shape) == (np.int32, (2, 2, 3))
    assert sample[1, 0, 2] == x[1, 2, 0, 1]  # (W, H, C) of (C, H, W)


def test_spikes_are_counted_and_written_at_a_windows_end(tmp_path: Path) -> None:
    counts, spikes = tmp_path / "counts", tmp_path / "spikes"
    recorder = SpikeRecorder({"window": Window(timesteps=2, depth=1, samples=1), "shape": (3,), "counts": counts, "spikes": spikes})
    recorder.record(np.array([True, False, True]), 0)
    assert not counts.exists()
    recorder.record(np.array([False, False, True]), 1)
    assert np.fromfile(counts, "<i4").tolist() == [1, 0, 2]
    assert [f"{byte:08b}" for byte in spikes.read_bytes()] == ["10100000", "00100000"]


def test_payloads_are_counted_and_summed(tmp_path: Path) -> None:
    counts = tmp_path / "counts"
    recorder = SpikeRecorder({"window": Window(timesteps=2, depth=1, samples=1), "shape": (2,), "counts": counts, "spikes": None})
    for step, payloads in enumerate(([7, 0], [2, 3])):
        recorder.record(np.array(payloads, np.uint8), step)
    assert np.fromfile(counts, "<i4").reshape(2, 2).tolist() == [[2, 1], [9, 3]]


def test_samples_are_appended_whole(tmp_path: Path) -> None:
    for values in ([1, 2], [3]):
        append(tmp_path / "f", np.array(values, "<i4"))
    assert np.fromfile(tmp_path / "f", "<i4").tolist() == [1, 2, 3]


def test_potentials_are_written_at_a_windows_end(tmp_path: Path) -> None:
    """Of a readout of depth 2 that lets the first of 3 steps pass."""
    window, end, course = Window(timesteps=3, depth=2, samples=2), tmp_path / "end", tmp_path / "course"
    for with_course in (None, course):
        end.unlink(missing_ok=True)
        recorder = PotentialRecorder({"window": window, "potentials": end, "course": with_course}, delay=1)
        wanted = [step for step in range(1, 12) if recorder.wants(step)]
        assert wanted == ([5, 8] if with_course is None else [3, 4, 5, 6, 7, 8])
        for step in wanted:
            recorder.record(np.array([step, -step]), step)
        assert np.fromfile(end, "<i4").tolist() == [5, -5, 8, -8]
    assert np.fromfile(course, "<i4").tolist() == [0, 0, 4, -4, 5, -5, 0, 0, 7, -7, 8, -8]


def test_signs_of_24_bit_registers() -> None:
    assert sign_extended(np.array([5, 2**23 - 1, 2**24 - 1, 2**23, -7.0])).tolist() == [5, 2**23 - 1, -1, -(2**23), -7]
