"""Biases of first layers as synapses from a plane of constant payloads.

A bias register holds at most 4095 * 2^7 units of v. A layer that is driven by payloads of up to 255 has thresholds, and so
biases, 255 times as large as one that is driven by spikes, and folded batch norms make large biases: weights and payloads would
have to give up bits for them. Where the board has graded spikes, one more plane of input neurons that always sends the largest
payload carries the biases instead, through one more kernel tap per output channel.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from loihiconv.core.linear import Array, Conv, Dense, LinearMap, Shape, Sparse
from loihiconv.core.network import Input, Integrator, Network, Population, assert_never


def with_bias_plane(network: Network, source: Input) -> Network | None:
    """The same function, with the biases of all layers that an input's payloads drive moved into synapses.

    Parameters
    ----------
    network : Network
        Float.
    source : Input
        One of its inputs, analog.

    Returns
    -------
    Network or None
        That input has one more channel (or value, if it is flat), of which samples know nothing: `loihiconv.core.input_coding.payloads`
        adds it. None where a bias cannot be a kernel tap: it differs from pixel to pixel, or the padding leaves no tap that
        lies inside the input for all outputs.
    """
    shape = (source.shape[0] + 1, *source.shape[1:])
    moved: set[str] = set()
    populations: dict[str, Population] = {p.name: p for p in network.populations}
    connections = []
    for connection in network.connections:
        if connection.source != source.name:
            connections.append(connection)
            continue
        target = network[connection.target]
        if not isinstance(target, Integrator):
            return None
        bias = np.zeros(target.shape) if target.name in moved else np.broadcast_to(target.bias, target.shape)
        extended = _extended(connection.map, bias, source.shape)
        if extended is None:
            return None
        moved.add(target.name)
        connections.append(replace(connection, map=extended))
        populations[target.name] = replace(target, bias=np.zeros_like(target.bias))
    if not any(np.any(network[name].bias) for name in moved):  # type: ignore[union-attr]  # checked above
        return None
    populations[source.name] = replace(source, shape=shape, bias_plane=True)
    return replace(network, populations=tuple(populations.values()), connections=tuple(connections))


def _extended(linear: LinearMap, bias: Array, input_shape: Shape) -> LinearMap | None:
    match linear:
        case Dense():
            # one value of the plane is enough
            columns = np.zeros((len(linear.weight), prod(input_shape[1:])), linear.weight.dtype)
            columns[:, 0] = bias.reshape(-1)
            return Dense(np.concatenate([linear.weight, columns], axis=1))
        case Sparse():
            return _with_synapses(linear, bias.reshape(-1), input_shape)
        case Conv():
            return _with_tap(linear, bias, input_shape)
        case _:
            assert_never(linear)


def _with_synapses(linear: Sparse, bias: Array, input_shape: Shape) -> Sparse:
    """One more synapse for each output with a bias, from the plane's first value."""
    biased = np.flatnonzero(bias)
    weight = np.concatenate([linear.weight, bias[biased].astype(linear.weight.dtype)])
    rows = np.concatenate([linear.rows, biased])
    columns = np.concatenate([linear.columns, np.full(len(biased), prod(input_shape))])
    inputs = (input_shape[0] + 1, *input_shape[1:])
    return linear.with_weight(weight).at(rows, columns, linear.outputs, inputs)


def _with_tap(linear: Conv, bias: Array, input_shape: Shape) -> Conv | None:
    tap = _tap(linear, input_shape)
    if tap is None or bias.ndim != 3 or (bias != bias[:, :1, :1]).any():
        return None
    weight = np.zeros((len(linear.weight), 1, *linear.weight.shape[2:]), linear.weight.dtype)
    weight[:, 0, tap[0], tap[1]] = bias[:, 0, 0]
    return linear.with_weight(np.concatenate([linear.weight, weight], axis=1))


def _tap(conv: Conv, input_shape: Shape) -> tuple[int, int] | None:
    """The kernel tap that reads pixel (stride r, stride c) for the output at (r, c), so that it always lies inside."""
    tap = []
    for axis, before in enumerate((conv.padding[0], conv.padding[2])):
        index, offset = divmod(before, conv.dilation[axis])
        last = (conv.output_shape(input_shape)[axis + 1] - 1) * conv.stride[axis]
        if offset or not 0 <= index < conv.weight.shape[2 + axis] or last >= input_shape[axis + 1]:
            return None
        tap.append(index)
    return (tap[0], tap[1]) if conv.groups == 1 else None
