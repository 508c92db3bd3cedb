"""What a recording says of itself."""

from __future__ import annotations

import numpy as np

from loihiconv.core.recording import Recording


def test_graded_spikes_send_payloads_and_binary_ones_themselves() -> None:
    counts, sums = {"a": np.array([[1, 2]]), "b": np.array([[3]])}, {"a": np.array([[7, 9]])}
    recording = Recording(np.array([0]), np.zeros((1, 2)), counts, 4, "test", {}, 0.0, 0.0, payload_sums=sums)
    assert recording.sent("a").tolist() == [[7, 9]]
    assert recording.sent("b").tolist() == [[3]]
    assert len(recording) == 1
