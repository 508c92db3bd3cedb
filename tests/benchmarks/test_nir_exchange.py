"""Events that stand for recordings."""

from __future__ import annotations

import numpy as np

from benchmarks.nir_exchange import EVENTS, STEPS, events, moved


def test_every_sample_has_as_many_events_as_a_recording() -> None:
    images = np.random.default_rng(0).random((3, 1, 28, 28), np.float32)
    found = events(images)
    assert found.shape == (3, 2, 34, 34)
    np.testing.assert_allclose(found.sum(axis=(1, 2, 3)), EVENTS / STEPS, rtol=1e-4)
    np.testing.assert_allclose(found[:, 0].sum(), found[:, 1].sum(), rtol=1e-3)  # the way ends where it began


def test_images_move_by_parts_of_pixels() -> None:
    frames = np.zeros((1, 5, 5), np.float32)
    frames[0, 2, 2] = 1
    after = moved(frames, 0.25, -1.0)
    assert after[0, 2, 1] == 0.75
    assert after[0, 3, 1] == 0.25
