"""Clusters by name: what is refused, and jobs of a stand-in for SLURM."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.backends import registry
from loihiconv.clusters import cluster as clusters
from loihiconv.clusters.cluster import check_cluster, connected, described
from loihiconv.core.errors import BackendUnavailable, InvalidSetting
from loihiconv.core.fingerprints import fingerprint
from tests.clustered import OnBoard
from tests.conftest import ROOT
from tests.lava.small import chain

X = np.random.default_rng(0).integers(0, 256, (40, 4))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("loacl", "'loacl', did you mean 'local'?; local[:workers], tcp://scheduler:port or slurm:profile.yaml expected"),
        ("local:", "local:; local, or local: and a number of workers from 1 to 4096 expected"),
        ("local:0", "a number of workers from 1"),
        ("local:٣", "a number of workers from 1"),
        ("local:99999999999999999999", "a number of workers from 1"),
        ("tcp://", "expected"),
        ("slurm", "slurm without a profile"),
        ("slurm:", "slurm without a profile"),
        ("slurm:nowhere.yaml", "nowhere.yaml: cannot be read: No such file"),
        (7, "7 is no cluster"),
    ],
)
def test_what_names_no_cluster(name: Any, message: str) -> None:
    pytest.importorskip("distributed", reason="dask is not installed: pip install 'loihiconv[cluster]'")
    with pytest.raises(InvalidSetting) as caught:
        check_cluster(name)
    assert message in str(caught.value)
    with pytest.raises(InvalidSetting):
        lc.run(chain(), X, cluster=name)


def test_without_dask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "find_spec", lambda name: None)
    with pytest.raises(BackendUnavailable, match=r"^cluster: distributed is not installed; pip install 'loihiconv\[cluster\]'$"):
        lc.run(chain(), X, cluster="local:2")
    assert fingerprint(lc.run(chain(), X)) == fingerprint(lc.run(chain(), X, cluster=None))


def test_a_scheduler_that_is_not_there(monkeypatch: pytest.MonkeyPatch, cluster: Any) -> None:
    monkeypatch.setattr(clusters, "CONNECT_SECONDS", 0.3)
    with pytest.raises(BackendUnavailable, match="no scheduler of dask's answers"), connected("tcp://127.0.0.1:9"):
        pass
    with connected(cluster.scheduler.address) as client:
        assert client is not None
        assert described(client).startswith(f"cluster {cluster.scheduler.address}: 2 workers")
    monkeypatch.setattr(clusters, "__version__", "0.0.0")
    with pytest.raises(BackendUnavailable, match=f"has loihiconv {lc.__version__}; 0.0.0 expected"), connected(cluster):
        pass


def test_boards_of_slurm_are_not_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job, and so a node, for each worker; what the first board cannot do another one does."""
    pytest.importorskip("dask_jobqueue", reason="dask is not installed: pip install 'loihiconv[cluster]'")
    jobs, diary = tmp_path / "jobs", tmp_path / "diary"
    jobs.mkdir()
    diary.mkdir()
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(__file__).with_name("slurm")), os.environ["PATH"]]))
    monkeypatch.setenv("STANDIN_SLURM", str(jobs))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    profile = tmp_path / "profile.yaml"
    profile.write_text(f"jobs: 2\npartition: oheogulch\nmemory: 1 GiB\ninterface: lo\nlocal_directory: {tmp_path}\n")
    registry.register(OnBoard(diary=str(diary)))
    try:
        recording = lc.run(chain(), X, "standin", cluster=f"slurm:{profile}")
    finally:
        registry.unregister("standin")
    assert np.array_equal(recording.potentials, X)
    log = (diary / "log").read_text().splitlines()
    assert {line.split()[2] for line in log} == {"20"}
    assert sum(int(line.split()[2]) for line in log if not line.startswith("node-1 ")) == len(X)
    script = (jobs / "1" / "script").read_text()
    assert "#SBATCH -p oheogulch" in script
    assert "#SBATCH --exclusive" in script
    end = time.monotonic() + 20
    while (running := [path for path in jobs.glob("*/pid") if _runs(int(path.read_text()))]) and time.monotonic() < end:
        time.sleep(0.1)
    assert not running


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_what_all_jobs_share_is_not_given_up_for_deaths() -> None:
    """dask would after three, and all jobs with it; the farm counts for each job."""
    pytest.importorskip("distributed", reason="dask is not installed: pip install 'loihiconv[cluster]'")
    with connected("local:1") as client:
        assert client is not None
        assert client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.allowed_failures) > 1000
