"""Every choice that a conversion leaves open, checked, in one value.

A setting is declared here and nowhere else: `Settings` has its type, default, range and what it means, and the command line's options, the
axes of sweeps, the table in the documentation and the texts of errors are made from that. `SettingOptions` repeats names and types, which
type checkers cannot read from a dataclass; a test holds both together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

from loihiconv.conversion.declaration import Setting, declaration, declarations, described, numpydoc, plain
from loihiconv.core.choices import (
    COPIES_LIMIT,
    PAYLOAD_LIMIT,
    SEED_LIMIT,
    SIGNED_PAYLOAD_LIMIT,
    Coding,
    Decision,
    Estimate,
    MaxPooling,
    PoolingWay,
    Reset,
)
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.given import did_you_mean
from loihiconv.core.record import ConversionRecord

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from loihiconv.hardware.board import Board

Optimize: TypeAlias = Literal["none", "default", "accuracy", "latency"]
SEARCHES = ("accuracy", "latency")
"""Of `Optimize` those that search for settings on calibration data."""
ScaleRule: TypeAlias = Literal["percentile", "mse", "balanced"]
Rounding: TypeAlias = Literal["auto", "nearest", "first", "adaptive"]


@dataclass(frozen=True)
class Settings:
    """How a network is converted. The defaults are what `loihiconv.convert` does; `PAPER` is Rueckauer et al. 2016.

    Raises
    ------
    InvalidSetting
        If a setting is out of its range.
    """

    timesteps: int = field(metadata=described("T, the time steps that each sample gets.", low=1, short="-T"))
    scale: ScaleRule = field(
        default="mse",
        metadata=described(
            "What chooses λ, the activation that becomes the largest firing rate.",
            details='"percentile" takes a percentile of the activations (Rueckauer et al. 2016, section 3.2.2), "mse" what T-step rates '
            'distort least (Li et al. 2021), "balanced" where what is clipped and what is rounded balance (local threshold balancing, '
            "Bu et al. 2025); see `loihiconv.conversion.scales`.",
        ),
    )
    percentile: float | None = field(
        default=99.9,
        metadata=described(
            "Of the activations; 100 is max-norm. With scales other than percentile, the largest λ considered.",
            above=0,
            high=100,
            none="does not normalise hidden layers",
            remedy="99.9 suits most networks",
        ),
    )
    per_channel: bool = field(
        default=True,
        metadata=described(
            "Choose λ for each channel, or for each layer.", details="Channels are an extension of the paper.", opposite="per-layer"
        ),
    )
    input_coding: Coding = field(
        default="analog",
        metadata=described(
            "How inputs enter: analog (as payloads, or currents from the host), rate (even spikes) or poisson (random ones).",
            details="Payloads have 8 bits; currents are computed on the host where the board has no graded spikes.",
        ),
    )
    reset: Reset = field(
        default="subtract", metadata=described("What a spike does to the potential: subtract the threshold, or set it to zero.")
    )
    spike_bits: int = field(
        default=1,
        metadata=described(
            "1 sends binary spikes; more bits send graded ones, on boards with Loihi 2 alone.",
            details="Graded spikes carry payloads of up to Γ = 2^bits - 1, and an activation of λ becomes Γ per step instead of 1, so that "
            "a rate is Γ times as fine.",
            low=1,
            high=PAYLOAD_LIMIT.bit_length(),
        ),
    )
    signed_spikes: bool = field(
        default=False,
        metadata=described(
            "Let neurons take back what they sent too early, by spikes of -1, or of negative payloads.",
            details="Neurons remember the sum of what they have sent, which never falls below 0; see `loihiconv.core.network`. Nothing is "
            "held back then. Neurons that constant currents drive need none. Spikes carry a sign: simulators of boards with Loihi 2 alone.",
        ),
    )
    silent_steps: int = field(
        default=0,
        metadata=described(
            "Steps in which neurons only integrate before they spike for T steps; at most T. A sample then takes T + silent steps, unless "
            "they are buffered.",
            details="With as many as T every rate is the rounded sum of what came in (temporal separation, Liu et al. 2022); see "
            "`loihiconv.core.network`. Neurons that constant currents drive have none: their spikes come evenly. They need neurons of "
            'realization "native".',
            low=0,
        ),
    )
    buffered: bool = field(
        default=False,
        metadata=described(
            "Give neurons with silent steps a second potential for the next sample, so that samples follow each other every T steps.",
            details="Accuracy is that of silent steps, and so is the time from a sample to its answer (double buffering).",
        ),
    )
    start: float = field(
        default=0.5,
        metadata=described(
            "Charge that every neuron gets beside its input.",
            details="With half a threshold counts are rounded instead of cut off.",
            low=0,
            high=1,
            unit="thresholds",
        ),
    )
    hold_back: float = field(
        default=0.5,
        metadata=described(
            "How much of that charge (and beyond) comes evenly over the T steps instead of at the start.",
            details="Except in first layers; see `loihiconv.conversion.spiking`. It costs nothing and lets neurons see more of their input "
            "before they spike. Divided by the square of ``copies``, which makes up for it.",
            low=0,
            high=4,
            unit="thresholds",
        ),
    )
    copies: int = field(
        default=1,
        metadata=described(
            "Neurons that stand for each activation together, and start at potentials spread over a threshold.",
            details="Their mean rate is as many times as fine, and comes more evenly: accuracy is that of more time steps, on any board, "
            "without their latency. There are as many times more neurons, and its square as many synapses between two layers, and as much "
            "for them to do in each step. See `loihiconv.ann.passes.copies`.",
            low=1,
            high=COPIES_LIMIT,
        ),
    )
    maxpool: MaxPooling = field(
        default="auto",
        metadata=described(
            "What becomes of max-pooling: gate (simulators only), relu-tree (any board), average (not what was trained), or auto.",
            details='"auto" is relu-tree, which every board can run, and gate where there is no board and spikes have no sign. "gate" lets '
            "only the spikes of a "
            'window\'s busiest unit pass: exact in rates, but no chip has such gates. "relu-tree" computes max(m, x) = m + relu(x - m) '
            'with integrate-and-fire populations. "average" pools averages instead; a warning says on how many calibration samples that '
            "names another class.",
            title="max-pooling",
        ),
    )
    approximate: int = field(
        default=0,
        metadata=described(
            "ReLUs in place of each curved activation, such as SiLU or tanh; 0 refuses them.",
            details="What that costs before any spike is said. Two mostly suffice. Neurons become as many times more, and synapses between "
            "two such layers, and the time to simulate them, its square. See `loihiconv.ann.passes.curves`.",
            low=0,
            high=16,
        ),
    )
    maxpool_estimate: Estimate = field(
        default="count", metadata=described("How gates estimate rates.", details="See `loihiconv.core.network.MaxPool`.")
    )
    readout: Decision = field(
        default="potential",
        metadata=described(
            "How classes are decided for: by the largest potential, or by spikes of a softmax.",
            details="See `loihiconv.core.classification`.",
        ),
    )
    readout_delay: int = field(
        default=0,
        metadata=described(
            "Steps of each sample that the readout lets pass before it integrates; fewer than the time steps.",
            details="What spikes say before the network has settled does then not count. It costs nothing on the chip, but resolution: "
            "outputs are means over fewer steps.",
            low=0,
        ),
    )
    seed: int = field(default=0, metadata=described("Of Poisson input and the softmax readout.", low=0, high=SEED_LIMIT - 1))
    rounding: Rounding = field(
        default="auto",
        metadata=described(
            "Of weights: nearest, adaptive, first (adaptive where payloads drive) or auto (also where bits are few).",
            details='"adaptive" rounds so that errors make up for each other on calibration data (OPTQ, Frantar et al. 2022; see '
            '`loihiconv.conversion.adaptive_rounding`). "first" does that in layers that payloads drive, which then can have wider '
            'payloads, and "auto" there and wherever rounding would cost more than T steps do.',
        ),
    )
    bias_correction: bool = field(
        default=True,
        metadata=described(
            "Repair on calibration data what each channel loses on average.", details="See `loihiconv.conversion.bias_correction`."
        ),
    )

    def __post_init__(self) -> None:
        for name, declared in DECLARED.items():
            declared.check(getattr(self, name))
        if self.readout_delay >= self.timesteps:
            limit = f"0 to {self.timesteps - 1}, fewer than the time steps, expected"
            raise InvalidSetting(f"readout_delay {self.readout_delay}", where="readout_delay", limit=limit)
        if self.silent_steps > (most := 0 if self.reset == "zero" else self.timesteps):
            limit = f"at most {most} expected" + (' with reset "zero"' if self.reset == "zero" else ", as many as the time steps")
            raise InvalidSetting(f"silent_steps {self.silent_steps}", where="silent_steps", limit=limit)
        if self.buffered and not self.silent_steps:
            remedy = "give silent_steps as well; with as many as time steps every rate is exact"
            raise InvalidSetting("buffered without silent steps", where="buffered", limit="there is nothing to keep", remedy=remedy)
        if self.signed_spikes:
            self._check_signed()
        if self.spike_bits > 1 and (self.reset == "zero" or (self.maxpool == "gate" and self.maxpool_estimate == "average")):
            what = 'reset "zero"' if self.reset == "zero" else 'maxpool_estimate "average"'
            remedy = "use the default of the other"
            raise InvalidSetting(f"{what} with graded spikes", where="spike_bits", limit="1 expected", remedy=remedy)

    def _check_signed(self) -> None:
        if self.reset == "zero":
            limit = "what is taken back goes back into the potential, which a reset to zero has lost"
            raise InvalidSetting('reset "zero" with signed spikes', where="signed_spikes", limit=limit, remedy='use reset="subtract"')
        if self.silent_steps:
            limit = "neurons that listen first have little to take back"
            raise InvalidSetting("silent steps with signed spikes", where="signed_spikes", limit=limit, remedy="use one of the two")
        if self.maxpool == "gate":
            limit = "gates pass on spikes and take none back"
            raise InvalidSetting('maxpool "gate" with signed spikes', where="signed_spikes", limit=limit, remedy='use maxpool="relu-tree"')
        if self.payload_max > SIGNED_PAYLOAD_LIMIT:
            most = SIGNED_PAYLOAD_LIMIT.bit_length()
            what, limit = f"signed spikes of {self.spike_bits} bits", f"at most {most} beside the sign"
            raise InvalidSetting(what, where="spike_bits", limit=limit, remedy=f"use spike_bits={most}")

    def for_board(self, board: Board | None) -> Settings:
        """The same with ``maxpool="auto"`` decided: what boards run if there is one or spikes have a sign, gates for simulators if not."""
        if self.maxpool != "auto":
            return self
        return replace(self, maxpool="gate" if board is None and not self.signed_spikes else "relu-tree")

    @property
    def pooling(self) -> PoolingWay:
        """``maxpool`` of settings that are `for_board`."""
        assert self.maxpool != "auto"  # whoever knows the board has decided
        return self.maxpool

    @property
    def payload_max(self) -> int:
        """Γ, the largest payload of a spike."""
        return int(2**self.spike_bits - 1)

    @property
    def levels(self) -> int:
        """Steps of a rate between 0 and λ, that scales are chosen for: T Γ, and R times as many of R copies whose spikes all come in time.

        Where some come too early, as without silent steps, what that costs grows with the scale, and copies do not take it away.
        """
        exact = self.silent_steps or self.signed_spikes
        return self.timesteps * self.payload_max * (self.copies if exact else 1)

    def to_json(self) -> dict[str, Any]:
        """All settings as JSON values."""
        return {name: plain(value) for name, value in asdict(self).items()}


class SettingOptions(TypedDict, total=False):
    """Names and types of all settings but T, for type checkers; `Settings` says what they mean."""

    scale: ScaleRule
    percentile: float | None
    per_channel: bool
    input_coding: Coding
    reset: Reset
    spike_bits: int
    signed_spikes: bool
    silent_steps: int
    buffered: bool
    start: float
    hold_back: float
    copies: int
    maxpool: MaxPooling
    approximate: int
    maxpool_estimate: Estimate
    readout: Decision
    readout_delay: int
    seed: int
    rounding: Rounding
    bias_correction: bool


DECLARED = declarations(Settings)
"""All settings by name, in order."""
Settings.__doc__ = f"{cleandoc(Settings.__doc__ or '')}\n\n{numpydoc(DECLARED.values())}\n"
NAMES = frozenset(DECLARED)
OPTIMIZE = declaration(
    "optimize",
    Optimize,
    Setting(
        "What stands for settings that are not given: the defaults, none (the paper's method alone), or a search on calibration data for "
        "accuracy or latency.",
        details="See `loihiconv.conversion.search`.",
    ),
    "default",
)
"""What stands for the settings that are not given."""

PAPER: SettingOptions = {
    "scale": "percentile",
    "percentile": 99.9,
    "per_channel": False,
    "hold_back": 0.0,
    "rounding": "nearest",
    "bias_correction": False,
}
"""What makes a conversion that of Rueckauer et al. 2016, where it differs from the defaults."""


def choose(timesteps: int, optimize: Optimize = "default", **given: Unpack[SettingOptions]) -> Settings:
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
    OPTIMIZE.check(optimize)
    if unknown := sorted(given.keys() - NAMES):
        hint = did_you_mean(unknown[0], NAMES)
        raise InvalidSetting(f"no such setting: {', '.join(unknown)}{hint}", where="convert", limit=f"known are {', '.join(sorted(NAMES))}")
    chosen: Mapping[str, Any] = {**(PAPER if optimize == "none" else {}), **given}
    return Settings(timesteps, **chosen)


def settings_of(record: ConversionRecord) -> Settings | None:
    """The settings that a network was converted with; None where its record holds none, or some that this version does not have."""
    try:
        return Settings(**record.settings) if record.settings else None
    except (TypeError, InvalidSetting):  # TypeError: an unknown name
        return None
