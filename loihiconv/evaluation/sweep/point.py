"""One point of a sweep: its network, and how that does on the test set."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from loihiconv.ann.frontends import FloatModel
from loihiconv.backends.run import run
from loihiconv.backends.simulators import simulator_of
from loihiconv.conversion.building import attempted, build
from loihiconv.conversion.judge import Judge
from loihiconv.conversion.measuring import Measured, Progress, measure
from loihiconv.conversion.search import search
from loihiconv.core.choices import Task
from loihiconv.core.errors import LimitExceeded, UnsupportedLayer
from loihiconv.core.linear import Array
from loihiconv.core.network import Network, Recording
from loihiconv.evaluation.sweep.axes import Point
from loihiconv.evaluation.sweep.outcome import Outcome, Row
from loihiconv.evaluation.tasks.answers import Answers, recorded
from loihiconv.evaluation.tasks.kinds import TaskKind
from loihiconv.evaluation.tasks.scores import Scores, loss_between
from loihiconv.hardware.board import Board


class Test(NamedTuple):
    """What every point is judged on, and how the float network does there."""

    x: Array
    y: Array
    kind: TaskKind
    reference: Answers
    ann: Scores


class Converter:
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
        self.task = task
        self.board = board
        self._model, self._calibration, self._progress = model, calibration, progress
        self._per_channel = any(point.settings.per_channel for point in todo)
        self._measured: dict[tuple[str, int, bool], Measured] = {}
        self._warned: set[str] = set()

    def __call__(self, point: Point) -> Network:
        return build_point(self.source(point), point, self.board, self.task)

    def source(self, point: Point) -> Measured:
        """What a point's network is built from, the same for all with its ``maxpool`` and ``approximate`` that search or do not."""
        key = (point.settings.maxpool, point.settings.approximate, point.searching)
        if key not in self._measured:
            wanted = replace(point.settings, per_channel=self._per_channel)
            self._measured[key] = measure(self._model, self._calibration, wanted, self.board, self._progress, searching=point.searching)
            for text in self._measured[key].warnings:
                if text not in self._warned:
                    self._warned.add(text)
                    warnings.warn(text, stacklevel=6)
        return self._measured[key]


class Steps:
    """Progress in time steps, in which a point counts by its T: what it takes is proportional to that."""

    def __init__(self, todo: Sequence[Point], progress: Progress | None) -> None:
        self._total, self._done, self._progress = sum(point.settings.timesteps for point in todo), 0, progress
        self._begun: dict[int, int] = {}

    def done(self, point: Point) -> None:
        """A point is finished."""
        self._begun.pop(id(point), None)
        self._done += point.settings.timesteps
        self._report()

    def within(self, point: Point, done: int, samples: int) -> None:
        """So many of a point's samples have run."""
        self._begun[id(point)] = point.settings.timesteps * done // samples
        self._report()

    def _report(self) -> None:
        if self._progress is not None:
            self._progress("sweep", self._done + sum(self._begun.values()), self._total)


def build_point(source: Measured, point: Point, board: Board | None, task: Task) -> Network:
    """The network of a point: what `loihiconv.convert` gives for its settings."""
    own = point.board(board)
    if not point.searching:
        return build(source, point.settings, own)
    common = source, Judge(source.ann, source.held_out, task), own
    return search(lambda tried, _: attempted(common, tried), point.settings, point.given, point.optimize)[0]


def run_point(point: Point, converter: Converter, test: Test, device: str, steps: Steps) -> Row:
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
        return refused(point, error)
    return judged_row(point, network.period, network.record.settings, recording, test)


def refused(point: Point, reason: Exception) -> Row:
    """The row of a point that cannot be converted or run."""
    return Row(point.values, point.to_json(), None, str(reason))


def judged_row(point: Point, period: int, settings: Mapping[str, Any], recording: Recording, test: Test) -> Row:
    """The row of a point whose network, with this period and these settings, has run the test set."""
    answers = recorded(recording)
    scores = test.kind.score(answers, test.y)
    lost = loss_between(test.ann, scores)
    outcome = Outcome(
        period,
        len(test.y),
        scores.value,
        *scores.interval95,
        lost.loss,
        *lost.interval95,
        test.kind.agreement(answers, test.reference),
        recording.firing_rate,
        recording.synaptic_operations,
    )
    return Row(point.values, {**point.to_json(), **settings}, outcome)
