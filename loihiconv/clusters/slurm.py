"""SLURM's jobs as workers of a cluster, through dask-jobqueue; jobs that SLURM takes none of are said, not waited for."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from loihiconv.core.errors import BackendFailed, BackendUnavailable
from loihiconv.core.log import LOG

if TYPE_CHECKING:
    from distributed import Client

    from loihiconv.clusters.profile import Profile

ATTEMPTS = 3
"""How often a job is handed in: its controller may be restarting."""
PAUSE_SECONDS = 2.0
"""Between two of them."""


def slurm_client(stack: ExitStack, profile: Profile, boards: bool) -> tuple[Client, Callable[[], str]]:
    """Jobs of SLURM's, those that end early started again; SLURM decides when the first of them runs.

    Returns
    -------
    client : distributed.Client
        The cluster ends with the stack.
    refused : callable () -> str
        Why SLURM takes none of its jobs; "" where some run, wait or were not handed in yet.

    Raises
    ------
    BackendUnavailable
        If there is no SLURM.
    BackendFailed
        If the profile says what dask-jobqueue does not take.
    """
    from distributed import Client

    if shutil.which("sbatch") is None:
        raise BackendUnavailable("no program sbatch", where="cluster slurm", remedy="log in to a node that submits jobs to SLURM")
    jobqueue = _jobqueue()
    try:
        cluster = stack.enter_context(jobqueue.SLURMCluster(job_cls=_job_class(jobqueue), **profile.arguments(boards=boards)))
        cluster.adapt(minimum_jobs=profile.jobs, maximum_jobs=profile.jobs)
    except (RuntimeError, OSError, ValueError, TypeError) as error:
        raise BackendFailed(str(error).strip().splitlines()[0], where="cluster slurm", remedy="mend its profile") from error

    def refused() -> str:
        said = [getattr(job, "refused", "") for job in [*cluster.workers.values()]]
        return str(said[0]) if said and all(said) else ""

    return stack.enter_context(Client(cluster)), refused


def _jobqueue() -> Any:
    """dask-jobqueue, which takes Ctrl-C for itself when it is imported: that is given back."""
    before = signal.getsignal(signal.SIGINT)
    import dask_jobqueue

    if before is not None and signal.getsignal(signal.SIGINT) is not before:
        signal.signal(signal.SIGINT, before)
    return dask_jobqueue


def _job_class(jobqueue: Any) -> Any:
    class Job(jobqueue.slurm.SLURMJob):  # type: ignore[misc]
        """A job that keeps what SLURM says where it does not take it, as no exception of a job reaches whoever waits for it."""

        refused = ""

        async def start(self) -> None:
            for attempt in range(ATTEMPTS):
                try:
                    await super().start()
                except (RuntimeError, ValueError, OSError) as error:
                    self.refused = _last_line(error)
                    LOG.warning("SLURM does not take job %s: %s", self.name, self.refused)
                    await asyncio.sleep(PAUSE_SECONDS if attempt < ATTEMPTS - 1 else 0)
                else:
                    self.refused = ""
                    return
            await jobqueue.core.ProcessInterface.start(self)  # as if: nothing else ends a cluster that has jobs without a number

    return Job


def _last_line(error: Exception) -> str:
    """What sbatch printed last, of an error that holds its whole output."""
    return ([line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__])[-1]
