"""What a converted network should do: the float network's activations as rates, and the spiking network before any correction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import numpy as np

from loihiconv.ann.evaluator import Evaluator, batch_of
from loihiconv.ann.frontends import Source, readable
from loihiconv.ann.frontends.given import for_network
from loihiconv.ann.frontends.selection import with_relus
from loihiconv.ann.graph import Ann
from loihiconv.ann.graph import Input as AnnInput
from loihiconv.ann.graph import MaxPool as AnnMaxPool
from loihiconv.ann.graph import Relu as AnnRelu
from loihiconv.ann.passes import lower
from loihiconv.ann.passes.copies import copied_scales, with_copies
from loihiconv.ann.passes.curves import curved
from loihiconv.conversion.naming import population_names
from loihiconv.conversion.quantization import without_idle_channels
from loihiconv.conversion.settings import Settings, settings_of
from loihiconv.conversion.spiking import to_spiking
from loihiconv.core.errors import LoihiconvError
from loihiconv.core.input_coding import sample_shape
from loihiconv.core.linear import Array, Conv, Dense, LinearMap, Sparse
from loihiconv.core.network import Connection, Input, Integrator, MaxPool, Network, Population, assert_never

SAME = 1e-4
"""Weights that differ by less than this share of the largest one are the same."""


@dataclass(frozen=True, eq=False)
class Reference:
    """A model beside the network that was made of it.

    Attributes
    ----------
    ann : Ann
        The model after the passes, a function equal to the model's own but for ``curves``.
    converted : Ann
        The model after the passes that conversion used; another function only where averages stand in for max-pooling.
    scales : {population: λ}
        As conversion chose them, shaped to broadcast.
    plain : Network
        The float spiking network without bias correction and with all charge at the start: with ReLUs, the function of
        ``converted``.
    uncorrected : Network
        The same with the charge that conversion holds back at the start: what converts before bias correction.
    expected : Network or None
        What ``converted`` and ``scales`` give by themselves; None where the network says too little of how it was made.
    curves : tuple of str
        Activations of the model that are no straight lines, for which ``ann`` has ReLUs.
    """

    ann: Ann
    converted: Ann
    scales: Mapping[str, Array]
    plain: Network
    uncorrected: Network
    expected: Network | None
    curves: tuple[str, ...] = ()

    @cached_property
    def averaged(self) -> tuple[str, ...]:
        """Max-pooling layers of the model that the network computes as something else than a maximum."""
        pools = [node.name for node in self.ann if isinstance(node, AnnMaxPool)]
        return tuple(name for name in pools if name not in self.plain or not isinstance(self.plain[name], MaxPool))

    def activations(self, x: Array, keep: set[str]) -> dict[str, Array]:
        """A / λ of these populations, and the outputs of the readout: float32 arrays (N, \\*shape)."""
        names = _names(self.ann, self.plain)
        output = self.ann.output.name
        nodes = [n.name for n in self.ann if n.name != output and not isinstance(n, AnnInput) and _is_population(self.ann, n.name)]
        wanted = [name for name in nodes if names[name] in keep and names[name] in self.scales]
        result, kept = self._evaluator(batch_of(x), keep=wanted)
        rates = {names[name]: _copied(kept[name].numpy() / self.scales[names[name]], self.plain[names[name]]) for name in wanted}
        if names[output] in keep:
            rates[names[output]] = result.flatten(1).numpy()
        return rates

    @cached_property
    def _evaluator(self) -> Evaluator:
        return Evaluator(self.ann)


def read_reference(model: Source, network: Network) -> Reference:
    """Put a model beside the float spiking network that was made of it.

    Parameters
    ----------
    model : nn.Module, or another kind that `loihiconv.ann.frontends` reads
    network : Network
        Float; `Network.origin` of one in fixed point.

    Raises
    ------
    LoihiconvError
        If the model cannot be read.
    """
    recorded = _recorded(network)
    maxpool, pieces = recorded.maxpool, network.record.curves
    original = with_relus(for_network(readable(model), network), len(pieces)).ann(sample_shape(network))
    curves = curved(original)
    ann = lower(original, "relu-tree" if maxpool == "relu-tree" else "gate", pieces).ann
    converted = lower(original, "average", pieces).ann if maxpool == "average" else ann
    scales = _scales(converted, network)
    expected = _expected(converted, scales, network)
    if expected is None:
        return Reference(ann, converted, scales, network, network, None, curves)
    return Reference(ann, converted, scales, *_uncorrected(network, *expected), expected[0], curves)


def same_weights(a: Connection, b: Connection) -> bool:
    """Whether two connections are the same linear map, up to rounding in float32."""
    if not same_form(a.map, b.map):
        return False
    largest = float(np.abs(b.map.weight).max(initial=0))
    return bool(np.abs(a.map.weight - b.map.weight).max(initial=0) <= SAME * max(largest, 1e-12))


def same_form(a: LinearMap, b: LinearMap) -> bool:
    """Whether the weights of two maps belong to each other, one by one."""
    if isinstance(a, Sparse) and isinstance(b, Sparse):
        return a.same_places(b)
    return type(a) is type(b) and a.weight.shape == b.weight.shape


def matching(connection: Connection, own: Network, other: Network) -> Connection | None:
    """The connection of another network that joins the same populations as one of ``own``, the same one in order where several do."""
    mine, theirs = (
        [c for c in network.incoming(connection.target) if c.source == connection.source] if connection.target in network else []
        for network in (own, other)
    )
    return theirs[mine.index(connection)] if len(mine) == len(theirs) else None


def population(network: Network, name: str) -> Population | None:
    """The population of this name, if there is one."""
    return next((p for p in network.populations if p.name == name), None)


def without_plane(connection: Connection, network: Network) -> Connection:
    """A connection without the weights of a bias plane, if its source has one."""
    source = network[connection.source]
    if not isinstance(source, Input) or not source.bias_plane:
        return connection
    linear = connection.map
    inputs, plane = source.size, prod(source.shape[1:])
    match linear:
        case Conv():
            return replace(connection, map=linear.with_weight(linear.weight[:, : source.shape[0] - 1]))
        case Dense():
            return replace(connection, map=Dense(linear.weight[:, :-plane]))
        case Sparse():
            kept = linear.columns < inputs - plane
            places = linear.rows[kept], linear.columns[kept], linear.outputs, source.values_shape
            return replace(connection, map=Sparse(linear.weight[kept], *places))
        case _:
            assert_never(linear)


def _copied(rates: Array, population: Population) -> Array:
    """Rates (N, C, ...) for every copy of a channel: float32 (N, \\*shape)."""
    return np.asarray(rates.repeat(population.shape[0] // rates.shape[1], axis=1), np.float32)


def _names(ann: Ann, network: Network) -> dict[str, str]:
    """Name of the population that a node became, in a network that may be from before sums had the names of layers."""
    return population_names(ann, {p.name for p in network.populations})


def _is_population(ann: Ann, name: str) -> bool:
    return isinstance(ann[name], (AnnRelu, AnnMaxPool))


def _scales(ann: Ann, network: Network) -> dict[str, Array]:
    """λ of every population, from the network's own record of its calibration; 1 where hidden layers were not normalised."""
    recorded = network.record.calibration.scales
    names, scales = _names(ann, network), {}
    for node in ann:
        name = names[node.name]
        if name in recorded and (node is ann.output or isinstance(node, AnnInput) or _is_population(ann, node.name)):
            values = np.asarray(recorded[name], np.float64)
            scales[name] = values.reshape(()) if values.size == 1 else values.reshape(-1, *(1,) * (len(ann.shapes[node.name]) - 1))
    return scales


