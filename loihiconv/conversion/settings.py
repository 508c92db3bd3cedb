"""Every choice that a conversion leaves open, checked, in one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from loihiconv.ann.passes.maxpool import MaxPooling
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.network import PAYLOAD_LIMIT, Coding, Decision, Estimate, Reset
from loihiconv.core.random_streams import SEED_LIMIT
from loihiconv.core.record import ConversionRecord

Optimize: TypeAlias = Literal["none", "default", "accuracy", "latency"]
ScaleRule: TypeAlias = Literal["percentile", "mse", "balanced"]
Rounding: TypeAlias = Literal["auto", "nearest", "first", "adaptive"]

CHOICES: Mapping[str, tuple[str, ...]] = {
    "input_coding": get_args(Coding),
    "reset": get_args(Reset),
    "maxpool": get_args(MaxPooling),
    "maxpool_estimate": get_args(Estimate),
    "readout": get_args(Decision),
    "scale": get_args(ScaleRule),
    "rounding": get_args(Rounding),
}


@dataclass(frozen=True)
class Settings:
    """How a network is converted. The defaults are what `loihiconv.convert` does; `paper` is Rueckauer et al. 2016.

    Parameters
    ----------
    timesteps : int, at least 1
        T, the time steps that each sample gets.
    scale : "percentile", "mse" or "balanced"
        How λ, the activation that becomes the largest firing rate, is chosen: a percentile of the activations (Rueckauer
        et al. 2016, section 3.2.2), what T-step rates distort least (Li et al. 2021), or where what is clipped and what is rounded
        balance (local threshold balancing, Bu et al. 2025); see `loihiconv.conversion.scales`.
    percentile : float in (0, 100] or None
        100 is max-norm, None does not normalise hidden layers. With the other scales the percentile is the largest λ considered.
    per_channel : bool
        Choose λ for each channel instead of each layer (an extension of the paper).
    input_coding : "analog", "rate" or "poisson"
        "analog" feeds values as 8-bit payloads (or as currents computed on the host, where the board has no graded
        spikes); "rate" as evenly spaced spikes, "poisson" as random ones.
    reset : "subtract" or "zero"
    spike_bits : int, 1 to 8
        1 sends binary spikes, as every Loihi can. With more, spikes are graded (Loihi 2): they carry payloads of up to
        Γ = 2^bits - 1, and an activation of λ becomes Γ per step instead of 1, so that a rate is Γ times as fine.
    start : float in [0, 1]
        Charge that every neuron gets beside its input, as a fraction of the threshold: with 1/2 counts are rounded
        instead of cut off.
    hold_back : float in [0, 4]
        How much of that charge (and beyond) comes evenly over the T steps instead of at the start, except in first layers;
        see `loihiconv.conversion.spiking`. It costs nothing and lets neurons see more of their input before they spike.
    maxpool : "gate", "relu-tree" or "average"
        "gate" lets only the spikes of a window's busiest unit pass: exact in rates, but only the simulators can, no chip
        has such gates. "relu-tree" computes max(a, b) = b + relu(a - b) with integrate-and-fire populations, for
        any board. "average" pools averages instead, which the network was not trained for; a warning says on how many
        calibration samples that names another class.
    maxpool_estimate : "count" or "average"
        How gates estimate rates; see `loihiconv.core.network.MaxPool`.
    readout : "potential" or "softmax"
        How classes are decided for; see `loihiconv.core.classification`.
    readout_delay : int, 0 to timesteps - 1
        Steps of each sample that the readout lets pass before it integrates, so that what spikes say before the network has settled
        does not count. It costs nothing on the chip, but resolution: outputs are means over fewer steps.
    seed : int
        Of what is random: Poisson input and the softmax readout.
    rounding : "auto", "nearest", "first" or "adaptive"
        How weights become whole numbers: each to its nearest, or so that their errors make up for each other on calibration data
        (OPTQ, Frantar et al. 2022; see `loihiconv.conversion.adaptive_rounding`). "first" does that in layers that payloads drive,
        which then can have wider payloads, "adaptive" in all, and "auto" in the first and wherever rounding would cost more than
        T steps do.
    bias_correction : bool
        Repair on calibration data what each channel loses on average; see `loihiconv.conversion.bias_correction`.

    Raises
    ------
    InvalidSetting
        If a setting is out of its range.
    """

    timesteps: int
    scale: ScaleRule = "mse"
    percentile: float | None = 99.9
    per_channel: bool = True
    input_coding: Coding = "analog"
    reset: Reset = "subtract"
    spike_bits: int = 1
    start: float = 0.5
    hold_back: float = 0.5
    maxpool: MaxPooling = "gate"
    maxpool_estimate: Estimate = "count"
    readout: Decision = "potential"
    readout_delay: int = 0
    seed: int = 0
    rounding: Rounding = "auto"
    bias_correction: bool = True

    def __post_init__(self) -> None:
        _whole("timesteps", self.timesteps, 1, None, "a whole number of at least 1")
        _whole("seed", self.seed, 0, SEED_LIMIT, "a whole number from 0 to 2^64 - 1")
        _whole("readout_delay", self.readout_delay, 0, self.timesteps, f"0 to {self.timesteps - 1}, fewer than the time steps,")
        for name, known in CHOICES.items():
            if (value := getattr(self, name)) not in known:
                raise InvalidSetting(
                    f"{name.replace('_', ' ').replace('maxpool', 'max-pooling')} {value!r}",
                    where=name,
                    limit=" or ".join(f'"{k}"' for k in known) + " expected",
                )
        _whole("spike_bits", self.spike_bits, 1, PAYLOAD_LIMIT.bit_length() + 1, f"a whole number from 1 to {PAYLOAD_LIMIT.bit_length()}")
        if self.spike_bits > 1 and (self.reset == "zero" or (self.maxpool == "gate" and self.maxpool_estimate == "average")):
            what = 'reset "zero"' if self.reset == "zero" else 'maxpool_estimate "average"'
            raise InvalidSetting(
                f"{what} with graded spikes", where="spike_bits", limit="1 expected", remedy="use the default of the other"
            )
        _between("start", self.start, 0, 1, "a fraction of the threshold, 0 to 1,")
        _between("hold_back", self.hold_back, 0, 4, "0 to 4 thresholds")
        if self.percentile is not None and not (_is_number(self.percentile) and 0 < self.percentile <= 100):
            raise InvalidSetting(
                f"percentile {self.percentile}", where="percentile", limit="above 0 and at most 100", remedy="99.9 suits most networks"
            )
        for name in ("per_channel", "bias_correction"):
            if not isinstance(getattr(self, name), (bool, np.bool_)):
                raise InvalidSetting(f"{name} {getattr(self, name)!r}", where=name, limit="True or False expected")

    @property
    def payload_max(self) -> int:
        """Γ, the largest payload of a spike."""
        return int(2**self.spike_bits - 1)

    def to_json(self) -> dict[str, Any]:
        """All settings as JSON values."""
        return {name: value.item() if isinstance(value, np.generic) else value for name, value in asdict(self).items()}


NAMES = frozenset(field.name for field in fields(Settings))

PAPER: Mapping[str, Any] = {
    "scale": "percentile",
    "percentile": 99.9,
    "per_channel": False,
    "hold_back": 0.0,
    "rounding": "nearest",
    "bias_correction": False,
}
"""What makes a conversion that of Rueckauer et al. 2016, where it differs from the defaults."""


def choose(timesteps: int, optimize: Optimize = "default", **given: Any) -> Settings:
    """Settings from what a user gave and, for the rest, what ``optimize`` stands for.

    Parameters
    ----------
    timesteps : int
    optimize : "none", "default", "accuracy" or "latency"
        "none" takes `PAPER` for what is not given; the others take the defaults, from which a search starts.
    given : fields of `Settings`

    Raises
    ------
    InvalidSetting
        For an unknown name, with the known ones, or a value out of its range.
    """
    if optimize not in get_args(Optimize):
        known = " or ".join(f'"{k}"' for k in get_args(Optimize))
        raise InvalidSetting(f"optimize {optimize!r}", where="optimize", limit=f"{known} expected")
    if unknown := sorted(given.keys() - NAMES):
        raise InvalidSetting(f"no such setting: {', '.join(unknown)}", where="convert", limit=f"known are {', '.join(sorted(NAMES))}")
    return Settings(timesteps, **{**(PAPER if optimize == "none" else {}), **given})


def settings_of(record: ConversionRecord) -> Settings | None:
    """The settings that a network was converted with; None where its record holds none, or some that this version does not have."""
    try:
        return Settings(**record.settings) if record.settings else None
    except (TypeError, InvalidSetting):  # TypeError: an unknown name
        return None


def _whole(name: str, value: Any, smallest: int, end: int | None, expected: str) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < smallest or (end is not None and value >= end):
        raise InvalidSetting(f"{name} {value}", where=name, limit=f"{expected} expected")


def _between(name: str, value: Any, low: float, high: float, expected: str) -> None:
    if not _is_number(value) or not low <= value <= high:
        raise InvalidSetting(f"{name} {value}", where=name, limit=f"{expected} expected")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
