"""Attempts of a search, one after the other here, or on a cluster, where those that are likely to come next are made meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from loihiconv.clusters.cluster import planned
from loihiconv.clusters.farm import Farm
from loihiconv.clusters.jobs import Finished, Job
from loihiconv.conversion.judge import Attempt
from loihiconv.conversion.settings import Settings
from loihiconv.core.errors import LoihiconvError

if TYPE_CHECKING:
    from distributed import Client

Attempts: TypeAlias = Callable[[Settings, Iterable[Settings]], Attempt]
"""An attempt with settings; and with which others one will be wanted next if this one changes nothing, most likely first."""
Common = TypeVar("Common")


@contextmanager
def making(attempted: Callable[[Common, Settings], Attempt], common: Common, client: Client | None) -> Iterator[Attempts]:
    """What makes attempts: ``attempted(common, settings)``, here or on the workers of a cluster.

    It is the same attempt wherever it is made. On a cluster ``common`` travels once to each worker, and attempts come back whole.
    """
    if client is None:
        yield lambda settings, _: attempted(common, settings)
        return
    with Farm(client, planned=planned(client)) as farm:
        yield _Ahead(farm, attempted, farm.share(common))


class _Ahead:
    """Attempts on a farm: as many at a time as it has workers."""

    def __init__(self, farm: Farm, attempted: Callable[[Any, Settings], Attempt], common: Any) -> None:
        self._farm, self._attempted, self._common = farm, attempted, common
        self._under_way: set[str] = set()
        self._found: dict[str, Finished] = {}

    def __call__(self, settings: Settings, following: Iterable[Settings]) -> Attempt:
        left, wanted, ended = chain([settings], following), _key(settings), iter(self._farm)
        self._begin(next(left))
        while wanted not in self._found:
            while len(self._under_way) < self._farm.slots and (another := next(left, None)) is not None:
                self._begin(another)
            done = next(ended)
            self._under_way.remove(done.job.about)
            self._found[done.job.about] = done
        done = self._found.pop(wanted)
        if done.error is not None:
            raise done.error
        if isinstance(done.result, LoihiconvError):
            raise done.result
        made: Attempt = done.result
        return made

    def _begin(self, settings: Settings) -> None:
        """Have an attempt made that nobody has made or makes."""
        key = _key(settings)
        if key not in self._under_way and key not in self._found:
            self._under_way.add(key)
            self._farm.add(Job("an attempt of the search", _made, (self._attempted, self._common, settings), key))


def _made(attempted: Callable[[Any, Settings], Attempt], common: Any, settings: Settings) -> Attempt | LoihiconvError:
    """What a worker does; a refusal counts only if it is this attempt's turn."""
    try:
        return attempted(common, settings)
    except LoihiconvError as error:
        return error


def _key(settings: Settings) -> str:
    return json.dumps(settings.to_json())
