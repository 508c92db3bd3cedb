"""What a conversion did: a typed record that travels with the network and is saved with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

Json: TypeAlias = Mapping[str, Any]
"""Plain JSON values under names."""

UNIFORM_MEAN_SQUARE = 1 / 3
"""Mean square of an input in units of its scale, where calibration has not measured it: a uniform distribution's."""
ROUNDING_ERROR = 1 / 12
"""Mean square error of a payload, where calibration has not measured it: that of rounding anything to whole numbers."""


@dataclass(frozen=True)
class InputSummary:
    """What calibration samples looked like to the network, after preprocessing.

    Parameters
    ----------
    smallest, largest : float
    mean, std : float
        Over all values of all samples.
    sample_spread : float
        Standard deviation of the samples' own means: how much the mean of a few samples may differ from that of all.
    """

    smallest: float
    largest: float
    mean: float
    std: float
    sample_spread: float


@dataclass(frozen=True)
class PayloadSummary:
    """What calibration data said of the payloads of one input.

    Parameters
    ----------
    mean_square : float
        Of its values, in units of its scale.
    payload_errors : {largest payload: float}
        Mean square of what rounding costs its payloads, in units of a payload, by the largest one that there can be.
    """

    mean_square: float = UNIFORM_MEAN_SQUARE
    payload_errors: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class CalibrationSummary:
    """What calibration data said, as far as it is kept.

    Parameters
    ----------
    samples : int
    scales : {population: λ}
        One number for a layer, one for each channel, or one for each of several outputs.
    largest : {population: float}
        Largest activation.
    input_mean_square : float
    payload_errors : {largest payload: float}
        `PayloadSummary` of the only input.
    potentials : {population: (lowest, highest)}
        Of hidden populations of the float spiking network, in thresholds: after the window, and before a spike.
    inputs : {population: InputSummary}
        Values that samples had; empty where nothing is known of them.
    payloads : {population: PayloadSummary}
        Of each input where there are several.
    """

    samples: int = 0
    scales: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    largest: Mapping[str, float] = field(default_factory=dict)
    input_mean_square: float = UNIFORM_MEAN_SQUARE
    payload_errors: Mapping[int, float] = field(default_factory=dict)
    potentials: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    inputs: Mapping[str, InputSummary] = field(default_factory=dict)
    payloads: Mapping[str, PayloadSummary] = field(default_factory=dict)

    def of(self, population: str) -> PayloadSummary:
        """What is known of an input's payloads."""
        return self.payloads.get(population) or PayloadSummary(self.input_mean_square, self.payload_errors)


@dataclass(frozen=True)
class StraightCurve:
    """What a conversion put in place of a curved activation: straight from knot to knot.

    Parameters
    ----------
    knots, values : tuple of float
        Places in ascending order, and values there.
    before, after : float
        Slopes before the first knot and after the last one.
    """

    knots: tuple[float, ...]
    values: tuple[float, ...]
    before: float = 0.0
    after: float = 0.0


@dataclass(frozen=True)
class LayerRecord:
    """How a population's numbers became integers.

    Parameters
    ----------
    gain : float
        Integer threshold for a float threshold of 1; see `loihiconv.conversion.gains`.
    limited_by : str
        The range that kept the gain from being larger.
    weight_bits_used : float
        Of the weights' range, by the largest one.
    """

    gain: float
    limited_by: str
    weight_bits_used: float


@dataclass(frozen=True)
class WorstCase:
    """What no sample can make a population exceed.

    Parameters
    ----------
    sum : float
        Largest |sum of weight x payload|.
    v : float
        Largest |v| over the window if v did not saturate, in units of v.
    """

    sum: float
    v: float


@dataclass(frozen=True)
class Trial:
    """One attempt of a search; see `loihiconv.conversion.search`.

    Parameters
    ----------
    step : str
        What was varied.
    changed : mapping
        Settings that differ from the best so far.
    timesteps : int
    agreement : float
        Share of samples that get the ANN's class.
    divergence : float
        Mean Kullback-Leibler divergence from the ANN's outputs, in nats.
    kept : bool
        Whether it was the best so far.
    """

    step: str
    changed: Json
    timesteps: int
    agreement: float
    divergence: float
    kept: bool


@dataclass(frozen=True)
class RealizationRecord:
    """How neurons on the chip came to reset by subtraction; see `loihiconv.lava.chip.realizations`.

    Parameters
    ----------
    name : str
    quantized_again : bool
        Whether the network is another one than was converted, without the correction of biases that belonged to the old integers.
    largest_threshold : int, optional
        Of "atrlif", quantized again: what its registers hold.
    ratio : float, optional
        Of those that reset to zero, quantized again: threshold to largest input per step.
    corrected : bool, optional
        Of those that reset to zero: whether biases were then corrected on calibration data.
    """

    name: str
    quantized_again: bool = False
    largest_threshold: int | None = None
    ratio: float | None = None
    corrected: bool | None = None

    def to_json(self) -> dict[str, Any]:
        """What is known, as JSON values."""
        return _known(self)


@dataclass(frozen=True)
class ConversionRecord:
    """How a network came to be. One that was made by hand has an empty record.

    Parameters
    ----------
    settings : mapping
        Fields of `loihiconv.conversion.settings.Settings`, as JSON values; `loihiconv.conversion.settings.settings_of` reads them.
    charge : float, optional
        What every neuron gets beside its input, in thresholds. Where v starts lower, the rest has come to the biases, spread over
        the T steps. None: nothing has.
    calibration : CalibrationSummary
    quantization : {population: LayerRecord}
        Of a fixed-point network.
    bounds : {population: WorstCase}
        Of a fixed-point network.
    search : tuple of Trial
        In the order in which they were made, if settings were searched for.
    realization : RealizationRecord, optional
        If `loihiconv.realize` made it fit for the neurons of a chip.
    notes : tuple of str
        What a user should know about the conversion.
    provenance : {program: version}
        What converted it.
    saved : {program: version}
        What first wrote it to a file.
    curves : {activation: StraightCurve}
        What stands for curved activations, where ``approximate`` was asked for.
    """

    settings: Json = field(default_factory=dict)
    charge: float | None = None
    calibration: CalibrationSummary = field(default_factory=CalibrationSummary)
    quantization: Mapping[str, LayerRecord] = field(default_factory=dict)
    bounds: Mapping[str, WorstCase] = field(default_factory=dict)
    search: tuple[Trial, ...] = ()
    realization: RealizationRecord | None = None
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)
    saved: Mapping[str, str] = field(default_factory=dict)
    curves: Mapping[str, StraightCurve] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """What is known, as JSON values."""
        return _known(self)


def _known(record: Any) -> dict[str, Any]:
    """A record as nested dictionaries, without the fields of which nothing is known."""
    return asdict(record, dict_factory=lambda items: {name: value for name, value in items if value is not None})
