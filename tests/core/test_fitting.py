"""Samples of files as a network takes them: what is stored is applied, and what differs from it refused."""

from __future__ import annotations

import numpy as np
import pytest

from loihiconv.core.errors import InvalidSetting
from loihiconv.core.fitting import completed, fitted
from loihiconv.core.input_checks import Seen, input_doubts
from loihiconv.core.input_coding import preprocessed
from loihiconv.core.preprocessing import BYTE, Preprocessing
from tests.core.test_input_checks import network
from tests.core.test_preprocessing import tiny

NONE, NOTHING = Preprocessing(), frozenset[str]()
BYTES = np.random.default_rng(0).integers(0, 256, (4, 2, 3)).astype(np.uint8)
STORED = Preprocessing(0.5, 0.25, BYTE, "HW")


def test_bytes_are_images() -> None:
    assert completed(NONE, NOTHING, BYTES, None) == Preprocessing(scale=BYTE, layout="HW")
    assert completed(NONE, NOTHING, BYTES / 255, None) == NONE
    assert completed(NONE, NOTHING, BYTES / 255, (1, 2, 3)).layout == "HW->CHW"
    assert completed(Preprocessing(0.5, layout="HW"), frozenset(("mean", "layout", "scale")), BYTES, None).scale == 1


def test_what_is_stored_is_done() -> None:
    net = tiny().with_preprocessing(STORED)
    same, x, notes = fitted(net, BYTES, NONE, NOTHING)
    assert (same, x is BYTES) == (net, True)
    assert notes == ("preprocessing, stored in the network: x / 255, then (x - 0.5) / 0.25, HW -> CHW",)
    other, x, _ = fitted(net, BYTES[:, None], Preprocessing(0.5), frozenset(("mean",)))  # the same again, and channels first
    np.testing.assert_array_equal(preprocessed(other.input, x), STORED.apply(BYTES))
    with pytest.raises(InvalidSetting, match=r"mean 0\.1 given, 0\.5 stored"):
        fitted(net, BYTES, Preprocessing(0.1), frozenset(("mean",)))


def test_a_network_that_has_none_gets_samples_as_before() -> None:
    net, x, notes = fitted(tiny(), BYTES, Preprocessing(0.5, 0.25), frozenset(("mean", "std")))
    np.testing.assert_array_equal(x, STORED.apply(BYTES))
    assert (net.input.preprocessing, notes) == (None, ("preprocessing: x / 255, then (x - 0.5) / 0.25, HW -> CHW",))


def test_bytes_are_divided_where_calibration_was() -> None:
    x = np.random.default_rng(1).integers(0, 256, (40, 1, 4, 4)).astype(np.uint8)
    for stored in (None, Preprocessing(0.5), Preprocessing(128)):
        seen, scale = Seen(), 255.0 if stored == Preprocessing(128) else 1.0
        seen.add(preprocessed(network(stored).input, x * (scale / 255)))
        calibrated = network(stored, seen.summary, scale=max(seen.summary.largest, -seen.summary.smallest), signed=True)
        net, y, notes = fitted(calibrated, x, NONE, NOTHING)
        assert input_doubts(net, y) is None
        assert any("divided by 255" in note or "x / 255" in note for note in notes) == (scale == 1)
    net, y, _ = fitted(network(scale=255.0), x, NONE, NOTHING)  # calibrated on 0 to 255
    assert y.max() == 255
