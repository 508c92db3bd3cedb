"""From samples to what enters the network: payloads, input spikes, or currents computed on the host.

Plain numpy, and the only place that does it: every back end, Lava's worker and a board's host get the same integers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from loihiconv.core.errors import InvalidData
from loihiconv.core.fixed_point import BIAS_MANTISSA_BITS, BIAS_MAX, V_MAX, round_bias
from loihiconv.core.linear import Array, Shape
from loihiconv.core.network import Input, Integrator, Network
from loihiconv.core.packing import gathered, packed
from loihiconv.core.parts import Part, divided
from loihiconv.core.random_streams import INPUT, words

Samples: TypeAlias = "Array | Mapping[str, Any] | Sequence[Any]"
"""(N, \\*shape); of several inputs an array for each, by name or in order."""


def sample_parts(network: Network) -> tuple[Part, ...]:
    """Name of each input, and shape of what users give for one sample of it."""
    return tuple(Part(p.name, p.sample_shape) for p in network.inputs)


def taken_parts(network: Network) -> tuple[Part, ...]:
    """Name of each input, and shape of one sample of it as the float network takes it."""
    return tuple(Part(p.name, p.taken_shape) for p in network.inputs)


def sample_shape(network: Network) -> Shape:
    """Shape of one sample as `check_samples` gives it."""
    parts = sample_parts(network)
    return parts[0].shape if len(parts) == 1 else (sum(part.size for part in parts),)


def check_samples(network: Network, x: Samples) -> Array:
    """The samples as one array, or `InvalidData` if they are not what the network expects.

    Returns
    -------
    array (N, \\*shape)
        Of a network of several inputs `loihiconv.core.packing.packed`.
    """
    parts = sample_parts(network)
    array = gathered(parts, x)
    if len(parts) == 1:
        array = _one_array(network.inputs[0], array)
    if not len(array):
        raise InvalidData("no samples", where="input", limit="at least 1 expected")
    if not np.issubdtype(array.dtype, np.number) and array.dtype != np.bool_:
        raise InvalidData(f"samples of type {array.dtype}", where="input", limit="numbers expected")
    if not np.isfinite(array).all():
        raise InvalidData("samples hold NaN or infinity", where="input", limit="finite numbers expected", remedy="clean the data")
    return np.asarray(array)


def _one_array(population: Input, x: Any) -> Array:
    try:
        x, expected = np.asarray(x), population.sample_shape
    except ValueError as error:  # rows of different lengths
        raise InvalidData("samples that make no array", where="input", limit="samples of one shape expected") from error
    if x.ndim == len(expected) + 2 and x.shape[1] == 1:
        raise InvalidData(f"shape {x.shape} has an axis too many", where="input", limit=f"(N, {_text(expected)}) expected")
    if x.shape[1:] != expected:
        raise InvalidData(
            f"samples of shape ({_text(x.shape[1:])})",
            where="input",
            limit=f"({_text(expected)}) expected" + _arranged(population),
            remedy="of one sample alone give x[None]" if x.shape == expected else "transpose or reshape the data",
        )
    return np.asarray(x)


def input_values(network: Network, x: Array) -> dict[str, Array]:
    """{input: its samples (N, \\*sample_shape)} of samples that `check_samples` has given."""
    parts = sample_parts(network)
    return {parts[0].name: x} if len(parts) == 1 else divided(x, parts)


def input_payloads(network: Network, x: Array) -> dict[str, Array]:
    """`payloads` of every input, of samples that `check_samples` has given."""
    return {
        name: payloads(population, values)
        for population, (name, values) in zip(network.inputs, input_values(network, x).items(), strict=True)
    }


def payloads(population: Input, x: Array) -> Array:
    """Payload of each value, constant over the window.

    Float: x / scale. Fixed point: round(x / scale * payload_max), halves to even, clipped to
    [-payload_max or 0, payload_max], as int32. Shape (N, \\*shape) in both, a bias plane included.

    Samples are taken as float32, and multiplied in float64: versions of numpy differ in what a float32 array times a float64 number is.
    """
    x = arrange(population, preprocessed(population, x))
    if population.payload_max:
        low = -population.payload_max if population.signed else 0
        factor = np.float64(population.payload_max) / np.float64(population.scale)
        payload = np.clip(np.rint(x.astype(np.float64) * factor), low, population.payload_max).astype(np.int32)
    else:
        payload = x / np.float32(population.scale)
    return constant_plane(population, payload) if population.bias_plane else payload


def preprocessed(population: Input, x: Array) -> Array:
    """Samples (N, \\*sample_shape) as the float network takes them: float32 (N, \\*taken_shape)."""
    return np.asarray(x, np.float32) if population.preprocessing is None else population.preprocessing.apply(x)


def as_taken(network: Network, x: Array) -> Array:
    """Samples that `check_samples` has given as the float network takes them: after preprocessing."""
    if len(network.inputs) == 1:
        return preprocessed(network.input, x)
    each = input_values(network, x)
    return packed(taken_parts(network), {source.name: preprocessed(source, each[source.name]) for source in network.inputs})


def arrange(population: Input, x: Array) -> Array:
    """Samples (N, \\*taken_shape) as (N, \\*values_shape), in the population's order."""
    if population.order is not None:
        x = x.reshape(len(x), -1)[:, population.order]
    return np.asarray(x.reshape(len(x), *population.values_shape))


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


