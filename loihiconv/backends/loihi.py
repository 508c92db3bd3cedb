"""The back end "loihi": a board, through Intel's lava-loihi. No board has been within reach of this project."""

from __future__ import annotations

import os
import shutil
import warnings
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from loihiconv.backends.backend import Availability, Numbers, Record, RunOptions
from loihiconv.core.errors import BackendFailed, BackendUnavailable

if TYPE_CHECKING:
    from loihiconv.core.linear import Array
    from loihiconv.core.network import Network
    from loihiconv.core.recording import Recording


@dataclass(frozen=True)
class Loihi:
    """A board that SLURM or an address leads to, which `loihiconv.lava.detection` looks for."""

    name: str = "loihi"
    title: str = "Loihi"
    description: str = "a board, through Intel's lava-loihi"
    numbers: Numbers = "fixed point"
    records: frozenset[Record] = frozenset({"spikes", "potentials"})
    samples: int | None = None
    hardware: bool = True
    judges: str = ""

    def availability(self, *, quick: bool = False) -> Availability:
        return _glance() if quick else _look()

    def run(self, network: Network, x: Array, options: RunOptions) -> Recording:
        from loihiconv.backends.netx_file import netx_file
        from loihiconv.backends.on_board import for_board, reached
        from loihiconv.backends.register_check import check_registers
        from loihiconv.backends.unseen import with_unseen
        from loihiconv.hardware.board import load_board
        from loihiconv.hardware.place import place
        from loihiconv.lava.chip.measuring import check_measurable
        from loihiconv.lava.chip.realizations import AT_ONCE
        from loihiconv.lava.chip.settings import BoardAccess, ChipSettings
        from loihiconv.lava.client import run_lava
        from loihiconv.lava.detection import require_loihi

        realization, board = options.realization or "native", load_board(network.board)
        access = reached(board, options.access or BoardAccess())
        realizing = {"board": board, "ratio": options.lif_ratio, "calibration": options.calibration}
        network = for_board(network, realization, board, realizing)
        if access.profile is not None:
            check_measurable(network, realization, access.profile, len(x), bool(options.record))
        python = require_loihi(access, realization)
        hidden = check_registers(network, realization, x, strict=options.strict, first=options.first)
        sinks = access.profile is None and (options.counts or "spikes" in options.record)
        chips = (board.chips.value, 1 if access.profile is None else place(network, board).chips)
        with netx_file(network, realization) as path:
            chip = ChipSettings(realization, "loihi", board.generation, sinks, access, path, chips)
            on_board = partial(run_lava, network, x, record=options.record, deadline=options.deadline, first=options.first)
            recording = with_unseen(lambda: on_board(progress=options.progress, python=python, chip=chip), hidden)
        if access.profile is not None:
            _check_measured(network, x, recording, options.first)
        elif different := _different(network, x, recording, options.first):
            late = "; where spikes are right they may have been read on another step: --read-late" if realization in AT_ONCE else ""
            what = f"backend loihi: {different} of {recording.potentials.size} potentials are not those that the emulator predicts"
            warnings.warn(
                f"{what}; 'compare', or a deployed folder's self-test, names the first population that differs{late}", stacklevel=2
            )
        return recording


def _different(network: Network, x: Array, recording: Recording, first: int) -> int:
    """How many potentials are not the emulator's, of the samples that a recording has, which are the last ones."""
    from loihiconv.simulator import simulate

    skipped = len(x) - len(recording)
    return int((simulate(network, x[skipped:], counts=False, first=first + skipped).potentials != recording.potentials).sum())


def _check_measured(network: Network, x: Array, recording: Recording, first: int) -> None:
    """Raise `BackendFailed` where what was measured was not this network on these samples, of which the last one's result is there."""
    if wrong := _different(network, x, recording, first):
        raise BackendFailed(
            f"the result of what was measured is not the network's: {wrong} of {recording.potentials.size} potentials differ",
            where="backend loihi",
            remedy="deploy it, and let its self-test find out what differs; if potentials alone do, try --read-late",
        )


def _look() -> Availability:
    """What detection finds: all that is missing, and what to do about the first of it."""
    from loihiconv.lava.detection import detect

    detection = detect()
    if detection.ready:
        return Availability(True, "a run can be tried")
    found = detection.findings
    needed = [found["lava"], found["lava-loihi"], *(() if found["ethernet"].found else (found["slurm"],))]
    missing = [finding for finding in needed if not finding.found]
    return Availability(False, "; ".join(f"{finding.name}: {finding.detail}" for finding in missing), missing[0].remedy)


def _glance() -> Availability:
    """Whether there is an interpreter for Lava, and SLURM or an address: what is installed there is not asked."""
    from loihiconv.lava.interpreter import find_python

    try:
        find_python()
    except BackendUnavailable as error:
        return Availability(False, f"{error.where}: {error.what}", error.remedy)
    if not shutil.which("sinfo") and not os.environ.get("NXSDKHOST"):
        return Availability(False, "neither SLURM (no program sinfo) nor a board's address (NXSDKHOST)", "log in to a board's host")
    return Availability(True, "a way to a board is there; lava-loihi was not looked for")
