"""Whatever dies while Lava runs, ``python scripts/kills.py``: nothing is left, nothing finished is lost, and going on gives the same bytes.

Each trial draws a moment and a victim: the caller, the worker or a process of Lava's, killed when so many samples are finished; or whatever
comes first to a moment that `loihiconv.lava.faults` names, and is killed, hangs or finds the disk full there. Each line says where that
was. Then the same run goes on, and is compared with one that nothing disturbed.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import loihiconv as lc
from loihiconv.backends import slices
from loihiconv.core.fingerprints import fingerprint
from loihiconv.lava.faults import VARIABLE

SAMPLES, SLICE, TIMESTEPS = 16, 8, 64
"""Each sample of some 0.06 s, so that there is time to be hit in."""
LATE = 4
"""Samples before a slice's end from which on a kill might come too late."""
CALLER = """
import sys, numpy as np, loihiconv as lc
from loihiconv.backends import slices
slices.OF_LAVA = int(sys.argv[5])
def report(done, total): print(done, flush=True)
lc.run(lc.load(sys.argv[1]), np.load(sys.argv[2]), "lava", keep=sys.argv[3], deadline=float(sys.argv[4]), progress=report)
"""
PATIENCE = 15.0
"""Seconds in which all that was started has to be gone."""
VICTIMS = {"caller": 0.25, "worker": 0.2, "child": 0.25}
MOMENTS = {"sample": 0.1, "write": 0.1, "built": 0.04, "start": 0.03, "end": 0.03}
FAULTS = {"kill": 0.85, "full": 0.05, "raise": 0.05, "hang": 0.05}


@dataclass(frozen=True)
class Fault:
    """What happens in a trial: to a victim when samples are finished, or where a moment comes for the COUNT-th time."""

    where: str
    count: int
    what: str = "kill"

    @property
    def planted(self) -> str:
        """What the worker is told, "" if it is hit from outside."""
        return f"{self.where}:{self.what}:{self.count}" if self.where in MOMENTS else ""


def main() -> None:
    """Run trials."""
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--trials", type=int, default=200)
    parse.add_argument("--seed", type=int, default=0)
    given = parse.parse_args()
    slices.OF_LAVA = SLICE
    rng, counts, wrongs = np.random.default_rng(given.seed), Counter[str](), 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        net, x = _network(folder)
        whole = fingerprint(lc.run(net, x, "lava"))
        trial = 0
        while trial < given.trials:
            fault = _drawn(rng)
            said, wrong = _trial(folder / f"{trial}-{rng.integers(2**31)}", net, x, whole, fault)
            if not said:
                counts["missed"] += 1
                print(f"{trial}: {fault.where}: it was too fast; again", flush=True)
                continue
            counts[f"{fault.where} {fault.what}"] += 1
            wrongs += bool(wrong)
            print(f"{trial}: {said}: {'; '.join(wrong) or 'fine'}", flush=True)
            trial += 1
    print(f"{given.trials} trials ({', '.join(f'{n} {kind}' for kind, n in sorted(counts.items()))}), {wrongs} with faults")
    raise SystemExit(wrongs > 0)


def _drawn(rng: np.random.Generator) -> Fault:
    where = str(rng.choice([*VICTIMS, *MOMENTS], p=[*VICTIMS.values(), *MOMENTS.values()]))
    if where in VICTIMS:
        return Fault(where, int(rng.integers(2)) * SLICE + int(rng.integers(1, SLICE - LATE + 1)))
    count = int(rng.integers(1, SLICE + 1)) if where in ("sample", "write") else 1
    return Fault(where, count, str(rng.choice(list(FAULTS), p=list(FAULTS.values()))))


def _network(folder: Path) -> tuple[lc.Network, Any]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)).eval()
    x = np.random.default_rng(0).random((SAMPLES, 6), np.float32)
    net = lc.convert(model, x, board="kapoho_point", timesteps=TIMESTEPS, input_coding="poisson")
    lc.save(net, folder / "net.lnet")
    np.save(folder / "x.npy", x)
    return net, x


def _trial(folder: Path, net: lc.Network, x: Any, whole: str, fault: Fault) -> tuple[str, list[str]]:
    """What happened, "" if nothing did; and what is wrong after it."""
    temporary, kept = folder / "t", folder / "kept"
    temporary.mkdir(parents=True)
    environment = os.environ | {"TMPDIR": str(temporary)} | ({VARIABLE: fault.planted} if fault.planted else {})
    files = [str(folder.parent / "net.lnet"), str(folder.parent / "x.npy"), str(kept)]
    command = [sys.executable, "-W", "ignore", "-c", CALLER, *files, "8" if fault.what == "hang" else "100", str(SLICE)]
    reported, memory, said = 0, unowned(), fault.planted
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True) as caller:
        assert caller.stdout is not None
        for line in caller.stdout:
            reported = int(line)
            if not fault.planted and not said and reported >= fault.count:
                said = _kill(caller.pid, fault.where, temporary, reported)
    if not caller.returncode:
        return "", []
    wrong = []
    end = time.monotonic() + PATIENCE
    while (left := _left(folder, temporary, memory)) and time.monotonic() < end:
        time.sleep(0.1)
    wrong += left
    done = sum(slices.samples_done(kept).values()) if kept.is_dir() else 0
    finished = reported if fault.where != "caller" else (reported - 1) // SLICE * SLICE
    if done < finished:
        wrong.append(f"{finished} samples were finished, {done} are kept")
    recording = lc.run(net, x, "lava", keep=kept)
    if fingerprint(recording) != whole:
        wrong.append("other results")
    return f"{said}, {reported} of {SAMPLES} samples reported, {done} kept", wrong


def _kill(caller: int, where: str, temporary: Path, reported: int) -> str:
    """Kill the caller, its worker, or one of the worker's children while samples are run; whom, or "" if nobody is there any more."""
    processes = _processes(f"{temporary}/")
    worker = next((pid for pid, parent in processes.items() if parent == caller), 0)
    children = [pid for pid, parent in processes.items() if parent == worker]
    if not worker or not children:
        return ""
    at = (reported * 7) % len(children)  # another one each time
    victim = {"caller": caller, "worker": worker, "child": children[at]}[where]
    with suppress(ProcessLookupError):
        os.kill(victim, signal.SIGKILL)
        return f"{where} {victim}{f' ({at + 1} of {len(children)})' if where == 'child' else ''} killed"
    return ""


def _processes(text: str) -> dict[int, int]:
    """Processes whose command has a text, with their parents."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError, ValueError):
            if text.encode() in (folder / "cmdline").read_bytes():
                found[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    return found


def _left(folder: Path, temporary: Path, memory: set[str]) -> list[str]:
    """Processes of a trial, files, and shared memory that nobody has."""
    left = [f"files: {names}"] if (names := os.listdir(temporary)) else []
    left += [f"process {pid}" for pid in _processes(f"{folder}/")]
    return left + [f"shared memory: {names}" for names in [unowned() - memory] if names]


def unowned() -> set[str]:
    """Shared memory of Python's that no process has open."""
    held = set[str]()
    for maps in Path("/proc").glob("[0-9]*/maps"):
        with suppress(OSError):
            held |= {line.rpartition("/")[2].split()[0] for line in maps.read_text().splitlines() if "/dev/shm/" in line}
    return {name for name in os.listdir("/dev/shm") if name.startswith(("psm_", "lc"))} - held


if __name__ == "__main__":
    main()
