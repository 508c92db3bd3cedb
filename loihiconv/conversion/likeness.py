"""How alike the outputs of a spiking network and its ANN are, without labels: what a search judges by.

Where outputs decide for something, it is the divergence of the distributions that they stand for, which moves with every sample; where
they are numbers, the share of their variance that is missed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from loihiconv.ann.evaluator import forward, outputs_of
from loihiconv.ann.graph import Ann
from loihiconv.core import numbers as n
from loihiconv.core.choices import Task
from loihiconv.core.ending import Argmax, HostFunction, Pointwise, Shaped, Softmax, ending_shape, finish
from loihiconv.core.linear import Array, Shape
from loihiconv.core.network import assert_never

FAR = 0.3
"""Difference of outputs, as a share of them, that is warned of."""


def likely_task(ending: Sequence[HostFunction], size: int) -> Task:
    """What a network does that ends so, as far as can be told without labels; one with no last function and several outputs classifies."""
    if any(isinstance(f, Pointwise) and f.curve in ("sigmoid", "logsigmoid") for f in ending):
        return "multilabel"
    shape = _given(ending, size)
    if any(isinstance(f, Softmax | Argmax) for f in ending):
        return "dense" if len(shape) > 1 else "classification"
    if size == 1 or any(not isinstance(f, Shaped) for f in ending):
        return "regression"
    wide = [size for size in shape[1:] if size > 1]
    return "classification" if not wide else "dense" if shape[0] > 1 else "regression"


def alike(task: Task, ending: Sequence[HostFunction], reference: Array, logits: Array) -> tuple[Array, Array]:
    """Agreement and divergence, (N,) each, of outputs (N, n) from those of a reference, both before the network's last functions.

    Agreement is the share of equal decisions; of numbers 1 - divergence. Divergence, in nats, is the mean of Σ p (log p - log q) with p
    and q the softmax over classes, or those of yes and no, by the logistic function; of numbers the mean square difference of the
    finished outputs, over the reference's variance.
    """
    match task:
        case "classification":
            return _of_classes(reference, logits)
        case "dense":
            shape = _given(ending, reference.shape[1])
            if shape[0] == 1:
                return _of_signs(reference, logits)
            agreed, diverged = _of_classes(_pixels(reference, shape), _pixels(logits, shape))
            return _per_sample(agreed, len(reference)), _per_sample(diverged, len(reference))
        case "binary" | "multilabel":
            return _of_signs(reference, logits)
        case "regression":
            return _of_numbers(finish(ending, reference.astype(np.float64)), finish(ending, logits.astype(np.float64)))
        case _:
            assert_never(task)


def cost_of_rounding(rounded: Ann, ann: Ann, x: Array) -> str:
    """How far outputs (N, n) of a network without the rounding of its activations are from those with it, for its record."""
    return f"without the rounding of activations {_difference(rounded, ann, x)}"


def cost_of_curves(curved: Ann, ann: Ann, x: Array) -> str:
    """How far outputs (N, n) of a network with ReLUs in place of curves are from those with curves, for its record."""
    return f"with ReLUs in place of curved activations {_difference(curved, ann, x)}"


def too_far(given: Ann, changed: Ann, x: Array) -> bool:
    """Whether outputs differ so much that little of the network is left."""
    return _share(given, changed, x) > FAR


def _difference(given: Ann, changed: Ann, x: Array) -> str:
    return f"outputs differ by {n.percent(_share(given, changed, x), 1)} (root mean square, on {len(x)} samples)"


def _share(given: Ann, changed: Ann, x: Array) -> float:
    """Root mean square of what outputs differ by, as a share of their own."""
    reference, outputs = (outputs_of(network, forward(network, x)[0]).double().numpy() for network in (given, changed))
    size = float(np.sqrt(np.mean(reference**2)))
    return float(np.sqrt(np.mean((outputs - reference) ** 2))) / size if size else 0.0


def divergence(reference: Array, outputs: Array) -> Array:
    """Σ_k p_k (log p_k - log q_k) of each sample, p and q the softmax of two arrays (N, classes), in nats."""
    log_p, log_q = (Softmax(0, log=True)(values.astype(np.float64)) for values in (reference, outputs))
    return np.asarray((np.exp(log_p) * (log_p - log_q)).sum(axis=1))


def _of_classes(reference: Array, logits: Array) -> tuple[Array, Array]:
    return (reference.argmax(axis=1) == logits.argmax(axis=1)).astype(np.float64), divergence(reference, logits)


def _of_signs(reference: Array, logits: Array) -> tuple[Array, Array]:
    a, b = (np.stack([values.ravel(), np.zeros(values.size)], axis=1) for values in (reference, logits))
    return _per_sample((reference > 0) == (logits > 0), len(reference)), _per_sample(divergence(a, b), len(reference))


def _of_numbers(reference: Array, outputs: Array) -> tuple[Array, Array]:
    spread = float(reference.var(axis=0).mean()) or 1.0
    missed = _per_sample((outputs - reference) ** 2, len(reference)) / spread
    return 1 - missed, missed


def _per_sample(values: Array, samples: int) -> Array:
    """Means (N,) over all that belongs to a sample, one sample after the other."""
    return np.asarray(values.reshape(samples, -1).mean(axis=1))


def _given(ending: Sequence[HostFunction], size: int) -> Shape:
    """Shape of outputs before the functions that do more than to arrange them."""
    arranged = next((i for i, f in enumerate(ending) if not isinstance(f, Shaped)), len(ending))
    return ending_shape(ending[:arranged], (size,))


def _pixels(values: Array, shape: Shape) -> Array:
    """(N pixels, classes) from (N, classes pixels)."""
    return np.moveaxis(values.reshape(len(values), shape[0], -1), 1, 2).reshape(-1, shape[0])
