"""From a trained float network to one for the chip: the whole way, in one function."""

from __future__ import annotations

import platform
import warnings
from collections.abc import Callable
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from loihiconv.ann import Ann
from loihiconv.ann_forward import verify_reading
from loihiconv.calibration import Calibration, CalibrationData, batches, calibrate
from loihiconv.frontends.torch import read_torch
from loihiconv.hardware.config import HardwareConfig, load_board
from loihiconv.linear import Array
from loihiconv.network import Coding, Network, Reset
from loihiconv.normalization import Scales, percentile_scales, silent_layers
from loihiconv.passes import lower
from loihiconv.quantization import quantize
from loihiconv.spiking import check_settings, population_names, to_spiking
from loihiconv.version import __version__


def convert(
    model: nn.Module,
    calibration: CalibrationData,
    *,
    hardware: str | Path | HardwareConfig | None,
    timesteps: int,
    percentile: float = 99.9,
    input_coding: Coding = "analog",
    reset: Reset = "subtract",
    start: float = 0.5,
    progress: Callable[[int], None] | None = None,
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
    percentile : float in (0, 100]
        Which activations of a layer become the largest firing rate; 100 is max-norm.
    input_coding : "analog" or "rate"
        "analog" feeds values as 8-bit payloads (or as currents computed on the host, where the board has no graded
        spikes); "rate" as spikes.
    reset : "subtract" or "zero"
    start : float in [0, 1]
        Membrane potential at the start of each sample, as a fraction of the threshold.
    progress : callable (calibration samples done), optional

    Returns
    -------
    Network

    Raises
    ------
    LoihiconvError
        One subclass per mistake; see `loihiconv.errors`.

    Warns
    -----
    UserWarning
        If a layer is silent on all calibration data.
    """
    check_settings(timesteps, input_coding, reset, start)
    board = load_board(hardware) if hardware is not None else None
    first, data = _peek(calibration)
    ann, notes = read(model, first)
    statistics = calibrate(ann, data, progress=progress)
    scales = percentile_scales(ann, statistics, percentile)
    for name in silent_layers(ann, statistics):
        warnings.warn(
            f"{population_names(ann)[name]}: no activation on {statistics.samples} calibration samples; it will never spike", stacklevel=2
        )
    settings = {"timesteps": timesteps, "percentile": percentile, "input_coding": input_coding, "reset": reset, "start": start}
    network = to_spiking(
        ann,
        scales,
        timesteps=timesteps,
        input_coding=input_coding,
        reset=reset,
        start=start,
        signed=statistics.nodes[ann.input.name].smallest < 0,
        metadata=_metadata(ann, statistics, scales, settings, notes),
    )
    return network if board is None else quantize(network, board)


def read(model: nn.Module, x: Array) -> tuple[Ann, tuple[str, ...]]:
    """Read a model, rewrite it to linear maps and ReLUs, and check both against the model itself.

    Parameters
    ----------
    model : nn.Module
    x : array (N, \\*shape)
        A few samples to compare outputs on.

    Returns
    -------
    ann : Ann
    notes : tuple of str
        What the passes did that a user should know.
    """
    original = read_torch(model, x.shape[1:])
    ann, notes = lower(original)
    verify_reading(model, ann, torch.from_numpy(x))
    return ann, notes


def _peek(data: CalibrationData) -> tuple[Array, CalibrationData]:
    """The first batch, checked, and all of the data, the first batch included, even if it can be read only once."""
    if isinstance(data, (np.ndarray, torch.Tensor)):
        return next(batches(data)), data
    stream = iter(data)
    head = list(islice(stream, 1))
    return next(batches(head)), chain(head, stream)


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
