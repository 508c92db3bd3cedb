"""A sweep on local workers of which one is killed again and again, ``python scripts/worker_kills.py``: all points, the same as alone.

24 points of the digits' network on the workers of ``--cluster local:4``. The worker that is killed is drawn; dask starts another one. Then
the same sweep runs in this process alone.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

import loihiconv as lc
from loihiconv.clusters.cluster import connected
from loihiconv.demo import digits, digits_cnn

AXES = {"timesteps": [32, 64, 128], "percentile": [99.0, 99.9, 99.99, 100.0], "input_coding": ["analog", "poisson"]}
SAMPLES = 1500
"""The test digits, again and again, so that the sweep takes long enough to be hit often."""


def main() -> None:
    """Run the sweep twice."""
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--workers", type=int, default=4)
    parse.add_argument("--seconds", type=float, default=10.0, help="between two kills")
    parse.add_argument("--samples", type=int, default=SAMPLES)
    parse.add_argument("--seed", type=int, default=0)
    given = parse.parse_args()
    warnings.simplefilter("ignore")
    begin = time.monotonic()
    rows, killed = on_workers(given)
    middle = time.monotonic()
    alone = sweep(given.samples)
    print(f"{len(rows['rows'])} points in {middle - begin:.0f} s on {given.workers} workers, {time.monotonic() - middle:.0f} s alone")
    wrong = [name for name in rows if rows[name] != alone[name]]
    failed = sum(row["outcome"] is None for row in rows["rows"])
    for row in rows["rows"]:
        if row["outcome"] is None:
            print(f"  {row['values']}: {row['reason']}")
    print(f"{killed} workers killed; {failed} points failed; {'other results: ' + ', '.join(wrong) if wrong else 'the same results'}")
    raise SystemExit(bool(wrong or failed or not killed))


def sweep(samples: int, **arguments: Any) -> dict[str, Any]:
    """Its result as JSON."""
    x_train, _, x, y = digits()
    chosen = np.arange(samples) % len(x)
    found = lc.sweep(digits_cnn(), x_train[:200], (x[chosen], y[chosen]), axes=AXES, board="kapoho_point", **arguments)
    return found.to_json()


def on_workers(given: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """The result on workers, and how many of them were killed."""
    over, killed = threading.Event(), list[int]()
    rng = np.random.default_rng(given.seed)
    with tempfile.TemporaryDirectory() as name, connected(f"local:{given.workers}") as client:
        assert client is not None

        def hit() -> None:
            while not over.wait(given.seconds):
                with suppress(Exception):  # the worker that answers may be one that dies
                    pids = sorted(client.run(os.getpid).values())
                    os.kill(pid := pids[int(rng.integers(len(pids)))], signal.SIGKILL)
                    killed.append(pid)
                    print(f"worker {pid} of {len(pids)} killed", file=sys.stderr, flush=True)

        thread = threading.Thread(target=hit, daemon=True)
        thread.start()
        try:
            found = sweep(given.samples, cluster=client, cache=Path(name, "points"))
        finally:
            over.set()
            thread.join()
    return found, len(killed)


if __name__ == "__main__":
    main()
