"""What of the measurements a network keeps in its record."""

from __future__ import annotations

import numpy as np

from loihiconv.ann.graph import Ann
from loihiconv.conversion.calibration import Statistics
from loihiconv.conversion.measuring import Measured
from loihiconv.conversion.naming import population_names
from loihiconv.conversion.payload_choice import FEWEST_PAYLOAD_BITS, PAYLOAD_BITS
from loihiconv.conversion.scales import Scales
from loihiconv.core.linear import Array
from loihiconv.core.parts import divided, slices
from loihiconv.core.record import CalibrationSummary, PayloadSummary


def summarized(source: Measured, scales: Scales) -> CalibrationSummary:
    """What of the measurements is kept, and what quantization has to know of the input."""
    ann, statistics, names = source.ann, source.statistics, population_names(source.ann)
    given = divided(source.samples.reshape(len(source.samples), -1), ann.input_parts)
    payloads = {name: _payload_summary(statistics.nodes[name], values, float(scales[name])) for name, values in given.items()}
    first, *others = payloads.values()
    return CalibrationSummary(
        statistics.samples,
        {names[name]: tuple(_distinct(ann, name, scale).tolist()) for name, scale in scales.items()},
        {names[name]: float(s.largest) for name, s in statistics.nodes.items()},
        first.mean_square,
        first.payload_errors,
        inputs={names[name]: values for name, values in statistics.inputs.items()},
        payloads={names[name]: known for name, known in payloads.items()} if others else {},
    )


def _payload_summary(known: Statistics, values: Array, scale: float) -> PayloadSummary:
    return PayloadSummary(known.square_sum / known.values / scale**2, payload_errors(values / scale))


def _distinct(ann: Ann, name: str, scale: Array) -> Array:
    """One number for a layer, one for each channel, or one for each of several outputs."""
    flat = np.asarray(scale).ravel()
    return flat[[place.start for place in slices(ann.parts).values()]] if ann.parts and name == ann.output.name else flat


def payload_errors(x: Array) -> dict[int, float]:
    """Mean square of what rounding costs payloads of up to each largest one, in units of a payload; x in [-1, 1]."""
    errors = {}
    for bits in range(FEWEST_PAYLOAD_BITS - 1, PAYLOAD_BITS + 1):  # one fewer with a sign
        largest = 2**bits - 1
        exact = x.astype(np.float64) * largest
        errors[largest] = float(np.mean((np.rint(exact) - exact) ** 2))
    return errors
