"""How a chip makes neurons that reset by subtraction: realizations, each a `Network` that all back ends can run.

``native``
    A neuron of our own (`loihiconv.lava.chip.processes.process.SoftResetIF`). On a board it needs a NeuroCore model, which
    Intel's members can write and register; see `loihiconv.lava.chip.loihi`.
``atrlif``
    Lava's own ``ATRLIF``, whose refractory state grows by one threshold per spike: exact, as long as 24 bits hold it; see `atrlif`.
``lif``
    Lava's own ``LIF``, which resets to zero, with rates slowed down so that little is lost; see `lif`.
``lifreset``
    The same, of Lava's ``LIFReset``, whose neurons begin anew every T steps: all samples pass in one run; see `lif`.
``netx``
    The same once more, as an HDF5 file that lava-dl's own ``netx`` loads and builds; see `netx`.

`realize` gives the network that a realization runs, and `registers.check` whether its 24-bit registers hold what samples bring.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from loihiconv.core.errors import InvalidSetting
from loihiconv.core.given import did_you_mean, shown
from loihiconv.core.network import IF, Input, MaxPool, Population, Readout, assert_never

Realization: TypeAlias = Literal["native", "atrlif", "lif", "lifreset", "netx"]
REALIZATIONS: tuple[str, ...] = get_args(Realization)
AT_ONCE: tuple[str, ...] = ("lifreset", "netx")
"""Those whose neurons begin each sample by themselves, so that all samples pass in one run."""
TO_ZERO: tuple[str, ...] = ("lif", *AT_ONCE)
"""Those whose neurons reset to zero, for which a network is slowed down."""


def check_realization(name: object) -> None:
    """Raise `InvalidSetting` for the name of none."""
    if not isinstance(name, str) or name not in REALIZATIONS:
        what = f"unknown realization {shown(name)}{did_you_mean(name, REALIZATIONS)}"
        raise InvalidSetting(what, where="realization", limit=f"one of {', '.join(REALIZATIONS)}")


def neuron(population: Population, realization: Realization) -> Realization | None:
    """Which neuron makes a population on a chip; None for what is no neuron there.

    What needs no reset by subtraction is Lava's ``LIF`` in all realizations, or its ``LIFReset``, the readout as one that never reaches
    its threshold.
    """
    stock: Realization = "lifreset" if realization in AT_ONCE else "lif"
    match population:
        case Input() | MaxPool():
            return None
        case IF():
            return realization if population.reset == "subtract" else stock
        case Readout():
            return stock
        case _:
            assert_never(population)
