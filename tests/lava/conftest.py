"""A cheap way to start many workers."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from loihiconv.lava import client
from loihiconv.lava.job import Job

HERE = Path(__file__).parent


class ForkedWorker:
    """What `client` needs of a worker's ``Popen``, for one that the fork server started."""

    def __init__(self, server: subprocess.Popen[str], job: Job) -> None:
        job.log.touch()
        assert server.stdin is not None
        assert server.stdout is not None
        self.returncode: int | None = None
        server.stdin.write(f"{job.folder}\n")
        server.stdin.flush()
        self.pid = int(server.stdout.readline())
        self._answer = server.stdout

    def poll(self) -> int | None:
        """The return code if the worker has ended: it is a zombie or gone, and the server's answer on its way."""
        if self.returncode is None and not client._group_runs(self.pid):
            self.wait()
        return self.returncode

    def wait(self) -> int:
        """Wait for the worker."""
        if self.returncode is None:
            self.returncode = int(self._answer.readline())
        return self.returncode


@pytest.fixture(scope="session")
def fork_server(lava_python: str) -> Iterator[subprocess.Popen[str]]:
    """See `fork_server.py`."""
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    environment = os.environ | one | {"PYTHONPATH": str(HERE.parents[1])}
    with subprocess.Popen(
        [lava_python, str(HERE / "fork_server.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as server:
        yield server
        assert server.stdin is not None
        server.stdin.close()


@pytest.fixture
def forked(fork_server: subprocess.Popen[str], lava_python: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`run_lava` takes its workers from the fork server."""
    monkeypatch.setattr(client, "_start", lambda job, interpreter: ForkedWorker(fork_server, job))
