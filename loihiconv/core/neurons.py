"""One step of integrate-and-fire neurons in whole numbers, as the chip's registers do it.

These are the equations of `loihiconv.core.network` for whoever works in numpy: Lava's Python models, checks of registers, and analysis.
`charged` and `discharge` say which of them make a step of which kind of population. The simulator has the same in kernels that are
compiled, and tests hold both against one that is written out neuron by neuron.
"""

from __future__ import annotations

import numpy as np

from loihiconv.core.choices import Reset
from loihiconv.core.linear import Array
from loihiconv.core.network import IF, STATE_SHIFT, V_MAX, Integrating, Readout, assert_never


def current(u: Array, bias: Array) -> Array:
    """(u << 6) + bias: what a step adds to v, from synaptic sums u and biases in units of v."""
    return np.asarray((u << STATE_SHIFT) + bias)


def integrate(v: Array, added: Array, out: Array | None = None) -> Array:
    """clip(v + added) to +-(2^23 - 1): a step of v, which saturates instead of wrapping.

    Parameters
    ----------
    v : int array
        Membrane potentials.
    added : int array
        `current`, so small that the sum does not leave its type.
    out : array, optional
        Where to write, v itself for one.
    """
    return np.asarray(np.clip(v + added, -V_MAX, V_MAX, out=out))


def fire(v: Array, threshold: int, reset: Reset = "subtract", payload_max: int = 1, sent: Array | None = None) -> Array:
    """Spikes of a step, which reset the potentials in place.

    Binary ones where v > threshold, strictly; graded ones carry min(payload_max, max(0, floor(v / threshold))) thresholds.
    Signed ones take back of what was sent: min(payload_max, max(-min(payload_max, sent), floor(v / threshold))).

    Parameters
    ----------
    v : int array
        Membrane potentials; changed.
    threshold : int
        In units of v.
    reset : "subtract" or "zero"
        Binary spikes subtract the threshold or leave 0; graded ones subtract all thresholds that they carry.
    payload_max : int
        Largest payload; 1 for binary spikes.
    sent : int array, optional
        Of signed spikes the sum of those that were sent before; changed.

    Returns
    -------
    bool array of v's shape, or of payloads in v's type
    """
    if sent is not None:
        payloads = np.clip(v // threshold, -np.minimum(sent, payload_max), payload_max)
        v -= payloads * threshold
        sent += payloads
        return np.asarray(payloads)
    if payload_max > 1:
        payloads = np.clip(v // threshold, 0, payload_max)
        v -= payloads * threshold
        return np.asarray(payloads)
    spikes = np.asarray(v > threshold)
    if reset == "subtract":
        v[spikes] -= threshold
    else:
        v[spikes] = 0
    return spikes


def charged(population: Integrating, v: Array, added: Array) -> Array:
    """Potentials of a population after what a step adds, before any spike; arguments as of `integrate`."""
    match population:
        case IF() | Readout():
            return integrate(v, added)
        case _:
            assert_never(population)


def discharge(population: Integrating, v: Array, sent: Array) -> Array:
    """What a population sends of its potentials, which are reset in place, with what it has sent before, of signed spikes; see `fire`."""
    match population:
        case IF():
            return fire(
                v, int(population.vth) << STATE_SHIFT, population.reset, population.payload_max, sent if population.signed else None
            )
        case Readout():
            return np.zeros(v.shape, bool)
        case _:
            assert_never(population)
