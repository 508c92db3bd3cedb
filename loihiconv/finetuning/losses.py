"""How far outputs are from what is wanted, as a number with gradients."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from loihiconv.ann.graph import Ann
from loihiconv.conversion.likeness import likely_task
from loihiconv.core.choices import Task
from loihiconv.core.ending import HostFunction, Shaped, ending_shape
from loihiconv.core.network import assert_never


def from_outputs(ann: Ann, outputs: Tensor, wanted: Tensor) -> Tensor:
    """Mean over samples, summed over outputs, of what `loihiconv.conversion.likeness.alike` calls divergence.

    Parameters
    ----------
    ann : Ann
    outputs, wanted : tensor (N, n)
        Before the network's last functions.
    """
    losses = [
        _from_one(likely_task(ending, place.stop - place.start), ending, outputs[:, place], wanted[:, place]) for place, ending in ann.ends
    ]
    return torch.stack(losses).sum()


def from_labels(outputs: Tensor, labels: Tensor) -> Tensor:
    """Mean cross entropy of outputs (N, classes) before a softmax, and classes (N,)."""
    return F.cross_entropy(outputs, labels)


def _from_one(task: Task, ending: Sequence[HostFunction], outputs: Tensor, wanted: Tensor) -> Tensor:
    match task:
        case "classification":
            return _divergence(outputs, wanted)
        case "dense":
            arranged = next((i for i, f in enumerate(ending) if not isinstance(f, Shaped)), len(ending))
            classes = ending_shape(ending[:arranged], (outputs.shape[1],))[0]
            if classes == 1:
                return _of_signs(outputs, wanted)
            return _divergence(*(values.unflatten(1, (classes, -1)).movedim(1, 2).flatten(0, 1) for values in (outputs, wanted)))
        case "binary" | "multilabel":
            return _of_signs(outputs, wanted)
        case "regression":
            spread = wanted.var(0, correction=0).mean().clamp(min=1e-12)
            return F.mse_loss(outputs, wanted) / spread
        case _:
            assert_never(task)


def _divergence(outputs: Tensor, wanted: Tensor) -> Tensor:
    return F.kl_div(F.log_softmax(outputs, 1), F.log_softmax(wanted, 1), reduction="batchmean", log_target=True)


def _of_signs(outputs: Tensor, wanted: Tensor) -> Tensor:
    given = torch.sigmoid(wanted)
    return F.binary_cross_entropy_with_logits(outputs, given) - F.binary_cross_entropy_with_logits(wanted, given)
