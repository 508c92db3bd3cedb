"""Test sets that can be judged by."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

from loihiconv.ann.frontends.selection import several
from loihiconv.core.choices import Task
from loihiconv.core.input_checks import input_doubts
from loihiconv.core.input_coding import as_taken, check_samples, sample_parts
from loihiconv.core.input_samples import collect_inputs
from loihiconv.core.linear import Array
from loihiconv.core.network import Network
from loihiconv.core.parts import Part
from loihiconv.core.samples import Samples, collect
from loihiconv.core.selection import only
from loihiconv.evaluation.tasks.answers import end_of_network
from loihiconv.evaluation.tasks.choosing import choose_task
from loihiconv.evaluation.tasks.kinds import TaskKind


def one_output(net: Network, output: str | None = None) -> Network:
    """The network with the one output that is to be judged.

    Raises
    ------
    InvalidSetting
        If it has several and none of them is named, or none has the name.
    """
    if not net.readout.parts:
        return net
    if output is None:
        raise several(net.readout.parts)
    return only(net, output)


class Judging(NamedTuple):
    """What a network is judged by.

    Attributes
    ----------
    net : Network
        Itself, without its preprocessing.
    x : array (N, \\*shape)
        Samples after preprocessing, which the float network takes as well.
    y : array (N, ...)
        Labels as the task takes them.
    kind : TaskKind
    given : array (N, \\*shape) or {input: array}
        Samples before preprocessing.
    """

    net: Network
    x: Array
    y: Array
    kind: TaskKind
    given: Any


def judging(net: Network, test_set: Samples, task: Task | None = None, samples: int | None = None) -> Judging:
    """What a network is judged by, of samples and labels as users give them.

    Parameters
    ----------
    net : Network
    test_set : pair (x (N, \\*shape), y (N, ...)), Dataset, DataLoader, or iterable of pairs
        Samples as ``net`` takes them; labels as the task takes them, see `loihiconv.evaluation.tasks.choosing.read_task`.
    task : "classification", "binary", "multilabel", "regression" or "dense", optional
        By default what the network's end and the labels say.
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
    data = collect_inputs(sample_parts(net), test_set, "test set", labels=True, samples=samples)
    assert data.y is not None  # labels were asked for
    kind, y = choose_task(end_of_network(net), data.y, task)
    x = check_samples(net, data.x)
    if said := input_doubts(net, x):
        warnings.warn(said, stacklevel=3)
    return Judging(net.with_preprocessing(None), as_taken(net, x), y, kind, data.x)


def paired(test_set: Samples, inputs: Sequence[Part] = ()) -> tuple[Array, Array]:
    """Samples, of several inputs packed, and labels as arrays of the same length, of at least 1."""
    several_inputs = len(inputs) > 1
    data = collect_inputs(inputs, test_set, "test set", labels=True) if several_inputs else collect(test_set, "test set", labels=True)
    assert data.y is not None  # labels were asked for
    return data.x, data.y
