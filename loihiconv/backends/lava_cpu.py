"""The back end "lava": Lava's CPU simulator, in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from loihiconv.backends.backend import Availability, Numbers, Record, RunOptions
from loihiconv.core.errors import BackendUnavailable

if TYPE_CHECKING:
    from loihiconv.core.linear import Array
    from loihiconv.core.network import Network
    from loihiconv.core.recording import Recording
    from loihiconv.core.saturation import Saturation
    from loihiconv.lava.chip.settings import ChipSettings

SAMPLES = 50
"""Samples that a comparison runs in Lava's simulator unless told otherwise: it is thousands of times slower."""


@dataclass(frozen=True)
class LavaCpu:
    """The emulator's integers in Lava's CPU simulator; with a realization, the process graph that goes to the chip."""

    name: str = "lava"
    title: str = "Lava CPU"
    description: str = "the same integers in Lava's CPU simulator"
    numbers: Numbers = "fixed point"
    records: frozenset[Record] = frozenset({"spikes", "potentials"})
    samples: int | None = SAMPLES
    hardware: bool = False
    judges: str = "emulator"

    def availability(self, *, quick: bool = False) -> Availability:
        from loihiconv.lava.interpreter import find_python

        try:
            return Availability(True, f"with {find_python()}")
        except BackendUnavailable as error:
            return Availability(False, f"{error.where}: {error.what}", error.remedy)

    def run(self, network: Network, x: Array, options: RunOptions) -> Recording:
        if options.realization is None:
            return _run(network, x, options, None)
        from loihiconv.backends.netx_file import netx_file
        from loihiconv.backends.realize import realize
        from loihiconv.backends.register_check import check_registers
        from loihiconv.lava.chip.settings import ChipSettings

        network = realize(network, options.realization, ratio=options.lif_ratio, calibration=options.calibration)
        hidden = check_registers(network, options.realization, x, strict=options.strict, first=options.first)
        with netx_file(network, options.realization) as path:
            return _run(network, x, options, ChipSettings(options.realization, netx=path), hidden)


def _run(network: Network, x: Array, options: RunOptions, chip: ChipSettings | None, hidden: tuple[Saturation, ...] = ()) -> Recording:
    """Run in Lava; ``hidden`` is what saturates where Lava does not record it."""
    from loihiconv.backends.unseen import with_unseen
    from loihiconv.lava.client import run_lava

    def on_lava() -> Recording:
        return run_lava(
            network,
            x,
            record=options.record,
            stock_models=options.stock_models,
            deadline=options.deadline,
            chip=chip,
            first=options.first,
            progress=options.progress,
        )

    return with_unseen(on_lava, hidden)
