"""From a trained float network to one for the chip: the whole way, in one function."""

from __future__ import annotations

import platform
import warnings
from collections.abc import Callable
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import nn

from loihiconv.ann import Ann
from loihiconv.ann import MaxPool as AnnMaxPool
from loihiconv.ann_forward import verify_reading
from loihiconv.calibration import Calibration, CalibrationData, batches, calibrate
from loihiconv.correction import correct_biases, first_samples, spread_samples, target_rates
from loihiconv.frontends.torch import read_torch
from loihiconv.hardware.config import HardwareConfig, load_board
from loihiconv.linear import Array, Shape
from loihiconv.network import Coding, Decision, Estimate, MaxPool, Network, Reset
from loihiconv.normalization import Scales, percentile_scales, silent_layers
from loihiconv.passes import Lowered, lower
from loihiconv.passes.maxpool import MaxPooling
from loihiconv.quantization import quantize
from loihiconv.spiking import check_pooled, check_settings, population_names, to_spiking
from loihiconv.version import __version__

Progress: TypeAlias = Callable[[str, int, int], None]


def convert(
    model: nn.Module,
    calibration: CalibrationData,
    *,
    hardware: str | Path | HardwareConfig | None,
    timesteps: int,
    percentile: float | None = 99.9,
    per_channel: bool = False,
    input_coding: Coding = "analog",
    reset: Reset = "subtract",
    start: float = 0.5,
    maxpool: MaxPooling = "gate",
    maxpool_estimate: Estimate = "count",
    readout: Decision = "potential",
    seed: int = 0,
    bias_correction: bool = True,
    progress: Progress | None = None,
) -> Network:
    """Convert a trained network after Rueckauer et al. 2016 and quantize it for a board.

    Parameters
    ----------
    model : nn.Module
        Trained; it is neither changed nor trained further.
    calibration : array or tensor (N, \\*shape), or iterable of batches
        Training samples as the network takes them (channels first, same preprocessing). A few hundred are enough. Never
        test samples.
    hardware : str, path, HardwareConfig or None
        A board of `loihiconv.boards()` or a YAML file; None stops at the float spiking network.
    timesteps : int
        T, the time steps that each sample gets.
    percentile : float in (0, 100] or None
        Which activations of a layer become the largest firing rate; 100 is max-norm, None does not normalise hidden layers.
    per_channel : bool
        Take the percentile of each channel instead of each layer (an extension of the paper).
    input_coding : "analog", "rate" or "poisson"
        "analog" feeds values as 8-bit payloads (or as currents computed on the host, where the board has no graded
        spikes); "rate" as evenly spaced spikes, "poisson" as random ones.
    reset : "subtract" or "zero"
    start : float in [0, 1]
        Membrane potential at the start of each sample, as a fraction of the threshold.
    maxpool : "gate", "relu-tree" or "average"
        "gate" lets only the spikes of a window's busiest unit pass: exact in rates, but only the simulators can, no chip
        has such gates. "relu-tree" computes max(a, b) = b + relu(a - b) with integrate-and-fire populations, for
        any board. "average" pools averages instead, which the network was not trained for; a warning says on how many
        calibration samples that names another class.
    maxpool_estimate : "count" or "average"
        How gates estimate rates; see `loihiconv.network.MaxPool`.
    readout : "potential" or "softmax"
        How classes are decided for; see `loihiconv.decision`.
    seed : int
        Of what is random: Poisson input and the softmax readout.
    bias_correction : bool
        Repair on calibration data what each channel loses on average; see `loihiconv.correction`. False is the paper's method.
    progress : callable (stage, done, in all), optional
        Stages are "calibration", in samples (0 in all where the data does not tell), and "bias correction", in layers.

    Returns
    -------
    Network
        ``metadata["notes"]`` says what a user should know about the conversion.

    Raises
    ------
    LoihiconvError
        One subclass per mistake; see `loihiconv.errors`.

    Warns
    -----
    UserWarning
        If a layer is silent on all calibration data, or what average pooling costs.
    """
    check_settings(timesteps, input_coding, reset, start, maxpool=maxpool, estimate=maxpool_estimate, readout=readout, seed=seed)
    board = load_board(hardware) if hardware is not None else None
    first, data = _peek(calibration)
    ann, notes = read(model, first, maxpool)
    reference = read(model, first).ann if maxpool == "average" else None
    if reference is not None and not any(isinstance(node, AnnMaxPool) for node in reference):
        reference = None
    if maxpool == "gate":
        check_pooled(ann, input_coding)
    kept: list[Array] = []
    total = len(data) if isinstance(data, (np.ndarray, torch.Tensor)) else 0
    statistics = calibrate(
        ann, _keeping(data, first.shape[1:], kept), per_channel=per_channel, reference=reference,
        progress=progress and (lambda done: progress("calibration", done, total)),
    )  # fmt: skip
    scales = percentile_scales(ann, statistics, percentile, per_channel=per_channel)
    for name in silent_layers(ann, statistics):
        warnings.warn(
            f"{population_names(ann)[name]}: no activation on {statistics.samples} calibration samples; it will never spike", stacklevel=2
        )
    if statistics.agreement is not None:
        cost = (
            f"average pooling in place of max-pooling names another class on {1 - statistics.agreement:.1%} of {statistics.samples} "
            "calibration samples"
        )
        warnings.warn(f'{cost}; maxpool="relu-tree" keeps the maximum', stacklevel=2)
        notes = (*notes, cost)
    settings = {
        "timesteps": timesteps, "percentile": percentile, "per_channel": per_channel, "input_coding": input_coding, "reset": reset,
        "start": start, "maxpool": maxpool, "maxpool_estimate": maxpool_estimate, "readout": readout, "seed": int(seed),
        "bias_correction": bool(bias_correction),
    }  # fmt: skip
    network = to_spiking(
        ann,
        scales,
        timesteps=timesteps,
        input_coding=input_coding,
        reset=reset,
        start=start,
        signed=statistics.nodes[ann.input.name].smallest < 0,
        estimate=maxpool_estimate,
        readout=readout,
        seed=int(seed),
        metadata=_metadata(ann, statistics, scales, settings, notes),
    )
    samples = np.concatenate(kept)
    targets = target_rates(ann, scales, samples) if bias_correction else {}
    rounds = 1 if board is None else 2  # a quantized network is corrected once more
    network = correct_biases(network, targets, samples, progress=_correction_progress(progress, 0, rounds))
    if board is None:
        return network
    gates = [p.name for p in network.populations if isinstance(p, MaxPool)]
    if gates:
        said = f'{", ".join(gates)}: no chip has gates for max-pooling, only the simulators do; maxpool="relu-tree" runs on {board.title}'
        network = replace(network, metadata={**network.metadata, "notes": [*network.metadata["notes"], said]})
    return correct_biases(quantize(network, board), targets, samples, progress=_correction_progress(progress, 1, rounds))


