"""How a chip makes neurons that reset by subtraction: three realizations, each a `Network` that all back ends can run.

``native``
    A neuron of our own (`loihiconv.lava.chip.processes.process.SoftResetIF`). On a board it needs a NeuroCore model, which
    Intel's members can write and register; see `loihiconv.lava.chip.loihi`.
``atrlif``
    Lava's own ``ATRLIF``, whose refractory state grows by one threshold per spike: exact, as long as 24 bits hold it; see `atrlif`.
``lif``
    Lava's own ``LIF``, which resets to zero, with rates slowed down so that little is lost; see `lif`.

`realize` gives the network that a realization runs, and `registers.check` whether its 24-bit registers hold what samples bring.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

Realization: TypeAlias = Literal["native", "atrlif", "lif"]
REALIZATIONS: tuple[str, ...] = get_args(Realization)
"""In order of preference."""
