"""`loihiconv.estimate_energy`: what a sample costs on a board, from the spikes that the emulator predicts for it."""

from __future__ import annotations

from pathlib import Path

from loihiconv.core.choices import EnergyEngine
from loihiconv.core.errors import InvalidSetting
from loihiconv.core.given import check_number, did_you_mean, shown
from loihiconv.core.input_coding import check_samples, sample_parts
from loihiconv.core.input_samples import collect_inputs
from loihiconv.core.network import Network, check_network
from loihiconv.core.samples import Samples
from loihiconv.hardware.board import Board
from loihiconv.hardware.energy import EnergyEstimate, estimate, simulated
from loihiconv.hardware.place import place
from loihiconv.hardware.sanafe import simulate_chip
from loihiconv.simulator import simulate

ENGINES: tuple[EnergyEngine, ...] = ("counts", "sanafe")
SAMPLES = 3
"""That it is estimated on, unless told otherwise."""


def estimate_energy(
    network: Network, x: Samples, *, board: str | Path | Board | None = None, engine: EnergyEngine = "counts", samples: int = SAMPLES
) -> EnergyEstimate:
    """Estimate time and energy of a sample on a board: a range, never a bare figure, and beside it what others measured.

    Parameters
    ----------
    network : Network
        Fixed point.
    x : array or tensor (N, \\*input shape), Dataset, DataLoader, or iterable of samples or batches
        Samples that are typical.
    board : str, path or Board, optional
        By default that of the network.
    engine : "counts" or "sanafe"
        Sums over operations, see `loihiconv.hardware.energy`; or SANA-FE, which simulates one chip of Loihi 1 message by message and has
        to be installed (``pip install sanafe``), see `loihiconv.hardware.sanafe`.
    samples : int
        How many of them, at most; the estimate is their mean.

    Returns
    -------
    EnergyEstimate

    Raises
    ------
    BackendUnavailable
        If SANA-FE is asked for and not installed.
    LimitExceeded
        If nothing of the network fits a core, or SANA-FE has no such chip.
    UnsupportedLayer
        If SANA-FE has no such neurons or inputs.
    """
    check_network(network)
    check_number(samples, "samples", low=1)
    if engine not in ENGINES:
        raise InvalidSetting(
            f"unknown engine {shown(engine)}{did_you_mean(engine, ENGINES)}", where="engine", limit=f"one of {', '.join(ENGINES)}"
        )
    placement = place(network, board)
    taken = check_samples(network, collect_inputs(sample_parts(network), x, "samples").x)[:samples]
    simulation = simulate_chip(network, taken, placement) if engine == "sanafe" else None
    found = estimate(network, simulate(network, taken), placement)
    return found if simulation is None else simulated(found, simulation)
