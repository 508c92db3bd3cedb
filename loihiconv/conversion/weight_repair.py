"""Weights of few bits that make up for what the layers before them got wrong: rounded once more, one layer after the other.

Adaptive rounding keeps each layer's sums near for the rates that the float network sends. What a layer of whole numbers really receives
is wrong already, by what was rounded before it, and some of that can be told from what it receives. So its weights are moved to
those that best give the float network's sums from the rates at hand (ridge regression), and rounded adaptively from there. Frantar and
Alistarh's OPTQ with such targets is known as GPTAQ (Li et al. 2025, arXiv:2504.02692).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import isinf

import numpy as np

from loihiconv.conversion.adaptive_rounding import Covariance, Covariances, rounded
from loihiconv.conversion.covariances import measurable, seen_by
from loihiconv.core.errors import LimitExceeded
from loihiconv.core.linear import Array, LinearMap
from loihiconv.core.network import Connection, Network
from loihiconv.hardware.board import Board
from loihiconv.hardware.validation import validate
from loihiconv.simulator.layerwise import Layerwise

RIDGE = 0.01
"""Added to the diagonal of the covariance of what is received, as a share of its mean."""
ROWS = 4
"""Windows that are seen, as a multiple of the inputs of an output, from which on a regression is trusted."""
BATCH = 32


class Repair:
    """Rounds the weights into one population after the other again, for what the populations before it really send.

    Parameters
    ----------
    network : Network
        Float; what the quantized one came from.
    board : Board
    covariances : {population: (Covariance or None, ...)}
        With which weights were rounded: others than adaptively rounded ones stay as they are.
    x : array (N, \\*shape)
        Calibration samples.
    """

    def __init__(self, network: Network, board: Board, covariances: Covariances, x: Array) -> None:
        self.network, self.board, self.covariances = network, board, covariances
        self._float = Layerwise(network, x)
        self._settled: set[str] = set()

    def __call__(self, run: Layerwise, name: str) -> Network:
        """The quantized network of a run, with other weights into a population; those before it have been settled."""
        network = run.network
        changed: dict[Connection, Connection] = {}
        before, after = self.network.incoming(name), network.incoming(name)
        known = self.covariances.get(name, (None,) * len(after))
        for old, new, covariance in zip(before, after, known, strict=True):
            if covariance is not None and not isinf(covariance.damping) and network[new.source].spiking and measurable(new.map):
                self._settle_until(old.source)
                better = self._repaired(run, old, new, covariance)
                if better is not None:
                    changed[new] = better
        return self._within_limits(network, changed)

    def _settle_until(self, name: str) -> None:
        if self.network.is_input(name):
            return  # a run begins with it
        for population in self.network.layers:
            if population.name not in self._settled:
                self._float.settle(population.name)
                self._settled.add(population.name)
            if population.name == name:
                break

    def _repaired(self, run: Layerwise, old: Connection, new: Connection, covariance: Covariance) -> Connection | None:
        received, meant = run.sent(new.source), self._float.sent(old.source)
        found = _moments(new.map, received / np.float32(run.network.timesteps), meant / np.float32(run.network.timesteps))
        if found is None:
            return None
        own, cross = found
        factor = run.network.record.quantization[new.target].gain * 2.0**-new.weight_exp
        target = regressed(old.map, own, cross)
        whole = rounded(target, factor, self.board.weight_bits.value, replace(covariance, values=own))
        return replace(new, map=whole)

    def _within_limits(self, network: Network, changed: Mapping[Connection, Connection]) -> Network:
        """The network with other connections, if it then still keeps to all ranges."""
        if not changed:
            return network
        candidate = replace(network, connections=tuple(changed.get(c, c) for c in network.connections))
        try:
            validate(candidate, self.board)
        except LimitExceeded:
            return network
        return candidate


def regressed(linear: LinearMap, own: Array, cross: Array) -> LinearMap:
    """W' = W (C_fr + m I) (C_rr + m I)^-1: what gives W f best from r, and stays near W.

    Parameters
    ----------
    linear : Dense or Conv
        W.
    own, cross : array (groups, K, K)
        C_rr, of what is received, and C_fr, of what is meant with it.
    """
    weight = linear.weight.astype(np.float64)
    rows = weight.reshape(len(own), len(weight) // len(own), -1)
    mean = np.trace(own, axis1=1, axis2=2) / own.shape[1]
    ridge = (RIDGE * mean + np.finfo(np.float32).tiny)[:, None, None] * np.eye(own.shape[1])
    moved = np.linalg.solve(own + ridge, (rows @ (cross + ridge)).swapaxes(1, 2)).swapaxes(1, 2)
    return linear.with_weight(moved.reshape(weight.shape))


def _moments(linear: LinearMap, received: Array, meant: Array) -> tuple[Array, Array] | None:
    """C_rr and C_fr, centred; None where too little was seen."""
    total: list[Array] = []
    rows = 0
    for begin in range(0, len(received), BATCH):
        r, f = (seen_by(linear, values[begin : begin + BATCH]) for values in (received, meant))
        if r.shape[1] * len(received) < ROWS * r.shape[2] * min(BATCH, len(received)):
            return None
        parts = [r.transpose(0, 2, 1) @ r, f.transpose(0, 2, 1) @ r, r.sum(axis=1), f.sum(axis=1)]
        total = [a.astype(np.float64) + (total[i] if total else 0) for i, a in enumerate(parts)]
        rows += r.shape[1]
    own, cross, mean_r, mean_f = (values / rows for values in total)
    return own - mean_r[:, :, None] * mean_r[:, None], cross - mean_f[:, :, None] * mean_r[:, None]
