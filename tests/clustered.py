"""What takes part in runs on clusters: jobs that end their worker, back ends that break, boards that are none."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loihiconv.backends.simulators import Emulator
from loihiconv.backends.spread import own_board
from loihiconv.core.errors import BackendFailed
from loihiconv.core.network import Recording


def ends_its_worker(mark: str = "") -> int:
    """Kill the worker: always, or only if there is no such file yet, which is then made."""
    if not (mark and Path(mark).exists()):
        if mark:
            Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


@dataclass(frozen=True)
class Broken(Emulator):
    """An emulator that fails on slices that begin with some samples, and keeps a line for each try."""

    diary: str = ""
    always: frozenset[int] = frozenset()
    once: frozenset[int] = frozenset()

    def run(self, network: Any, x: Any, options: Any) -> Recording:
        tries = Path(self.diary, f"{options.first}")
        before = len(tries.read_text()) if tries.exists() else 0
        tries.write_text("x" * (before + 1))
        if options.first in self.always or (options.first in self.once and not before):
            raise BackendFailed("no more", where="backend broken")
        return super().run(network, x, options)


@dataclass(frozen=True)
class OnBoard(Emulator):
    """A board of SLURM's that gives samples back as potentials: the first is broken, and none may be asked for two things at a time."""

    name: str = "standin"
    hardware: bool = True
    diary: str = ""

    def run(self, network: Any, x: Any, options: Any) -> Recording:
        partition, node = own_board()
        assert (options.access.partition, options.access.node) == (partition, node)
        lock = Path(self.diary, f"{partition}-{node}-in-use")
        lock.touch(exist_ok=False)
        try:
            with Path(self.diary, "log").open("a") as log:
                log.write(f"{node} {options.first} {len(x)}\n")
            if node == "node-1":
                raise BackendFailed("the board does not answer", where="backend standin")
            time.sleep(0.05)
            return Recording(x[:, 0], x, {}, network.timesteps, self.name, {}, 0.0, 0.0)
        finally:
            lock.unlink()
