"""A slow simulator written from the definitions in `loihiconv.core.network`, sharing no kernel with the package.

Every linear map becomes a dense matrix, synapse by synapse; then plain loops over samples, steps and populations.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from loihiconv.core import input_coding
from loihiconv.core.linear import Array, Dense, LinearMap, Shape, Sparse
from loihiconv.core.network import IF, Input, MaxPool, Network, Readout, Recording
from loihiconv.core.random_streams import INPUT, READOUT, words

V_LIMIT = 2**23 - 1


@dataclass
class Result:
    """Everything that happened: spikes or payloads {population: (N, T, *shape)} and readout potentials (N, T, *shape).

    ``ends`` are the neurons of each population whose potential was at the upper end of its register after any step, and at the lower:
    int (2, N).
    """

    spikes: dict[str, Array]
    potentials_over_time: Array
    synaptic_operations: float
    ends: dict[str, Array]
    output_spikes: Array | None = None
    outputs: tuple[int, ...] = ()

    @property
    def potentials(self) -> Array:
        return self.potentials_over_time[:, -1]

    @property
    def predictions(self) -> Array:
        """Largest potential, or whether the only one is above 0, of each output; a softmax has the most output spikes first."""
        v = self.potentials.reshape(len(self.potentials), -1)
        if self.outputs:
            begins = [sum(self.outputs[:i]) for i in range(len(self.outputs))]
            each = [[row[b : b + size] for b, size in zip(begins, self.outputs, strict=True)] for row in v]
            return np.array([[int(np.argmax(own)) if len(own) > 1 else int(own[0] > 0) for own in parts] for parts in each])
        if v.shape[1] == 1 and self.output_spikes is None:
            return np.array([int(value > 0) for value in v[:, 0]])
        won = np.zeros(v.shape, int) if self.output_spikes is None else self.output_spikes
        return np.array([max(range(v.shape[1]), key=lambda i: (won[k, i], v[k, i], -i)) for k in range(len(v))])


def matrix(linear: LinearMap, shape: Shape) -> Array:
    """All synapses (out, in), both flattened channels first.

    Convolution: y[o, r, c] = sum over i, p, q of w[o, i, p, q] x[g C + i, r s - top + p d, c s - left + q d], with zeros
    outside of x, C input channels per group and g the group of o.
    """
    weight = linear.weight
    if isinstance(linear, Dense):
        return np.array(weight)
    if isinstance(linear, Sparse):
        written_out = np.zeros((prod(linear.outputs), prod(linear.inputs)), weight.dtype)
        for w, row, column in zip(weight, linear.rows, linear.columns, strict=True):
            written_out[row, column] = w
        return written_out
    c_out, per_group, kh, kw = weight.shape
    (_, height, width), (sh, sw), (dh, dw) = shape, linear.stride, linear.dilation
    top, bottom, left, right = linear.padding
    h_out = (height + top + bottom - ((kh - 1) * dh + 1)) // sh + 1
    w_out = (width + left + right - ((kw - 1) * dw + 1)) // sw + 1
    full = np.zeros((c_out, h_out, w_out, *shape), weight.dtype)
    for o, r, c, i, p, q in product(*map(range, (c_out, h_out, w_out, per_group, kh, kw))):
        y, x = r * sh - top + p * dh, c * sw - left + q * dw
        if 0 <= y < height and 0 <= x < width:
            channel = o // (c_out // linear.groups) * per_group + i
            full[o, r, c, channel, y, x] = weight[o, i, p, q]
    return full.reshape(c_out * h_out * w_out, prod(shape))


def simulate(network: Network, x: Array, dtype: type | None = None) -> Result:
    """Run samples x (N, *input shape), packed for several inputs; int64 for fixed point, float64 unless told otherwise for float."""
    number = dtype or (np.int64 if network.fixed_point else np.float64)
    payload = input_coding.input_payloads(network, input_coding.check_samples(network, x))
    currents = input_coding.host_currents(network, payload)
    synapses = {i: matrix(c.map, network[c.source].shape).astype(number) for i, c in enumerate(network.connections) if not c.on_host}
    one = 64 if network.fixed_point else 1
    steps, n = network.timesteps, len(x)
    kinds: dict[str, type] = {}
    for p in network.populations:
        if p.spiking:
            kinds[p.name] = np.int8 if p.smallest_message < 0 else np.uint8 if p.largest_message > 1 else bool
    spikes = {p.name: np.zeros((n, steps, prod(p.shape)), kinds[p.name]) for p in network.populations if p.spiking}
    course = np.zeros((n, steps, prod(network.readout.shape)), number)
    operations = 0
    at_ends = {p.name: np.zeros((2, n, prod(p.shape)), bool) for p in network.populations[1:] if not isinstance(p, MaxPool)}
    for k in range(n):
        v = {p.name: _start(p, network, number) for p in network.populations if not isinstance(p, MaxPool)}
        gates = {p.name: Gates(p, network) for p in network.populations if isinstance(p, MaxPool)}
        sent: dict[str, Array] = {}
        for p in network.populations:
            if not isinstance(p, Readout):
                sent[p.name] = np.zeros((steps, prod(p.shape)), number)
            silent = p.silent if isinstance(p, IF) else 0
            for t in range(steps + silent):
                now = t - silent  # of the steps in which it sends
                if isinstance(p, MaxPool):
                    source = sent[network.incoming(p.name)[0].source][t]
                    spikes[p.name][k, t] = gates[p.name].step(source)
                    sent[p.name][t] = spikes[p.name][k, t].astype(number)
                    operations += int(np.count_nonzero(gates[p.name].windows[:, source != 0]))
                    continue
                if isinstance(p, Input) and p.coding == "poisson":
                    drawn = words(p.seed, INPUT, k, begin=0, steps=steps, size=prod(p.shape))[t]
                    spikes[p.name][k, t] = [
                        int(w) * (p.payload_max or 1) < float(x) * 2**32 for w, x in zip(drawn, payload[p.name][k].flat, strict=True)
                    ]
                    sent[p.name][t] = spikes[p.name][k, t].astype(number)
                    continue
                if isinstance(p, Input) and not p.spiking:
                    sent[p.name][t] = payload[p.name][k].ravel().astype(number)
                    continue
                if isinstance(p, Input):
                    vth, bias, total = p.payload_max or 1, 0, payload[p.name][k].ravel().astype(number)
                else:
                    bias = np.broadcast_to(p.bias, p.shape).ravel().astype(number)
                    bias = currents[p.name][k].ravel() if p.name in currents else bias
                    total = np.zeros(prod(p.shape), number)
                    for i, weights in synapses.items() if t < steps else ():
                        connection = network.connections[i]
                        if connection.target == p.name:
                            arriving = weights @ sent[connection.source][t]
                            total = total + (arriving // 2**-connection.weight_exp if connection.weight_exp else arriving)
                            operations += int(np.count_nonzero(weights[:, sent[connection.source][t] != 0]))
                    assert not network.fixed_point or np.abs(total).max() < 2**17
                if isinstance(p, Readout) and t < p.delay:
                    course[k, t] = v[p.name]
                    continue
                if silent:  # all biases at the start
                    v[p.name], bias = v[p.name] + (bias * number(steps) if t == 0 else number(0)), number(0)
                v[p.name] = v[p.name] + total * one + bias
                if network.fixed_point:
                    v[p.name] = np.minimum(np.maximum(v[p.name], -V_LIMIT), V_LIMIT)
                    if p.name in at_ends:
                        at_ends[p.name][:, k] |= np.stack([v[p.name] == V_LIMIT, v[p.name] == -V_LIMIT])
                if not p.spiking:
                    course[k, t] = v[p.name]
                    continue
                if now < 0:
                    continue
                vth = p.vth if isinstance(p, IF) else vth
                if isinstance(p, IF) and p.signed:
                    memory = sent[p.name][:now].sum(axis=0).tolist()
                    worth = [int(charge // (vth * one)) for charge in v[p.name].tolist()]
                    taken = [max(-min(m, p.payload_max), min(p.payload_max, w)) for m, w in zip(memory, worth, strict=True)]
                    sent[p.name][now] = np.array(taken, number)
                    spikes[p.name][k, now] = sent[p.name][now]
                    v[p.name] = v[p.name] - sent[p.name][now] * number(vth * one)
                    continue
                if isinstance(p, IF) and p.payload_max > 1:
                    worth = [int(charge // (vth * one)) for charge in v[p.name].tolist()]
                    sent[p.name][now] = np.array([max(0, min(p.payload_max, thresholds)) for thresholds in worth], number)
                    spikes[p.name][k, now] = sent[p.name][now]
                    v[p.name] = v[p.name] - sent[p.name][now] * number(vth * one)
                    continue
                fired = v[p.name] > vth * one
                spikes[p.name][k, now] = fired
                zero = isinstance(p, IF) and p.reset == "zero"
                v[p.name] = np.where(fired, 0 if zero else v[p.name] - vth * one, v[p.name])
                sent[p.name][now] = fired.astype(number)
    shaped = {name: s.reshape(n, steps, *network[name].shape) for name, s in spikes.items()}
    won = _softmax(network.readout, course) if network.readout.decision == "softmax" else None
    ends = {name: marked.sum(axis=2) for name, marked in at_ends.items()}
    outputs = tuple(part.size for part in network.readout.parts)
    return Result(shaped, course.reshape(n, steps, *network.readout.shape), operations / n, ends, won, outputs)


def check_spikes(recording: Recording, expected: Result) -> None:
    """Every spike and payload, their counts per neuron, and the sums of payloads where there are any."""
    graded = {name for name, spikes in expected.spikes.items() if spikes.dtype != bool}
    assert set(recording.spikes) == set(recording.spike_counts) == set(expected.spikes)
    assert set(recording.payload_sums) == graded
    for name, spikes in expected.spikes.items():
        assert recording.spikes[name].dtype == spikes.dtype, name
        np.testing.assert_array_equal(recording.spikes[name], spikes, err_msg=name)
        np.testing.assert_array_equal(recording.spike_counts[name], np.count_nonzero(spikes, axis=1), err_msg=name)
        np.testing.assert_array_equal(recording.sent(name), spikes.sum(axis=1, dtype=int), err_msg=name)


class Gates:
    """Max-pooling one gate at a time: who wins, and does the winner spike? Or, with graded spikes: what has been sent at most so far?"""

    def __init__(self, pool: MaxPool, network: Network) -> None:
        (connection,) = network.incoming(pool.name)
        self.pool = pool
        self.windows = matrix(connection.map, network[connection.source].shape).astype(int)
        # A gate sees one channel, so that the order of sources is row-major within its window.
        self.units = [np.flatnonzero(row) for row in self.windows]
        self.estimate = [0] * self.windows.shape[1]
        self.winner = [units[0] if len(units) else None for units in self.units]
        self.passed = [0] * len(self.units)

    def step(self, sent: Array) -> list[int]:
        average = self.pool.estimate == "average"
        for unit, spike in enumerate(sent.astype(int).tolist()):
            e = self.estimate[unit]
            self.estimate[unit] = e - e // 2**self.pool.decay + 4096 * spike if average else e + spike
        if self.pool.payload_max > 1:
            most = [max((self.estimate[unit] for unit in units), default=0) for units in self.units]
            growth = [now - before for now, before in zip(most, self.passed, strict=True)]
            self.passed = most
            return growth
        fired = []
        for i, units in enumerate(self.units):
            largest = max((self.estimate[unit] for unit in units), default=0)
            first = next((unit for unit in units if self.estimate[unit] == largest), None)
            keeps = not average and self.winner[i] is not None and self.estimate[self.winner[i]] == largest
            self.winner[i] = self.winner[i] if keeps else first
            fired.append(self.winner[i] is not None and bool(sent[self.winner[i]]))
        return fired


def _softmax(readout: Readout, course: Array) -> Array:
    """Output spikes per sample and class: walk along the cumulative distribution until the drawn share is passed."""
    won = np.zeros((len(course), course.shape[2]), int)
    for k, sample in enumerate(course):
        drawn = words(readout.seed, READOUT, k, begin=0, steps=len(sample), size=2)
        for t, ((asks, share), v) in enumerate(zip(drawn, sample, strict=True)):
            if t < readout.delay or asks >= readout.rate * 2**32:
                continue
            chances = np.exp((v - v.max()) / readout.scale)
            left, i = share / 2**32 * sum(chances), 0
            while i < len(v) - 1 and left >= chances[i]:
                left, i = left - chances[i], i + 1
            won[k, i] += 1
    return won


def _start(population: object, network: Network, number: type) -> Array:
    if isinstance(population, Input):
        half = population.payload_max // 2 * 64 if network.fixed_point else 0.5
        return np.full(prod(population.shape), half, number)
    return np.broadcast_to(population.v_init, population.shape).ravel().astype(number)  # type: ignore[attr-defined]
