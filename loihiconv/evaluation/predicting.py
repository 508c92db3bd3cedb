"""Test sets that can be judged by."""

from __future__ import annotations

import warnings

from loihiconv.core.choices import Task
from loihiconv.core.input_checks import input_doubts
from loihiconv.core.input_coding import check_samples, preprocessed
from loihiconv.core.linear import Array, Shape
from loihiconv.core.network import Network
from loihiconv.core.samples import Samples, collect
from loihiconv.evaluation.tasks.answers import End, end_of_network
from loihiconv.evaluation.tasks.choosing import choose_task
from loihiconv.evaluation.tasks.kinds import TaskKind


def judging(
    net: Network, test_set: Samples, task: Task | None = None, samples: int | None = None
) -> tuple[Network, Array, Array, TaskKind]:
    """What a network is judged by: itself and samples after preprocessing, which the float network takes as well, labels and task.

    Parameters
    ----------
    net : Network
    test_set : Samples
        With labels; samples as ``net`` takes them.
    task : as `check_test_set` takes it
    samples : int, optional
        Only the first so many.

    Raises
    ------
    InvalidData
        As `check_test_set`, or if the samples do not fit the network.

    Warns
    -----
    UserWarning
        If samples do not look like calibration's; see `loihiconv.core.input_checks`.
    """
    x, y, kind = check_test_set(test_set, end_of_network(net), task, shape=net.input.sample_shape, samples=samples)
    x = check_samples(net.input, x)
    if said := input_doubts(net, x):
        warnings.warn(said, stacklevel=3)
    if net.input.preprocessing is None:
        return net, x, y, kind
    return net.with_preprocessing(None), preprocessed(net.input, x), y, kind


def check_test_set(
    test_set: Samples, end: End, task: Task | None = None, *, shape: Shape | None = None, samples: int | None = None
) -> tuple[Array, Array, TaskKind]:
    """Samples and labels as arrays, and what they are judged by.

    Parameters
    ----------
    test_set : pair (x (N, \\*shape), y (N, ...)), Dataset, DataLoader, or iterable of pairs
        Labels as the task takes them; see `loihiconv.evaluation.tasks.choosing.read_task`.
    end : End
        Of the network.
    task : "classification", "binary", "multilabel", "regression" or "dense", optional
        By default what the network's end and the labels say.
    shape : tuple of int, optional
        Of one sample.
    samples : int, optional
        Only the first so many.

    Raises
    ------
    InvalidData
        If samples and labels do not belong together, or do not fit the network or the task.

    Warns
    -----
    UserWarning
        If samples do not look like calibration's; see `loihiconv.core.input_checks`.
    """
    x, y = paired(test_set, shape=shape, samples=samples)
    kind, labels = choose_task(end, y, task)
    return x, labels, kind


def paired(test_set: Samples, *, shape: Shape | None = None, samples: int | None = None) -> tuple[Array, Array]:
    """Samples and labels as arrays of the same length, of at least 1."""
    data = collect(test_set, "test set", shape=shape, labels=True, samples=samples)
    assert data.y is not None  # labels were asked for
    return data.x, data.y
