"""What looks wrong with calibration data: said, never silently accepted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from loihiconv.linear import Array

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
SPREAD_RATIO = 4.0
"""By what factor the spread that a batch norm sees may differ from that of its training."""
FEWEST_FOR_CLASSES = 50
"""Samples below which the classes among them say nothing."""
MOSTLY_ONE_CLASS = 0.9


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
    found = []
    scale = _wrong_scale(model, x)
    if scale:
        found.append(scale)
    classes = _classes(model, x)
    most = int(classes.max())
    if not scale and len(classes) > 2 and len(x) >= FEWEST_FOR_CLASSES and most >= MOSTLY_ONE_CLASS * len(x):
        found.append(
            f"calibration data: the network names class {int(classes.argmax())} on {most} of {len(x)} samples; scales that are "
            "measured on one class clip the others: draw calibration samples from all classes"
        )
    return tuple(found)


def _classes(model: nn.Module, x: Array) -> Array:
    """How many samples the model puts into each class."""
    outputs = _evaluate(model, x)
    return np.bincount(outputs.argmax(axis=1), minlength=outputs.shape[1])


def _wrong_scale(model: nn.Module, x: Array) -> str | None:
    """The first batch norm whose input is spread otherwise than in training; without one, what the values look like."""
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
        _evaluate(model, x)
    finally:
        for handle in handles:
            handle.remove()
    if seen:
        name, ratio = seen[0]
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


def _evaluate(model: nn.Module, x: Array) -> Array:
    """Outputs (N, classes) in inference mode; the model is left as it was."""
    training = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.inference_mode():
            return np.concatenate([model(torch.from_numpy(x[i : i + 64])).flatten(1).numpy() for i in range(0, len(x), 64)])
    finally:
        for module, mode in training.items():
            module.training = mode
