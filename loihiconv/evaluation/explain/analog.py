"""A `Network` as a function of rates: what its populations would do with constant currents instead of spikes.

With a transfer function f in place of the neurons, r = f((Σ W r_before + b) / τ), evaluated in PyTorch on whole batches:

- "relu":  f(z) = max(0, z), or min(max(0, z), bound), the float network that the spiking one stands for
- "clip":  f(z) = min(max(0, z), Γ), since no neuron sends more than its largest payload per step (rmax = Γ, 1 with binary spikes)
- "steps": the spikes that a neuron fires in T steps of a constant current z, divided by T

From one to the next goes exactly one property of spiking neurons; what is left after "steps" is timing alone.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from loihiconv.ann.evaluator import matrix
from loihiconv.conversion.exponents import mean_loss
from loihiconv.core.choices import Reset
from loihiconv.core.input_coding import check_samples, input_values, payloads
from loihiconv.core.linear import Array, Conv, Dense, LinearMap, Sparse
from loihiconv.core.network import IF, Connection, Input, Integrator, MaxPool, Network, Population, Readout, assert_never

Transfer: TypeAlias = Literal["relu", "clip", "steps"]
BATCH = 128


def fired(z: Tensor, timesteps: int, start: Tensor | float, reset: Reset = "subtract", payload_max: int = 1, silent: int = 0) -> Tensor:
    """Rate of an integrate-and-fire neuron of threshold 1 with a constant current (Rueckauer et al. 2016, Eqs. 5 and 6).

    The first spike comes after floor((1 - start) / z) + 1 steps. Reset by subtraction: as many spikes as thresholds that the
    potential start + T z exceeds, ceil(start + T z) - 1, but one per step at most. Reset to zero: floor(1 / z) + 1 steps apart.
    Graded spikes carry whole thresholds, floor(start + T z), but no more than what the first of them does and Γ per step afterwards.
    With silent steps the first spike comes so many steps earlier, seen from where spikes begin.

    Parameters
    ----------
    z : tensor
        Current per step, in thresholds.
    timesteps : int
    start : float or tensor
        Potential before the first step, in thresholds.
    reset : "subtract" or "zero"
    payload_max : int
        Γ; 1 for binary spikes.
    silent : int
        Steps in which neurons only integrate.
    """
    if payload_max > 1:
        begin = (torch.ceil((1 - start) / z.clamp_min(1e-12)) - silent).clamp_min(1)
        most = torch.floor(start + (silent + begin).clamp_max(timesteps) * z).clamp_max(payload_max) + payload_max * (timesteps - begin)
        sent = torch.minimum(torch.floor(start + timesteps * z), most).clamp_min(0)
        return torch.where(begin <= timesteps, sent, torch.zeros_like(z)) / timesteps
    first = torch.floor((1 - start) / z.clamp_min(1e-12)) + 1
    if reset == "subtract":
        most = (timesteps + silent + 1 - first).clamp(0, timesteps)
        return torch.minimum((torch.ceil(start + timesteps * z) - 1).clamp_min(0), most) / timesteps
    period = torch.floor(1 / z.clamp_min(1e-12)) + 1
    spikes = torch.where(first <= timesteps, 1 + torch.floor((timesteps - first) / period), torch.zeros_like(z))
    return torch.where(z > 0, spikes, torch.zeros_like(z)) / timesteps


class RateModel:
    """Evaluates a network with constant currents, float or fixed point.

    Parameters
    ----------
    network : Network
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self._weights = {c: _tensor(c.map) for c in network.connections}
        self._last_use = {c.source: c.target for c in network.connections}

    def __call__(self, x: Array, transfer: Transfer, *, keep: Collection[str] = ()) -> tuple[Tensor, dict[str, Tensor]]:
        """Outputs (N, classes) in units of the float network's, and the rates of the populations named in ``keep``.

        Parameters
        ----------
        x : array (N, \\*input shape)
        transfer : "relu", "clip" or "steps"
        keep : names of populations
            Rates are in spikes per step; the readout's are its outputs.
        """
        network = self.network
        rates: dict[str, Tensor] = {}
        kept: dict[str, Tensor] = {}
        with torch.no_grad():
            for p in network.populations:
                rates[p.name] = self._rate(p, rates, x, transfer)
                if p.name in keep:
                    kept[p.name] = rates[p.name]
                for source in [s for s in rates if self._last_use.get(s) == p.name]:
                    del rates[source]
        return rates[network.readout.name], kept

    def outputs(self, x: Array, transfer: Transfer) -> Array:
        """Outputs (N, classes) in units of the float network's, before its last functions, in batches."""
        return np.concatenate([self(x[i : i + BATCH], transfer)[0].flatten(1).numpy() for i in range(0, len(x), BATCH)])

    def synaptic_sum(self, connection: Connection, sent: Tensor) -> Tensor:
        """Σ W s for a batch (N, \\*source shape) of spikes or rates: (N, \\*target shape), neither shifted nor biased."""
        weights, shape = self._weights[connection], (len(sent), *self.network[connection.target].shape)
        match connection.map:
            case Dense():
                return F.linear(sent.flatten(1), weights).reshape(shape)
            case Sparse():
                return torch.sparse.mm(weights, sent.flatten(1).T).T.reshape(shape)  # type: ignore[no-any-return]
            case Conv() as conv:
                top, bottom, left, right = conv.padding
                padded = F.pad(sent.reshape(len(sent), *self.network[connection.source].shape), (left, right, top, bottom))
                return F.conv2d(padded, weights, None, conv.stride, 0, conv.dilation, conv.groups).reshape(shape)
            case _:
                assert_never(connection.map)

    def _rate(self, p: Population, rates: dict[str, Tensor], x: Array, transfer: Transfer) -> Tensor:
        match p:
            case Input():
                return self._input(p, x, transfer)
            case MaxPool():
                (incoming,) = self.network.incoming(p.name)
                return pooled(incoming, rates[incoming.source])
            case Readout():
                return self._received(p, rates, len(x)) * (2.0**self.network.shift / p.scale)
            case IF():
                return self._fired(p, self._received(p, rates, len(x)) / float(p.vth), transfer)
            case _:
                assert_never(p)

    def _received(self, p: Integrator, rates: dict[str, Tensor], n: int) -> Tensor:
        """Σ W r + b of n samples, in units of v that is not shifted."""
        shift = 2.0**self.network.shift
        total = torch.from_numpy(np.asarray(p.bias / shift, np.float32)).expand(n, *p.shape).clone()
        for c in self.network.incoming(p.name):
            product = self.synaptic_sum(c, rates[c.source])
            total += product * (2.0**c.weight_exp / (shift if c.on_host else 1.0)) - mean_loss(c)
        return total

    def _fired(self, p: IF, z: Tensor, transfer: Transfer) -> Tensor:
        """Rates from currents in thresholds."""
        if transfer == "relu":
            rates = z.clamp_min(0)
            return rates if p.bound is None else torch.minimum(rates, torch.from_numpy(np.asarray(p.bound, np.float32)))
        if transfer == "clip":
            return z.clamp(0, p.payload_max)
        start = torch.from_numpy(np.asarray(p.v_init / (2.0**self.network.shift * float(p.vth)), np.float32))
        return fired(z, self.network.timesteps, start, p.reset, p.payload_max, p.silent)

    def _input(self, p: Input, x: Array, transfer: Transfer) -> Tensor:
        own = input_values(self.network, check_samples(self.network, x))[p.name]
        sent = torch.from_numpy(payloads(p, own).astype(np.float32))
        if not p.spiking:
            return sent
        sent = sent / (p.payload_max or 1)
        if transfer == "relu":
            return sent
        if transfer == "clip" or p.coding == "poisson":  # a random input has no rate but its probability
            return sent.clamp(0, 1)
        return fired(sent, self.network.timesteps, 0.5)


def _tensor(linear: LinearMap) -> Tensor:
    """Weights in float32: those of a `Sparse` as a matrix (outputs, inputs)."""
    weights = torch.from_numpy(np.ascontiguousarray(linear.weight, np.float32))
    return matrix(linear, weights) if isinstance(linear, Sparse) else weights


def pooled(connection: Connection, x: Tensor) -> Tensor:
    """The largest rate of each window (N, C, H, W); beyond borders 0, which never wins."""
    pool = connection.map
    assert isinstance(pool, Conv)  # established by Network
    top, bottom, left, right = pool.padding
    kernel = (pool.weight.shape[2], pool.weight.shape[3])
    return F.max_pool2d(F.pad(x, (left, right, top, bottom)), kernel, pool.stride, 0, pool.dilation)
