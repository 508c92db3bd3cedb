"""What a `loihiconv.clusters.farm.Farm` is given and gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from loihiconv.core.errors import LoihiconvError


@dataclass(frozen=True, eq=False)
class Job:
    """A call that a worker makes.

    Parameters
    ----------
    name : str
        What errors call it.
    call : callable
        Of a module that workers can import.
    arguments : tuple
        What `Farm.share` has given, or values of the job's own.
    about : Any
        Whatever its owner wants back with the result.
    """

    name: str
    call: Callable[..., Any]
    arguments: tuple[Any, ...]
    about: Any = None


@dataclass(frozen=True, eq=False)
class Finished:
    """A job that was done, or given up: then with an error."""

    job: Job
    result: Any = None
    error: LoihiconvError | None = None

    @property
    def named_error(self) -> LoihiconvError | None:
        """The error with the job's name in it."""
        return self.error and type(self.error)(self.error.what, where=self.job.name, limit=self.error.limit, remedy=self.error.remedy)
