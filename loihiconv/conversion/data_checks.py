"""What looks wrong with calibration data: said, never silently accepted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from loihiconv.ann.evaluate import model_outputs
from loihiconv.core.linear import Array

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
SPREAD_RATIO = 4.0
"""By what factor the spread that a batch norm sees may differ from that of its training."""
FEWEST_FOR_CLASSES = 50
"""Samples below which the classes among them say nothing."""
MOSTLY_ONE_CLASS = 0.9
BATCH = 64
"""Samples that the model evaluates at a time; the first so many say how its batch norm's input is spread."""


def suspicions(model: nn.Module, x: Array) -> tuple[str, ...]:
    """Reasons to doubt that samples are what the model was trained on.

    Parameters
    ----------
    model : nn.Module
    x : array (N, \\*shape)
        Calibration samples.

    Returns
    -------
    tuple of str
        Each says what was seen and what to do; empty if nothing was.
    """
    outputs, spread = _watched(model, x)
    scale = _wrong_scale(x, spread)
    found = [scale] if scale else []
    classes = np.bincount(outputs.argmax(axis=1), minlength=outputs.shape[1])
    most = int(classes.max())
    if not scale and len(classes) > 2 and len(x) >= FEWEST_FOR_CLASSES and most >= MOSTLY_ONE_CLASS * len(x):
        found.append(
            f"calibration data: the network names class {int(classes.argmax())} on {most} of {len(x)} samples; scales that are "
            "measured on one class clip the others: draw calibration samples from all classes"
        )
    return tuple(found)


def _watched(model: nn.Module, x: Array) -> tuple[Array, tuple[str, float] | None]:
    """The model's outputs, and its first batch norm with how wide its input is spread, as a multiple of what it was in training."""
    seen: list[tuple[str, float]] = []

    def watch(name: str) -> Callable[[nn.Module, tuple[torch.Tensor, ...]], None]:
        def hook(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
            values = inputs[0].double().transpose(0, 1).flatten(1)  # a row per channel
            trained = module.get_buffer("running_var") + 1e-12
            seen.append((name, float((values.var(dim=1, correction=0) / trained).median().sqrt())))

        return hook

    norms = [(name, m) for name, m in model.named_modules() if isinstance(m, BATCH_NORMS) and m.running_mean is not None]
    handles = [module.register_forward_pre_hook(watch(name)) for name, module in norms[:1]]
    try:
        outputs = model_outputs(model, x, BATCH)
    finally:
        for handle in handles:
            handle.remove()
    return outputs, seen[0] if seen else None


def _wrong_scale(x: Array, spread: tuple[str, float] | None) -> str | None:
    """Whether the first batch norm's input is spread otherwise than in training; without one, what the values look like."""
    if spread is not None:
        name, ratio = spread
        if not 1 / SPREAD_RATIO < ratio < SPREAD_RATIO:
            return (
                f"calibration data: {name} (batch norm) sees values spread {ratio:.3g} times as wide as in training; "
                "preprocess calibration samples as in training (0 to 1 or 0 to 255? mean and std?)"
            )
        return None
    whole = bool((x == np.rint(x)).all())
    if whole and x.min() >= 0 and x.max() > 100:
        return (
            f"calibration data: whole numbers up to {x.max():.0f} look like bytes of an image; if the network was trained on 0 to 1, "
            "divide them by 255"
        )
    return None
