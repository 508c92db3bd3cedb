"""Many conversions of one network, side by side: what each setting costs and buys."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from typing_extensions import Unpack

from loihiconv.ann.frontends import FloatModel, Source, readable
from loihiconv.ann.frontends.given import opened
from loihiconv.ann.frontends.selection import judged
from loihiconv.backends.run import run
from loihiconv.backends.simulators import simulator_of
from loihiconv.conversion.convert import Measured, Progress, build, measure
from loihiconv.conversion.search import Judge, search
from loihiconv.core.errors import InvalidData, InvalidSetting, LimitExceeded, UnsupportedLayer
from loihiconv.core.fingerprints import fingerprint
from loihiconv.core.input_coding import Samples
from loihiconv.core.linear import Array
from loihiconv.core.network import Network
from loihiconv.evaluation.predicting import check_test_set, predict
from loihiconv.evaluation.sweep.axes import Point, points
from loihiconv.evaluation.sweep.cache import SweepCache, code
from loihiconv.evaluation.sweep.declarations import SweepOptions
from loihiconv.evaluation.sweep.result import Outcome, Part, Row, SweepInterrupted, SweepResult
from loihiconv.hardware.board import Board, load_board


def sweep(
    model: Source,
    calibration: Samples | torch.Tensor,
    test_set: tuple[Samples, Array],
    *,
    board: str | Path | Board | None,
    axes: Mapping[str, Any],
    on: Part = "test",
    cache: str | os.PathLike[str] | None = None,
    device: str = "cpu",
    output: str | None = None,
    progress: Progress | None = None,
    **settings: Unpack[SweepOptions],
) -> SweepResult:
    """Convert a network with every combination of some settings, and run each on the emulator.

    The network is read and the calibration data measured once for all points (once more for each other ``maxpool``, and
    for points that search). Each point is exactly what `loihiconv.convert` gives for its settings.

    Parameters
    ----------
    model : nn.Module, or another kind that `loihiconv.ann.frontends` reads
    calibration : array or tensor (N, \\*shape)
        Training samples, as for `loihiconv.convert`. Of a network with several inputs {name: array}, or a tuple of arrays, here and
        for x below.
    test_set : (x (M, \\*shape), y (M,))
        What accuracy is measured on. Take training samples that are not among ``calibration``, and say ``on="train"``:
        who picks the best of many settings on test samples tunes on them.
    board : str, path, Board or None
        None runs the float spiking networks.
    axes : {name: values}
        Any fields of `loihiconv.conversion.settings.Settings`, "optimize" and "weight_bits" (2 to what the board has), such as
        ``{"timesteps": [8, 16, 32], "percentile": [99, 99.9], "weight_bits": [4, 8]}``.
    on : "test" or "train"
        What ``test_set`` is, for the caution that comes with the result.
    cache : path, optional
        JSON file of finished points. What is in it is not run again; each new point is written to it at once.
    device : str
        Torch device of the runs.
    output : str, optional
        Of a model with several outputs the only one that is converted and judged.
    progress : callable (stage, done, in all), optional
        Stages are "calibration", in samples, and "sweep", in time steps of all points.
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
    model, calibration = opened(model, calibration)
    samples, (x, y) = _samples(calibration), check_test_set(test_set, inputs=model.inputs)
    if not len(x) or x.shape[1:] != samples.shape[1:]:
        raise InvalidData(f"test set of shape {x.shape}", where="sweep", limit=f"(M, *{samples.shape[1:]}) expected, M at least 1")
    model, stored = judged(model, output, x.shape[1:]), SweepCache(cache)
    hashes = {"network": fingerprint(model.ann(x.shape[1:])), "data": fingerprint(samples, x, y), **code()}
    reference = predict(model, x)
    converter, rows = _Converter(model, samples, board, todo, progress), list[Row]()
    finished = _Steps(todo, progress)
    interrupted = False
    try:
        for point in todo:
            key = _key(point, board, device, hashes)
            found = stored.get(key)
            if found is None:
                row = _run(point, converter, (x, y), reference, device, finished)
                stored.put(key, row.to_json())
            else:
                row = Row.from_json(found, point.values)
            rows.append(row)
            finished.next(point)
    except KeyboardInterrupt:
        interrupted = True
    values = {name: tuple(dict.fromkeys(point.values[name] for point in todo)) for name in axes}
    result = SweepResult(values, tuple(rows), len(todo), board.name if board else "", on, len(x), int((reference == y).sum()), hashes)
    if interrupted:
        raise SweepInterrupted(result)
    return result


class _Converter:
    """Networks from points; what is measured is kept for the points that come after."""

    def __init__(
        self, model: FloatModel, calibration: Array, board: Board | None, todo: Sequence[Point], progress: Progress | None
    ) -> None:
        self._model, self._calibration, self._board, self._progress = model, calibration, board, progress
        self._per_channel = any(point.settings.per_channel for point in todo)
        self._measured: dict[tuple[str, bool], Measured] = {}
        self._warned: set[str] = set()

    def __call__(self, point: Point) -> Network:
        source, board = self._source(point), point.board(self._board)
        if not point.searching:
            return build(source, point.settings, board)
        judge = Judge(source.ann, source.held_out)
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


def _run(point: Point, converter: _Converter, test_set: tuple[Array, Array], reference: Array, device: str, steps: _Steps) -> Row:
    """Convert and run one point."""
    x, y = test_set
    try:
        network = converter(point)
        recording = run(
            network,
            x,
            simulator_of(network).name,
            counts=False,
            device=device,
            progress=lambda done, total: steps.within(point, done, total),
        )
    except (LimitExceeded, UnsupportedLayer) as error:
        return Row(point.values, point.to_json(), None, str(error))
    right, before = recording.predictions == y, reference == y
    outcome = Outcome(
        network.timesteps,
        len(y),
        int(right.sum()),
        int((before & ~right).sum()),
        int((right & ~before).sum()),
        float((recording.predictions == reference).mean()),
        recording.firing_rate,
        recording.synaptic_operations,
    )
    return Row(point.values, {**point.to_json(), **network.record.settings}, outcome)


def _key(point: Point, board: Board | None, device: str, hashes: Mapping[str, str]) -> str:
    """Hash of all that a point's result follows from; floats may differ between devices, the emulator's integers do not."""
    own = point.board(board)
    where = device if own is None else own.model_dump_json()
    return fingerprint(point.to_json(), sorted(point.given) if point.searching else None, where, dict(hashes))


def _samples(calibration: object) -> Array:
    if not isinstance(calibration, (np.ndarray, torch.Tensor)):
        raise InvalidData(
            f"{type(calibration).__name__} as calibration data",
            where="sweep",
            limit="an array or tensor (N, *shape) expected",
            remedy="a sweep reads it more than once; concatenate the batches",
        )
    return np.asarray(calibration.detach().cpu() if isinstance(calibration, torch.Tensor) else calibration, np.float32)
