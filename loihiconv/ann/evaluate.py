"""Check an `Ann` against the model that it was read from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from loihiconv.ann.evaluator import Evaluator, batch_of, outputs_of
from loihiconv.ann.frontends import FloatModel, Source, readable
from loihiconv.ann.graph import Ann, Quantize, Round
from loihiconv.core.errors import InvalidModel
from loihiconv.core.linear import Array, Shape
from loihiconv.core.parts import OutputPart, returned, slices


def verify_reading(model: Source, ann: Ann, x: Tensor | Array, *, tolerance: float = 1e-4) -> None:
    """Check that ``ann`` computes what ``model`` computes in evaluation mode, its last functions included.

    Parameters
    ----------
    model : what `loihiconv.ann.frontends` reads
    x : (N, \\*input_shape)
        A few real samples.
    tolerance : float
        Largest difference allowed, relative to the largest output; `ROUNDED` where activations are rounded.

    Raises
    ------
    InvalidModel
        If they differ, so that a misread model is never converted in silence; it names the first operation that does, where the front
        end can tell. Also if the model gives something else when it is called again.
    """
    reference = readable(model)
    batch = batch_of(x)
    expected = torch.from_numpy(reference.outputs(batch.numpy()))
    if not expected.isfinite().all():
        remedy = "check that training converged, and that samples are as in training"
        raise InvalidModel("outputs are NaN or infinite", where=reference.name, remedy=remedy)
    if any(isinstance(node, (Round, Quantize)) for node in ann):
        tolerance = max(tolerance, ROUNDED)
    try:
        _verify(expected, outputs_of(ann, Evaluator(ann)(batch)[0]), tolerance, reference.name, ann.parts)
    except InvalidModel as error:
        if not _agree(reference, expected, ann, batch):
            error = _other_results(reference, batch[:FEW].numpy(), tolerance) or error  # why they differ
            if first := _first_difference(reference, ann, tuple(batch.shape[1:]), tolerance):
                raise InvalidModel(error.what, where=first, limit="the first that differs", remedy=error.remedy) from error
            raise error from None
    if changes := _other_results(reference, batch[:FEW].numpy(), tolerance):
        raise changes


def _other_results(reference: FloatModel, x: Array, tolerance: float) -> InvalidModel | None:
    """What to raise where a model gives something else when it is called again, as one with a hidden state of its own does."""
    if (again := reference.outputs_again(x)) is None:
        return None
    once = reference.outputs(x)
    if np.abs(again - once).max() <= tolerance * np.abs(once).max():
        return None
    return InvalidModel(
        "forward() gives other results for the same samples when it is called again",
        where=reference.name,
        remedy="remove what is random and what it keeps from call to call, such as a hidden state, or begin anew in each call; a spiking "
        "network starts each sample from rest",
    )


def _agree(reference: FloatModel, expected: Tensor, ann: Ann, batch: Tensor) -> bool:
    """Whether a network gives the same in float64, or as nearly as numbers of fewer bits than float32's can tell."""
    precise = reference.precise_outputs(batch.numpy())
    exact, tolerance = (expected, ROUNDINGS * reference.epsilon) if precise is None else (torch.from_numpy(precise), PRECISE)
    try:
        _verify(exact, outputs_of(ann, Evaluator(ann, dtype=torch.float64)(batch)[0]), tolerance, "", ann.parts)
    except InvalidModel:
        return False
    return True


def _first_difference(reference: FloatModel, ann: Ann, shape: Shape, tolerance: float) -> str:
    """The first node that gives something else than the model's operation of that name; empty where none does or nobody can tell."""
    if [node.name for node in ann] != [node.name for node in reference.ann(shape)] or (results := reference.results(shape)) is None:
        return ""  # a network that has been rewritten gives other results under the same names
    names = [name for name in results.nodes if name in ann]
    _, kept = Evaluator(ann)(results.x, keep=names)
    for name in names:
        expected, read = torch.from_numpy(results.nodes[name]).flatten(1), kept[name].flatten(1)
        if expected.shape == read.shape and not float((read - expected).abs().max()) <= tolerance * float(expected.abs().max()):
            return name
    return ""


def verify_rewriting(ann: Ann, rewritten: Ann, x: Tensor | Array, *, tolerance: float = 1e-3) -> None:
    """Check that a network computes what it computed before the passes, as `verify_reading` does with the model."""
    batch = batch_of(x)
    expected, read = (outputs_of(network, Evaluator(network)(batch)[0]) for network in (ann, rewritten))
    _verify(expected, read, tolerance, ann.output.name, rewritten.parts)


def _verify(expected: Tensor, read: Tensor, tolerance: float, where: str, parts: Sequence[OutputPart]) -> None:
    """Compare outputs, each of several by itself: they may be of different magnitudes."""
    if not parts or expected.shape != read.shape:
        _verify_one(expected, read, tolerance, where)
        return
    for name, place in slices(returned(parts)).items():
        _verify_one(expected[:, place], read[:, place], tolerance, f"{where}, output {name}")


def _verify_one(expected: Tensor, read: Tensor, tolerance: float, where: str) -> None:
    if expected.shape != read.shape:
        raise InvalidModel(f"the model returns shape {tuple(expected.shape)} but was read as {tuple(read.shape)}", remedy=_REPORT)
    difference = (read - expected).abs()
    # NaN compares false, so that it counts as a difference.
    if not float(difference.max()) <= tolerance * float(expected.abs().max()):
        raise InvalidModel(
            f"the model's outputs differ by up to {float(difference.max()):.3g} from those of the network read from it",
            where=where,
            remedy=_REPORT,
        )


FEW = 4
"""Samples that a model is called twice with."""
ROUNDINGS = 8
"""Times the rounding of one number that outputs may differ by, where a model computes in fewer bits than float32's."""
PRECISE = 1e-6
"""Difference allowed in float64, of parameters that are float32."""
ROUNDED = 0.05
"""Difference allowed where activations are rounded: one that lies between two steps may go either way in float32."""
_REPORT = "does it use hooks, randomness, global state or the number of samples? Remove them; if not, please report this as a bug"
