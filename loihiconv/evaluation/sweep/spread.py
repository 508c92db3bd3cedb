"""The points of a sweep on a cluster: each is converted by one worker, and run by many, in slices of samples."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loihiconv.backends.backend import Backend, RunOptions
from loihiconv.backends.simulators import simulator_of
from loihiconv.backends.slices import MOST
from loihiconv.backends.spread import balanced_size, run_slice
from loihiconv.clusters.cluster import planned
from loihiconv.clusters.farm import Farm
from loihiconv.clusters.jobs import Finished, Job
from loihiconv.conversion.measuring import Measured
from loihiconv.core.choices import Task
from loihiconv.core.errors import LimitExceeded, LoihiconvError, UnsupportedLayer
from loihiconv.core.input_checks import input_doubts
from loihiconv.core.input_coding import check_samples
from loihiconv.core.joining import joined_recordings
from loihiconv.core.linear import Array
from loihiconv.core.network import Network, Recording
from loihiconv.core.numbers import count
from loihiconv.core.saturation import lines
from loihiconv.evaluation.sweep.axes import Point
from loihiconv.evaluation.sweep.outcome import Row
from loihiconv.evaluation.sweep.point import Converter, Steps, Test, build_point, judged_row, refused
from loihiconv.hardware.board import Board

if TYPE_CHECKING:
    from distributed import Client, Future

PAGE_BYTES = 64 << 20
"""Of samples that travel at once to a worker, where they stay for the points that come after."""


@dataclass(eq=False)
class _Running:
    """A point whose network is there."""

    number: int
    network: Network
    common: Future
    left: int
    parts: dict[int, Recording] = field(default_factory=dict)
    failed: LoihiconvError | None = None


def spread(todo: Sequence[Point], converter: Converter, test: Test, device: str, steps: Steps, client: Client) -> Iterator[tuple[int, Row]]:
    """Points by their places, as they are finished.

    A point of which a slice was given up is a row with the reason, and `Row.failed`.
    """
    with Farm(client, planned=planned(client)) as farm:
        under_way = _Spread(farm, todo, converter, test, device, steps)
        under_way.build_more()
        for done in farm:
            if (row := under_way.take(done)) is not None:
                yield row
            under_way.build_more()


class _Spread:
    """The points that are under way on a farm."""

    def __init__(self, farm: Farm, todo: Sequence[Point], converter: Converter, test: Test, device: str, steps: Steps) -> None:
        self._farm, self._todo, self._converter, self._test, self._steps = farm, todo, converter, test, steps
        self._options = RunOptions(counts=False, device=device)
        self._size = _page_size(test.x)
        self._pages = [farm.share(test.x[first : first + self._size]) for first in range(0, len(test.x), self._size)]
        self._sources: dict[int, Future] = {}
        self._left = iter(enumerate(todo))

    def build_more(self) -> None:
        """Have more networks converted when workers have little to do."""
        while self._farm.hungry and (following := next(self._left, None)) is not None:
            number, point = following
            source = self._converter.source(point)
            if id(source) not in self._sources:
                self._sources[id(source)] = self._farm.share(source)
            arguments = (self._sources[id(source)], point, self._converter.board, self._converter.task)
            self._farm.add(Job(f"the network of {_said(point)}", _built, arguments, number))

    def take(self, done: Finished) -> tuple[int, Row] | None:
        """A network, or what a slice of one gave; the row where it was the last of its point."""
        if not isinstance(done.job.about, int):
            return self._collect(done)
        number, point = done.job.about, self._todo[done.job.about]
        if isinstance(done.result, Network):
            self._begin(number, done.result)
            return None
        self._steps.done(point)
        return number, _failed(point, done.error) if done.error is not None else refused(point, done.result)

    def _begin(self, number: int, network: Network) -> None:
        x, backend = self._test.x, simulator_of(network)
        if said := input_doubts(network, check_samples(network, x)):
            warnings.warn(said, stacklevel=6)
        most = balanced_size(backend, network, self._options, len(x) * len(self._todo), self._farm.slots)
        size = min(power_of_two(most), self._size)  # so that no slice is part of two pages
        running = _Running(number, network, self._farm.share((backend, network, self._options)), -(-len(x) // size))
        for first in range(0, len(x), size):
            page, begin = divmod(first, self._size)
            end = min(begin + size, len(x) - page * self._size)
            name = f"{_said(self._todo[number])}, samples {count(first)} to {count(first + end - begin - 1)}"
            self._farm.add(Job(name, _run, (running.common, self._pages[page], (begin, end), first), (running, first)))

    def _collect(self, done: Finished) -> tuple[int, Row] | None:
        running: _Running = done.job.about[0]
        point = self._todo[running.number]
        running.left -= 1
        if done.error is None:
            running.parts[done.job.about[1]] = done.result
        else:
            running.failed = running.failed or done.named_error
        if running.left:
            self._steps.within(point, sum(map(len, running.parts.values())), len(self._test.x))
            return None
        self._farm.forget(running.common)
        self._steps.done(point)
        return running.number, _row(point, running, self._test)


def _row(point: Point, running: _Running, test: Test) -> Row:
    if running.failed is not None:
        return _failed(point, running.failed)
    recording = joined_recordings(running.network, [running.parts[first] for first in sorted(running.parts)])
    for said in lines(recording.saturated):
        warnings.warn(said, stacklevel=6)
    return judged_row(point, running.network.period, running.network.record.settings, recording, test)


def _failed(point: Point, error: LoihiconvError) -> Row:
    return Row(point.values, point.to_json(), None, str(error), failed=True)


def _built(source: Measured, point: Point, board: Board | None, task: Task) -> Network | Exception:
    """What a worker does: convert; the reason where that cannot be."""
    try:
        return build_point(source, point, board, task)
    except (LimitExceeded, UnsupportedLayer) as error:
        return error


def _run(common: tuple[Backend, Network, RunOptions], page: Array, within: tuple[int, int], first: int) -> Recording:
    """What a worker does: run some samples of a page, the first of which is so many from the test set's first."""
    begin, end = within
    return run_slice(common, check_samples(common[1], page[begin:end]), first)


def _page_size(x: Array) -> int:
    """Samples of a page, a power of two."""
    return power_of_two(min(MOST, PAGE_BYTES // max(x[0].nbytes, 1)))


def power_of_two(most: int) -> int:
    """The largest up to a number."""
    return 1 << max(most, 1).bit_length() - 1


def _said(point: Point) -> str:
    return "point " + ", ".join(f"{name}={value}" for name, value in point.values.items())
