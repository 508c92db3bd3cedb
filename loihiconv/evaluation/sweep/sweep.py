"""Many conversions of one network, side by side: what each setting costs and buys."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np
from typing_extensions import Unpack

from loihiconv.ann.frontends import FloatModel, Source, readable
from loihiconv.ann.frontends.given import opened
from loihiconv.ann.frontends.selection import judged
from loihiconv.ann.passes import lower
from loihiconv.backends.run import run
from loihiconv.backends.simulators import simulator_of
from loihiconv.conversion.convert import Measured, Progress, build, measure
from loihiconv.conversion.search import Judge, search
from loihiconv.core.choices import Task
from loihiconv.core.errors import InvalidData, InvalidSetting, LimitExceeded, UnsupportedLayer
from loihiconv.core.fingerprints import fingerprint
from loihiconv.core.given import check_task
from loihiconv.core.linear import Array
from loihiconv.core.log import LOG
from loihiconv.core.network import Network
from loihiconv.core.preprocessing import Preprocessing, check_one_input, check_preprocessing
from loihiconv.core.progress import reporting
from loihiconv.core.samples import Samples, collect
from loihiconv.evaluation.predicting import paired
from loihiconv.evaluation.sweep.axes import Point, points
from loihiconv.evaluation.sweep.cache import SweepCache, code
from loihiconv.evaluation.sweep.declarations import SweepOptions
from loihiconv.evaluation.sweep.outcome import Outcome, Row
from loihiconv.evaluation.sweep.result import Part, SweepInterrupted, SweepResult
from loihiconv.evaluation.tasks.answers import Answers, answer, end_of, recorded
from loihiconv.evaluation.tasks.choosing import choose_task
from loihiconv.evaluation.tasks.kinds import TaskKind
from loihiconv.evaluation.tasks.scores import Scores, loss_between
from loihiconv.hardware.board import Board, load_board


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
    preprocessing: Preprocessing | None = None,
    output: str | None = None,
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
    preprocessing : Preprocessing, optional
        What becomes of calibration and test samples before the networks take them.
    output : str, optional
        Of a model with several outputs the only one that is converted and judged.
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
    check_preprocessing(preprocessing)
    model, calibration = opened(model, calibration)
    check_one_input(preprocessing, model.inputs)
    samples, (x, y) = _whole(calibration), paired(test_set, model.inputs)
    check_task(task)
    if preprocessing is not None:
        samples, x = preprocessing.apply(samples), preprocessing.apply(x)
    if x.shape[1:] != samples.shape[1:]:
        raise InvalidData(f"test set of shape {x.shape}", where="sweep", limit=f"(M, *{samples.shape[1:]}) expected, M at least 1")
    model, stored = judged(model, output, x.shape[1:]), SweepCache(cache)
    hashes = {"network": fingerprint(model.ann(x.shape[1:])), "data": fingerprint(samples, x, y), **code()}
    lowered = lower(model.ann(x.shape[1:])).ann
    kind, y = choose_task(end_of(lowered.ending, prod(lowered.shapes[lowered.output.name])), y, task)
    hashes["task"] = kind.name
    reference = answer(model, x, kind.end.shape)
    ann = kind.score(reference, y)
    test = _Test(x, y, kind, reference, ann)
    converter, rows = _Converter(model, samples, board, todo, report, kind.name), list[Row]()
    finished = _Steps(todo, report)
    interrupted = False
    try:
        for point in todo:
            key = _key(point, board, device, hashes)
            found = stored.get(key)
            if found is None:
                row = _run(point, converter, test, device, finished)
                stored.put(key, row.to_json())
            else:
                row = Row.from_json(found, point.values)
            rows.append(row)
            LOG.info("point %d of %d%s: %s", len(rows), len(todo), "" if found is None else ", from the cache", dict(point.values))
            finished.next(point)
    except KeyboardInterrupt:
        interrupted = True
    values = {name: tuple(dict.fromkeys(point.values[name] for point in todo)) for name in axes}
    name = board.name if board else ""
    result = SweepResult(values, tuple(rows), len(todo), name, on, len(x), kind.name, kind.metric, ann.value, ann.interval95, hashes)
    if interrupted:
        raise SweepInterrupted(result)
    return result


class _Test(NamedTuple):
    """What every point is judged on, and how the float network does there."""

    x: Array
    y: Array
    kind: TaskKind
    reference: Answers
    ann: Scores


class _Converter:
    """Networks from points; what is measured is kept for the points that come after."""

    def __init__(
        self,
        model: FloatModel,
        calibration: Array,
        board: Board | None,
        todo: Sequence[Point],
        progress: Progress | None,
        task: Task,
    ) -> None:
        self._task = task
        self._model, self._calibration, self._board, self._progress = model, calibration, board, progress
        self._per_channel = any(point.settings.per_channel for point in todo)
        self._measured: dict[tuple[str, bool], Measured] = {}
        self._warned: set[str] = set()

    def __call__(self, point: Point) -> Network:
        source, board = self._source(point), point.board(self._board)
        if not point.searching:
            return build(source, point.settings, board)
        judge = Judge(source.ann, source.held_out, self._task)
        return search(lambda tried: build(source, tried, board), judge, point.settings, point.given, point.optimize)[0]

    def _source(self, point: Point) -> Measured:
        key = (point.settings.maxpool, point.searching)
        if key not in self._measured:
            wanted = replace(point.settings, per_channel=self._per_channel)
            self._measured[key] = measure(self._model, self._calibration, wanted, self._board, self._progress, searching=point.searching)
            for text in self._measured[key].warnings:
                if text not in self._warned:
                    self._warned.add(text)
                    warnings.warn(text, stacklevel=5)
        return self._measured[key]


class _Steps:
    """Progress in time steps, in which a point counts by its T: what it takes is proportional to that."""

    def __init__(self, todo: Sequence[Point], progress: Progress | None) -> None:
        self._total, self._done, self._progress = sum(point.settings.timesteps for point in todo), 0, progress

    def next(self, point: Point) -> None:
        self._done += point.settings.timesteps
        self._report(0)

    def within(self, point: Point, done: int, samples: int) -> None:
        self._report(point.settings.timesteps * done // samples)

    def _report(self, more: int) -> None:
        if self._progress is not None:
            self._progress("sweep", self._done + more, self._total)


def _run(
    point: Point,
    converter: _Converter,
    test: _Test,
    device: str,
    steps: _Steps,
) -> Row:
    """Convert and run one point."""
    try:
        network = converter(point)
        recording = run(
            network,
            test.x,
            simulator_of(network).name,
            counts=False,
            device=device,
            progress=lambda done, total: steps.within(point, done, total),
        )
    except (LimitExceeded, UnsupportedLayer) as error:
        return Row(point.values, point.to_json(), None, str(error))
    answers = recorded(recording)
    scores = test.kind.score(answers, test.y)
    lost = loss_between(test.ann, scores)
    outcome = Outcome(
        network.period,
        len(test.y),
        scores.value,
        *scores.interval95,
        lost.loss,
        *lost.interval95,
        test.kind.agreement(answers, test.reference),
        recording.firing_rate,
        recording.synaptic_operations,
    )
    return Row(point.values, {**point.to_json(), **network.record.settings}, outcome)


def _key(point: Point, board: Board | None, device: str, hashes: Mapping[str, str]) -> str:
    """Hash of all that a point's result follows from; floats may differ between devices, the emulator's integers do not."""
    own = point.board(board)
    where = device if own is None else own.model_dump_json()
    return fingerprint(point.to_json(), sorted(point.given) if point.searching else None, where, dict(hashes))


def _whole(calibration: Samples) -> Array:
    """Calibration samples, which every other ``maxpool`` reads again."""
    return np.asarray(collect(calibration, "calibration data").x, np.float32)
