"""The record of a conversion: what is in it, and that results follow from its typed fields."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pytest
from hypothesis import given

import loihiconv as lc
from loihiconv.conversion.settings import Settings, settings_of
from loihiconv.core.network import IF, Network, Readout
from loihiconv.core.record import CalibrationSummary, ConversionRecord, RealizationRecord
from loihiconv.lava.chip.lif import slowed
from tests.conversion.small import data, small_cnn
from tests.strategies import records


@pytest.fixture(scope="module")
def net() -> Network:
    return lc.convert(small_cnn(), data(60), board="kapoho_point", timesteps=8, start=0.25)


@given(records())
def test_it_is_shown_as_json_without_what_is_not_known(record: ConversionRecord) -> None:
    shown = record.to_json()
    assert {f.name for f in fields(record) if getattr(record, f.name) is not None} == shown.keys()
    said = json.loads(json.dumps(shown, allow_nan=False))
    assert said["settings"] == dict(record.settings)
    assert [t["changed"] for t in said["search"]] == [dict(t.changed) for t in record.search]
    assert said["calibration"]["payload_errors"] == {str(key): value for key, value in record.calibration.payload_errors.items()}


def test_nothing_in_it_can_be_set(net: Network) -> None:
    with pytest.raises(FrozenInstanceError):
        net.record.charge = 1.0  # type: ignore[misc]


def test_a_conversion_fills_it(net: Network) -> None:
    record, integrating = net.record, [p.name for p in net.populations if isinstance(p, (IF, Readout))]
    assert settings_of(record) == Settings(8, start=0.25, maxpool="relu-tree")
    assert record.charge == 0.25
    assert (record.calibration.samples, list(record.quantization), list(record.bounds)) == (60, integrating, integrating)
    assert record.provenance["loihiconv"] == lc.__version__
    assert (record.search, record.realization, record.saved) == ((), None, {})
    assert net.origin is not None
    assert net.origin.record == replace(record, quantization={}, bounds={}, notes=net.origin.record.notes)


def test_layers_say_their_gain(net: Network) -> None:
    for population in net.populations:
        if isinstance(population, IF):
            assert population.vth == net.record.quantization[population.name].gain


def test_no_settings_or_other_ones_than_this_version_has() -> None:
    assert settings_of(ConversionRecord()) is None
    assert settings_of(ConversionRecord({"timesteps": 4})) == Settings(4)
    assert settings_of(ConversionRecord({"timesteps": 4, "temperature": 300})) is None
    assert settings_of(ConversionRecord({"timesteps": 4, "reset": "halve"})) is None


def test_charge_that_was_held_back_returns_where_neurons_are_slowed_down(net: Network) -> None:
    assert net.origin is not None
    spiking = [p for p in slowed(net.origin).populations if isinstance(p, IF)]
    assert all((p.v_init == np.float32(0.25)).all() for p in spiking)
    unknown = slowed(replace(net.origin, record=ConversionRecord()))
    assert [p.v_init.tolist() for p in unknown.populations[1:]] == [p.v_init.tolist() for p in net.origin.populations[1:]]  # type: ignore[union-attr]


def test_nothing_is_known_of_calibration_at_first() -> None:
    """Then inputs count as uniformly distributed, and payloads as rounded numbers of any size."""
    assert ConversionRecord().calibration == CalibrationSummary(0, {}, {}, 1 / 3, {})


def test_a_realization_says_what_it_did() -> None:
    assert RealizationRecord("native").to_json() == {"name": "native", "quantized_again": False}
    slow = RealizationRecord("lif", quantized_again=True, ratio=4.0)
    assert slow.to_json() == {"name": "lif", "quantized_again": True, "ratio": 4.0}
