"""A slow simulator written from the definitions in `loihiconv.network`, sharing no kernel with the package.

Every linear map becomes a dense matrix, synapse by synapse; then plain loops over samples, steps and populations.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from loihiconv import coding
from loihiconv.linear import Array, Conv, LinearMap, Shape
from loihiconv.network import IF, Input, Network

V_LIMIT = 2**23 - 1


@dataclass
class Result:
    """Everything that happened: spikes {population: (N, T, *shape)} and readout potentials (N, T, *shape)."""

    spikes: dict[str, Array]
    potentials_over_time: Array
    synaptic_operations: float

    @property
    def potentials(self) -> Array:
        return self.potentials_over_time[:, -1]


def matrix(linear: LinearMap, shape: Shape) -> Array:
    """All synapses (out, in), both flattened channels first.

    Convolution: y[o, r, c] = sum over i, p, q of w[o, i, p, q] x[g C + i, r s - top + p d, c s - left + q d], with zeros
    outside of x, C input channels per group and g the group of o.
    """
    weight = linear.weight
    if not isinstance(linear, Conv):
        return np.array(weight)
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
    """Run samples x (N, *input shape); int64 for fixed point, float64 unless told otherwise for float."""
    number = dtype or (np.int64 if network.fixed_point else np.float64)
    payload = coding.payloads(network.input, coding.check_samples(network.input, x))
    currents = coding.host_currents(network, payload)
    synapses = {i: matrix(c.map, network[c.source].shape).astype(number) for i, c in enumerate(network.connections) if not c.on_host}
    one = 64 if network.fixed_point else 1
    steps, n = network.timesteps, len(x)
    spikes = {p.name: np.zeros((n, steps, prod(p.shape)), bool) for p in network.populations if p.spiking}
    course = np.zeros((n, steps, prod(network.readout.shape)), number)
    operations = 0
    for k in range(n):
        v = {p.name: _start(p, network, number) for p in network.populations}
        for t in range(steps):
            sent = {}
            for p in network.populations:
                if isinstance(p, Input) and not p.spiking:
                    sent[p.name] = payload[k].ravel().astype(number)
                    continue
                if isinstance(p, Input):
                    vth, bias, total = p.payload_max or 1, 0, payload[k].ravel().astype(number)
                else:
                    bias = np.broadcast_to(p.bias, p.shape).ravel().astype(number)
                    bias = currents[p.name][k].ravel() if p.name in currents else bias
                    total = np.zeros(prod(p.shape), number)
                    for i, weights in synapses.items():
                        connection = network.connections[i]
                        if connection.target == p.name:
                            total = total + weights @ sent[connection.source]
                            operations += int(np.count_nonzero(weights[:, sent[connection.source] != 0]))
                    assert not network.fixed_point or np.abs(total).max() < 2**17
                v[p.name] = v[p.name] + total * one + bias
                if network.fixed_point:
                    v[p.name] = np.minimum(np.maximum(v[p.name], -V_LIMIT), V_LIMIT)
                if not p.spiking:
                    course[k, t] = v[p.name]
                    continue
                vth = p.vth if isinstance(p, IF) else vth
                fired = v[p.name] > vth * one
                spikes[p.name][k, t] = fired
                zero = isinstance(p, IF) and p.reset == "zero"
                v[p.name] = np.where(fired, 0 if zero else v[p.name] - vth * one, v[p.name])
                sent[p.name] = fired.astype(number)
    shaped = {name: s.reshape(n, steps, *network[name].shape) for name, s in spikes.items()}
    return Result(shaped, course.reshape(n, steps, *network.readout.shape), operations / n)


def _start(population: object, network: Network, number: type) -> Array:
    if isinstance(population, Input):
        half = population.payload_max // 2 * 64 if network.fixed_point else 0.5
        return np.full(prod(population.shape), half, number)
    return np.broadcast_to(population.v_init, population.shape).ravel().astype(number)  # type: ignore[attr-defined]
