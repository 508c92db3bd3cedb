"""What others measured on boards: the networks that an estimate can be held against."""

from __future__ import annotations

from dataclasses import dataclass

from loihiconv.core.network import Network
from loihiconv.hardware.placement import Placement
from loihiconv.hardware.places import Geometry
from loihiconv.hardware.synapses import geometry


@dataclass(frozen=True)
class Measurement:
    """One network on a board, per sample.

    Attributes
    ----------
    network : str
    generation : int
        Of Loihi.
    cores, timesteps : int
    seconds, joules : float
    dynamic_joules : float or None
        What of it the idle chip does not take; None where only the sum is known.
    source : str
    """

    network: str
    generation: int
    cores: int
    timesteps: int
    seconds: float
    joules: float
    source: str
    dynamic_joules: float | None = None


NXTF_MNIST = Measurement("an MNIST CNN of this size", 1, 14, 100, 6.65e-3, 0.66e-3, 'Rueckauer et al. 2021, "NxTF" (arXiv:2101.04261)')
PILOTNET_LIF = Measurement(
    "PilotNet (LIF)",
    2,
    74,
    16,
    1 / 408.91,
    1.661103e-3,
    "lava-dl 0.6.0, tutorials/lava/lib/dl/netx/pilotnet_snn/benchmark.ipynb: 408.91 inferences per second, 0.679 W",
    1.093544e-3,
)
_PILOTNET = ((24, 32, 99), (36, 15, 49), (48, 7, 24), (64, 4, 22), (64, 2, 20), (100, 1, 1), (50, 1, 1), (10, 1, 1), (1, 1, 1))
MEASURED: dict[tuple[int, tuple[Geometry, ...]], Measurement] = {
    (1, ((16, 12, 12), (32, 10, 10), (64, 4, 4), (10, 1, 1))): NXTF_MNIST,
    (2, _PILOTNET): PILOTNET_LIF,
}
"""By the chip's generation and the shapes of all populations but the input."""
PILOTNET_NEURONS = 3 * 66 * 200 + sum(c * h * w for c, h, w in _PILOTNET)
PILOTNET_FULLEST_CORE = 16 * 66 * 3


def measured(network: Network, placement: Placement) -> Measurement | None:
    """What was measured of a network of the same populations on the same chip; how its input is coded does not matter."""
    shapes = tuple(geometry(network, p.name) for p in network.layers)
    return MEASURED.get((placement.board.generation, shapes))
