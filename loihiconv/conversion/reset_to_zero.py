"""A network for neurons that reset to zero, from one that resets by subtraction.

A spike then loses what v has beyond the threshold. `loihiconv.lava.chip.lif` slows the network down, so that a step brings less and less
is lost. What is lost all the same is measured on calibration data, where there are some, layer after layer, and given back twice:

1. A spike takes the threshold and what is beyond it, so on average it stands for more than the threshold. Thresholds are lowered until each
   population sends as much as it should: vth <- vth (mean rate) / (mean target), twice, as a lower threshold loses a larger share.
2. What is left in each channel, and what rounding adds, comes with the biases (`loihiconv.conversion.bias_correction`).

The target is what the network itself sends on average, divided by the ratio: all hidden rates fall by it, whatever they stand for.

A small ratio loses much of each spike, a large one leaves few spikes. Which is best depends on T and on the network, so with calibration
data the ratio is chosen by them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from loihiconv.conversion.bias_correction import SAMPLES, correct_biases, measured_rates, spread_samples
from loihiconv.conversion.narrowing import with_thresholds
from loihiconv.conversion.quantization import quantize
from loihiconv.core.fixed_point import ALL_FORMATS, NumberFormats
from loihiconv.core.input_coding import check_samples
from loihiconv.core.linear import Array
from loihiconv.core.network import IF, Integrator, Network
from loihiconv.core.parts import slices
from loihiconv.core.record import RealizationRecord
from loihiconv.hardware.board import Board
from loihiconv.lava.chip.lif import FROM_ZERO, NETX, RATIO, VTH_MAX, from_zero, slowed
from loihiconv.simulator import simulate
from loihiconv.simulator.layerwise import Layerwise

RATIOS = (1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
"""Those that are tried, from `USUAL_RATIO` on in the direction that is better."""
LOWEST, HIGHEST, ROUNDS = 0.25, 1.5, 2
"""What a threshold is multiplied by at least and at most, and how often it is."""
USUAL_RATIO = 3.0
"""Of neurons that begin at 0, where nothing was measured: a compromise for the tens of time steps that networks are converted with."""
JUDGED, MEASURED = 512, 128
"""Calibration samples that ratios are compared on, and that thresholds are lowered by."""
FORMATS: dict[str, NumberFormats] = {"lif": ALL_FORMATS, "lifreset": FROM_ZERO, "netx": NETX}


@dataclass(frozen=True)
class _Candidate:
    network: Network
    agreement: float
    error: float


def resets_to_zero(network: Network, realization: str) -> bool:
    """Whether a fixed-point network is already one that the realization runs.

    Parameters
    ----------
    network : Network
    realization : "lif", "lifreset" or "netx"
    """
    formats, at_zero = FORMATS[realization], realization != "lif"
    for population in network.populations:
        if not isinstance(population, Integrator):
            continue
        if isinstance(population, IF) and population.reset != "zero":
            return False
        if not at_zero:
            continue
        if np.any(population.v_init) or (population.spiking and population.unit(0) > VTH_MAX):
            return False
        step = 1 << formats.bias_exponents[0]
        if np.any(population.bias % step) or np.any(np.abs(population.bias) > formats.bias_max):
            return False
    return formats.weight_exponents or not any(c.weight_exp for c in network.connections)


def reset_to_zero(
    network: Network, origin: Network, realization: str, board: Board, *, ratio: float | None = None, calibration: Array | None = None
) -> Network:
    """The fixed-point network that resets to zero.

    Parameters
    ----------
    network : Network
        Fixed point; what it says is what ratios are judged by.
    origin : Network
        The float network that it was quantized from, thresholds 1.
    realization : "lif", "lifreset" or "netx"
    board : Board
    ratio : float, optional
        Threshold to largest input per step. By default the one that agrees best on calibration data; without any, 8 for "lif" and
        `USUAL_RATIO` for the others.
    calibration : array (N, \\*input shape), optional
        Training samples.

    Returns
    -------
    Network
        ``record.realization`` says the ratio, and whether biases were corrected.
    """
    if board.generation == 2:
        note = "largest threshold of Lava's LIF that is safe on chips"
        board = with_thresholds(board, VTH_MAX, "loihiconv.lava.chip.lif", note, FORMATS[realization])
    if calibration is None:
        chosen = ratio or (RATIO if realization == "lif" else USUAL_RATIO)
        return _described(quantize(_float(origin, realization, chosen), board), realization, chosen, corrected=False)
    x = np.asarray(spread_samples(check_samples(network, calibration), JUDGED))
    rates = measured_rates(network, np.asarray(spread_samples(x, SAMPLES)))

    def tried(at: float) -> Network:
        return _described(_corrected(origin, realization, board, at, rates, x), realization, at, corrected=True)

    if ratio is not None:
        return tried(ratio)
    expected, judged = _outputs(network, x), {}

    def worth(place: int) -> tuple[float, float]:
        if place not in judged:
            judged[place] = _judged(tried(RATIOS[place]), x, expected)
        return judged[place].agreement, -judged[place].error

    return judged[_best(worth, RATIOS.index(USUAL_RATIO), len(RATIOS))].network


def _best(worth: Callable[[int], tuple[float, float]], start: int, places: int) -> int:
    """The place that no neighbour is better than, from ``start`` on."""
    best = start
    for step in (-1, 1):
        while 0 <= best + step < places and worth(best + step) > worth(best):
            best += step
        if best != start:
            break
    worth(best)
    return best


def _float(origin: Network, realization: str, ratio: float) -> Network:
    network = slowed(origin, ratio)
    return network if realization == "lif" else from_zero(network)


def _corrected(origin: Network, realization: str, board: Board, ratio: float, rates: dict[str, Array], x: Array) -> Network:
    x = np.asarray(spread_samples(x, SAMPLES))
    targets = {name: rate / ratio if origin[name].spiking else rate for name, rate in rates.items()}
    network = quantize(lowered(_float(origin, realization, ratio), targets, np.asarray(spread_samples(x, MEASURED))), board)
    return correct_biases(network, targets, x, formats=board.formats)


def lowered(network: Network, targets: Mapping[str, Array], x: Array) -> Network:
    """A float network whose thresholds let every population send its target on average; they stay 1, and what comes in grows instead.

    Parameters
    ----------
    network : Network
        Float, reset to zero.
    targets : {population: mean rate per channel}
    x : array (N, \\*input shape)
        Calibration samples.
    """
    run, factors = Layerwise(network, x), {}
    for population in network.layers:
        if not isinstance(population, IF):
            continue
        vth = population.vth
        for _ in range(ROUNDS):
            target, rate = float(targets[population.name].mean()), float(run.measure(population.name).mean()) / network.timesteps
            if target > 0:
                vth *= min(max(rate / target, LOWEST), HIGHEST)
                run.replace(replace(population, vth=vth))
        factors[population.name] = np.float32(1 / vth)
        run.settle(population.name)
    populations = (
        replace(p, bias=p.bias * factors[p.name], v_init=p.v_init * factors[p.name]) if isinstance(p, IF) else p
        for p in network.populations
    )
    connections = (
        replace(c, map=c.map.with_weight(c.map.weight * factors[c.target])) if c.target in factors else c for c in network.connections
    )
    return replace(network, populations=tuple(populations), connections=tuple(connections))


def _judged(candidate: Network, x: Array, expected: Array) -> _Candidate:
    found = _outputs(candidate, x)
    places = list(slices(candidate.readout.parts).values()) or [slice(None)]
    agreements = [(found[:, place].argmax(axis=1) == expected[:, place].argmax(axis=1)).mean() for place in places]
    return _Candidate(candidate, float(np.mean(agreements)), float(((found - expected) ** 2).mean()))


def _outputs(network: Network, x: Array) -> Array:
    potentials = simulate(network, x, counts=False).potentials
    return np.asarray(potentials.reshape(len(x), -1) / network.output_unit)


def _described(network: Network, realization: str, ratio: float, *, corrected: bool) -> Network:
    record = RealizationRecord(realization, quantized_again=True, ratio=ratio, corrected=corrected)
    return replace(network, record=replace(network.record, realization=record))
