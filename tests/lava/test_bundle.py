"""The deployed folder's own program."""

from __future__ import annotations

import numpy as np

from loihiconv.lava.bundle import first_difference
from tests.lava.small import chain


def test_the_first_population_that_differs():
    network = chain()
    spikes = {"hidden": np.zeros((2, 8, 3), bool)}
    assert first_difference(network, spikes, spikes) is None
    found = {"hidden": spikes["hidden"].copy()}
    found["hidden"][1, 4, 2] = found["hidden"][1, 5, 0] = True
    text = "population hidden: 2 of 48 spikes differ, the first in step 5 of sample 1, neuron (2,)"
    assert first_difference(network, spikes, found) == text
