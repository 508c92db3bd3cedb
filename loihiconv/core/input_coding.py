"""From samples to what enters the network: payloads, input spikes, or currents computed on the host.

Plain numpy, and the only place that does it: every back end, Lava's worker and a board's host get the same integers.
"""

from __future__ import annotations

import numpy as np

from loihiconv.core.errors import InvalidData
from loihiconv.core.fixed_point import round_bias
from loihiconv.core.linear import Array
from loihiconv.core.network import Input, Integrator, Network
from loihiconv.core.random_streams import INPUT, words


def check_samples(population: Input, x: Array) -> Array:
    """The samples as an array (N, \\*shape), or `InvalidData` if they are not what the network expects."""
    x, expected = np.asarray(x), population.sample_shape
    if x.ndim == len(expected) + 2 and x.shape[1] == 1:
        raise InvalidData(f"shape {x.shape} has an axis too many", where="input", limit=f"(N, {_text(expected)}) expected")
    if x.shape[1:] != expected:
        raise InvalidData(
            f"samples of shape ({_text(x.shape[1:])})",
            where="input",
            limit=f"({_text(expected)}) expected, channels first",
            remedy="transpose or reshape the data",
        )
    if not len(x):
        raise InvalidData("no samples", where="input", limit="at least 1 expected")
    if not np.issubdtype(x.dtype, np.number) and x.dtype != np.bool_:
        raise InvalidData(f"samples of type {x.dtype}", where="input", limit="numbers expected")
    if not np.isfinite(x).all():
        raise InvalidData("samples hold NaN or infinity", where="input", limit="finite numbers expected", remedy="clean the data")
    return x


def payloads(population: Input, x: Array) -> Array:
    """Payload of each value, constant over the window.

    Float: x / scale. Fixed point: round(x / scale * payload_max), halves to even, clipped to
    [-payload_max or 0, payload_max], as int32. Shape (N, \\*shape) in both, a bias plane included.
    """
    x = np.asarray(x, np.float32)
    if population.payload_max:
        low = -population.payload_max if population.signed else 0
        factor = np.float64(population.payload_max) / np.float64(population.scale)
        payload = np.clip(np.rint(x * factor), low, population.payload_max).astype(np.int32)
    else:
        payload = x / np.float32(population.scale)
    return constant_plane(population, payload) if population.bias_plane else payload


def poisson_spikes(population: Input, payload: Array, sample: int, *, begin: int, steps: int) -> Array:
    """Random input spikes of one sample: at each step, with probability payload / payload_max (float: the payload itself).

    With w a uniform 32-bit word of `loihiconv.core.random_streams` per value and step, a spike if w < payload 2^32 (float), or
    w payload_max < payload 2^32 in whole numbers (fixed point): the same spikes for the same rate.

    Parameters
    ----------
    payload : array (\\*shape)
        Of this sample, as `payloads` gives it.
    sample : int
        Its index in the run.
    begin, steps : int
        First step, and how many.

    Returns
    -------
    bool array (steps, \\*shape)
    """
    drawn = words(population.seed, INPUT, sample, begin=begin, steps=steps, size=payload.size)
    if population.payload_max:
        fires = drawn.astype(np.uint64) * np.uint64(population.payload_max) < payload.ravel().astype(np.uint64) << np.uint64(32)
    else:
        fires = drawn < payload.ravel().astype(np.float64) * 2.0**32
    return np.asarray(fires.reshape(steps, *payload.shape))


def host_currents(network: Network, payload: Array) -> dict[str, Array]:
    """Per-sample biases of the populations whose input sum the host computes.

    bias + (sum of w payload) 2^weight_exp, of all such connections into a population, rounded to the nearest
    mantissa * 2^exponent: int32 (N, \\*shape) in units of v, with the population's own bias included. Sums are exact:
    integers below 2^53 in float64.
    """
    currents: dict[str, Array] = {}
    for connection in network.connections:
        if not connection.on_host:
            continue
        target = network[connection.target]
        assert isinstance(target, Integrator)  # gates sum nothing
        exact = connection.map.with_weight(connection.map.weight.astype(np.float64)).apply(payload.astype(np.float64))
        current = exact.reshape(len(payload), *target.shape) * 2.0**connection.weight_exp
        currents[target.name] = currents.get(target.name, target.bias) + current
    return {name: round_bias(total) for name, total in currents.items()}


def _text(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape))


def constant_plane(population: Input, payload: Array) -> Array:
    """Payloads (N, \\*sample_shape) with the plane added: (N, \\*shape)."""
    plane = np.full((len(payload), 1, *population.shape[1:]), population.payload_max or 1, payload.dtype)
    return np.concatenate([payload, plane], axis=1)
