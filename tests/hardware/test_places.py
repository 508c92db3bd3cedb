"""Which neurons synapses join, against every synapse looked at by itself."""

from __future__ import annotations

from itertools import product

import numpy as np

from loihiconv.core.linear import from_matrix
from loihiconv.hardware.places import Places

SOURCE, TARGET = (2, 3, 4), (4, 3, 2)


def test_lists_and_reached_boxes() -> None:
    present = np.random.default_rng(0).random((24, 24)) < 0.15
    places = Places(from_matrix(present.astype(np.float32), TARGET, SOURCE), SOURCE, TARGET)
    boxes = ((0, 1), (1, 4)), ((0, 3),), ((0, 1), (1, 2))
    reached = places.reached(boxes)
    assert reached.shape == (4, *SOURCE)
    written_out = present.reshape(*TARGET, *SOURCE)
    for box, found in zip(product(*boxes), reached, strict=True):
        synapses = written_out[tuple(slice(*interval) for interval in box)].sum(axis=(0, 1, 2))
        sources, counts = places.lists(box)
        np.testing.assert_array_equal(sources, np.flatnonzero(synapses))
        np.testing.assert_array_equal(counts, synapses.ravel()[sources])
        np.testing.assert_array_equal(found, synapses > 0)
    np.testing.assert_array_equal(places.neuron_copies(boxes), reached.sum(axis=0))
    np.testing.assert_array_equal(places.pixel_copies(boxes, (1, 2)), reached[:, 1].sum(axis=0))
    np.testing.assert_array_equal(places.pixel_copies(boxes, (0, 2)), reached.any(axis=1).sum(axis=0))