def _recorded(network: Network) -> Settings:
    """Settings of the conversion; the defaults where the network does not tell."""
    return settings_of(network.record) or Settings(network.timesteps)


def _settings(network: Network) -> Settings:
    """The same, but for what the network's own populations say."""
    return replace(
        _recorded(network),
        timesteps=network.timesteps,
        input_coding=network.inputs[0].coding,
        reset=next((p.resets for p in network.layers if p.resets), "subtract"),
        readout=network.readout.decision,
    )


def _expected(ann: Ann, scales: Mapping[str, Array], network: Network) -> tuple[Network, Network] | None:
    """The float spiking network that conversion would make of this Ann now, without bias correction.

    Once without charge that is held back at the start, whose biases are those of the float network, and once with.
    """
    names = _names(ann, network)
    nodes = [n.name for n in ann if n is ann.output or isinstance(n, AnnInput) or _is_population(ann, n.name)]
    if [p.name for p in network.inputs] != [node.name for node in ann.inputs] or any(names[name] not in scales for name in nodes):
        return None
    scale = {name: scales[names[name]] for name in nodes}
    try:
        settings, signed = _settings(network), [p.name for p in network.inputs if p.signed]
        copied, each = with_copies(ann, settings.copies), copied_scales(ann, scale, settings.copies)
        held_back = to_spiking(copied, each, settings, signed=signed, names=names)
        plain = to_spiking(copied, each, replace(settings, hold_back=0.0), signed=signed, names=names)
    except LoihiconvError:
        return None
    return _without_idle(plain, network), _without_idle(held_back, network)


def _without_idle(expected: Network, network: Network) -> Network:
    """The expected network without the weights of channels that can never spike, where the network has none of them either."""
    bare = without_idle_channels(expected)
    chosen = [
        bare_one if (found := matching(bare_one, bare, network)) is not None and same_weights(found, bare_one) else full
        for full, bare_one in zip(expected.connections, bare.connections, strict=True)
    ]
    return replace(expected, connections=tuple(chosen))


def _uncorrected(network: Network, expected: Network, held_back: Network) -> tuple[Network, Network]:
    """The network with the biases that its weights come with, wherever its weights are those expected; without and with charge held back.

    Elsewhere its biases stay, but for the charge that is held back at the start.
    """
    plain: list[Population] = []
    held: list[Population] = []
    for p in network.populations:
        twin, late = population(expected, p.name), population(held_back, p.name)
        if isinstance(p, Integrator) and isinstance(twin, type(p)) and isinstance(late, type(p)) and p.shape == twin.shape:
            pairs = [(c, matching(c, network, expected)) for c in network.incoming(p.name)]
            if all(other is not None and same_weights(c, other) for c, other in pairs):
                plain.append(replace(p, bias=twin.bias, v_init=twin.v_init))
                held.append(replace(p, bias=late.bias, v_init=late.v_init))
            else:
                plain.append(replace(p, bias=p.bias - (late.bias - twin.bias), v_init=twin.v_init))
                held.append(p)
        else:
            plain.append(p)
            held.append(p)
    return replace(network, populations=tuple(plain)), replace(network, populations=tuple(held))
