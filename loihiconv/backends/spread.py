"""The samples of a run, in slices over a cluster; results do not depend on the cut, see `loihiconv.backends.slices`."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from loihiconv.backends.backend import Backend, RunOptions
from loihiconv.backends.slices import Slice, Slices, joined_slices, missing, run_in_slices, run_key, slice_size
from loihiconv.clusters.cluster import planned
from loihiconv.clusters.farm import Farm, Overtime
from loihiconv.clusters.jobs import Finished, Job
from loihiconv.core.errors import BackendFailed, BackendUnavailable, InvalidSetting, LoihiconvError
from loihiconv.core.linear import Array
from loihiconv.core.network import Network
from loihiconv.core.numbers import count
from loihiconv.core.recording import Recording
from loihiconv.lava.chip.settings import BoardAccess

if TYPE_CHECKING:
    from distributed import Client

FEWEST = {False: 32, True: 8}
"""Samples of a slice that is made smaller so that all workers have some, of the simulator and of Lava."""
ROUNDS = 4
"""Slices that each worker gets at least, if slices may be so small: the last ones end at about the same time."""
KEPT_BUSY = 500
"""Workers that the client keeps busy with slices of the usual size, some seconds; where there are more, slices may be larger."""
HANDED_OUT = 3000
"""Slices in all, from which on workers get fewer: the client needs some milliseconds for each, one after the other."""

NAMED = 5
"""Slices that an error names."""
MEMORY_SHARE = 4
"""The simulator takes the n-th part of a worker's memory."""


def carried_out(
    backend: Backend,
    network: Network,
    x: Array,
    options: RunOptions,
    client: Client | None = None,
    folder: str | PathLike[str] | None = None,
) -> Recording:
    """Run samples as `Backend.run` does: at once, in slices that a folder keeps, or on a cluster."""
    if client is not None:
        return run_on_cluster(backend, network, x, options, client, folder)
    return backend.run(network, x, options) if folder is None else run_in_slices(backend, network, x, options, folder)


def run_on_cluster(
    backend: Backend, network: Network, x: Array, options: RunOptions, client: Client, folder: str | PathLike[str] | None = None
) -> Recording:
    """Run samples as `Backend.run` does, on the workers of a cluster.

    Parameters
    ----------
    backend, network, x, options
        As `Backend.run` takes them; ``deadline`` is that of all slices together.
    client : distributed.Client
    folder : path, optional
        Keeps finished slices, as `loihiconv.backends.slices.run_in_slices` does; either goes on where the other was cut off.

    Raises
    ------
    ArtifactError
        If the folder holds another run, is damaged or cannot be written.
    BackendFailed
        If the deadline has passed, or slices failed on several workers; all others are finished then, and kept in the folder.
    BackendUnavailable
        If a board is asked for and the workers are no jobs of SLURM's.
    InvalidSetting
        If a board is named: it is that of each job.
    """
    if backend.hardware:
        _check_access(options.access)
    kept = None if folder is None else Slices(Path(folder), run_key(backend, network, x, options), len(x))
    parts = [] if kept is None else kept.finished()
    end = None if options.deadline is None else time.monotonic() + options.deadline
    failed: list[Finished] = []
    with Farm(client, homes=_boards if backend.hardware else None, strict=backend.hardware, planned=planned(client), end=end) as farm:
        common = farm.share((backend, network, replace(options, progress=None)))
        for first, last in missing(parts, len(x), balanced_size(backend, network, options, len(x), farm.slots)):
            farm.add(Job(f"samples {count(first)} to {count(last - 1)}", run_slice, (common, x[first:last], first), first))
        try:
            for done in farm:
                recording = getattr(done.error, "partial", None) if done.error else done.result
                if done.error is not None:
                    failed.append(done)
                if recording is not None:
                    parts.append(Slice(done.job.about, recording, True) if kept is None else kept.write(done.job.about, recording))
                if options.progress is not None and recording is not None:
                    options.progress(_samples(parts), len(x))
        except Overtime as error:
            raise BackendFailed(
                f"did not finish within {options.deadline:g} s",
                where=f"backend {backend.name}",
                limit=f"{_samples(parts)} of {len(x)} samples were done",
                remedy="go on from there, or run fewer samples",
            ) from error
    if failed:
        raise _failure(failed, backend, _samples(parts), len(x), kept is not None)
    return joined_slices(network, parts)


