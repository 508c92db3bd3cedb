"""Clusters by name: ``local[:n]``, ``tcp://scheduler:port`` and ``slurm:profile.yaml``, all of them dask's.

Needs the extra ``loihiconv[cluster]``. Nothing of dask is imported before a cluster is asked for.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Union
from weakref import WeakKeyDictionary

from loihiconv.clusters.slurm import slurm_client
from loihiconv.core.errors import BackendFailed, BackendUnavailable, InvalidSetting
from loihiconv.core.given import did_you_mean, shown
from loihiconv.core.temporary import make_temporary, remove_temporary
from loihiconv.core.version import __version__

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

    from loihiconv.clusters.profile import Profile

Cluster: TypeAlias = Union[str, "Client"]
FORMS = "local[:workers], tcp://scheduler:port or slurm:profile.yaml"
INSTALL = "pip install 'loihiconv[cluster]'"
DEAF = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
"""What workers carry out first: a terminal sends Ctrl-C to them, too, and their tracebacks say nothing."""
DEATHS = {"distributed.scheduler.allowed-failures": 1_000_000}
"""Of workers that had been asked for what all jobs share, after which dask gives that up, and all jobs with it, by default after three.
`loihiconv.clusters.farm` counts for each job."""
BACK = "10 minutes"
"""How long a local worker that died may take to be there again. dask's 15 seconds give it up for good where a file system or processor is
slow: it imports torch."""
CONNECT_SECONDS = 20.0
"""How long a scheduler may take to answer."""
_PLANNED: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
_REFUSED: WeakKeyDictionary[Any, Callable[[], str]] = WeakKeyDictionary()
_ADDRESSES = ("tcp://", "tls://", "ucx://", "ws://", "wss://")


def check_cluster(cluster: Cluster | None) -> None:
    """Raise an error for what names no cluster, before anything is read or started.

    Raises
    ------
    InvalidSetting
        If it is none of `FORMS` and no client, or its profile is broken.
    BackendUnavailable
        If dask is not installed.
    """
    if cluster is None:
        return
    if isinstance(cluster, str):
        kind, _, rest = cluster.partition(":")
        if kind == "local":
            _workers(rest if ":" in cluster else None)
        elif kind == "slurm":
            _profile(rest)
        elif not cluster.startswith(_ADDRESSES) or cluster in _ADDRESSES:
            guess = did_you_mean(kind, ("local", "slurm"))
            raise InvalidSetting(f"{shown(cluster)}{guess}", where="cluster", limit=f"{FORMS} expected")
    missing = [name for name in ("distributed", "dask_jobqueue")[: 1 + _is_slurm(cluster)] if find_spec(name) is None]
    if missing:
        raise BackendUnavailable(f"{missing[0].replace('_', '-')} is not installed", where="cluster", remedy=INSTALL)
    if not isinstance(cluster, str):
        _check_client(cluster)


@contextmanager
def connected(cluster: Cluster | None, *, boards: bool = False) -> Iterator[Client | None]:
    """A client of a cluster, which is started if it is named "local" or "slurm", and then ended with the block.

    Parameters
    ----------
    cluster : str, distributed.Client or None
        None gives None. A client stays open.
    boards : bool
        Of "slurm": each job has a node to itself, and one worker.

    Raises
    ------
    InvalidSetting, BackendUnavailable
        As `check_cluster`; also if no scheduler answers, it has no workers, or they have another version of loihiconv.
    """
    check_cluster(cluster)
    with ExitStack() as stack:
        if isinstance(cluster, str):
            import dask.config

            stack.enter_context(dask.config.set(DEATHS))
        if cluster is None or not isinstance(cluster, str):
            client = cluster
        elif cluster.startswith("local"):
            client = _local(stack, cluster.partition(":")[2])
        elif _is_slurm(cluster):
            client = _slurm(stack, _profile(cluster.partition(":")[2]), boards)
        else:
            client = _client_of(stack, cluster)
        if client is not None and not (isinstance(cluster, str) and _is_slurm(cluster)):
            _check_workers(client)
        yield client


def described(client: Client) -> str:
    """A cluster in a line: how many workers, where its scheduler is, and its dashboard."""
    count = len(client.nthreads())
    link = client.dashboard_link if find_spec("bokeh") is not None else ""
    workers = "no worker yet, SLURM decides when jobs start" if not count else f"{count} worker{'s' if count != 1 else ''}"
    return f"cluster {client.scheduler.address}: {workers}" + (f"; dashboard {link}" if link else "")


def planned(client: Client) -> int:
    """Workers that were asked for, of which some may still wait in SLURM's queue; 0 where nobody knows."""
    return _PLANNED.get(client, 0)


