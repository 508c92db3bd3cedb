"""What a run of the chip's graph asks for, and how it reaches the worker."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from loihiconv.core.errors import InvalidSetting
from loihiconv.core.given import check_number, did_you_mean, shown
from loihiconv.lava.chip.measuring import MEASUREMENTS, STEPS, Measurement
from loihiconv.lava.chip.realizations import Realization

NEUROCORE_VARIABLE = "LOIHICONV_NEUROCORE_MODEL"
"""Names the NeuroCore model of `SoftResetIF` where no option does."""
USUAL_CHIPS = {1: "N2A2", 2: "N3B3"}
"""By generation; Lava says of N3B3 that most Loihi 2 of Intel's cloud are it."""
Place: TypeAlias = Literal["cpu", "loihi"]


@dataclass(frozen=True)
class BoardAccess:
    """Where the board is.

    Parameters
    ----------
    partition, node : str or None
        SLURM's partition, or one of its nodes; with neither SLURM chooses.
    host : str or None
        Address of a board on the network (Kapoho Point), instead of SLURM.
    chip : str or None
        Stepping of the chip, as ``lava.utils.loihi.ChipGeneration`` names it; by default that of the board, or `USUAL_CHIPS`.
    profile : "throughput", "latency" or None
        Measure time and power of one sample in a steady state instead of running samples; see `loihiconv.lava.chip.measuring`.
    profile_steps : int
        Time steps that a measurement takes at least.
    neurocore_model : str or None
        ``package.module:Class`` of a NeuroCore model of `SoftResetIF`, for the realization "native".
    read_late : int
        Steps after its own in which a potential is read while the chip runs on ("lifreset" and "netx").
    """

    partition: str | None = None
    node: str | None = None
    host: str | None = None
    chip: str | None = None
    profile: Measurement | None = None
    neurocore_model: str | None = None
    read_late: int = 0
    profile_steps: int = STEPS

    def __post_init__(self) -> None:
        if self.profile is not None and self.profile not in MEASUREMENTS:
            what = f"cannot measure {shown(self.profile)}{did_you_mean(self.profile, MEASUREMENTS)}"
            raise InvalidSetting(what, where="profile", limit=f"one of {', '.join(MEASUREMENTS)}")
        check_number(self.profile_steps, "profile_steps", low=1)
        check_number(self.read_late, "read_late", low=0)
        if self.host is not None and (self.partition is not None or self.node is not None):
            raise InvalidSetting("a board is reached by SLURM or by its address", where="access", limit="not both", remedy="drop one")


@dataclass(frozen=True)
class ChipSettings:
    """How to run the chip's graph.

    Parameters
    ----------
    realization : one of `loihiconv.lava.chip.realizations.REALIZATIONS`
    place : "cpu" or "loihi"
        Lava's CPU simulator, or a board.
    generation : 1 or 2
        Of the chip.
    sinks : bool
        Bring the spikes of all populations to the host; without, no spike counts.
    access : BoardAccess
    netx : str or None
        Path of the HDF5 file that lava-dl loads, of "netx".
    chips : (int, int)
        On the board, and how many of these the network takes; for measurements.
    """

    realization: Realization
    place: Place = "cpu"
    generation: int = 2
    sinks: bool = True
    access: BoardAccess = BoardAccess()
    netx: str | None = None
    chips: tuple[int, int] = (1, 1)

    def write(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> ChipSettings:
        """Read what `write` wrote."""
        content = json.loads(path.read_text())
        return cls(**{**content, "access": BoardAccess(**content["access"]), "chips": tuple(content["chips"])})
