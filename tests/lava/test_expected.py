"""What a self-test compares with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.core.errors import ArtifactError
from loihiconv.lava.expected import Expected, first_difference
from tests.lava.small import chain

X = np.array([[1.0, 0, 2, 3], [255, 255, 0, 0]])


def test_the_first_population_that_differs() -> None:
    network = chain()
    spikes = {"hidden": np.zeros((2, 8, 3), bool)}
    assert first_difference(network, spikes, spikes) is None
    found = {"hidden": spikes["hidden"].copy()}
    found["hidden"][1, 4, 2] = found["hidden"][1, 5, 0] = True
    text = "population hidden: 2 of 48 spikes differ, the first in step 5 of sample 1, neuron (2,)"
    assert first_difference(network, spikes, found) == text


def test_it_comes_back_from_its_file(tmp_path: Path) -> None:
    network = chain(weight=2)
    recording = lc.run(network, X, record=["spikes"])
    digests = {"hidden": np.array("0a"), "layers": np.array(["1", "2"])}
    replace(Expected.of(X, recording), digests=digests).write(tmp_path / "a.npz")
    read = Expected.read(tmp_path / "a.npz", network)
    assert read.difference(network, recording) is None
    assert {name: values.tolist() for name, values in read.digests.items()} == {"hidden": "0a", "layers": ["1", "2"]}
    assert str(read) == f"{int(recording.spikes['hidden'].sum())} spikes and 4 potentials of 2 samples equal"
    other = replace(recording, potentials=recording.potentials + np.array([0, 1]))
    assert read.difference(network, other) == "population readout: 2 of 4 potentials differ, all spikes are equal"
    (tmp_path / "a.npz").write_bytes(b"PK")
    with pytest.raises(ArtifactError, match=r"a\.npz: cannot be read"):
        Expected.read(tmp_path / "a.npz", network)
