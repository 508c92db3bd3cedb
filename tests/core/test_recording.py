"""What a recording says of itself."""

from __future__ import annotations

import numpy as np

from loihiconv.core.recording import Recording
from loihiconv.core.saturation import Saturation


def test_graded_spikes_send_payloads_and_binary_ones_themselves() -> None:
    counts, sums = {"a": np.array([[1, 2]]), "b": np.array([[3]])}, {"a": np.array([[7, 9]])}
    recording = Recording(np.array([0]), np.zeros((1, 2)), counts, 4, "test", {}, 0.0, 0.0, payload_sums=sums)
    assert recording.sent("a").tolist() == [[7, 9]]
    assert recording.sent("b").tolist() == [[3]]
    assert len(recording) == 1


def test_says_what_it_is_in_a_line_and_more_on_request() -> None:
    saturated = (Saturation("out", "potentials", np.array([1, 0]), np.array([0, 0]), 3),)
    recording = Recording(np.zeros(2, int), np.zeros((2, 3)), {}, 8, "emulator", {"a": 0.25}, 0.25, 1234.4, saturated=saturated)
    assert (
        repr(recording)
        == "<Recording, emulator, 2 samples, T = 8: 25.00 % of neurons spike at a step, 1,234 synaptic operations per sample>"
    )
    assert recording.summary().splitlines()[3].split() == ["a", "25.00", "%"]
    assert "out: potentials of 1 of 2 samples and" in recording.summary()
    deep = tuple(Saturation(f"p{i}", "hidden potentials", np.array([i]), np.array([0]), 9) for i in range(1, 9))
    many = Recording(np.zeros(1, int), np.zeros((1, 3)), {}, 8, "emulator", {}, 0.0, 0.0, saturated=deep)
    assert "p8: " in many.remarks()[-1]
    assert many.remarks()[-1].endswith("5 more populations")
    assert len(many.remarks()) == 2
    uncounted = Recording(np.zeros(2, int), np.zeros((2, 3)), {}, 8, "emulator", {}, float("nan"), float("nan"))
    assert uncounted.summary() == "Recording, emulator, 2 samples, T = 8: spikes not counted"
