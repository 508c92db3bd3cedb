"""`loihiconv.from_netx`: a spiking network that lava-dl has exported, with its own integers."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from pathlib import Path

import numpy as np

from loihiconv.ann.frontends.netx_file import read_netx
from loihiconv.ann.frontends.netx_layers import FULL_DECAY, NO_DECAY, SIGMA_DELTA, Layer, Netx, Neuron, Ours
from loihiconv.conversion.settings import DECLARED
from loihiconv.core.bounds import worst_cases
from loihiconv.core.choices import Coding
from loihiconv.core.errors import InvalidModel, InvalidSetting, UnsupportedLayer
from loihiconv.core.fixed_point import round_weights
from loihiconv.core.given import check_path
from loihiconv.core.linear import Array, Shape
from loihiconv.core.network import IF, STATE_SHIFT, Connection, Input, Network, Population, Readout
from loihiconv.core.record import ConversionRecord
from loihiconv.core.validation import VTH_LIMIT
from loihiconv.core.validation import validate as validate_anywhere
from loihiconv.core.version import __version__
from loihiconv.exchange.signals import identity
from loihiconv.hardware.board import Board, load_board
from loihiconv.hardware.validation import validate

PAYLOADS = 255
"""Largest payload of an input."""


def from_netx(
    source: str | Path | Netx,
    *,
    timesteps: int | None = None,
    board: str | Path | Board | None = None,
    input_coding: Coding | None = None,
    seed: int = 0,
) -> Network:
    """Take a spiking network that lava-dl has exported as it is: its weights, biases and thresholds are the network's integers.

    CUBA and LOIHI neurons whose current decays at once (iDecay 4096) and whose voltage does not decay (vDecay 0) are
    integrate-and-fire neurons that reset to zero. A last layer without neurons, or with a threshold that nothing reaches, is read out by
    its potentials; else spikes are counted. A file of `loihiconv.export_netx` itself says how samples enter, and what populations are
    called.

    Parameters
    ----------
    source : path, or Netx
    timesteps : int, optional
        T; by default the file's ``simulation/tSample``.
    board : str, path, Board or None
        Whose ranges the integers must keep to.
    input_coding : "analog", "rate" or "poisson", optional
        By default "analog" where the input has neurons, whose current is weight x + bias for x from 0 to 1 (in steps of 1/256), and
        "rate", with x spikes per step, where spikes enter; in files of ours what they say.
    seed : int
        Of "poisson".

    Raises
    ------
    UnsupportedLayer
        For neurons that leak, and layers that are neither dense, conv, pool nor flatten.
    LimitExceeded
        If a number is beyond what Loihi, or the board, can hold.
    """
    if not isinstance(source, Netx):
        check_path(source, "source")
    netx = source if isinstance(source, Netx) else read_netx(source)
    if netx.sigma_delta:
        limit = "a network of CUBA or LOIHI neurons expected"
        remedy = "convert it as the float network that it is: loihiconv.convert(NetxModel(path), calibration, ...)"
        raise UnsupportedLayer("sigma-delta neurons", where=netx.path, limit=limit, remedy=remedy)
    steps = timesteps if timesteps is not None else netx.timesteps
    if steps is None:
        raise InvalidSetting("the file does not say how many", where="timesteps", remedy="give the time steps of a sample")
    usual: Coding = "analog" if netx.neuron is not None else netx.ours.coding if netx.ours is not None else "rate"
    coding = input_coding or usual
    for name, value in (("timesteps", steps), ("input_coding", coding), ("seed", seed)):
        DECLARED[name].check(value)
    found = load_board(board) if board is not None else None
    network = _network(netx, steps, coding, seed)
    network = replace(network, board="" if found is None else found.name)
    if found is None:
        validate_anywhere(network)
    else:
        validate(network, found)
    return replace(network, record=replace(network.record, bounds=worst_cases(network)))


def _network(netx: Netx, timesteps: int, coding: Coding, seed: int) -> Network:
    populations: list[Population] = [Input("input", netx.shape, coding, float(PAYLOADS), PAYLOADS, seed=seed)]
    connections: list[Connection] = []
    if coding != "analog":
        populations = [Input("input", netx.shape, coding, 1.0, PAYLOADS, seed=seed)]
    ours = netx.ours
    if netx.neuron is not None:
        populations, connections = _entry(netx, netx.neuron, coding)
    elif ours is not None:
        populations = [_our_input(netx, ours, coding)]
    names = [layer.name for layer in netx.layers] if ours is None else ours.names.splitlines()
    if len(names) != len(netx.layers):
        raise InvalidModel(f"{len(names)} names for {len(netx.layers)} layers", where=netx.path, remedy="export it again")
    unit = float(1 << STATE_SHIFT) if ours is None else ours.unit
    layers = [replace(layer, name=name) for layer, name in zip(netx.layers, names, strict=True)]
    for layer in layers:
        connections.append(_synapses(populations[-1].name, layer))
        bias = np.zeros(1) if layer.bias is None else layer.bias
        read_out = layer is layers[-1] and (ours is not None or not _spikes(layer.neuron))
        populations.append(_readout(layer, bias, unit) if read_out else _neurons(layer, layer.shape, bias))
    if populations[-1].spiking:
        counted = populations[-1]
        ones = identity(counted.shape, "counts")
        connections.append(Connection(counted.name, "counts", ones.with_weight(ones.weight.astype(np.int32))))
        populations.append(Readout("counts", (counted.size,), np.zeros(1, np.int32), np.zeros(1, np.int32), float(1 << STATE_SHIFT)))
    record = ConversionRecord(notes=_notes(netx) if ours is None else (), provenance={"loihiconv": __version__})
    return Network(tuple(populations), tuple(connections), timesteps, fixed_point=True, record=record)


def _entry(netx: Netx, neuron: Neuron, coding: Coding) -> tuple[list[Population], list[Connection]]:
    """The input and its neurons: payloads of 0 to 255 are x in steps of 1/256, and weight 2^-8 payload their current."""
    if coding != "analog":
        limit = "analog expected, as the input's neurons turn values into spikes"
        raise InvalidSetting(f"input_coding {coding}", where=netx.path, limit=limit)
    source = Input("input", netx.shape, "analog", PAYLOADS / 256, PAYLOADS)
    ones = identity(netx.shape, "input0")
    linear = ones.with_weight(ones.weight * netx.weight)
    layer = Layer("input0", netx.shape, linear, None, neuron)
    connection = replace(_synapses("input", layer), weight_exp=-8, map=linear.with_weight(linear.weight.astype(np.int32)))
    return [source, _neurons(layer, netx.shape, np.full(1, netx.bias))], [connection]


def _our_input(netx: Netx, ours: Ours, coding: Coding) -> Input:
    given = () if ours.given is None else tuple(int(n) for n in ours.given)
    order = ours.order
    return Input("input", netx.shape, coding, ours.scale, ours.payload_max, ours.signed, ours.seed, ours.bias_plane, given, order)


def _spikes(neuron: Neuron | None) -> bool:
    """Whether neurons have a threshold that they can reach."""
    return neuron is not None and neuron.threshold < VTH_LIMIT - 1


def _neurons(layer: Layer, shape: Shape, bias: Array) -> IF:
    neuron = layer.neuron
    if neuron is None or neuron.kind == SIGMA_DELTA:
        raise UnsupportedLayer("no neurons that spike", where=layer.name, limit="CUBA or LOIHI neurons expected before the last layer")
    _check_decay(layer.name, neuron)
    return IF(layer.name, shape, neuron.threshold, np.zeros(1, np.int32), _shifted(bias, shape), "zero")


def _readout(layer: Layer, bias: Array, unit: float) -> Readout:
    if layer.neuron is not None:
        _check_decay(layer.name, layer.neuron)
    shape = (prod(layer.shape),)
    whole = np.broadcast_to(_shifted(bias, layer.shape), layer.shape).reshape(shape)
    return Readout(layer.name, shape, np.zeros(1, np.int32), np.array(whole), unit)


def _check_decay(name: str, neuron: Neuron) -> None:
    if (neuron.current_decay, neuron.voltage_decay) != (FULL_DECAY, NO_DECAY):
        raise UnsupportedLayer(
            f"{neuron.kind} neurons that leak: iDecay {neuron.current_decay}, vDecay {neuron.voltage_decay}",
            where=name,
            limit=f"iDecay {FULL_DECAY} and vDecay {NO_DECAY} expected, integrate-and-fire neurons",
            remedy="train with current_decay=1 and voltage_decay=0, or run the file with lava-dl's netx",
        )


def _shifted(bias: Array, shape: Shape) -> Array:
    """Biases in units of v; lava-dl's have a bias_exp of 6."""
    values = np.asarray(bias, np.float64) * 2**STATE_SHIFT
    whole: Array = np.clip(values, -(2**31) + 1, 2**31 - 1).astype(np.int32)
    return whole if bias.ndim == len(shape) else whole.reshape((1,) * len(shape))


def _synapses(source: str, layer: Layer) -> Connection:
    """Weights as they are; odd ones whose signs mix are doubled and shifted back, as Loihi's are even there."""
    weight = layer.map.weight
    exponent = 0
    if (round_weights(weight.astype(np.int64)) != weight).any() and (round_weights((2 * weight).astype(np.int64)) == 2 * weight).all():
        weight, exponent = 2 * weight, -1
    whole = layer.map.with_weight(np.clip(weight, -(2**31) + 1, 2**31 - 1).astype(np.int32))
    return Connection(source, layer.name, whole, weight_exp=exponent)


def _notes(netx: Netx) -> tuple[str, ...]:
    last = netx.layers[-1]
    if _spikes(last.neuron):
        return (f"{last.name}: its spikes are counted; the class with the most wins",)
    if last.neuron is not None:
        return (f"{last.name}: no potential reaches its threshold of {last.neuron.threshold}; it is read out by its potentials",)
    return ()
