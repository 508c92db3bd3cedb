"""Size and work of a network in NeuroBench's terms (Yik et al. 2025, Nature Communications 16, 1545; arXiv:2304.04640).

Footprint and connection sparsity are of the network alone; activation sparsity, synaptic operations and membrane updates are
means over the samples of a run. NeuroBench counts per execution of the model, which is one time step of a spiking network; a sample
takes T of them, and both counts are given.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from loihiconv.ann.evaluator import Evaluator, batch_of
from loihiconv.ann.frontends import Source, readable
from loihiconv.ann.graph import Ann, Linear
from loihiconv.core.activity import fan_out
from loihiconv.core.input_coding import input_payloads
from loihiconv.core.linear import Array
from loihiconv.core.network import Integrator, Network, Recording

FLOAT_BYTES = 4
WEIGHT_BYTES, BIAS_BYTES, THRESHOLD_BYTES, STATE_BYTES = 1, 2, 4, 6
"""A weight of 8 bits; a mantissa of 13 and an exponent of 3; a threshold of 17, in whole bytes; u and v of 24 each."""
BATCH = 128


@dataclass(frozen=True)
class Workload:
    """Size and work of one network.

    Attributes
    ----------
    footprint : int
        Bytes of parameters and of state. A kernel counts once, and a bias or threshold that a whole layer shares as well; a
        chip that stores weights per synapse takes more, see ``loihiconv place``.
    connection_sparsity : float
        Share of weights that are 0.
    activation_sparsity : float
        Share of neurons that send nothing, over all neurons, steps and samples.
    macs, acs : float
        Effective synaptic operations per sample: arrivals of something that is not 0 at a weight that is not 0, multiplied and
        accumulated where what arrives is a number, only accumulated where it is a spike. In a network with graded spikes all
        count as multiplied.
    dense : float
        Synaptic operations per sample if nothing were 0.
    membrane_updates : float
        Updates of a membrane potential per sample: every neuron that integrates, in every step, as the chip does it.
    executions : int
        Executions of the model per sample: T, or 1 for the float network.
    """

    footprint: int
    connection_sparsity: float
    activation_sparsity: float
    macs: float
    acs: float
    dense: float
    membrane_updates: float
    executions: int

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return dict(vars(self))


def spiking_workload(network: Network, recording: Recording, x: Array) -> Workload:
    """Of a spiking network in a run.

    Parameters
    ----------
    network : Network
        That was run.
    recording : Recording
    x : array (N, \\*input shape)
        The samples of the run, or some that are typical; only an analog input's payloads are looked at.
    """
    weights = [c.map.weight for c in network.connections if isinstance(network[c.target], Integrator)]
    stored = sum(w.size for w in weights)
    macs = _payload_operations(network, x) if network.payload_max == 1 else recording.synaptic_operations
    neurons = sum(p.size for p in network.populations if isinstance(p, Integrator))
    steps = network.period
    return Workload(
        _footprint(network, stored, neurons),
        float(1 - sum(np.count_nonzero(w) for w in weights) / max(1, stored)),
        1 - recording.firing_rate,
        macs,
        max(recording.synaptic_operations - macs, 0.0),
        float(sum(fan_out(c.map, network[c.source].shape).sum() for c in _all_synapses(network))) * steps,
        float(neurons * steps),
        steps,
    )


def float_workload(model: Source, ann: Ann, x: Array) -> Workload:
    """Of the float network: footprint and sparsity as it is stored, operations after batch norms and averages are merged.

    Parameters
    ----------
    model : nn.Module, or another kind that `loihiconv.ann.frontends` reads
    ann : Ann
        The same after the passes.
    x : array (N, \\*input shape)
        Samples that activations are looked at on.
    """
    layers = [node for node in ann if isinstance(node, Linear)]
    sources = {node.inputs[0] for node in layers}
    nonzero: dict[str, Array] = {name: np.zeros(ann.shapes[name]) for name in sources}
    evaluator = Evaluator(ann)
    for begin in range(0, len(x), BATCH):
        _, kept = evaluator(batch_of(x[begin : begin + BATCH]), keep=sources)
        for name, values in kept.items():
            nonzero[name] += np.count_nonzero(values.numpy(), axis=0)
    macs = sum(float(np.vdot(nonzero[n.inputs[0]], fan_out(n.map, ann.shapes[n.inputs[0]]))) for n in layers) / len(x)
    dense = sum(float(fan_out(_filled(n), ann.shapes[n.inputs[0]]).sum()) for n in layers)
    hidden = [name for name in sources if not ann.is_input(name)]
    active = sum(float(nonzero[name].sum()) for name in hidden)
    places = sum(prod(ann.shapes[name]) for name in hidden) * len(x)
    stored = readable(model).stored(x.shape[1:])
    return Workload(stored.bytes, stored.zeros / max(1, stored.weights), 1 - active / places if places else 0.0, macs, 0.0, dense, 0.0, 1)


def _footprint(network: Network, weights: int, neurons: int) -> int:
    integrating = [p for p in network.populations if isinstance(p, Integrator)]
    biases = sum(np.asarray(p.bias).size for p in integrating)
    thresholds = sum(p.spiking for p in integrating)
    if not network.fixed_point:
        return FLOAT_BYTES * (weights + biases + thresholds + neurons)
    return WEIGHT_BYTES * weights + BIAS_BYTES * biases + THRESHOLD_BYTES * thresholds + STATE_BYTES * neurons


def _payload_operations(network: Network, x: Array) -> float:
    analog = [source for source in network.inputs if not source.spiking]
    arrivals = {source.name: np.zeros(source.shape) for source in analog}
    for begin in range(0, len(x), BATCH):
        payload = input_payloads(network, x[begin : begin + BATCH])
        for name in arrivals:
            arrivals[name] += np.count_nonzero(payload[name], axis=0)
    chip = [(source, c) for source in analog for c in network.outgoing(source.name) if not c.on_host]
    return sum(float(np.vdot(arrivals[s.name], fan_out(c.map, s.shape))) for s, c in chip) / len(x) * network.timesteps


def _all_synapses(network: Network) -> list[Any]:
    """Connections on the chip with every weight taken for one that is not 0."""
    chip = [c for c in network.connections if not c.on_host]
    return [_Filled(c.source, _filled(c)) for c in chip]


@dataclass(frozen=True, eq=False)
class _Filled:
    source: str
    map: Any


def _filled(layer: Any) -> Any:
    """A linear map whose weights are all 1."""
    return layer.map.with_weight(np.ones_like(layer.map.weight))
