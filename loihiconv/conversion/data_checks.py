"""What looks wrong with calibration data: said, never silently accepted."""

from __future__ import annotations

from math import prod

import numpy as np
import torch

from loihiconv.ann.evaluator import Evaluator
from loihiconv.ann.frontends import Source, readable
from loihiconv.ann.graph import Affine, Ann, BatchNorm, Clamp, Relu
from loihiconv.conversion.calibration import Statistics
from loihiconv.conversion.likeness import likely_task
from loihiconv.core.linear import Array
from loihiconv.core.parts import divided

SPREAD_RATIO = 4.0
"""By what factor the spread that a batch norm sees may differ from that of its training."""
FEWEST_FOR_CLASSES = 50
"""Samples below which the classes among them say nothing."""
MOSTLY_ONE_CLASS = 0.9
OUTLIER_RATIO = 10.0
"""By what factor the largest input may exceed the 99.9th percentile of all that are not zero."""
MORE_THAN_LEVELS = 100
"""Whole numbers up to more than that are no levels or counts, but raw values of an image."""
BATCH = 64
"""Samples, the first ones, that say how a batch norm's input is spread."""


def suspicions(model: Source, x: Array) -> tuple[str, ...]:
    """Reasons to doubt that samples are what the model was trained on.

    Parameters
    ----------
    model : what `loihiconv.ann.frontends` reads
    x : array (N, \\*shape)
        Calibration samples.

    Returns
    -------
    tuple of str
        Each says what was seen and what to do; empty if nothing was.
    """
    if len(x) > 1 and same_samples(x):
        what = f"all {len(x):,} samples are the same" if x.any() else f"all {len(x):,} samples are 0"
        return (f"calibration data: {what}; scales that are measured on one say nothing of others: give training samples",)
    model = readable(model)
    ann = model.ann(x.shape[1:])
    scale = None if model.takes_bytes else _wrong_scale(ann, x, _spread(ann, x[:BATCH]))
    found = [scale] if scale else []
    if ann.parts:  # which of them are classes is not known
        return tuple(found)
    if likely_task(ann.ending, prod(ann.shapes[ann.output.name])) != "classification" or isinstance(ann.output, Relu | Clamp):
        return tuple(found)
    outputs = model.outputs(x)
    classes = np.bincount(outputs.argmax(axis=1), minlength=outputs.shape[1])
    most = int(classes.max())
    if not scale and len(classes) > 2 and len(x) >= FEWEST_FOR_CLASSES and most >= MOSTLY_ONE_CLASS * len(x):
        found.append(
            f"calibration data: the network names class {int(classes.argmax())} on {most} of {len(x)} samples; scales that are "
            "measured on one class clip the others: draw calibration samples from all classes"
        )
    return tuple(found)


def same_samples(x: Array) -> bool:
    """Whether all samples (N, \\*shape) are one and the same."""
    return bool((x == x[:1]).all())


def outliers(statistics: Statistics, data: object) -> str | None:
    """Whether a few values are far above all others: they set the input's scale, and leave the others few of a payload's bits.

    Parameters
    ----------
    statistics : Statistics
        Of the input.
    data : array or iterator
        Calibration data, as the network takes it; the samples with such values are counted where it can be looked at again.
    """
    usual, largest = statistics.percentile(99.9), statistics.largest_magnitude
    if not usual or largest <= OUTLIER_RATIO * usual:
        return None
    samples = ""
    if isinstance(data, np.ndarray):
        far = np.abs(data).reshape(len(data), -1).max(axis=1) > OUTLIER_RATIO * usual
        samples = f" in {int(far.sum()):,} of {len(data):,} samples"
    return (
        f"calibration data: values up to {largest:.3g}{samples}, {largest / usual:.3g} times the 99.9th percentile; they set the scale "
        "of all inputs, which then have few bits: remove or clip them"
    )


def _spread(ann: Ann, x: Array) -> tuple[str, float] | None:
    """The first batch norm, and how wide its input is spread, as a multiple of what it was in training; None without one."""
    norm = next((node for node in ann if isinstance(node, BatchNorm)), None)
    if norm is None:
        return None
    before = norm.inputs[0]
    values = Evaluator(ann)(torch.from_numpy(x), keep=[before])[1][before].numpy().astype(np.float64)
    variance = values.swapaxes(0, 1).reshape(values.shape[1], -1).var(axis=1)
    return norm.name, float(np.sqrt(np.quantile(variance / (norm.var + 1e-12), 0.5, method="lower")))


def _wrong_scale(ann: Ann, x: Array, spread: tuple[str, float] | None) -> str | None:
    """Whether the first batch norm's input is spread otherwise than in training; without one, what the values look like."""
    if spread is not None:
        name, ratio = spread
        if not 1 / SPREAD_RATIO < ratio < SPREAD_RATIO:
            return (
                f"calibration data: {name} (batch norm) sees values spread {ratio:.3g} times as wide as in training; "
                "preprocess calibration samples as in training (0 to 1 or 0 to 255? mean and std?)"
            )
        return None
    for name, values in divided(x.reshape(len(x), -1), ann.input_parts).items():
        whole = bool((values == np.rint(values)).all())
        entry = name if len(ann.inputs) > 1 else ann.inputs[0].name
        if whole and values.min() >= 0 and MORE_THAN_LEVELS < values.max() < 2**16 and not _scales_itself(ann, entry):
            of_bytes = values.max() < 2**8
            looks, remedy = ("bytes", "divide them by 255") if of_bytes else ("16-bit values", "scale them as in training")
            return (
                f"calibration data: {f'input {name}: ' if len(ann.inputs) > 1 else ''}whole numbers up to {values.max():.0f} look like "
                f"{looks} of an image; if the network was trained on 0 to 1, {remedy}"
            )
    return None


def _scales_itself(ann: Ann, entry: str) -> bool:
    """Whether all that takes an input makes it much smaller first, as ``x / 255`` in a model does."""
    users = [node for node in ann if entry in node.inputs]
    return bool(users) and all(isinstance(node, Affine) and float(np.abs(node.scale).max()) <= 1 / MORE_THAN_LEVELS for node in users)
