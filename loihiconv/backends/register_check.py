"""Check before a run that the chip's registers hold what its samples bring."""

from __future__ import annotations

from math import prod

from loihiconv.backends.registers import check
from loihiconv.core.input_coding import check_samples, host_currents, input_payloads
from loihiconv.core.linear import Array
from loihiconv.core.network import Network
from loihiconv.core.saturation import Saturation, joined
from loihiconv.lava.chip.realizations import Realization
from loihiconv.simulator import simulate

SPIKES_AT_ONCE = 2**26
"""Spikes of so many neurons and steps are kept, one byte each."""


def check_registers(
    network: Network, realization: Realization, x: Array, *, strict: bool = False, first: int = 0
) -> tuple[Saturation, ...]:
    """Emulate the samples and raise `LimitExceeded` where a register would leave its range; see `registers.check`.

    Parameters
    ----------
    network : Network
        As `loihiconv.backends.realize.realize` gives it.
    realization : one of `loihiconv.lava.chip.realizations.REALIZATIONS`
    x : array (N, \\*input shape)
    first : int
        Index of the first of these samples in their run.

    Returns
    -------
    tuple of Saturation
        Hidden potentials that these samples bring to an end of their registers, which Lava and boards do not show.
    """
    x = check_samples(network, x)
    per_sample = network.timesteps * sum(prod(p.shape) for p in network.populations if p.spiking)
    at_once = max(1, SPIKES_AT_ONCE // max(per_sample, 1))
    hidden: list[tuple[int, list[Saturation]]] = []
    for begin in range(0, len(x), at_once):
        part = x[begin : begin + at_once]
        payload = input_payloads(network, part)
        emulated = simulate(network, part, record=["spikes"], first=first + begin)
        for saturation in emulated.saturated if strict else ():
            raise saturation.error()
        check(network, realization, payload, emulated.spikes, host_currents(network, payload), first=first + begin)
        hidden.append((len(part), [s for s in emulated.saturated if s.register == "hidden potentials"]))
    return joined(hidden)
