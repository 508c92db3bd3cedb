"""What NIR has no words for in a network that is written as NIR, in sentences for its user."""

from __future__ import annotations

import numpy as np

from loihiconv.core.ending import described
from loihiconv.core.network import IF, Integrator, Network


def unsaid(network: Network) -> tuple[str, ...]:
    """One sentence for each thing that a reader of the graph does not learn from it."""
    return (*_input(network), *_neurons(network), *_numbers(network), _output(network))


def _input(network: Network) -> list[str]:
    source, found = network.input, []
    if source.coding == "poisson":
        largest = source.payload_max or 1
        found.append(
            f"Its input takes spikes, 1 with a probability of x / {source.scale:g} at each step"
            + (f" (of payloads up to {largest}: round(x * {largest / source.scale:g}))." if network.fixed_point else ".")
        )
    elif network.fixed_point:
        low = -source.payload_max if source.signed else 0
        found.append(
            f"Its input takes payloads, round(x * {source.payload_max / source.scale:g}) between {low} and {source.payload_max}, not x."
        )
    else:
        found.append("Its input takes a sample x, the same at each step.")
    if source.preprocessing is not None and not source.preprocessing.plain:
        found.append(f"x is what preprocessing has made of a sample: {source.preprocessing}.")
    if source.order is not None or source.taken_shape != source.values_shape:
        found.append(f"Samples are given as {source.taken_shape}; the graph takes the {source.values_shape} that they are arranged to.")
    if source.bias_plane:
        found.append(f"Its input's last channel is none of the sample: it is always {source.payload_max or 1}.")
    return found


def _neurons(network: Network) -> list[str]:
    neurons, found = [p for p in network.populations if isinstance(p, IF)], []
    subtract = [p.name for p in neurons if p.reset == "subtract"]
    if network.input.coding == "rate":
        subtract.insert(0, network.input.name)
    if subtract:
        found.append(
            f"A spike subtracts v_threshold from v ({few(subtract)}); NIR only knows a reset to v_reset. sinabs subtracts all the same; "
            "norse and NIR's own definition reset to 0."
        )
    if graded := [p.name for p in neurons if p.graded]:
        largest = max(p.payload_max for p in neurons)
        found.append(f"Spikes carry how many thresholds are in v, up to {largest} ({few(graded)}); NIR's spikes are 0 or 1.")
    started = [p.name for p in network.layers if isinstance(p, Integrator) and np.any(p.v_init)]
    if network.input.coding == "rate":
        started.insert(0, network.input.name)
    if started:
        found.append(f"Membrane potentials do not start at 0 ({few(started)}); v_init is in the nodes' metadata.")
    return found


def _numbers(network: Network) -> list[str]:
    if not network.fixed_point:
        return []
    found = ["Potentials saturate at 24 bits on the chip."]
    if shifted := [c.name for c in network.connections if c.weight_exp < 0 and not c.on_host]:
        found.append(f"On the chip the sums of {few(shifted)} are shifted right and so rounded down at each step.")
    if on_host := [c.name for c in network.connections if c.on_host]:
        found.append(f"The sums of {few(on_host)} are computed once per sample and rounded to what a bias can be.")
    return found


def _output(network: Network) -> str:
    readout = network.readout
    steps = f"{network.timesteps} steps"
    if readout.delay:
        steps = f"the last {network.readout_steps} of {steps}"
    if readout.decision == "softmax":
        return f"Its output is a current; over {steps} a spiking softmax of its sums (rate {readout.rate:g}) decides for a class."
    last = f"; the host applies {described(readout.ending)} to their means" if described(readout.ending) else ""
    return f"Its output is a current: the class is that with the largest sum over {steps}{last}."


def few(names: list[str]) -> str:
    """The first names of a list, and how many more there are."""
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
