"""Jobs on workers that die: what each death costs, and what is said of it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from loihiconv.clusters import farm as farms
from loihiconv.clusters.farm import Farm, Overtime
from loihiconv.clusters.jobs import Job
from loihiconv.core.errors import BackendFailed
from tests.clustered import ends_its_worker


def doubled(value: int, shared: list[int]) -> int:
    return 2 * value + shared[0]


def fails(where: str) -> str:
    raise BackendFailed("no more", where=where)


def test_what_is_shared_and_what_is_added_meanwhile(cluster: Any) -> None:
    with Farm(cluster) as farm:
        assert farm.slots == 2
        shared = farm.share([100])
        for value in range(5):
            farm.add(Job(str(value), doubled, (value, shared), value))
        found = {}
        for done in farm:
            found[done.job.about] = done.result
            if done.job.about < 3:
                farm.add(Job("more", doubled, (done.job.about + 10, shared), done.job.about + 10))
    assert found == {value: 2 * value + 100 for value in (0, 1, 2, 3, 4, 10, 11, 12)}


def test_errors_of_jobs(cluster: Any) -> None:
    """What a back end failed with is tried elsewhere, and then given back; whatever else is wrong is raised."""
    with Farm(cluster) as farm:
        farm.add(Job("broken", fails, ("here",)))
        farm.add(Job("whole", doubled, (1, [1])))
        found = {done.job.name: done for done in farm}
    assert found["whole"].result == 3
    assert str(found["broken"].error) == "here: no more"
    assert str(found["broken"].named_error) == "broken: no more"
    with Farm(cluster) as farm:
        farm.add(Job("wrong", doubled, (1, [])))
        with pytest.raises(IndexError):
            list(farm)
    with Farm(cluster, end=time.monotonic() - 1) as farm:
        farm.add(Job("late", doubled, (1, [1])))
        with pytest.raises(Overtime):
            list(farm)


def test_a_home_is_given_one_job_and_no_job_twice(cluster: Any) -> None:
    """Of boards: both workers say that they are at the same one."""

    def homes(client: Any, new: dict[str, int]) -> dict[str, tuple[str, int]]:
        return dict.fromkeys(new, ("board", 1))

    with Farm(cluster, homes=homes, strict=True) as farm:
        assert farm.slots == 1
        farm.add(Job("broken", fails, ("here",)))
        farm.add(Job("whole", doubled, (1, [1])))
        seen = [f"{done.job.name} {done.error or done.result}" for done in farm]
    assert seen == ["broken here: no more", "whole 3"]


def test_nobody_waits_for_workers_that_are_gone(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(farms, "PATIENCE", 0.2)
    monkeypatch.setattr(farms, "LOOK_SECONDS", 0.05)
    with Farm(cluster) as farm:
        monkeypatch.setattr(farm, "_alive", dict)
        farm._free.clear()
        farm.add(Job("whole", doubled, (1, [1])))
        with pytest.raises(BackendFailed, match=r"^cluster: it has had no worker for 0.2 s; look at their logs"):
            list(farm)


def test_a_dead_worker_costs_its_own_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed", reason="dask is not installed: pip install 'loihiconv[cluster]'")
    monkeypatch.setattr(farms, "ATTEMPTS", 2)
    options: dict[str, Any] = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0", "silence_logs": 50}
    with distributed.LocalCluster(host="127.0.0.1", **options) as workers, distributed.Client(workers) as client, Farm(client) as farm:
        shared = farm.share([1])
        farm.add(Job("samples 0 to 31", ends_its_worker, ()))
        farm.add(Job("once", ends_its_worker, (str(tmp_path / "mark"),)))
        for value in range(4):
            farm.add(Job(f"good {value}", doubled, (value, shared)))
        found = {done.job.name: done for done in farm}
    assert [found[f"good {value}"].result for value in range(4)] == [1, 3, 5, 7]
    assert found["once"].error is None
    assert found["once"].result != os.getpid()
    error = found["samples 0 to 31"].error
    assert (
        str(error) == "samples 0 to 31: 2 workers ended while they ran it; look at their logs and memory; run it alone, without a cluster"
    )
