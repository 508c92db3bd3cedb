"""Test sets that can be judged by."""

from __future__ import annotations

import numpy as np

from loihiconv.core.choices import Task
from loihiconv.core.errors import InvalidData
from loihiconv.core.linear import Array
from loihiconv.evaluation.tasks.answers import End
from loihiconv.evaluation.tasks.choosing import choose_task
from loihiconv.evaluation.tasks.kinds import TaskKind


def check_test_set(test_set: tuple[Array, Array], end: End, task: Task | None = None) -> tuple[Array, Array, TaskKind]:
    """Samples and labels as arrays, and what they are judged by.

    Parameters
    ----------
    test_set : (x (N, \\*shape), y (N, ...))
        Labels as the task takes them; see `loihiconv.evaluation.tasks.choosing.read_task`.
    end : End
        Of the network.
    task : "classification", "binary", "multilabel", "regression" or "dense", optional
        By default what the network's end and the labels say.

    Raises
    ------
    InvalidData
        If they do not belong together, or the labels are none of this task.
    """
    x, y = paired(test_set)
    kind, labels = choose_task(end, y, task)
    return x, labels, kind


def paired(test_set: tuple[Array, Array]) -> tuple[Array, Array]:
    """Samples and labels as arrays of the same length, of at least 1."""
    try:
        x, y = (np.asarray(part) for part in test_set)
    except (TypeError, ValueError) as error:
        raise InvalidData("not a pair of samples and labels", where="test set", limit="(x, y) expected") from error
    if not x.ndim or not y.ndim or len(x) != len(y):
        numbers = f"{len(x) if x.ndim else 'no'} samples and {len(y) if y.ndim else 'no'} labels"
        raise InvalidData(numbers, where="test set", limit="as many labels as samples expected")
    if not len(x):
        raise InvalidData("no samples", where="test set", limit="at least 1 expected")
    return x, y
