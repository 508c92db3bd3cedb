"""Metadata of version 1 becomes the record; see also `tests.test_v0_fixtures`, with files that version wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loihiconv.core.artifact import load
from loihiconv.core.network import save
from loihiconv.core.record import CalibrationSummary, ConversionRecord, LayerRecord, RealizationRecord, Trial, WorstCase
from loihiconv.core.upgrade import upgraded
from tests.core.test_lnet import edited, network, refusal, saved

__all__ = ["network", "saved"]  # fixtures

METADATA: dict[str, Any] = {
    "saved": {"numpy": "1.26.4"},
    "settings": {"start": 0.25, "hold_back": 0.5},
    "calibration": {"samples": 3, "scales": {"conv": [1.5]}, "largest": {"conv": 2.0}},
    "input_mean_square": 0.2,
    "payload_errors": {"15": 0.03},
    "notes": ["a note"],
    "provenance": {"torch": "2.14"},
    "quantization": {"conv": {"gain": 300.0, "limited_by": "bias", "weight_bits_used": 7.5}},
    "bounds": {"conv": {"sum": 9.0, "v": 99.0}},
    "search": [{"step": "start", "changed": {}, "timesteps": 8, "agreement": 0.5, "divergence": 0.25, "kept": True}],
    "realization": {"name": "lif", "quantized_again": True, "ratio": 4.0},
}
RECORD = ConversionRecord(
    {"start": 0.25, "hold_back": 0.5},
    0.25,
    CalibrationSummary(3, {"conv": (1.5,)}, {"conv": 2.0}, 0.2, {15: 0.03}),
    {"conv": LayerRecord(300.0, "bias", 7.5)},
    {"conv": WorstCase(9.0, 99.0)},
    (Trial("start", {}, 8, 0.5, 0.25, True),),
    RealizationRecord("lif", quantized_again=True, ratio=4.0),
    ("a note",),
    {"torch": "2.14"},
    {"numpy": "1.26.4"},
)


def aged(path: Path, metadata: Any) -> Path:
    """The file as version 1 would have written it."""

    def edit(description: dict[str, Any]) -> None:
        description["version"] = 1
        net = description["network"]
        del net["record"]
        net.update(hardware=net.pop("board"), metadata=metadata)

    return edited(path, edit)


def test_every_part_of_the_metadata_has_its_field(saved: Path) -> None:
    assert load(aged(saved, METADATA)).record == RECORD


def test_an_origin_is_upgraded_too() -> None:
    old = {
        "class": "Network",
        "hardware": "b",
        "metadata": {},
        "origin": {"class": "Network", "hardware": "", "metadata": {"notes": ["n"]}},
    }
    assert upgraded(old, 1) == {
        "class": "Network",
        "board": "b",
        "record": {"class": "ConversionRecord"},
        "origin": {"class": "Network", "board": "", "record": {"class": "ConversionRecord", "notes": ["n"]}, "origin": None},
    }


@pytest.mark.parametrize("settings", [{}, {"settings": {"start": 0.5}}, {"settings": {"start": 0.5, "hold_back": 0.0}}])
def test_without_charge_that_was_held_back_there_is_none(saved: Path, settings: dict[str, Any]) -> None:
    assert load(aged(saved, settings)).record == ConversionRecord(settings.get("settings", {}))


@pytest.mark.parametrize(
    ("metadata", "notes"),
    [({"notes": ["a note"], "dataset": {"name": "digits"}}, ("a note", 'dataset: {"name": "digits"}')), ({"mine": 1}, ("mine: 1",))],
)
def test_what_a_user_added_becomes_a_note(saved: Path, metadata: dict[str, Any], notes: tuple[str, ...]) -> None:
    assert load(aged(saved, metadata)).record.notes == notes


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (None, "network.record is of an unknown kind"),
        ([1], "network.record is of an unknown kind"),
        ({"settings": 1}, "network.record.settings is 1"),
        ({"calibration": [1], "input_mean_square": 1.0}, "network.record.calibration is of an unknown kind"),
        ({"calibration": {"size": 1}}, "network.record.calibration has an unknown field 'size'"),
        ({"payload_errors": {"all": 1}}, "network.record.calibration.payload_errors"),
        ({"quantization": 1}, "network.record.quantization is 1"),
        ({"quantization": {"conv": 1}}, "network.record.quantization.conv is of an unknown kind"),
        ({"search": {"step": "start"}}, "network.record.search"),
        ({"notes": "a", "mine": 1}, "network.record.notes is 'a'"),
    ],
)
def test_what_version_1_never_wrote_is_refused(saved: Path, metadata: Any, message: str) -> None:
    assert message in refusal(aged(saved, metadata))


def test_a_file_of_today_needs_nothing(saved: Path) -> None:
    before = load(saved)
    save(before, saved)
    assert load(saved).record == before.record