def refusal(client: Client) -> str:
    """Why no worker will come, where SLURM takes none of the jobs; "" where some may."""
    return _REFUSED[client]() if client in _REFUSED else ""


def _is_slurm(cluster: Cluster) -> bool:
    return isinstance(cluster, str) and cluster.partition(":")[0] == "slurm"


def _workers(text: str | None) -> int:
    """How many workers "local" has: one per core that this process may use, unless it is said."""
    if text is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 4096 and len(text) < 9):
        raise InvalidSetting(
            f"local:{text[:20]}", where="cluster", limit="local, or local: and a number of workers from 1 to 4096 expected"
        )
    return int(text)


def _profile(path: str) -> Profile:
    from loihiconv.clusters.profile import read_profile

    if not path:
        raise InvalidSetting(
            "slurm without a profile", where="cluster", limit="slurm:profile.yaml expected", remedy="docs/howto/cluster.md has one"
        )
    return read_profile(Path(path))


def _local(stack: ExitStack, text: str) -> Client:
    """A scheduler in this process, and workers of one thread each."""
    import dask.config
    from distributed import Client, LocalCluster

    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise InvalidSetting(
            "a worker that starts runs the script that starts it",
            where="cluster",
            remedy='put what the script does under: if __name__ == "__main__":',
        )
    folder = make_temporary("cluster")
    stack.callback(remove_temporary, folder)
    stack.enter_context(dask.config.set({"temporary_directory": str(folder), "distributed.deploy.lost-worker-timeout": BACK}))
    try:
        cluster: LocalCluster = stack.enter_context(
            LocalCluster(
                n_workers=_workers(text or None),
                threads_per_worker=1,
                dashboard_address="127.0.0.1:0",
                host="127.0.0.1",
                silence_logs=logging.CRITICAL,
                preload=[DEAF],
            )
        )
    except (RuntimeError, OSError) as error:
        raise BackendFailed(
            f"its workers did not start: {str(error).strip().splitlines()[0]}",
            where="cluster local",
            remedy='in a script, put what it does under: if __name__ == "__main__":',
        ) from error
    return stack.enter_context(Client(cluster))


def _client_of(stack: ExitStack, address: str) -> Client:
    from distributed import Client

    try:
        client = Client(address, timeout=CONNECT_SECONDS)
    except (OSError, TimeoutError, ValueError) as error:
        what = f"no scheduler of dask's answers ({str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__})"
        raise BackendUnavailable(what, where=f"cluster {address}", remedy="start one: dask scheduler") from error
    stack.callback(client.close)
    if not client.nthreads():
        remedy = f"start some, of one thread each: dask worker {address} --nworkers auto --nthreads 1"
        raise BackendUnavailable("its scheduler has no workers", where=f"cluster {address}", remedy=remedy)
    return client


def _slurm(stack: ExitStack, profile: Profile, boards: bool) -> Client:
    client, refused = slurm_client(stack, profile, boards)
    _PLANNED[client] = profile.jobs * (1 if boards else profile.cores)
    _REFUSED[client] = refused
    return client


def _check_client(client: Any) -> None:
    from distributed import Client

    if not isinstance(client, Client):
        raise InvalidSetting(f"{shown(client)} is no cluster", where="cluster", limit=f"{FORMS}, or a distributed.Client expected")
    if client.asynchronous or client.status != "running":
        what = "is asynchronous" if client.asynchronous else f"is {client.status}"
        raise InvalidSetting(f"its client {what}", where="cluster", limit="one that is open and synchronous expected")


def _check_workers(client: Client) -> None:
    """Raise `BackendUnavailable` unless workers have this version of loihiconv."""

    def version() -> str:  # a function within one is sent by value: a worker may have no loihiconv, or another one
        try:
            from loihiconv.core.version import __version__ as found
        except ImportError:
            return ""
        return str(found)

    for address, found in client.run(version).items():
        if found != __version__:
            what = f"its worker {address} has loihiconv {found}" if found else f"its worker {address} has no loihiconv"
            raise BackendUnavailable(what, where="cluster", limit=f"{__version__} expected", remedy="install the same there as here")
