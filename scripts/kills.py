"""Whatever dies while Lava runs, ``python scripts/kills.py``: nothing is left, nothing finished is lost, and going on gives the same bytes.

Each trial draws a moment and a victim: a process of Lava or the worker by `loihiconv.lava.faults`, so that it is sure to be hit there, or
the caller, which is killed when it has reported so many samples. Then the same run goes on, and is compared with one that nothing
disturbed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import loihiconv as lc
from loihiconv.backends.slices import samples_done
from loihiconv.core.fingerprints import fingerprint
from loihiconv.lava.faults import VARIABLE

SAMPLES = 12
CALLER = """
import sys, numpy as np, loihiconv as lc
def report(done, total): print(done, flush=True)
lc.run(lc.load(sys.argv[1]), np.load(sys.argv[2]), "lava", keep=sys.argv[3], deadline=float(sys.argv[4]), progress=report)
"""
PATIENCE = 15.0
"""Seconds in which all that was started has to be gone."""


def main() -> None:
    """Run trials."""
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--trials", type=int, default=200)
    parse.add_argument("--seed", type=int, default=0)
    given = parse.parse_args()
    rng, counts, faults = np.random.default_rng(given.seed), Counter[str](), 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        net, x = _network(folder)
        whole = fingerprint(lc.run(net, x, "lava"))
        for trial in range(given.trials):
            kind, count = str(rng.choice(["sample", "write", "caller", "built", "start", "end"], p=[0.4, 0.2, 0.25, 0.05, 0.05, 0.05])), 1
            if kind in ("sample", "write", "caller"):
                count = int(rng.integers(1, SAMPLES + (kind != "caller")))
            what = str(rng.choice(["kill", "full", "raise", "hang"], p=[0.7, 0.1, 0.1, 0.1]))
            fault = f"{kind}:{count}" if kind == "caller" else f"{kind}:{what}:{count}"
            wrong = _trial(folder / str(trial), net, x, whole, fault)
            counts[kind] += 1
            faults += bool(wrong)
            print(f"{trial}: {fault}: {'; '.join(wrong) or 'fine'}", flush=True)
    print(f"{given.trials} trials ({', '.join(f'{n} {kind}' for kind, n in counts.items())}), {faults} with faults")
    raise SystemExit(faults > 0)


def _network(folder: Path) -> tuple[lc.Network, Any]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)).eval()
    x = np.random.default_rng(0).random((SAMPLES, 6), np.float32)
    net = lc.convert(model, x, board="kapoho_point", timesteps=6, input_coding="poisson")
    lc.save(net, folder / "net.lnet")
    np.save(folder / "x.npy", x)
    return net, x


def _trial(folder: Path, net: lc.Network, x: Any, whole: str, fault: str) -> list[str]:
    """What is wrong after a fault."""
    folder.mkdir()
    temporary, kept = folder / "t", folder / "kept"
    temporary.mkdir()
    environment, at = os.environ | {"TMPDIR": str(temporary)}, SAMPLES
    if fault.startswith("caller"):
        at = int(fault.partition(":")[2])
    else:
        environment[VARIABLE] = fault
    deadline = "8" if "hang" in fault else "100"
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-c",
        CALLER,
        str(folder.parent / "net.lnet"),
        str(folder.parent / "x.npy"),
        str(kept),
        deadline,
    ]
    reported, memory = 0, unowned()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True) as caller:
        assert caller.stdout is not None
        for line in caller.stdout:
            reported = int(line)
            if fault.startswith("caller") and reported >= at:
                caller.kill()
    wrong = [] if caller.returncode else ["nothing happened"]
    end = time.monotonic() + PATIENCE
    while (left := _left(folder, temporary, memory)) and time.monotonic() < end:
        time.sleep(0.1)
    wrong += left
    if not fault.startswith("caller") and kept.is_dir() and sum(samples_done(kept).values()) < reported:
        wrong.append(f"{reported} samples were finished, {samples_done(kept)} are kept")
    recording = lc.run(net, x, "lava", keep=kept)
    return wrong if fingerprint(recording) == whole else [*wrong, "other results"]


def _left(folder: Path, temporary: Path, memory: set[str]) -> list[str]:
    """Processes of a trial, files, and shared memory that nobody has."""
    left = [f"files: {names}"] if (names := os.listdir(temporary)) else []
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if str(folder).encode() + b"/" in command.read_bytes():
                left.append(f"process {command.parent.name}")
    return left + [f"shared memory: {names}" for names in [unowned() - memory] if names]


def unowned() -> set[str]:
    """Shared memory of Python's that no process has open."""
    held = set[str]()
    for maps in Path("/proc").glob("[0-9]*/maps"):
        with suppress(OSError):
            held |= {line.rpartition("/")[2].split()[0] for line in maps.read_text().splitlines() if "/dev/shm/" in line}
    return {name for name in os.listdir("/dev/shm") if name.startswith("psm_")} - held


if __name__ == "__main__":
    main()
