"""A SLURM that takes no jobs, and Ctrl-C, which dask-jobqueue would keep for itself."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.clusters import slurm
from loihiconv.core.errors import BackendUnavailable
from tests.lava.small import chain


@pytest.fixture(autouse=True)
def needs_jobqueue() -> None:
    pytest.importorskip("dask_jobqueue", reason="dask is not installed: pip install 'loihiconv[cluster]'")


def test_jobs_that_are_not_taken_end_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "sbatch"
    program.write_text("#!/bin/sh\necho sbatch: error: Batch job submission failed: Invalid partition name specified >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path), os.environ["PATH"]]))
    monkeypatch.setattr(slurm, "PAUSE_SECONDS", 0.0)
    profile = tmp_path / "profile.yaml"
    profile.write_text("jobs: 2\nmemory: 1 GiB\ninterface: lo\n")
    with pytest.raises(BackendUnavailable, match=r"none of its jobs: sbatch: error: .* Invalid partition name specified; mend"):
        lc.run(chain(), np.zeros((8, 4)), cluster=f"slurm:{profile}")


def test_ctrl_c_stays_what_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "dask_jobqueue"]:
        monkeypatch.delitem(sys.modules, name)
    before = signal.getsignal(signal.SIGINT)
    slurm._jobqueue()
    assert "dask_jobqueue.runner" in sys.modules
    assert signal.getsignal(signal.SIGINT) is before
