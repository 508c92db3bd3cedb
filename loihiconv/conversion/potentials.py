"""How far hidden membrane potentials go, which their registers have to hold: observed on calibration samples, or in the worst case.

A neuron that is inhibited at every step falls by as much at each, so the lower end of 24 bits is met in long windows first. There
Lava's neurons saturate, and a chip's may wrap; a gain that leaves room avoids both.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihiconv.core.bounds import worst_sums
from loihiconv.core.linear import Array
from loihiconv.core.network import IF, Integrator, Network
from loihiconv.simulator.layerwise import Layerwise

POTENTIAL_MARGIN = 1.5
"""Hidden potentials may go this many times as far as on calibration samples."""


def observe(network: Network, x: Array) -> Network:
    """A float network whose record says how far the potentials of its hidden populations go on samples (N, \\*shape)."""
    run = Layerwise(network, x)
    for population in network.layers[:-1]:
        run.settle(population.name)
    return with_potentials(network, run)


def with_potentials(network: Network, run: Layerwise) -> Network:
    """The same, from a run that is done. Potentials are in thresholds: lowest after the window, and highest before a spike."""
    found = {}
    for name, (lowest, highest) in run.potentials.items():
        population = network[name]
        if isinstance(population, Integrator):
            unit = population.unit(network.shift)
            found[name] = (lowest / unit, highest / unit + population.largest_message)
    calibration = replace(network.record.calibration, potentials=found)
    return replace(network, record=replace(network.record, calibration=calibration))


def without_potentials(network: Network, names: set[str]) -> Network:
    """A network of whose record the potentials of some populations are left out, so that nothing leaves room for them."""
    known = {name: ends for name, ends in network.record.calibration.potentials.items() if name not in names}
    return replace(network, record=replace(network.record, calibration=replace(network.record.calibration, potentials=known)))


def farthest(network: Network, population: IF) -> float | None:
    """|v|, in thresholds, that a hidden population of a float network needs room for; None where nothing was observed.

    At each end `POTENTIAL_MARGIN` times what was observed, or the worst case over all inputs if that is less: T steps of the largest
    current of one sign.
    """
    if (observed := network.record.calibration.potentials.get(population.name)) is None:
        return None
    entries = {source.name: replace(source, payload_max=1) for source in network.inputs}
    rising, falling = worst_sums(network, entries, population, network.incoming(population.name))
    highest = float((population.v_init + network.timesteps * np.maximum(rising + population.bias, 0)).max())
    lowest = float((population.v_init + network.timesteps * np.minimum(population.bias - falling, 0)).min())
    return max(min(POTENTIAL_MARGIN * observed[1], highest), min(-POTENTIAL_MARGIN * observed[0], -lowest))
