"""One process that converts, runs and compares changing networks for a long time, Lava among them: nothing may grow.

    python scripts/soak.py                    # thirty minutes
    python scripts/soak.py --minutes 3 --seed 1

After each round it counts the process's memory, open files and threads, its children, and what lies in its temporary folder and in shared
memory that no process has. The first third is for caches and compiled kernels to fill; after it only memory may still move, and by little.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import os
import sys
import tempfile
import threading
import time
import warnings
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

import loihiconv as lc

sys.path.insert(0, str(Path(__file__).resolve().parent))
from kills import unowned

FIRST = 1 / 3
"""Share of the time in which whatever fills once may fill."""
MEMORY = 8
"""MiB that the largest of the last third may be above the largest of the middle one: allocators keep pages."""
LATER = 2.0
"""Seconds after which shared memory that no process had open is looked for again."""
PRIMITIVES = "16"
"""That oneDNN keeps, instead of 1,024: new shapes would fill its cache for hours, with some 0.4 MiB for each network."""


@dataclass(frozen=True)
class Held:
    """What a process holds: MiB of memory, and numbers."""

    memory: float
    files: int
    threads: int
    children: int
    temporary: int
    shared: int


def main() -> None:
    """Go on for so many minutes, then judge."""
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--minutes", type=float, default=30.0)
    parse.add_argument("--seed", type=int, default=0)
    given = parse.parse_args()
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(given.seed)
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", PRIMITIVES)
    before = unowned()
    with tempfile.TemporaryDirectory() as name:
        os.environ["TMPDIR"] = tempfile.tempdir = name
        begin, held = time.monotonic(), list[tuple[float, Held]]()
        while (at := time.monotonic() - begin) < 60 * given.minutes:
            what = one_round(rng, Path(name), lava=len(held) % 2 == 0)
            held.append((at, holds(Path(name), before)))
            print(f"{at:6.0f} s  round {len(held)}: {what}: {text(held[-1][1])}", flush=True)
        tempfile.tempdir = None
    wrong = growth([each for at, each in held if at >= FIRST * 60 * given.minutes])
    print(f"{len(held)} rounds in {given.minutes:g} minutes: {'; '.join(wrong) or 'nothing grew'}")
    raise SystemExit(bool(wrong))


def one_round(rng: np.random.Generator, folder: Path, *, lava: bool) -> str:
    """Convert a network that nobody has seen, save and load it, run it, keep slices of a run, and compare; what it was."""
    model, shape, said = drawn(rng)
    x = rng.random((24, *shape), np.float32)
    y = np.arange(24) % 4
    coding = str(rng.choice(["analog", "rate", "poisson"]))
    options: dict[str, Any] = {"timesteps": int(rng.integers(2, 12)), "input_coding": coding}
    net = lc.convert(model, x, board=str(rng.choice(["kapoho_point", "oheo_gulch"])), **options)
    path = folder / "net.lnet"
    lc.save(net, path)
    net = lc.load(path)
    path.unlink()
    lc.run(net, x, record=["spikes", "potentials"])
    backends = ["float", "emulator", *(["lava"] if lava else [])]
    found = lc.compare(model, net, (x, y), backends=backends, lava_samples=3, explain=bool(rng.integers(2)))
    if lava and any((found.mismatched_spikes or {}).values()):
        raise SystemExit(f"{said}: emulator and Lava differ")
    return f"{said}, {coding}, T = {net.timesteps}{', Lava' if lava else ''}"


def drawn(rng: np.random.Generator) -> tuple[nn.Module, tuple[int, ...], str]:
    """A small network with random weights, the shape of its input, and a name for it."""
    torch.manual_seed(int(rng.integers(2**31)))
    width, size = int(rng.integers(2, 7)), int(rng.integers(6, 10))
    if rng.integers(2):
        return nn.Sequential(nn.Linear(size, width), nn.ReLU(), nn.Linear(width, 4)).eval(), (size,), f"{size}-{width}-4"
    convolution = nn.Conv2d(1, width, 3), nn.BatchNorm2d(width), nn.ReLU()
    model = nn.Sequential(*convolution, nn.AvgPool2d(2), nn.Flatten(), nn.Linear(width * ((size - 2) // 2) ** 2, 4))
    return model.eval(), (1, size, size), f"{width} convolutions of {size} x {size}"


def holds(folder: Path, before: set[str]) -> Held:
    """What this process holds now, with freed memory given back first where the C library can."""
    gc.collect()
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    temporary = sum(len(names) + len(folders) for _, folders, names in os.walk(folder))
    memory = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    if shared := unowned() - before:  # of another process that is about to open or to remove it
        time.sleep(LATER)
        shared &= unowned()
    return Held(memory, len(os.listdir("/proc/self/fd")), threading.active_count(), len(children), temporary, len(shared))


def text(held: Held) -> str:
    """In words."""
    return ", ".join(f"{value:.0f} {field.name}" for field, value in zip(fields(Held), astuple(held), strict=True))


def growth(held: list[Held]) -> list[str]:
    """What is larger in the second half of some rounds than it ever was in the first."""
    half = len(held) // 2
    if half == 0:
        return ["too few rounds to tell"]
    wrong = []
    for field in fields(Held):
        first, last = (max(getattr(each, field.name) for each in part) for part in (held[:half], held[half:]))
        if last > first + (MEMORY if field.name == "memory" else 0):
            wrong.append(f"{field.name} grew from {first:.0f} to {last:.0f}")
    return wrong


if __name__ == "__main__":
    main()
