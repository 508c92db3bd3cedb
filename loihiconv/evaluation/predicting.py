"""Test sets that can be judged by."""

from __future__ import annotations

import warnings

from loihiconv.core.choices import Task
from loihiconv.core.errors import InvalidData
from loihiconv.core.input_checks import input_doubts
from loihiconv.core.input_coding import check_samples, preprocessed
from loihiconv.core.linear import Array, Shape
from loihiconv.core.network import Network
from loihiconv.core.samples import Samples, collect
from loihiconv.evaluation.tasks.answers import end_of_network
from loihiconv.evaluation.tasks.choosing import choose_task
from loihiconv.evaluation.tasks.kinds import TaskKind


def judging(
    net: Network, test_set: Samples, samples: int | None = None, task: Task | None = None
) -> tuple[Network, Array, Array, TaskKind]:
    """What a network is judged by: itself and samples after preprocessing, which the float network takes as well, labels, and the task.

    Parameters
    ----------
    net : Network
    test_set : Samples
        With labels; samples as ``net`` takes them, labels as the task does.
    samples : int, optional
        Only the first so many.
    task : "classification", "binary", "multilabel", "regression" or "dense", optional
        By default what the network's end and the labels say.

    Raises
    ------
    InvalidData
        If samples and labels do not belong together, or do not fit the network or the task.

    Warns
    -----
    UserWarning
        If samples do not look like calibration's; see `loihiconv.core.input_checks`.
    """
    x, y = paired(test_set, shape=net.input.sample_shape, samples=samples)
    kind, y = choose_task(end_of_network(net), y, task)
    x = check_samples(net.input, x)
    if said := input_doubts(net, x):
        warnings.warn(said, stacklevel=3)
    if net.input.preprocessing is None:
        return net, x, y, kind
    return net.with_preprocessing(None), preprocessed(net.input, x), y, kind


def paired(test_set: Samples, *, shape: Shape | None = None, samples: int | None = None) -> tuple[Array, Array]:
    """Samples and labels as arrays of the same length, of at least 1.

    Parameters
    ----------
    test_set : pair (x (N, \\*shape), y (N, ...)), Dataset, DataLoader, or iterable of pairs
    shape : tuple of int, optional
        Of one sample.
    samples : int, optional
        Only the first so many.
    """
    data = collect(test_set, "test set", shape=shape, labels=True, samples=samples)
    assert data.y is not None  # labels were asked for
    if not len(data.x):
        raise InvalidData("no samples", where="test set", limit="at least 1 expected")
    return data.x, data.y
