"""Which task a network is judged at: the one that is given, or what its end and the labels say."""

from __future__ import annotations

import warnings

import numpy as np

from loihiconv.core.choices import Task
from loihiconv.core.errors import InvalidData
from loihiconv.core.given import check_task
from loihiconv.core.labels import is_binary, is_one_hot, numbered
from loihiconv.core.linear import Array
from loihiconv.evaluation.tasks.answers import End
from loihiconv.evaluation.tasks.kinds import TaskKind, kind_of
from loihiconv.evaluation.tasks.labels import is_whole


def choose_task(end: End, y: Array, given: Task | None = None) -> tuple[TaskKind, Array]:
    """The task, and labels as it takes them.

    Parameters
    ----------
    end : End
        Of the network.
    y : array (N, ...)
        Labels as they come.
    given : "classification", "binary", "multilabel", "regression" or "dense", optional
        By default what `read_task` says.

    Raises
    ------
    InvalidSetting
        For what is no task.
    InvalidData
        For labels that do not fit the task or the network.
    """
    check_task(given)
    if y.dtype.kind in "USO" and not end.indices and int(np.prod(end.shape)) == 1 and given in (None, "binary"):
        y = numbered(y, 2)
    _check_present(y)
    kind = kind_of(given or read_task(end, y), end)
    if given is None and kind.name == "regression" and int(np.prod(end.shape)) == 1 and is_whole(y) and len(values := np.unique(y)) == 2:
        said = f"labels are {values[0]:g} and {values[1]:g} and taken for numbers (task regression)"
        warnings.warn(f"{said}; for yes or no give 0 and 1, or say the task", stacklevel=3)
    return kind, kind.labels(y)


def _check_present(y: Array) -> None:
    """Raise `InvalidData` for labels that are NaN."""
    if y.dtype.kind == "f" and (missing := int(np.isnan(y).reshape(len(y), -1).any(axis=1).sum())):
        remedy = "leave these samples out"
        raise InvalidData(f"{missing:,} of {len(y):,} are NaN", where="labels", limit="a label for each sample expected", remedy=remedy)


def read_task(end: End, y: Array) -> Task:
    """What a network that ends so does, with these labels.

    One output with labels 0 and 1 (or -1 and 1) is a yes or no, with any others a number. Of several, a class per sample, or exactly one
    1 per row, is a classification; any number of 1s several labels; anything else numbers. Of images, a class per pixel is dense.
    """
    whole = y.dtype.kind not in "biuf" or is_whole(y)
    space = [size for size in (end.shape if end.indices else end.shape[1:]) if size != 1]
    if end.indices:
        return "dense" if space else "classification"
    if int(np.prod(end.shape)) == 1:
        return "binary" if y.dtype.kind in "biuf" and is_binary(y) else "regression"
    if space:
        return _of_image(end, y, whole, space)
    if y.ndim == 1 or y[0].size == 1:
        return "classification" if whole else "regression"
    if is_one_hot(y.reshape(len(y), -1)):
        return "classification"
    return "multilabel" if is_binary(y) else "regression"


def _of_image(end: End, y: Array, whole: bool, space: list[int]) -> Task:
    pixels = int(np.prod(space))
    if end.shape[0] == 1:
        return "dense" if whole and np.isin(y, (-1, 0, 1, 255)).all() else "regression"
    if y.ndim > 1 and y[0].size == pixels and whole:
        return "dense"
    channels = y.reshape(len(y), end.shape[0], -1) if y.ndim and y[0].size == end.shape[0] * pixels else y
    return "dense" if y.ndim == 1 or is_one_hot(channels) else "regression"
