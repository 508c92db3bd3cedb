"""From a NIR graph to the float spiking network that it is."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from loihiconv.core.choices import Coding
from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from loihiconv.core.linear import Shape
from loihiconv.core.network import IF, Connection, Input, Network, Population, Readout
from loihiconv.exchange.nir_graph import NirGraph, NirNode
from loihiconv.exchange.nir_layers import LAYERS, channelwise, population_shape
from loihiconv.exchange.nir_neurons import INTEGRATING, KINDS, SPIKING, Reading, integration, read_neurons
from loihiconv.exchange.nir_unsaid import few
from loihiconv.exchange.signals import Signal, total


def spiking_network(graph: NirGraph, how: Reading, coding: Coding, seed: int = 0) -> tuple[Network, tuple[str, ...]]:
    """The network of a graph, with thresholds of 1, and what a user should know of how it was read.

    Weights and biases into neurons are multiplied by r dt and divided by their threshold (above v_reset, where spikes reset to it). What
    leads to the output is integrated by a readout; where spikes do, it counts them.

    Parameters
    ----------
    graph : NirGraph
    how : Reading
    coding : "analog", "rate" or "poisson"
    seed : int

    Raises
    ------
    UnsupportedLayer
        If the graph holds something else than linear maps and neurons without leak, or more than one input or output.
    InvalidModel
        If shapes do not fit, or numbers are not finite.
    """
    return _Reader(graph, how).network(coding, seed)


class _Reader:
    """What has been read of a graph so far."""

    def __init__(self, graph: NirGraph, how: Reading) -> None:
        self.graph, self.how = graph, how
        self.populations: list[Population] = []
        self.connections: list[Connection] = []
        self.signals: dict[str, Signal] = {}
        self.unsaid: list[str] = []
        self.to_zero: list[str] = []

    def network(self, coding: Coding, seed: int) -> tuple[Network, tuple[str, ...]]:
        source, output = self._only("Input"), self._only("Output")
        given = _numbers(source)
        entry = Input(source.name, _shape_of(source), coding, signed=coding == "analog", seed=seed, given=given)
        self.populations.append(entry if entry.values_shape != given else replace(entry, given=()))
        self.signals[source.name] = Signal.of(source.name, _shape_of(source))
        for node in self.graph.nodes:
            if node.kind == "Output":
                continue
            if node.kind != "Input":
                self.signals[node.name] = self._read(node, self._incoming(node))
        self._readout(output)
        return Network(tuple(self.populations), tuple(self.connections), self.how.timesteps), self._notes()

    def _only(self, kind: str) -> NirNode:
        found = [node for node in self.graph.nodes if node.kind == kind]
        if len(found) != 1:
            names = f" ({', '.join(node.name for node in found)})" if found else ""
            raise UnsupportedLayer(f"{len(found)} {kind} nodes{names}", where="NIR graph", limit="exactly one expected")
        return found[0]

    def _incoming(self, node: NirNode) -> Signal:
        before = self.graph.before(node.name)
        if not before:
            raise InvalidModel(f"{node.kind} that nothing leads to", where=node.name, remedy="remove it, or join it to the input")
        return total([self.signals[name] for name in before], node.name)

    def _read(self, node: NirNode, signal: Signal) -> Signal:
        if node.kind in SPIKING:
            return self._spiking(node, signal)
        if node.kind in KINDS:
            return self._integrating(node, signal)
        if node.kind not in LAYERS:
            known = ", ".join(sorted((set(LAYERS) | set(KINDS)) - {"Identity", "Threshold"}))
            raise UnsupportedLayer(f"{node.kind} is not supported", where=node.name, limit=f"{known} expected")
        return LAYERS[node.kind](node, signal)

    def _spiking(self, node: NirNode, signal: Signal) -> Signal:
        neurons = read_neurons(node, signal.shape, self.how)
        scaled = signal.times(neurons.gain, node.name)
        start, bias = channelwise(neurons.v_init), channelwise(scaled.bias)
        self._connect(node.name, scaled)
        self.populations.append(IF(node.name, signal.shape, 1.0, start, bias, neurons.reset, neurons.payload_max))
        if not neurons.said:
            self.unsaid.append(node.name)
        elif neurons.reset == "zero" and self.how.reset is None and "reset" not in node.metadata:
            self.to_zero.append(node.name)
        return Signal.of(node.name, signal.shape)

    def _integrating(self, node: NirNode, signal: Signal) -> Signal:
        """Neurons that pass on v itself: only a readout can, at the end."""
        gain = integration(node, signal.shape, self.how)
        after = [self.graph.after(node.name)]
        while after and after[-1]:
            kinds = {n.kind for n in self.graph.nodes if n.name in after[-1]}
            if not kinds <= {"Output", "Flatten", "Identity"} or node.kind not in INTEGRATING:
                limit = "neurons that spike expected, and one that integrates at the end at most"
                raise UnsupportedLayer(f"{node.kind} passes its potential on", where=node.name, limit=limit)
            after.append(tuple(b for a in after[-1] for b in self.graph.after(a)))
        return signal.times(gain, node.name)

    def _readout(self, output: NirNode) -> None:
        signal, before = self._incoming(output), self.graph.before(output.name)
        last = next(n for n in self.graph.nodes if n.name == before[0])
        name = output.name if len(before) > 1 or last.kind in SPIKING else last.name
        if name == self.populations[0].name:
            name = output.name
        self._connect(name, signal)
        start, bias = np.zeros(1, np.float32), signal.bias.reshape(-1).astype(np.float32)
        self.populations.append(Readout(name, (prod(signal.shape),), start, bias))

    def _connect(self, target: str, signal: Signal) -> None:
        for source, linear in signal.merged(target):
            single = linear.with_weight(np.asarray(linear.weight, np.float32))
            self.connections.append(Connection(source, target, single))

    def _notes(self) -> tuple[str, ...]:
        notes = []
        if self.unsaid:
            notes.append(
                f"{few(self.unsaid)}: the file has no v_reset and so does not say how spikes reset; by subtraction, as sinabs does "
                '(reset="zero" for the other)'
            )
        if self.to_zero:
            notes.append(
                f"{few(self.to_zero)}: spikes reset to v_reset, as NIR has it; nir and snnTorch write v_reset = 0 where neurons subtract, "
                'too: reset="subtract" if the network was trained so'
            )
        return tuple(notes)


def _numbers(node: NirNode) -> Shape:
    return node.integers("shape" if node.has("shape") else "input_type")


def _shape_of(node: NirNode) -> Shape:
    return population_shape(_numbers(node), node.name)