def balanced_size(backend: Backend, network: Network, options: RunOptions, samples: int, slots: int) -> int:
    """Samples of a slice: as many as without a cluster, or fewer so that every worker gets some.

    Sums of a float network depend in their last digits on what is in a batch, so its slices are those of `slice_size` on every cluster.
    """
    if backend.hardware:  # what is measured is measured on one board
        return samples if options.access is not None and options.access.profile else -(-samples // slots)
    most = slice_size(backend, network, options)
    if backend.numbers == "float":
        return most
    return even_size(samples, slots, FEWEST[bool(backend.judges)], most)


def even_size(samples: int, slots: int, fewest: int, most: int) -> int:
    """Samples of a slice so that all workers have something to do until the end, and the client keeps up with them.

    Parameters
    ----------
    samples, slots : int
        In all; and slices that run at a time.
    fewest, most : int
        Of a slice, on a cluster of usual size.
    """
    rounds = max(min(ROUNDS, HANDED_OUT // slots), 1)
    return min(max(-(-samples // (rounds * slots)), fewest), most * max(slots // KEPT_BUSY, 1))


def run_slice(common: tuple[Backend, Network, RunOptions], x: Array, first: int) -> Recording:
    """What a worker does: run the samples from ``first`` on; on a board that of its own job."""
    from distributed import get_worker

    backend, network, options = common
    if backend.hardware:
        partition, node = own_board()
        access = replace(options.access or BoardAccess(), partition=partition, node=node, host=None)
        options = replace(options, access=access)
    elif (
        options.memory is None
        and options.device == "cpu"
        and not os.environ.get("LOIHICONV_MEMORY")
        and (limit := get_worker().memory_manager.memory_limit)
    ):
        options = replace(options, memory=int(limit) // MEMORY_SHARE)
    return backend.run(network, x, replace(options, first=options.first + first))


def own_board() -> tuple[str | None, str | None]:
    """Partition and node of the job of SLURM's that this process is part of."""
    return os.environ.get("SLURM_JOB_PARTITION"), os.environ.get("SLURMD_NODENAME")


def _check_access(access: BoardAccess | None) -> None:
    named = access is not None and (access.partition or access.node or access.host)
    if named:
        remedy = "name the partition in the profile of the jobs, or run without a cluster"
        raise InvalidSetting(f"board {named!r}", where="access", limit="on a cluster it is that of each job", remedy=remedy)


def _boards(client: Client, new: dict[str, int]) -> dict[str, tuple[str, int]]:
    """One run at a time per board, which belongs to a job: its node is its name."""
    found = client.run(own_board, workers=list(new))
    if not all(node for _, node in found.values()):
        what = "its workers are no jobs of SLURM's"
        raise BackendUnavailable(what, where="cluster", limit="a job, and so a board, for each", remedy="slurm:profile.yaml starts them")
    return {address: (f"{partition}/{node}", 1) for address, (partition, node) in found.items()}


def _samples(parts: Sequence[Slice]) -> int:
    return sum(len(part.recording) for part in parts)


def _failure(failed: Sequence[Finished], backend: Backend, done: int, samples: int, kept: bool) -> LoihiconvError:
    """What is said of slices that were given up: some by name and reason, and how many more."""
    if not done and all(isinstance(each.error, BackendUnavailable) for each in failed):
        return BackendUnavailable(f"on no worker that was tried: {failed[0].error}", where="cluster")
    named = [f"{each.job.name} ({each.error.what if each.error else ''})" for each in failed[:NAMED]]
    more = f" and {len(failed) - NAMED} more" if len(failed) > NAMED else ""
    rest = f"{count(done)} of {count(samples)} samples are finished" + (" and kept" if kept else "")
    remedy = (
        "run these alone, without a cluster, to see why" if kept else "with a folder that keeps slices, only these have to be run again"
    )
    return BackendFailed(f"given up: {', '.join(named)}{more}", where=f"backend {backend.name}", limit=rest, remedy=remedy)
