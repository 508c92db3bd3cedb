"""Which layers' weights are rounded adaptively, and how far that trusts calibration data.

By default it is done where so few bits are left for weights that rounding costs more than counting spikes does, and where it errs less
than rounding to the nearest on calibration samples that it has not seen. A few hundred samples of many inputs that have nothing to do with
one another show covariances that are not there; what makes up for errors on them adds to errors everywhere else.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np

from loihiconv.conversion.adaptive_rounding import DAMPING, Covariance, Covariances, expected_error, rounded
from loihiconv.conversion.covariances import Halves, input_moments
from loihiconv.conversion.quantization import quantize, without_idle_channels
from loihiconv.conversion.settings import Rounding
from loihiconv.core.linear import Array, LinearMap, Sparse
from loihiconv.core.network import Input, Integrator, Network
from loihiconv.hardware.board import Board
from loihiconv.simulator import simulate

SAMPLES = 64
"""Whose rates are measured."""
DAMPINGS = (DAMPING, 0.1, 1.0)
"""That are tried, besides the nearest."""
OUTPUTS = 64
"""Of a group, on which they are tried."""


def choose_rounding(network: Network, board: Board, rounding: Rounding, x: Array, *, centred: bool) -> tuple[Covariances, tuple[str, ...]]:
    """What `quantize` needs to round weights adaptively where that pays, and notes on layers where it cannot be done.

    Parameters
    ----------
    network : Network
        Float.
    board : Board
    rounding : "auto", "nearest", "first" or "adaptive"
        "auto" compares with the nearest, see `fitted`; the others do as they say.
    x : array (N, \\*shape)
        Calibration samples.
    centred : bool
        Whether biases will be corrected, so that mean errors do not matter.
    """
    network = without_idle_channels(network)  # as `quantize` takes it
    nearest = quantize(network, board) if rounding == "auto" else None
    targets = adaptively_rounded(network, board, rounding, x, nearest)
    covariances: dict[str, tuple[Covariance | None, ...]] = {}
    notes = []
    for name, known in (input_moments(network, x, targets) if targets else {}).items():
        chosen: list[Covariance | None] = []
        for connection, halves, factor in zip(network.incoming(name), known, _factors(network, nearest, name), strict=True):
            if halves is None:
                if isinstance(connection.map, Sparse) and (network[connection.source].spiking or board.graded_spikes):
                    notes.append(f"{connection.name}: its outputs have inputs of their own each; weights are rounded to the nearest")
                chosen.append(None)
                continue
            covariance = Covariance((halves[0] + halves[1]).covariance(centred=centred))
            if factor is not None:
                covariance = fitted(connection.map, factor, board.weight_bits.value, halves, centred=centred)
            if not covariance.definite:
                notes.append(
                    f"{connection.name}: the covariance of what it receives is not positive definite; weights are rounded to the nearest"
                )
                covariance = replace(covariance, damping=inf)
            chosen.append(covariance)
        covariances[name] = tuple(chosen)
    return covariances, tuple(notes)


def adaptively_rounded(network: Network, board: Board, rounding: Rounding, x: Array, nearest: Network | None = None) -> set[str]:
    """Populations of a float network whose weights are to make up for each other's errors, once they are whole numbers.

    With "auto", and beside those that payloads drive, those of which `outweighs_time` holds if their weights are rounded to the nearest.

    Parameters
    ----------
    network : Network
        Float.
    board : Board
    rounding : "auto", "nearest", "first" or "adaptive"
    x : array (N, \\*shape)
        Calibration samples.
    nearest : Network, optional
        The same, quantized for the board with weights rounded to the nearest, if that has been done.
    """
    targets = {c.target for c in network.connections if isinstance(network[c.target], Integrator)}
    if rounding in ("nearest", "adaptive"):
        return targets if rounding == "adaptive" else set()
    driven = {c.target for c in network.connections if not network[c.source].spiking}
    if rounding == "first" or driven == targets:
        return driven
    recording, plain = simulate(network, x[:SAMPLES]), nearest or quantize(network, board)
    for name in targets - driven:
        gain = plain.record.quantization[name].gain
        for old, new in zip(network.incoming(name), plain.incoming(name), strict=True):
            mean_square = float(np.mean((recording.sent(old.source) / network.timesteps) ** 2))
            wrong = new.map.weight * 2.0**new.weight_exp / gain - old.map.weight
            if outweighs_time(wrong, old.map.weight, mean_square, network.timesteps * network.copies):
                driven.add(name)
    return driven


def outweighs_time(wrong: Array, weight: Array, mean_square: float, timesteps: int) -> bool:
    """Whether weights that are wrong by δ cost more than T steps, which round rates to whole spikes.

    mean δ² E[r²] > mean w² / (12 T²): both are mean square errors of a sum, per synapse. The error of rounding to a grid of 1/T is
    uniformly distributed, with a variance of 1/(12 T²).

    Parameters
    ----------
    wrong, weight : arrays of the same shape
        δ and w.
    mean_square : float
        E[r²] of what the source sends per step.
    timesteps : int
        T, times the neurons that stand for an activation.
    """
    if not weight.size:
        return False
    error, size = (float(np.mean(np.square(values, dtype=np.float64))) for values in (wrong, weight))
    return error * mean_square > size / (12 * timesteps**2)


def fitted(linear_map: LinearMap, factor: float, weight_bits: int, halves: Halves, *, centred: bool = True) -> Covariance:
    """A covariance with the damping whose weights err least on samples that they have not seen.

    Weights are rounded with one half of the samples, and judged with the other by `expected_error`. The nearest is one of the
    candidates, and all that is left where the other half is empty.

    Parameters
    ----------
    linear_map : Dense or Conv
        Float.
    factor : float
        Which turns its weights into the units of the integers.
    weight_bits : int
    halves : pair of Moments
    centred : bool
        As in `choose_rounding`.

    Returns
    -------
    Covariance
        Of all samples.
    """
    values = (halves[0] + halves[1]).covariance(centred=centred)
    if not halves[1].rows:
        return Covariance(values, inf)
    seen, unseen = (half.covariance(centred=centred) for half in halves)
    few = _few_outputs(linear_map, len(values))
    tried = []
    for damping in (inf, *DAMPINGS):
        wrong = rounded(few, factor, weight_bits, Covariance(seen, damping)).weight - few.weight * factor
        tried.append((expected_error(wrong, unseen), expected_error(wrong, seen), damping))
    error, fitting_error, damping = min(tried, key=lambda one: one[0])
    return Covariance(values, damping, error / fitting_error if fitting_error > 0 and damping < inf else 1.0)


def _few_outputs(linear_map: LinearMap, groups: int) -> LinearMap:
    """The map with at most `OUTPUTS` outputs of each group, in float64."""
    weight = linear_map.weight.astype(np.float64)
    grouped = weight.reshape(groups, len(weight) // groups, *weight.shape[1:])
    few = grouped[:, :: -(-grouped.shape[1] // OUTPUTS)].reshape(-1, *weight.shape[1:])
    return linear_map.with_weight(few)


def _factors(network: Network, quantized: Network | None, name: str) -> list[float | None]:
    """What turns the weights of each connection into a population into integers; None where that is not known, or done by the host."""
    if quantized is None:
        return [None for _ in network.incoming(name)]
    gain = quantized.record.quantization[name].gain
    factors: list[float | None] = []
    for c in quantized.incoming(name):
        source = quantized[c.source]
        payload = source.largest_message if isinstance(source, Input) and not source.spiking else 1
        factors.append(None if c.on_host else gain / payload * 2.0**-c.weight_exp)
    return factors
