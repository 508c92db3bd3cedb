"""From what was measured to the spiking network, corrected and quantized."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from loihiconv.ann.passes.copies import copied_scales, with_copies
from loihiconv.conversion.bias_correction import correct_biases, measured_rates, target_rates
from loihiconv.conversion.clipping import FEW_BITS
from loihiconv.conversion.few_bits import scales_for_bits
from loihiconv.conversion.judge import Attempt, Judge
from loihiconv.conversion.measuring import Measured, Progress
from loihiconv.conversion.naming import population_names
from loihiconv.conversion.potentials import observe
from loihiconv.conversion.quantization import narrow_weights, quantize
from loihiconv.conversion.rounding_choice import choose_rounding
from loihiconv.conversion.scales import Scales, choose_scales
from loihiconv.conversion.settings import Settings
from loihiconv.conversion.spiking import to_spiking
from loihiconv.conversion.summary import summarized
from loihiconv.conversion.weight_repair import Repair
from loihiconv.core.linear import Array
from loihiconv.core.network import Network
from loihiconv.core.version import __version__
from loihiconv.hardware.board import Board
from loihiconv.hardware.place import place
from loihiconv.hardware.validation import validate


def build(source: Measured, settings: Settings, board: Board | None, progress: Progress | None = None) -> Network:
    """From what was measured to the spiking network, corrected and, with a board, quantized and corrected again.

    NumPy's sums of products are made in one thread: with more they come in another order, and a weight that lies between two integers may
    be rounded otherwise, so that a worker of a cluster, which has one, would make another network of it.
    """
    with threadpool_limits(limits=1, user_api="blas"):
        return _build(source, settings, board, progress)


def _build(source: Measured, settings: Settings, board: Board | None, progress: Progress | None) -> Network:
    ann, statistics = source.ann, source.statistics
    scales = choose_scales(ann, statistics, settings)
    if board is not None and source.trained is None:  # training has seen its scales
        scales = scales_for_bits(ann, statistics, scales, settings, board.weight_bits.value)
    signed = [entry.name for entry in ann.inputs if statistics.nodes[entry.name].smallest < 0]
    copied, each = with_copies(ann, settings.copies), copied_scales(ann, scales, settings.copies)
    network = to_spiking(copied, each, settings, signed=signed, names=population_names(ann))
    unwritten = network.unwritten if board is not None else ()
    notes = (*source.notes, *(f"{what} run in the emulator and in Lava; no board has a neuron program for them yet" for what in unwritten))
    if settings.silent_steps and not network.silent_steps:
        notes = (*notes, "no layer is driven by spikes: silent steps change nothing")
    if settings.signed_spikes and not network.signed:
        notes = (*notes, "no layer is driven by spikes: signed spikes change nothing")
    record = replace(network.record, calibration=summarized(source, scales), notes=notes, curves=source.curves, provenance=_versions())
    network = replace(network, record=record)
    rounds = 1 if board is None else 2  # a quantized network is corrected once more
    floated = network
    network, targets = _corrected(floated, source, scales, settings, _correction_progress(progress, 0, rounds))
    if board is None:
        return network
    if network is floated:  # corrections see potentials on their way
        network = observe(network, source.samples)
    covariances, said = choose_rounding(network, board, settings.rounding, source.samples, centred=settings.bias_correction)
    network = noted(network, *said)
    quantized = quantize(network, board, covariances)
    if narrow := narrow_weights(quantized):
        quantized = noted(quantized, *narrow)
    few = settings.rounding == "auto" and board.weight_bits.value <= FEW_BITS
    repair = Repair(quantized.origin or network, board, covariances, source.samples) if few else None
    corrected = correct_biases(quantized, targets, source.samples, repair=repair, progress=_correction_progress(progress, 1, rounds))
    validate(corrected, board)
    return corrected


def attempted(common: tuple[Measured, Judge, Board | None], settings: Settings) -> Attempt:
    """A network with some settings, and how it does on samples that no correction has seen."""
    source, judge, board = common
    network = build(source, settings, board)
    fits = board is None or settings.copies == 1 or place(network, board).fits
    return Attempt(network, settings, *judge(network), fits)


def _corrected(
    network: Network, source: Measured, scales: Scales, settings: Settings, progress: Callable[[int, int], None] | None
) -> tuple[Network, dict[str, Array]]:
    """The float spiking network with corrected biases, and the rates that its integers should have; none where nothing is corrected.

    Where training has seen these very spikes its rates are as they should be, and the float network's own are not.
    """
    if not settings.bias_correction:
        return network, {}
    if source.trained == (settings.timesteps, settings.silent_steps):
        return network, measured_rates(network, source.samples)
    targets = target_rates(source.ann, scales, source.samples)
    return correct_biases(network, targets, source.samples, progress=progress), targets


def _correction_progress(progress: Progress | None, before: int, rounds: int) -> Callable[[int, int], None] | None:
    """What `correct_biases` reports to in one of so many rounds, of which some were before."""
    if progress is None:
        return None
    return lambda done, layers: progress("bias correction", before * layers + done, rounds * layers)


def _versions() -> dict[str, str]:
    """What converts here."""
    return {"loihiconv": __version__, "python": platform.python_version(), "torch": str(torch.__version__), "numpy": np.__version__}


def noted(network: Network, *notes: str) -> Network:
    """A network with more notes in its record."""
    return replace(network, record=replace(network.record, notes=(*network.record.notes, *notes)))
