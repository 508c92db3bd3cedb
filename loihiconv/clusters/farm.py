"""Jobs on the workers of a dask cluster: each costs its own time and no other's when a worker dies.

dask moves data and starts work; which worker gets which job is decided here. So it is known whose death a job was there for, a job is tried
again elsewhere, boards are never shared, and a job that ends worker after worker is given up by name while the others go on.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, Any

from loihiconv.clusters.cluster import refusal
from loihiconv.clusters.jobs import Finished, Job
from loihiconv.core.errors import BackendFailed, BackendUnavailable, LoihiconvError
from loihiconv.core.log import LOG

if TYPE_CHECKING:
    from distributed import Client, Future

ATTEMPTS = 3
"""How often a job may end a worker, or fail on one, before it is given up."""
LOOK_SECONDS = 0.5
"""Time between two looks at which workers are there."""
GATHER_SECONDS = 60.0
"""How long a result may take to arrive before its worker is looked for."""
PATIENCE = 60.0
"""Seconds without any worker after which nobody waits any longer."""
GRAPH_LIMIT = "1 TiB"
"""dask warns of large graphs from 10 MB on: here they are data that travels once per worker."""


class Overtime(Exception):
    """The time that a farm was given has passed."""


@dataclass(eq=False)
class _Attempts:
    """A job and where it failed."""

    job: Job
    failed: set[str] = field(default_factory=set)
    deaths: int = 0
    failures: int = 0


class Farm:
    """Workers of a cluster, and the jobs that they have.

    Iteration gives `Finished` jobs as they come, until none is left; jobs may be added meanwhile.

    Parameters
    ----------
    client : distributed.Client
    homes : callable (Client, new addresses) -> {address: (home, slots)}, optional
        Where workers are, and how many jobs each takes at a time; by default each is a home of its own with a job per thread. A worker that
        is not named gets no job.
    strict : bool
        A job is never tried twice in one home; without, rather there than nowhere.
    planned : int
        Jobs that can run at a time when all workers have come.
    end : float, optional
        Of `time.monotonic`, after which iteration raises `Overtime`.
    """

    def __init__(
        self,
        client: Client,
        *,
        homes: Callable[[Client, dict[str, int]], dict[str, tuple[str, int]]] | None = None,
        strict: bool = False,
        planned: int = 0,
        end: float | None = None,
    ) -> None:
        self._client, self._find_homes, self._strict, self._end = client, homes or _own_homes, strict, end
        self._planned = planned
        self._waiting: deque[_Attempts] = deque()
        self._running: dict[str, tuple[Future, _Attempts, str]] = {}
        self._ended: SimpleQueue[Future] = SimpleQueue()
        self._homes: dict[str, str] = {}
        self._seen: set[str] = set()
        self._free: deque[str] = deque()
        self._shared: list[Future] = []
        self._given_up: deque[Finished] = deque()
        self._next_look, self._alive_at = 0.0, time.monotonic()
        self._look()

    @property
    def slots(self) -> int:
        """Jobs that run at a time, with the workers that are there or planned, at least 1."""
        return max(len(self._free) + len(self._running), self._planned, 1)

    def share(self, value: Any) -> Any:
        """A value to stand among arguments of jobs: it travels once to each worker that needs it.

        It is a task of dask's whose graph holds it, so that it is there again when all workers that had it are gone.
        """
        future = self._submit(_same, value)
        self._shared.append(future)
        return future

    def forget(self, shared: Any) -> None:
        """What `share` gave is not needed any more."""
        self._shared.remove(shared)

    @property
    def hungry(self) -> bool:
        """Whether workers will be free before long that nothing waits for."""
        return len(self._waiting) < self.slots

    def add(self, job: Job) -> None:
        """Have a job done."""
        self._waiting.append(_Attempts(job))

    def __enter__(self) -> Farm:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        futures = [future for future, _, _ in self._running.values()]
        self._running.clear()
        self._waiting.clear()
        if self._client.status == "running":
            self._client.cancel([*futures, *self._shared])

    def __iter__(self) -> Iterator[Finished]:
        while self._waiting or self._running or self._given_up:
            if self._end is not None and time.monotonic() > self._end:
                raise Overtime
            if self._given_up:
                yield self._given_up.popleft()
                continue
            self._place()
            try:
                finished = self._judge(self._ended.get(timeout=LOOK_SECONDS))
            except Empty:
                finished = None
            if time.monotonic() >= self._next_look:
                self._look()
            if finished is not None:
                yield finished

    def _submit(self, call: Callable[..., Any], *arguments: Any, **where: Any) -> Future:
        import dask.config

        with dask.config.set({"distributed.admin.large-graph-warning-threshold": GRAPH_LIMIT}):
            try:
                return self._client.submit(call, *arguments, pure=False, **where)
            except OSError as error:
                raise _scheduler_gone() from error

    def _place(self) -> None:
        """Give free workers jobs."""
        left: list[_Attempts] = []
        while self._waiting and self._free:
            attempts = self._waiting.popleft()
            place = self._choose(attempts)
            if place is None:
                left.append(attempts)
                continue
            self._free.remove(place)
            future = self._submit(attempts.job.call, *attempts.job.arguments, workers=[place], allow_other_workers=False)
            self._running[future.key] = (future, attempts, place)
            future.add_done_callback(self._ended.put)
        self._waiting.extendleft(reversed(left))

    def _choose(self, attempts: _Attempts) -> str | None:
        """A free worker where the job has not failed; if it has everywhere, any, or none where that is forbidden: then it is given up."""
        fresh = next((place for place in self._free if self._homes[place] not in attempts.failed), None)
        if fresh is not None or any(home not in attempts.failed for home in self._homes.values()):
            return fresh
        return None if self._strict else self._free[0]

    def _judge(self, future: Future) -> Finished | None:
        """What became of a job that ended; None if it is tried again."""
        if future.key not in self._running:
            return None
        _, attempts, place = self._running[future.key]
        try:
            result = self._result(future, place)
        except _Gone:
            return self._bury(future.key)
        except (BackendFailed, BackendUnavailable) as error:
            return self._again(future.key, error)
        del self._running[future.key]
        self._free.append(place)
        return Finished(attempts.job, result)

    def _result(self, future: Future, place: str) -> Any:
        """The result, or what was raised; `_Gone` where the worker died before it could be fetched."""
        from distributed import CancelledError, KilledWorker
        from distributed import TimeoutError as Late  # asyncio's, which Python 3.10 tells from its own

        while True:
            try:
                return future.result(timeout=GATHER_SECONDS)
            except CancelledError as error:
                if self._client.status != "running":
                    raise _scheduler_gone() from error
                raise _Gone from error
            except Late as error:
                if future.status == "error":  # the job's own
                    raise
                if place not in self._alive():
                    raise _Gone from error
            except KilledWorker as error:
                what = "workers ended while they received what all jobs share"
                raise BackendFailed(what, where="cluster", remedy="give them more memory") from error
            except MemoryError as error:
                raise BackendFailed("its worker has too little memory", where="cluster", remedy="give workers more") from error

    def _again(self, key: str, error: LoihiconvError) -> Finished | None:
        """A job failed where it was: elsewhere, if it may still try."""
        _, attempts, place = self._running.pop(key)
        self._free.append(place)
        attempts.failed.add(self._homes.get(place, place))
        attempts.failures += 1
        LOG.info("%s failed on %s: %s", attempts.job.name, place, error)
        if attempts.failures >= ATTEMPTS or self._nowhere_left(attempts):
            return Finished(attempts.job, error=error)
        self._waiting.appendleft(attempts)
        return None

    def _bury(self, key: str) -> Finished | None:
        """A job's worker died under it: elsewhere, unless it has ended as many as it may."""
        future, attempts, place = self._running.pop(key)
        future.cancel()
        attempts.failed.add(self._homes.get(place, place))
        attempts.deaths += 1
        LOG.info("worker %s died under %s", place, attempts.job.name)
        if attempts.deaths >= ATTEMPTS or self._nowhere_left(attempts):
            what = f"{attempts.deaths} workers ended while they ran it" if attempts.deaths > 1 else "its worker ended while it ran it"
            remedy = "look at their logs and memory; run it alone, without a cluster"
            return Finished(attempts.job, error=BackendFailed(what, where=attempts.job.name, remedy=remedy))
        self._waiting.appendleft(attempts)
        return None

    def _nowhere_left(self, attempts: _Attempts) -> bool:
        tried = self._strict and set(self._homes.values()) <= attempts.failed
        return tried and len(attempts.failed) >= self._planned

    def _alive(self) -> dict[str, int]:
        """Threads of each worker that is there."""
        try:
            return dict(self._client.nthreads())
        except (OSError, TimeoutError) as error:
            raise _scheduler_gone() from error

    def _look(self) -> None:
        """See which workers came and which are gone, and what was lost with them."""
        alive = self._alive()
        gone = self._seen - alive.keys()
        if gone:
            self._free = deque(place for place in self._free if place not in gone)
            for key in [key for key, (_, _, place) in self._running.items() if place in gone]:
                if (given_up := self._bury(key)) is not None:
                    self._given_up.append(given_up)
            self._homes = {place: home for place, home in self._homes.items() if place not in gone}
        if new := {place: threads for place, threads in alive.items() if place not in self._seen}:
            for place, (home, slots) in self._find_homes(self._client, new).items():
                if not (self._strict and home in self._homes.values()):
                    self._homes[place] = home
                    self._free.extend([place] * slots)
        self._seen = set(alive)
        if not alive and (why := refusal(self._client)):
            raise BackendUnavailable(f"SLURM takes none of its jobs: {why}", where="cluster slurm", remedy="mend its profile")
        if alive or self._planned:  # those that were asked for may wait in SLURM's queue for long
            self._alive_at = time.monotonic()
        elif time.monotonic() - self._alive_at > PATIENCE:
            remedy = "look at their logs; start workers again, and go on from what is kept"
            raise BackendFailed(f"it has had no worker for {PATIENCE:g} s", where="cluster", remedy=remedy)
        self._next_look = time.monotonic() + LOOK_SECONDS


class _Gone(Exception):
    """A worker died before its result was fetched."""


def _own_homes(client: Client, new: dict[str, int]) -> dict[str, tuple[str, int]]:
    return {place: (place, threads) for place, threads in new.items()}


def _same(value: Any) -> Any:
    return value


def _scheduler_gone() -> BackendFailed:
    return BackendFailed("its scheduler does not answer any more", where="cluster", remedy="look at its log; start it again")
