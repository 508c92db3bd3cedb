"""Many conversions of one network, side by side: what each setting costs and buys."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from typing_extensions import Unpack

from loihiconv.ann.frontends import Source, readable
from loihiconv.ann.frontends.given import opened
from loihiconv.ann.frontends.selection import judged, with_relus
from loihiconv.ann.passes import lower
from loihiconv.ann.passes.curves import straightened
from loihiconv.clusters.cluster import Cluster, check_cluster, connected
from loihiconv.conversion.measuring import Progress
from loihiconv.core.choices import Task
from loihiconv.core.errors import InvalidData, InvalidSetting
from loihiconv.core.fingerprints import fingerprint
from loihiconv.core.given import check_task
from loihiconv.core.input_preprocessing import (
    GivenPreprocessing,
    by_input,
    check_inputs,
    check_preprocessing,
    given_parts,
    of_one,
    packed_applied,
)
from loihiconv.core.linear import Array
from loihiconv.core.log import LOG
from loihiconv.core.progress import reporting
from loihiconv.core.samples import Samples, collect
from loihiconv.evaluation.predicting import paired
from loihiconv.evaluation.sweep.axes import Point, points
from loihiconv.evaluation.sweep.cache import SweepCache, code
from loihiconv.evaluation.sweep.declarations import SweepOptions
from loihiconv.evaluation.sweep.outcome import Row
from loihiconv.evaluation.sweep.point import Converter, Steps, Test, run_point
from loihiconv.evaluation.sweep.result import Part, SweepInterrupted, SweepResult
from loihiconv.evaluation.sweep.spread import spread
from loihiconv.evaluation.tasks.answers import answer, end_of
from loihiconv.evaluation.tasks.choosing import choose_task
from loihiconv.hardware.board import Board, load_board

if TYPE_CHECKING:
    from distributed import Client


def sweep(
    model: Source,
    calibration: Samples,
    test_set: Samples,
    *,
    board: str | Path | Board | None,
    axes: Mapping[str, Any],
    on: Part = "test",
    task: Task | None = None,
    cache: str | os.PathLike[str] | None = None,
    device: str = "cpu",
    preprocessing: GivenPreprocessing = None,
    output: str | None = None,
    cluster: Cluster | None = None,
    progress: Progress | bool | None = None,
    **settings: Unpack[SweepOptions],
) -> SweepResult:
    """Convert a network with every combination of some settings, and run each on the emulator.

    The network is read and the calibration data measured once for all points (once more for each other ``maxpool``, and
    for points that search). Each point is exactly what `loihiconv.convert` gives for its settings.

    Parameters
    ----------
    model : nn.Module, or another kind that `loihiconv.ann.frontends` reads
    calibration : array or tensor (N, \\*shape), Dataset, DataLoader, or iterable of batches
        Training samples, as for `loihiconv.convert`; all of them are held in memory, as they are read more than once. Of a network with
        several inputs {name: array}, or a tuple of arrays, here and for x below.
    test_set : pair (x (M, \\*shape), y (M, ...)), Dataset, DataLoader, or iterable of pairs
        What accuracy is measured on. Take training samples that are not among ``calibration``, and say ``on="train"``:
        who picks the best of many settings on test samples tunes on them.
    board : str, path, Board or None
        None runs the float spiking networks.
    axes : {name: values}
        Any fields of `loihiconv.conversion.settings.Settings`, "optimize" and "weight_bits" (2 to what the board has), such as
        ``{"timesteps": [8, 16, 32], "percentile": [99, 99.9], "weight_bits": [4, 8]}``.
    on : "test" or "train"
        What ``test_set`` is, for the caution that comes with the result.
    task : "classification", "binary", "multilabel", "regression" or "dense", optional
        What networks are judged at; by default what the network's end and the labels say.
    cache : path, optional
        Folder of finished points. What is in it is not run again; each new point is written to it at once. Any number of sweeps may
        share one, at the same time.
    device : str
        Torch device of the runs.
    preprocessing : Preprocessing, or {input: Preprocessing}, optional
        What becomes of calibration and test samples before the networks take them.
    output : str, optional
        Of a model with several outputs the only one that is converted and judged.
    cluster : "local[:n]", "tcp://scheduler:port", "slurm:profile.yaml" or distributed.Client, optional
        Converts points, and runs slices of their samples, on the workers of a dask cluster. Needs ``loihiconv[cluster]``.
    progress : callable (stage, done, in all) or True, optional
        True shows bars, on a terminal or in a notebook. Stages are "calibration", in samples, and "sweep", in time steps of all points.
    **settings
        The same for all points: any axis with one value.

    Returns
    -------
    SweepResult
        A point that the chip's ranges cannot express is a row with the reason.

    Raises
    ------
    LoihiconvError
        Before anything runs, for an unknown axis, a value out of its range, data that does not fit, or a network that cannot
        be read.
    SweepInterrupted
        On Ctrl-C; it is a KeyboardInterrupt with the ``result`` of the points that were finished.
    """
    model, board = readable(model), load_board(board) if board is not None else None
    todo = points(axes, settings, board)
    if on not in get_args(Part):
        raise InvalidSetting(f"on {on!r}", where="sweep", limit='"train" or "test" expected')
    report = reporting(progress)
    check_cluster(cluster)
    check_preprocessing(preprocessing)
    model, calibration = opened(model, calibration, by_input(preprocessing))
    check_inputs(preprocessing, [part.name for part in model.inputs])
    samples, (x, y) = _whole(calibration), paired(test_set, given_parts(model.inputs, by_input(preprocessing)))
    check_task(task)
    x = packed_applied(model.inputs, by_input(preprocessing), x)
    if (one := of_one(preprocessing)) is not None:
        samples, x = one.apply(samples), one.apply(x)
    if x.shape[1:] != samples.shape[1:]:
        raise InvalidData(f"test set of shape {x.shape}", where="sweep", limit=f"(M, *{samples.shape[1:]}) expected, M at least 1")
    most = max(point.settings.approximate for point in todo)
    model, stored = judged(with_relus(model, most), output, x.shape[1:]), SweepCache(cache)
    original = model.ann(x.shape[1:])
    hashes = {"network": fingerprint(original), "data": fingerprint(samples, x, y), **code()}
    lowered = lower(original, curves=straightened(original, samples, most)).ann
    kind, y = choose_task(end_of(lowered.ending, prod(lowered.shapes[lowered.output.name])), y, task)
    hashes["task"] = kind.name
    reference = answer(model, x, kind.end.shape)
    ann = kind.score(reference, y)
    test = Test(x, y, kind, reference, ann)
    converter, steps = Converter(model, samples, board, todo, report, kind.name), Steps(todo, report)
    keys = [_key(point, board, device, hashes) for point in todo]
    rows = {i: Row.from_json(found, todo[i].values) for i, key in enumerate(keys) if (found := stored.get(key)) is not None}
    for i in rows:
        steps.done(todo[i])
    LOG.info("%d of %d points are in the cache", len(rows), len(todo))
    left = [i for i in range(len(todo)) if i not in rows]
    interrupted = False
    try:
        with connected(cluster if left else None) as client:
            for number, row in _finished([todo[i] for i in left], converter, test, device, steps, client):
                rows[left[number]] = row
                if not row.failed:
                    stored.put(keys[left[number]], row.to_json())
                LOG.info("point %d of %d: %s", len(rows), len(todo), dict(row.values))
    except KeyboardInterrupt:
        interrupted = True
    values = {name: tuple(dict.fromkeys(point.values[name] for point in todo)) for name in axes}
    name = board.name if board else ""
    done = tuple(rows[i] for i in sorted(rows))
    result = SweepResult(values, done, len(todo), name, on, len(x), kind.name, kind.metric, ann.value, ann.interval95, hashes)
    if interrupted:
        raise SweepInterrupted(result)
    return result


def _finished(
    todo: Sequence[Point], converter: Converter, test: Test, device: str, steps: Steps, client: Client | None
) -> Iterator[tuple[int, Row]]:
    """Points by their places, as they are finished."""
    if client is not None:
        yield from spread(todo, converter, test, device, steps, client)
        return
    for number, point in enumerate(todo):
        yield number, run_point(point, converter, test, device, steps)
        steps.done(point)


def _key(point: Point, board: Board | None, device: str, hashes: Mapping[str, str]) -> str:
    """Hash of all that a point's result follows from; floats may differ between devices, the emulator's integers do not."""
    own = point.board(board)
    where = device if own is None else own.model_dump_json()
    return fingerprint(point.to_json(), sorted(point.given) if point.searching else None, where, dict(hashes))


def _whole(calibration: Samples) -> Array:
    """Calibration samples, which every other ``maxpool`` reads again."""
    return np.asarray(collect(calibration, "calibration data").x, np.float32)
