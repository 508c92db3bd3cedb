"""A fixed-point spiking network as one integer ANN: spike counts from spike counts, in one pass, without time.

A neuron that integrates A(t) until step t and takes θ off its potential for each spike (Γ at most in a step) has sent

    n(t) = n(t-1) + clip(D(t) - n(t-1), 0, Γ),   D(t) = ceil(A(t) / θ) - 1 (binary: v > θ, strictly) or floor(A(t) / θ) (graded)

after step t: the equations of `loihiconv.core.network` without their potentials, and exact as long as no potential reaches the end of its
register. The quantized ANN takes the last step alone, ::

    N = clip(D(T), 0, Γ T),   A(T) = v_init + T bias + 2^6 * sum over connections of the sum over steps of floor(W s_t 2^weight_exp)

Both are the same for every sample, so that counts are a function of counts, where

- *all steps are silent* (S = T): the neuron knows A(T) before it sends (temporal separation, Liu et al. 2022). It then sends without a
  pause, s_t = clip(N - t Γ, 0, Γ): not only its count but all that it sends is known from N;
- *its current is constant*: analog inputs alone drive it, so A(t) is a line, and n(t) is known at every step;
- *there is one step* (T = 1).

Gates that count pass as much as their busiest unit has sent. Everywhere else a neuron may answer early spikes that later inhibition takes
back, and the ANN is an approximation that may be exact on some samples. Without an exponent the sum over steps is W N. With
``weight_exp`` < 0 it is rounded at every step, and can be known only where all s_t are. So it is with a readout that lets steps pass.

No kernel is shared with the simulator: sums are numpy's, of whole numbers below 2^53 in float64, and nothing here has a potential.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice, repeat

import numpy as np

from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from loihiconv.core.input_coding import host_currents, input_payloads, poisson_spikes
from loihiconv.core.linear import Array, Conv
from loihiconv.core.network import IF, STATE_SHIFT, Connection, Input, Integrating, MaxPool, Network, Population, Readout, assert_never

Steps = Callable[[], Iterator[Array]]


@dataclass(frozen=True, eq=False)
class Sent:
    """What a population sends in its window.

    Parameters
    ----------
    counts : int64 array (N, \\*shape)
        Spikes, or the sum of their payloads.
    steps : callable () -> iterator of T int64 arrays (N, \\*shape), or None
        What is sent at each step, where that is known from counts.
    constant : bool
        Whether it is the same at each step.
    """

    counts: Array
    steps: Steps | None
    constant: bool = False


@dataclass(frozen=True, eq=False)
class Evaluated:
    """What the quantized ANN says of N samples.

    Attributes
    ----------
    counts : {population: int64 array (N, \\*shape)}
        Of every population that spikes.
    potentials : int64 array (N, \\*shape)
        Of the readout after its window, in units of v.
    """

    counts: Mapping[str, Array]
    potentials: Array


def reasons(network: Network) -> dict[str, str]:
    """Why the counts of each population (of a readout the potentials) are a function of those before it; "" where they need not be.

    Raises
    ------
    InvalidModel
        If the network is no fixed-point one.
    UnsupportedLayer
        Where not even an approximation is a function of counts, with the population or connection.
    """
    if not network.fixed_point:
        limit, remedy = "the quantized ANN is one of whole numbers", "convert for a board"
        raise InvalidModel("a float network has no certificate", where="network", limit=limit, remedy=remedy)
    known = {p.name: True for p in network.inputs}
    found: dict[str, str] = {}
    for population in network.layers:
        name, incoming = population.name, network.incoming(population.name)
        reason = _reason(network, population)
        _check_rounding(population, [c for c in incoming if not known[c.source]])
        before = all(known[c.source] for c in incoming)
        known[name] = bool(reason) and (before or _separated(population, network.timesteps))
        found[name] = reason
    return found


def _reason(network: Network, population: Population) -> str:
    """What of the population itself makes its counts a function of counts."""
    match population:
        case Input():
            return "what samples say"
        case Readout():
            return "sums"
        case MaxPool():
            if population.estimate == "average" and network.timesteps > 1:
                limit = "moving averages depend on when spikes come"
                remedy = 'convert with maxpool_estimate="count" or maxpool="relu-tree"'
                raise UnsupportedLayer('gates with estimate "average"', where=population.name, limit=limit, remedy=remedy)
            return "gates of counts"
        case IF():
            if population.signed:
                limit = "what is taken back in time depends on when spikes come"
                remedy = "convert with signed_spikes=False and as many silent_steps as time steps"
                raise UnsupportedLayer("signed spikes", where=population.name, limit=limit, remedy=remedy)
            if population.reset == "zero" and network.timesteps > 1:
                limit = "what is above the threshold at a spike is lost, so counts are no function of counts"
                raise UnsupportedLayer('reset "zero"', where=population.name, limit=limit, remedy='convert with reset="subtract"')
            if _separated(population, network.timesteps):
                return "one step" if network.timesteps == 1 else "all steps silent"
            return "constant currents" if constant_current(network, population) else ""
        case _:
            assert_never(population)


def _separated(population: Population, timesteps: int) -> bool:
    """Whether neurons know all that they get before they send, or have one step to send in."""
    return isinstance(population, IF) and (timesteps == 1 or population.silent == timesteps)


def constant_current(network: Network, population: Population) -> bool:
    """Whether analog inputs alone drive a population."""
    return all(isinstance(source := network[c.source], Input) and not source.spiking for c in network.incoming(population.name))


def _check_rounding(population: Population, unknown: list[Connection]) -> None:
    """Raise `UnsupportedLayer` where sums need every step of a population of which no more than counts are known."""
    remedy = "convert with as many silent_steps as time steps"
    for connection in unknown:
        if connection.weight_exp and not connection.on_host:
            limit = f"its sum is rounded at every step, and when the spikes of {connection.source} come is not known from their counts"
            raise UnsupportedLayer(f"weight exponent {connection.weight_exp}", where=connection.name, limit=limit, remedy=remedy)
    if unknown and isinstance(population, Readout) and population.delay:
        limit = f"which of {unknown[0].source}'s spikes it lets pass is not known from their counts"
        remedy = f"{remedy}, or with readout_delay=0"
        raise UnsupportedLayer(f"a delay of {population.delay} steps", where=population.name, limit=limit, remedy=remedy)


def evaluate(network: Network, x: Array, *, first: int = 0) -> Evaluated:
    """Run the quantized ANN of a fixed-point network.

    Parameters
    ----------
    network : Network
        Of which `reasons` refuses nothing.
    x : array (N, \\*input shape)
        As `loihiconv.core.input_coding.check_samples` gives it.
    first : int
        Index of the first sample in the run that it is part of: random spikes depend on it.
    """
    payload = input_payloads(network, x)
    currents = host_currents(network, payload)
    sent: dict[str, Sent] = {}
    for population in network.populations:
        name = population.name
        match population:
            case Input():
                sent[name] = _entering(population, payload[name].astype(np.int64), network.timesteps, first)
            case MaxPool():
                (connection,) = network.incoming(name)
                sent[name] = _gated(population, connection, sent[connection.source])
            case IF():
                sent[name] = _spikes(network, population, sent, currents.get(name))
            case Readout():
                potentials = _potentials(network, population, sent, currents.get(name))
            case _:
                assert_never(population)
    return Evaluated({p.name: sent[p.name].counts for p in network.populations if p.spiking}, potentials)


def _entering(population: Input, payload: Array, timesteps: int, first: int) -> Sent:
    """What an input sends of payloads (N, \\*shape)."""
    match population.coding:
        case "analog":
            return Sent(payload * timesteps, partial(repeat, payload, timesteps), constant=True)
        case "rate":
            start, threshold = np.array(population.payload_max // 2), population.payload_max
            steps = partial(_driven, start, payload, threshold, 1, 0, timesteps)
            return Sent(_total(steps()), steps)
        case "poisson":
            drawn = [poisson_spikes(population, p, first + i, begin=0, steps=timesteps) for i, p in enumerate(payload)]
            spikes = np.moveaxis(np.stack(drawn), 1, 0)
            return Sent(spikes.sum(axis=0, dtype=np.int64), lambda: (s.astype(np.int64) for s in spikes))
        case _:
            assert_never(population.coding)


def _gated(population: MaxPool, connection: Connection, source: Sent) -> Sent:
    """What gates let pass: as much as the busiest of their units has sent, at every step."""

    def largest(counts: Array) -> Array:
        assert isinstance(connection.map, Conv)  # established by Network
        windows = connection.map.columns(counts).max(axis=2)  # padding is 0 and never more than a unit
        return np.asarray(windows.reshape(population.shape[0], len(counts), -1).swapaxes(0, 1).reshape(len(counts), *population.shape))

    def steps() -> Iterator[Array]:
        assert source.steps is not None  # the caller asked
        before: Array = np.zeros((), np.int64)
        so_far: Array = np.zeros((), np.int64)
        for s in source.steps():
            so_far = so_far + s
            now = largest(so_far)
            yield now - before
            before = now

    return Sent(largest(source.counts), None if source.steps is None else steps)


def _spikes(network: Network, population: IF, sent: Mapping[str, Sent], current: Array | None) -> Sent:
    """What integrate-and-fire neurons send; ``current`` is what the host loads, (N, \\*shape)."""
    timesteps, largest = network.timesteps, population.payload_max
    threshold = int(population.vth) << STATE_SHIFT
    bias: Array = np.asarray(population.bias if current is None else current, np.int64)
    start: Array = np.asarray(population.v_init, np.int64)
    arrived = _sums(network, population, sent, 0)
    if population.silent:  # the biases of all steps are there from the start
        start, bias = start + timesteps * bias, np.zeros((), np.int64)
    separated = _separated(population, timesteps)
    if constant_current(network, population) and not separated:
        per_step = np.broadcast_to(arrived // timesteps + bias, (len(arrived), *population.shape))
        steps = partial(_driven, start, per_step, threshold, largest, population.silent, timesteps)
        return Sent(_total(steps()), steps)
    counts = np.clip(_worth(start + timesteps * bias + arrived, threshold, largest), 0, largest * timesteps)
    return Sent(counts, partial(_unbroken, counts, largest, timesteps) if separated else None)


def _potentials(network: Network, readout: Readout, sent: Mapping[str, Sent], current: Array | None) -> Array:
    """Potentials of the readout after its window, int64 (N, \\*shape)."""
    bias = np.asarray(readout.bias if current is None else current, np.int64)
    arrived = _sums(network, readout, sent, readout.delay)
    return np.asarray(np.asarray(readout.v_init, np.int64) + network.readout_steps * bias + arrived)


def _sums(network: Network, population: Integrating, sent: Mapping[str, Sent], passed: int) -> Array:
    """What synapses bring in a window but for its first steps, int64 (N, \\*shape) in units of v."""
    n = len(next(iter(sent.values())).counts)
    total = np.zeros((n, *population.shape), np.int64)
    for connection in network.incoming(population.name):
        if not connection.on_host:
            arrived = _arrived(connection, sent[connection.source], passed, network.timesteps)
            total += arrived.reshape(total.shape)
    return total << STATE_SHIFT


def _arrived(connection: Connection, source: Sent, passed: int, timesteps: int) -> Array:
    """The sum over steps of what one connection brings, shifted at each step."""
    linear = connection.map.with_weight(connection.map.weight.astype(np.float64))

    def product(s: Array) -> Array:
        return connection.shifted(np.rint(linear.apply(s.astype(np.float64))).astype(np.int64))

    if source.constant:
        return np.asarray(product(source.counts // timesteps) * (timesteps - passed))
    if not connection.weight_exp and not passed:
        return product(source.counts)
    assert source.steps is not None  # `reasons` refuses the others
    if not connection.weight_exp:
        return product(source.counts - _total(islice(source.steps(), passed)))
    total = product(np.zeros_like(source.counts))
    for s in islice(source.steps(), passed, None):
        if s.any():
            total = total + product(s)
    return total


def _worth(charge: Array, threshold: int, largest: int) -> Array:
    """D: spikes that there are in a charge, or payloads where they are graded."""
    return np.asarray(charge // threshold if largest > 1 else (charge - 1) // threshold)


def _driven(start: Array, current: Array, threshold: int, largest: int, silent: int, timesteps: int) -> Iterator[Array]:
    """What neurons send at each of T steps that are driven by the same at each step."""
    before: Array = np.zeros(current.shape, np.int64)
    for t in range(silent + 1, silent + timesteps + 1):
        charge = start + min(t, timesteps) * current
        sends = np.clip(_worth(charge, threshold, largest) - before, 0, largest)
        before = before + sends
        yield sends


def _unbroken(counts: Array, largest: int, timesteps: int) -> Iterator[Array]:
    """What neurons send at each step that know all of it before the first."""
    return (np.clip(counts - t * largest, 0, largest) for t in range(timesteps))


def _total(steps: Iterator[Array]) -> Array:
    """The sum over steps."""
    return np.asarray(sum(steps, start=np.zeros((), np.int64)))