def host_currents(network: Network, payload: Mapping[str, Array]) -> dict[str, Array]:
    """Per-sample biases of the populations whose input sum the host computes: `as_biases` of `host_sums`."""
    return {name: as_biases(total) for name, total in host_sums(network, payload).items()}


def host_sums(network: Network, payload: Mapping[str, Array]) -> dict[str, Array]:
    """What the host computes for populations that it drives: float64 (N, \\*shape) in units of v.

    The population's own bias + (sum of w payload) 2^weight_exp over all connections of the host's. Sums are exact: whole numbers below
    2^53, times a power of two. Below `lowest_current` they are that current, which makes no other spikes.

    Parameters
    ----------
    network : Network
    payload : {input: array (N, \\*shape)}
        As `input_payloads` gives it.
    """
    sums: dict[str, Array] = {}
    for connection in network.connections:
        if not connection.on_host:
            continue
        target = network[connection.target]
        assert isinstance(target, Integrator)  # gates sum nothing
        sent = payload[connection.source].astype(np.float64)
        exact = connection.map.with_weight(connection.map.weight.astype(np.float64)).apply(sent)
        before = sums.get(target.name, target.bias)
        sums[target.name] = exact.reshape(len(sent), *target.shape) * 2.0**connection.weight_exp + before
    for name, total in sums.items():
        if (lowest := lowest_current(network, name)) is not None:
            np.maximum(total, lowest, out=total)
    return sums


def lowest_current(network: Network, population: str) -> int | None:
    """The lowest bias that the host loads, with which v stays above the lower end of its register for all T steps.

    Neurons that nothing else drives, and whose start potentials are within the threshold, never fire with any negative current: all of
    them do the same. None for others.
    """
    target = network[population]
    if not isinstance(target, Integrator) or not target.spiking or not all(c.on_host for c in network.incoming(population)):
        return None
    if float(np.max(target.v_init)) >= target.spike_charge(network.shift):
        return None
    room: int = min((V_MAX - 1 + min(0, int(np.min(target.v_init)))) // network.timesteps, BIAS_MAX)
    exponent = max(0, room.bit_length() - (BIAS_MANTISSA_BITS - 1))
    return -(room >> exponent << exponent)


def as_biases(sums: Array) -> Array:
    """The biases that stand for the host's sums: the nearest mantissa * 2^exponent as int32, and +-`BIAS_MAX` beyond it.

    Every back end gets these, so all of them saturate alike; see `loihiconv.core.saturation`.
    """
    return round_bias(np.clip(sums, -BIAS_MAX, BIAS_MAX))


def _text(shape: tuple[int, ...]) -> str:
    return ", ".join(map(str, shape))


def _arranged(population: Input) -> str:
    """What an error adds to the shape that is expected."""
    if population.preprocessing is not None and population.preprocessing.layout:
        return f", layout {population.preprocessing.axes[0]}"
    return "" if population.given else ", channels first"


def constant_plane(population: Input, payload: Array) -> Array:
    """Payloads (N, \\*values_shape) with the plane added: (N, \\*shape)."""
    plane = np.full((len(payload), 1, *population.shape[1:]), population.payload_max or 1, payload.dtype)
    return np.concatenate([payload, plane], axis=1)