def read(model: nn.Module, x: Array, maxpool: MaxPooling = "gate") -> Lowered:
    """Read a model, rewrite it to linear maps and ReLUs, and check both against the model itself.

    Parameters
    ----------
    model : nn.Module
    x : array (N, \\*shape)
        A few samples to compare outputs on.
    maxpool : "gate", "relu-tree" or "average"
        "average" is another function than the model's: what is checked is the network before that.

    Returns
    -------
    ann : Ann
    notes : tuple of str
        What the passes did that a user should know.
    """
    original = read_torch(model, x.shape[1:])
    lowered = lower(original, maxpool)
    verify_reading(model, lower(original).ann if maxpool == "average" else lowered.ann, torch.from_numpy(x))
    return lowered


def _correction_progress(progress: Progress | None, before: int, rounds: int) -> Callable[[int, int], None] | None:
    """What `correct_biases` reports to in one of so many rounds, of which some were before."""
    if progress is None:
        return None
    return lambda done, layers: progress("bias correction", before * layers + done, rounds * layers)


def _peek(data: CalibrationData) -> tuple[Array, CalibrationData]:
    """The first batch, checked, and all of the data, the first batch included, even if it can be read only once."""
    if isinstance(data, (np.ndarray, torch.Tensor)):
        return next(batches(data)), data
    stream = iter(data)
    head = list(islice(stream, 1))
    return next(batches(head)), chain(head, stream)


def _keeping(data: CalibrationData, shape: Shape, kept: list[Array]) -> CalibrationData:
    """The data, of which some samples are kept for bias correction as they pass."""
    if isinstance(data, (np.ndarray, torch.Tensor)):
        kept.append(np.asarray(spread_samples(data), np.float32))
        return data
    return first_samples(batches(data, shape), kept)


def _metadata(ann: Ann, statistics: Calibration, scales: Scales, settings: dict[str, Any], notes: tuple[str, ...]) -> dict[str, Any]:
    """Settings, calibration summary and provenance, as JSON values."""
    source, names = statistics.nodes[ann.input.name], population_names(ann)
    return {
        "settings": settings,
        "calibration": {
            "samples": statistics.samples,
            "scales": {names[name]: np.asarray(scale).ravel().tolist() for name, scale in scales.items()},
            "largest": {names[name]: float(s.largest) for name, s in statistics.nodes.items()},
        },
        "input_mean_square": source.square_sum / source.values / float(scales[ann.input.name]) ** 2,
        "notes": list(notes),
        "provenance": {
            "loihiconv": __version__,
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            "numpy": np.__version__,
        },
    }
