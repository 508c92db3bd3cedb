"""Whether 24-bit registers hold what samples bring, checked on the spikes that the emulator predicts for them.

A neuron's worst case over all inputs says little: hundreds of synapses never fire together at each step. So the check is
made on the very samples that will run, whose spikes the emulator knows. Per population it repeats, step by step, what
Lava's neurons do with what arrives (plain integers, no torch), and stops where a register would leave its range.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from loihiconv.core.errors import LimitExceeded
from loihiconv.core.linear import Array
from loihiconv.core.network import STATE_SHIFT, V_MAX, Integrator, Network
from loihiconv.core.neurons import integrate
from loihiconv.lava.chip.atrlif import first_refractory, spike_budget
from loihiconv.lava.chip.lif import READOUT_HIGHEST, READOUT_LOWEST, VTH_MAX
from loihiconv.lava.chip.realizations import AT_ONCE, Realization, neuron

STEPS_AT_ONCE = 16


def check(
    network: Network,
    realization: Realization,
    payload: Mapping[str, Array],
    spikes: Mapping[str, Array],
    currents: Mapping[str, Array],
    *,
    first: int = 0,
) -> None:
    """Raise `LimitExceeded` where a realization would not compute what the emulator does.

    - The readout is made of Lava's ``LIF`` with the largest threshold: it must not reach it, or it would reset, and must not leave
      24 bits at the other end; see `loihiconv.lava.chip.lif`.
    - "atrlif": v and r never come down. r must not leave 24 bits. v may saturate, as long as no spike changes by it: where r has
      room for a spike at each step, a neuron whose v is at its end fires at each step, and so does the emulator's.

    Parameters
    ----------
    network : Network
        As `loihiconv.backends.realize.realize` gives it.
    realization : one of `loihiconv.lava.chip.realizations.REALIZATIONS`
    payload : {input: int array (N, \\*shape)}
        As `loihiconv.core.input_coding.input_payloads` gives it.
    spikes : {population: bool array (N, T, \\*shape)}
        Of every population that spikes.
    currents : {population: int array (N, \\*shape)}
        As `loihiconv.core.input_coding.host_currents` gives it.
    first : int
        Index of the first of these samples in its run, for messages.
    """
    for population in network.layers:
        if not isinstance(population, Integrator) or (population.spiking and neuron(population, realization) != "atrlif"):
            continue
        for sample in range(len(next(iter(payload.values())))):
            constant = {name: values[sample, None] for name, values in payload.items() if name not in spikes}
            arriving = _arrivals(network, population, constant | {name: s[sample] for name, s in spikes.items()})
            bias = currents[population.name][sample] if population.name in currents else np.broadcast_to(population.bias, population.shape)
            arriving += bias.reshape(-1).astype(np.int64)
            start = np.broadcast_to(population.v_init, population.shape).reshape(-1).astype(np.int64)
            if population.spiking:
                fired = spikes[population.name][sample].reshape(network.timesteps, -1)
                _check_atrlif(population, first + sample, start, arriving, fired)
            else:
                _check_readout(population, realization, first + sample, start, arriving[population.first_step :])


def _check_readout(population: Integrator, realization: Realization, sample: int, v: Array, arriving: Array) -> None:
    lowest, highest = (-V_MAX, VTH_MAX << STATE_SHIFT) if realization in AT_ONCE else (READOUT_LOWEST, READOUT_HIGHEST)
    for step, current in enumerate(arriving):
        v = v + current
        above, below = int(v.max()), int(v.min())
        if above > highest or below < lowest:
            reached = above if above > highest else below
            raise LimitExceeded(
                f"the potential of the readout reaches {reached:,} in step {population.first_step + step + 1} of sample {sample}",
                where=population.name,
                limit=f"{lowest:,} to {highest:,}: above, a LIF of a chip would fire, and below it would not saturate",
                remedy="use fewer time steps",
            )


def _check_atrlif(population: Integrator, sample: int, v: Array, arriving: Array, fired: Array) -> None:
    vth = int(population.unit(0))
    theta, r = vth << STATE_SHIFT - 1, np.full(v.shape, first_refractory(vth), np.int64)
    highest = lowest = 0
    for step, current in enumerate(arriving):
        exact = v + current
        highest, lowest = max(highest, int(exact.max())), min(lowest, int(exact.min()))
        v = integrate(v, current)
        fires = v - r >= theta
        r = r + fires * (vth << STATE_SHIFT)
        if (refractory := int(r.max())) > V_MAX:
            what = f"its refractory state reaches {refractory:,}"
        elif (fires != fired[step]).any():
            what = f"its v would have reached {highest if highest > V_MAX else lowest:,}, saturates, and a spike is wrong"
        else:
            continue
        raise LimitExceeded(
            f"an ATRLIF neuron is never reset within a sample: {what}, in step {step + 1} of sample {sample}",
            where=population.name,
            limit=f"24 bits hold +-{V_MAX:,}: {spike_budget(vth)} spikes of one neuron and sample at vth = {vth}",
            remedy='use fewer time steps, or realization "native" or "lif"',
        )


def _arrivals(network: Network, population: Integrator, sent: Mapping[str, Array]) -> Array:
    """What synapses bring at each step of a sample, in units of v: int64 (T, neurons).

    ``sent`` is what each source sends in each step, (T, \\*shape), or (1, \\*shape) where it is the same in all.
    """
    total = np.zeros((network.timesteps, population.size), np.int64)
    for connection in network.incoming(population.name):
        if connection.on_host:
            continue
        messages = sent[connection.source]
        exact = connection.map.with_weight(connection.map.weight.astype(np.float32))  # sums stay below 2^24
        for first in range(0, network.timesteps, STEPS_AT_ONCE):
            block = slice(first, first + STEPS_AT_ONCE) if len(messages) > 1 else slice(None)
            sums = exact.apply(messages[block].astype(np.float32)).reshape(len(messages[block]), -1)
            total[first : first + STEPS_AT_ONCE] += connection.shifted(sums.astype(np.int64)) << STATE_SHIFT
    return total
