"""A float spiking network of others on its way to a board: units from calibration data, then quantization."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from loihiconv.conversion.bias_correction import first_samples, spread_samples
from loihiconv.conversion.calibration import CalibrationData, batches, prepared
from loihiconv.conversion.quantization import narrow_weights, quantize
from loihiconv.conversion.rounding_choice import choose_rounding
from loihiconv.conversion.settings import Rounding
from loihiconv.conversion.summary import payload_errors
from loihiconv.core.errors import InvalidData
from loihiconv.core.input_checks import Seen
from loihiconv.core.linear import Array
from loihiconv.core.network import Network
from loihiconv.core.record import CalibrationSummary, InputSummary
from loihiconv.exchange.units import largest_output, with_units
from loihiconv.hardware.board import Board
from loihiconv.simulator import simulate


@dataclass(frozen=True, eq=False)
class Measured:
    """What calibration data says of the input.

    Parameters
    ----------
    samples : array (n, \\*shape)
        That were kept.
    number : int
        Of all samples.
    values : InputSummary
        Of all samples.
    """

    samples: Array
    number: int
    values: InputSummary


def finished(
    network: Network, calibration: CalibrationData | None, board: Board | None, rounding: Rounding, notes: tuple[str, ...]
) -> Network:
    """A network in units that quantization wants, and with a board quantized for it.

    Parameters
    ----------
    network : Network
        Float, with an input of scale 1.
    calibration : array, tensor, iterable of batches, or None
        What tells how large inputs and outputs are. Without it the network stays float.
    board : Board or None
    rounding : "auto", "nearest", "first" or "adaptive"
    notes : tuple of str
        What the record is to say beside its own.

    Raises
    ------
    InvalidData
        If a board is given and no calibration data, or the data does not suit the input's coding.

    Warns
    -----
    UserWarning
        For populations that are silent on all calibration samples.
    """
    record = replace(network.record, notes=(*network.record.notes, *notes))
    network = replace(network, record=record)
    if calibration is None:
        if board is not None:
            limit = "how large inputs and outputs are decides what becomes of 8 bits"
            raise InvalidData("no calibration data", where="calibration", limit=limit, remedy="give some training samples, or no board")
        return with_units(network, 1.0, largest_output(network) or 1.0, signed=network.input.signed)
    found = _measured(network, calibration)
    scale = _scale(network, found)
    outputs = _outputs(network, found.samples)
    network = with_units(network, scale, outputs, signed=found.values.smallest < 0)
    share = found.samples / scale
    summary = CalibrationSummary(
        found.number,
        input_mean_square=float(np.mean(share.astype(np.float64) ** 2)),
        payload_errors=payload_errors(share),
        inputs={network.input.name: found.values},
    )
    network = replace(network, record=replace(network.record, calibration=summary))
    if board is None:
        return network
    with threadpool_limits(limits=1, user_api="blas"):  # as in `loihiconv.conversion.building.build`
        covariances, said = choose_rounding(network, board, rounding, found.samples, centred=False)
        quantized = quantize(network, board, covariances)
    said = (*said, *narrow_weights(quantized))
    return replace(quantized, record=replace(quantized.record, notes=(*quantized.record.notes, *said)))


def _measured(network: Network, calibration: CalibrationData) -> Measured:
    kept: list[Array] = []
    data = prepared(calibration, shape=network.input.sample_shape)
    whole = spread_samples(data) if isinstance(data, np.ndarray) else None
    number, seen = 0, Seen()
    for batch in first_samples(batches(data, network.input.sample_shape), kept):
        number += len(batch)
        seen.add(batch)
    samples = np.concatenate(kept) if whole is None else np.array(whole, np.float32, order="C")
    return Measured(samples, number, seen.summary)


def _scale(network: Network, found: Measured) -> float:
    """Value that becomes 1: the largest of analog inputs; of spikes a rate of 1 per step, as a spike of the file's own network is 1."""
    coding = network.input.coding
    if coding == "analog":
        return max(found.values.largest, -found.values.smallest) or 1.0
    if found.values.smallest < 0 or found.values.largest > 1:
        raise InvalidData(
            f"values from {found.values.smallest:g} to {found.values.largest:g} as {coding} coded input",
            where="calibration",
            limit="spikes per step, 0 to 1, expected",
            remedy='scale the data, or use input_coding="analog"',
        )
    return 1.0


def _outputs(network: Network, samples: Array) -> float:
    """Largest output per step on calibration samples; also says which populations are silent."""
    recording = simulate(network, samples)
    for name, counts in recording.spike_counts.items():
        if name != network.input.name and not counts.any():
            warnings.warn(f"{name}: no spike on {len(samples)} calibration samples", stacklevel=2)
    return float(np.abs(recording.potentials).max() / network.readout_steps) or largest_output(network) or 1.0
