"""How much of the chip's ranges a network uses: weights and biases by themselves, potentials and sums in a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log2

import numpy as np
import torch

from loihiconv.core.fixed_point import BIAS_MAX
from loihiconv.core.input_coding import host_currents, input_payloads
from loihiconv.core.linear import Array
from loihiconv.core.network import (
    STATE_SHIFT,
    SUM_LIMIT,
    V_MAX,
    Connection,
    Input,
    Integrating,
    Integrator,
    Network,
    Recording,
)
from loihiconv.core.neurons import charged, current, discharge
from loihiconv.core.record import WorstCase
from loihiconv.evaluation.explain.analog import RateModel
from loihiconv.evaluation.explain.reference import matching, same_form, without_plane
from loihiconv.evaluation.explain.stages import unit

LIMITS = {"bias": BIAS_MAX, "u": SUM_LIMIT - 1, "v": V_MAX}
"""Largest magnitudes that the chip can hold."""
WEIGHT_MAX = 255
"""Largest magnitude of an 8-bit weight; 254 where signs mix."""
WEIGHT_BINS = 64
UNKNOWN = WorstCase(0, 0)
"""Of a network that was made by hand."""


@dataclass(frozen=True, eq=False)
class WeightStatistics:
    """Integer weights of one connection beside the float weights that they stand for.

    Attributes
    ----------
    connection, population : str
        Its name, and its target.
    kind : str
        Of its map: "dense", "convolution" or "sparse".
    synapses : int
        Stored weights: a kernel counts once.
    zeros : float
        Share of them that are 0.
    bits_used : float
        log2 of the largest magnitude + 1: of 8.
    levels : int
        Different values that occur.
    error : float or None
        Root mean square of (integer / gain - float) as a share of the float weights' root mean square; None without an origin.
    on_host : bool
        The host multiplies with them, so that no 8 bits bind them.
    edges : float array (WEIGHT_BINS + 1,)
        Of both histograms, in the chip's integers.
    counts, float_counts : int arrays (WEIGHT_BINS,)
        Of integer weights, and of float weights times the gain.
    """

    connection: str
    population: str
    kind: str
    synapses: int
    zeros: float
    bits_used: float
    levels: int
    error: float | None
    on_host: bool
    edges: Array
    counts: Array
    float_counts: Array


@dataclass(frozen=True)
class StateRanges:
    """The largest magnitudes of one population, seen in a run and possible in the worst case, against the chip's limits.

    Attributes
    ----------
    population : str
    threshold : float or None
        In units of v; None for the readout.
    bias : int
        Largest |bias|, at most `BIAS_MAX`.
    u_seen, u_worst : int
        Synaptic sums in units of weight x payload, below 2^17.
    v_seen, v_worst : int
        Potentials before the reset, in units of v; they saturate at 2^23 - 1. The worst case may lie beyond.
    """

    population: str
    threshold: float | None
    bias: int
    u_seen: int
    u_worst: int
    v_seen: int
    v_worst: int


def weight_statistics(net: Network) -> tuple[WeightStatistics, ...]:
    """Of every connection of a fixed-point network whose weights are not all 1 by nature."""
    return tuple(_weights(net, c) for c in net.connections if isinstance(net[c.target], Integrator))


def dequantized(net: Network, connection: Connection) -> Array:
    """A fixed-point network's weights in units of its float network's: integer x 2^weight_exp x payload / gain, without a bias plane's."""
    gain = unit(net, connection.target) / 2**STATE_SHIFT
    source = net[connection.source]
    payload = source.largest_message if isinstance(source, Input) and not source.spiking else 1
    worth = 2.0 ** (connection.weight_exp - (STATE_SHIFT if connection.on_host else 0))
    return np.asarray(without_plane(connection, net).map.weight * (payload * worth / gain), np.float64)


