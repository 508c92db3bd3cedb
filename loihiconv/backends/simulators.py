"""The back ends "float" and "emulator": loihiconv's own simulator, on floats and on the chip's integers.

What is heavy is imported when something is run, here as in all back ends: help texts list them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

from loihiconv.backends.backend import Availability, Backend, Numbers, Record, RunOptions, float_network
from loihiconv.core.errors import InvalidSetting

if TYPE_CHECKING:
    from loihiconv.core.linear import Array
    from loihiconv.core.network import Network
    from loihiconv.core.recording import Recording

EVERYTHING: frozenset[Record] = frozenset({"spikes", "potentials", "residuals"})


@dataclass(frozen=True)
class Float:
    """The float spiking network that a network was quantized from, or that it is."""

    name: str = "float"
    title: str = "float SNN"
    description: str = "the float spiking network that a network was quantized from"
    numbers: Numbers = "float"
    records: frozenset[Record] = EVERYTHING
    samples: int | None = None
    hardware: bool = False
    judges: str = ""

    def availability(self, *, quick: bool = False) -> Availability:
        return simulator_availability()

    def run(self, network: Network, x: Array, options: RunOptions) -> Recording:
        if options.realization is not None:
            raise InvalidSetting("a float network has no realization", where="realization", limit="emulator, lava or loihi expected")
        return _simulate(float_network(network), x, options)


@dataclass(frozen=True)
class Emulator:
    """The fixed-point network, batched, bit for bit as Lava computes it."""

    name: str = "emulator"
    title: str = "emulator"
    description: str = "integers, bit for bit as Lava computes them"
    numbers: Numbers = "fixed point"
    records: frozenset[Record] = EVERYTHING
    samples: int | None = None
    hardware: bool = False
    judges: str = ""

    def availability(self, *, quick: bool = False) -> Availability:
        return simulator_availability()

    def run(self, network: Network, x: Array, options: RunOptions) -> Recording:
        if options.realization is None:
            return _simulate(network, x, options)
        from loihiconv.backends.realize import realize

        realized = realize(network, options.realization, ratio=options.lif_ratio, calibration=options.calibration)
        return replace(_simulate(realized, x, options), realization=realized.record.realization)


FLOAT, EMULATOR = Float(), Emulator()


def simulator_of(network: Network) -> Backend:
    """The back end that simulates a network as it is: whole test sets, and everything can be recorded."""
    return EMULATOR if network.fixed_point else FLOAT


def simulator_availability() -> Availability:
    """The simulator is there wherever torch is."""
    if find_spec("torch") is None:
        return Availability(False, "torch is not installed", "pip install torch")
    return Availability(True, "on torch")


def _simulate(network: Network, x: Array, options: RunOptions) -> Recording:
    from loihiconv.simulator import simulate

    return simulate(
        network,
        x,
        record=options.record,
        counts=options.counts,
        device=options.device,
        memory=options.memory,
        first=options.first,
        progress=options.progress,
    )
