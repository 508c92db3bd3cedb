"""Covariances of what the weights of each connection are multiplied with, measured on calibration data for `adaptive_rounding`."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from loihiconv.core.input_coding import payloads
from loihiconv.core.linear import Array, Conv, LinearMap
from loihiconv.core.network import Integrator, Network
from loihiconv.simulator import simulate

LARGEST = 8192
"""Inputs per output up to which a covariance is kept; weights of more are rounded to the nearest."""
BATCH = 32


def input_covariances(
    network: Network, x: Array, *, centred: bool = True, targets: Collection[str] | None = None
) -> dict[tuple[str, str], Array]:
    """Covariance of what each output of a connection receives, over samples and positions.

    Of rates, because what is wrong with a weight adds up over the T steps: H = E[r r'] - E[r] E[r]', where r (K,) is what the kernel's
    window shows of the source's messages, averaged over time.

    Parameters
    ----------
    network : Network
        Float.
    x : array (N, \\*shape)
        Calibration samples.
    centred : bool
        Take the mean off, for it will be the bias correction that repairs it.
    targets : collection of names, optional
        Only of connections into these populations. What spikes has to be simulated to be measured.

    Returns
    -------
    {(source, target): float64 array (groups, K, K)}
        Without connections of more than `LARGEST` inputs per output, and without those into gates, which sum nothing.
    """
    wanted = [
        c
        for c in network.connections
        if isinstance(network[c.target], Integrator) and (targets is None or c.target in targets) and _inputs(c.map) <= LARGEST
    ]
    sums: dict[tuple[str, str], list[Array]] = {}
    rows = dict.fromkeys([(c.source, c.target) for c in wanted], 0)
    for begin in range(0, len(x), BATCH):
        part = x[begin : begin + BATCH]
        recording = simulate(network, part) if any(network[c.source].spiking for c in wanted) else None
        for connection in wanted:
            source, key = network[connection.source], (connection.source, connection.target)
            if not source.spiking:
                rates = payloads(network.input, part)
            else:
                assert recording is not None  # the source spikes
                rates = recording.sent(source.name) / np.float32(network.timesteps)
            seen = _seen(connection.map, rates.astype(np.float32))
            new = [(seen.transpose(0, 2, 1) @ seen).astype(np.float64), seen.sum(axis=1, dtype=np.float64)]
            sums[key] = [a + b for a, b in zip(sums[key], new, strict=True)] if key in sums else new
            rows[key] += seen.shape[1]
    covariances = {}
    for key, (squares, total) in sums.items():
        mean = total / rows[key] if centred else 0 * total
        covariances[key] = squares / rows[key] - mean[:, :, None] * mean[:, None, :]
    return covariances


def _seen(linear: LinearMap, x: Array) -> Array:
    """What the weights of each output are multiplied with: (groups, rows, K) from a batch (N, \\*input shape)."""
    return linear.columns(x) if isinstance(linear, Conv) else x.reshape(1, len(x), -1)


def _inputs(linear: LinearMap) -> int:
    return int(np.prod(linear.weight.shape[1:]))