def state_ranges(net: Network, x: Array, recording: Recording) -> tuple[StateRanges, ...]:
    """Ranges of every population that integrates.

    Parameters
    ----------
    net : Network
        Fixed point.
    x : array (N, \\*input shape)
        A few samples.
    recording : Recording
        Of them, with ``record=["spikes"]``; sums and potentials are computed again from its spikes, step for step.
    """
    model, sent = RateModel(net), input_payloads(net, x)
    currents = host_currents(net, sent)
    result = []
    for p in net.populations:
        if not isinstance(p, Integrator):
            continue
        u = _sums(net, model, p, sent, recording)
        bias = currents.get(p.name, p.bias)
        v_seen = _largest_potential(p, u, bias, recording.timesteps)
        worst = net.record.bounds.get(p.name, UNKNOWN)
        result.append(
            StateRanges(
                p.name,
                p.spike_charge(STATE_SHIFT) if p.spiking else None,
                int(np.abs(bias).max(initial=0)),
                int(np.abs(u).max(initial=0)),
                int(worst.sum),
                v_seen,
                int(worst.v),
            )
        )
    return tuple(result)


def _weights(net: Network, c: Connection) -> WeightStatistics:
    weight = c.map.weight
    error, floats = None, np.zeros(0)
    largest = float(np.abs(weight).max(initial=0))
    if net.origin is not None and (twin := matching(c, net, net.origin)) is not None:
        wanted = twin.map.weight.astype(np.float64)
        found = dequantized(net, c)
        if wanted.size and same_form(without_plane(c, net).map, twin.map):
            size = float(np.sqrt(np.mean(wanted**2)))
            error = float(np.sqrt(np.mean((found - wanted) ** 2))) / size if size else 0.0
            scale = float(np.abs(without_plane(c, net).map.weight).max(initial=0)) / max(float(np.abs(found).max(initial=0)), 1e-30)
            floats = (wanted * scale).ravel()
    reach = WEIGHT_MAX + 1.0 if not c.on_host else max(largest, 1.0)
    edges = np.linspace(-reach, reach, WEIGHT_BINS + 1)
    counts, float_counts = np.histogram(weight.ravel(), edges)[0], np.histogram(np.clip(floats, -reach, reach), edges)[0]
    return WeightStatistics(
        c.name,
        c.target,
        c.map.kind,
        weight.size,
        float(np.mean(weight == 0)) if weight.size else 0.0,
        log2(largest + 1),
        len(np.unique(weight)),
        error,
        c.on_host,
        edges,
        counts,
        float_counts,
    )


def _sums(net: Network, model: RateModel, p: Integrator, sent: Mapping[str, Array], recording: Recording) -> Array:
    """Σ w s per step: int64 (N, T or 1, \\*shape)."""
    total: Array = np.zeros((len(recording), 1, *p.shape), np.int64)
    for c in net.incoming(p.name):
        if c.on_host:
            continue
        if net[c.source].spiking:
            spikes = recording.spikes[c.source]
            flat = torch.from_numpy(spikes.reshape(-1, *spikes.shape[2:]).astype(np.float32))
            product = model.synaptic_sum(c, flat).numpy().reshape(*spikes.shape[:2], *p.shape)
        else:
            product = model.synaptic_sum(c, torch.from_numpy(sent[c.source].astype(np.float32))).numpy()[:, None]
        total = total + c.shifted(np.rint(product).astype(np.int64))
    return total


def _largest_potential(p: Integrating, u: Array, bias: Array, timesteps: int) -> int:
    """Largest |v| over all steps, before resets."""
    v, silent = np.broadcast_to(p.v_init, (len(u), *p.shape)).astype(np.int64), p.silent_steps
    if silent:
        v, bias = v + timesteps * bias, np.zeros_like(bias)
    largest, sent = int(np.abs(v).max(initial=0)), np.zeros(v.shape, np.int64)
    for t in range(p.first_step, timesteps):
        v = charged(p, v, current(u[:, min(t, u.shape[1] - 1)], bias))
        largest = max(largest, int(np.abs(v).max(initial=0)))
        if t >= silent:
            discharge(p, v, sent)
    return largest
