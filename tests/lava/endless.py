"""A caller that is about to be killed: starts a long run and prints the worker's process id and folder."""

from __future__ import annotations

import sys

import numpy as np

from loihiconv.lava import client
from tests.lava.small import chain

if __name__ == "__main__":
    start = client._start

    def announced(job, interpreter):  # type: ignore[no-untyped-def]
        worker = start(job, interpreter)
        print(worker.pid, job.folder, flush=True)
        return worker

    client._start = announced
    samples = np.ones((100_000, 4), np.float32)
    client.run_lava(chain(timesteps=50), samples, progress=lambda done, total: print(done, flush=True), python=sys.argv[1])
