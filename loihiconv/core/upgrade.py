"""Files of older versions as today's version has them, on plain JSON.

Version 1 called the board ``hardware`` and kept what a conversion did in ``metadata``, a mapping of strings to anything. Its names are read
here and nowhere else. What is not as that version wrote it stays as it is, for the reader to refuse.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

_CALIBRATION = ("input_mean_square", "payload_errors")
"""Measured in calibration, but kept beside it."""


def upgraded(network: Any, version: int) -> Any:
    """The description of a network that a file of some version holds, as today's version has it."""
    if version > 1 or not isinstance(network, dict):
        return network
    renamed = {"board" if name == "hardware" else name: value for name, value in network.items() if name != "metadata"}
    record = {"record": _record(network["metadata"])} if "metadata" in network else {}
    return renamed | record | {"origin": upgraded(network.get("origin"), version)}


def _record(metadata: Any) -> Any:
    """The record that metadata stands for; what it does not know becomes a note, as anybody could add anything."""
    if not isinstance(metadata, dict):
        return metadata
    known = {name: _PARTS[name](value) for name, value in metadata.items() if name in _PARTS}
    measured = {name: metadata[name] for name in _CALIBRATION if name in metadata}
    if measured and isinstance(known.setdefault("calibration", _as("CalibrationSummary")({})), dict):
        known["calibration"] |= measured
    settings = metadata.get("settings")
    if isinstance(settings, dict) and settings.get("hold_back"):
        known["charge"] = settings.get("start")
    others = [f"{name}: {json.dumps(value)}" for name, value in metadata.items() if name not in (*_PARTS, *_CALIBRATION)]
    if others and isinstance(known.setdefault("notes", []), list):
        known["notes"] = known["notes"] + others
    return {"class": "ConversionRecord", **known}


def _unchanged(value: Any) -> Any:
    return value


def _as(name: str) -> Callable[[Any], Any]:
    return lambda value: {"class": name, **value} if isinstance(value, dict) else value


def _each(name: str) -> Callable[[Any], Any]:
    """Objects of a class, under names or one after the other."""

    def change(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: _as(name)(item) for key, item in value.items()}
        return [_as(name)(item) for item in value] if isinstance(value, list) else value

    return change


_PARTS: dict[str, Callable[[Any], Any]] = {
    "settings": _unchanged,
    "calibration": _as("CalibrationSummary"),
    "quantization": _each("LayerRecord"),
    "bounds": _each("WorstCase"),
    "search": _each("Trial"),
    "realization": _as("RealizationRecord"),
    "notes": _unchanged,
    "provenance": _unchanged,
    "saved": _unchanged,
}
"""Metadata that version 1 wrote, and what each part has become."""
