"""`loihiconv.export_netx`: a network as the HDF5 file that lava-dl's own loader builds on a Loihi 2."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from loihiconv.ann.frontends.netx_layers import Layer, Netx, Neuron, Ours
from loihiconv.ann.frontends.netx_write import write_netx
from loihiconv.conversion.reset_to_zero import resets_to_zero
from loihiconv.core.errors import LimitExceeded, UnsupportedLayer
from loihiconv.core.given import check_path
from loihiconv.core.linear import Conv, Dense, LinearMap, Shape
from loihiconv.core.network import IF, STATE_SHIFT, Connection, Integrating, Integrator, Network, check_network
from loihiconv.exchange.nir_kernels import symmetric
from loihiconv.exchange.signals import DENSE_LIMIT
from loihiconv.lava.chip.lif import VTH_MAX

GEOMETRY_MAX = 127
"""Of kernel size, stride, padding, dilation and groups: Lava's own ``Conv`` keeps them in 8 bits."""
OTHERWISE = 'use realization "lifreset", which takes it'


def export_netx(network: Network, path: str | Path) -> None:
    """Write a network for lava-dl's ``lava.lib.dl.netx.hdf5.Network``: CUBA neurons without leak that reset to zero.

    `loihiconv.realize` makes such a network (``loihiconv.realize(net, "netx")``); `loihiconv.deploy` with the realization "netx" writes a
    whole folder, with the program that runs it and the spikes that it must give.

    Parameters
    ----------
    network : Network
        Fixed point: reset to zero, start at 0, biases that are multiples of 64, no exponents of weights.
    path : path
        Customarily ``*.net``. A file that is there is replaced.

    Raises
    ------
    UnsupportedLayer
        For what the format has no words for: more than a chain of layers, max-pooling gates, graded spikes, a delayed readout, an image
        that a dense layer gives.
    LimitExceeded
        For numbers that the format has no place for.
    InvalidSetting
        If h5py is not installed, or the file cannot be written.
    """
    check_network(network)
    check_path(path, "path")
    check_netx(network)
    if not network.fixed_point or not resets_to_zero(network, "netx"):
        raise LimitExceeded(
            "its numbers are not those of the format",
            where="export_netx",
            limit="a reset to zero, starts at 0, biases in steps of 64 and weights without exponents expected",
            remedy='realize it first: loihiconv.realize(net, "netx", calibration=x_train)',
        )
    write_netx(to_netx(network), path)


def check_netx(network: Network) -> None:
    """Raise `UnsupportedLayer` or `LimitExceeded` for what no file of lava-dl can say, whatever the numbers are."""
    _Chain(network)


def to_netx(network: Network) -> Netx:
    """The layers of a network that `export_netx` takes."""
    chain = _Chain(network)
    source, readout = network.input, network.readout
    layers = tuple(_layer(step) for step in chain.steps)
    ours = Ours(
        source.coding,
        source.scale,
        source.payload_max,
        source.signed,
        source.bias_plane,
        source.seed,
        readout.scale,
        "\n".join(p.name for p in network.layers),
        np.array(source.given) if source.given else None,
        source.order,
    )
    return Netx("", source.shape, None, 64, 0, layers, network.timesteps, ours)


@dataclass(frozen=True, eq=False)
class _Step:
    """A population as a layer of a chain, with the shape that its layer has."""

    population: Integrating
    map: LinearMap
    shape: Shape


def check_ends(network: Network) -> None:
    """Raise `UnsupportedLayer` for a network of several inputs or outputs: layers of a file follow one another."""
    for ends, what in ((network.inputs, "inputs"), (network.readout.parts, "outputs")):
        if len(ends) > 1:
            names = ", ".join(end.name for end in ends)
            remedy = "use another realization" if what == "inputs" else f"output={ends[0].name!r} takes one by itself"
            raise UnsupportedLayer(f"netx takes no network of {len(ends)} {what} ({names})", where=network.readout.name, remedy=remedy)


class _Chain:
    """A network as a chain of layers; raises an error where it is none."""

    def __init__(self, network: Network) -> None:
        check_ends(network)
        self.network = network
        self.steps: list[_Step] = []
        shape = network.input.shape
        for before, population in zip(network.populations, network.layers, strict=False):
            if not isinstance(population, Integrator):
                raise UnsupportedLayer(
                    "netx has no gates for max-pooling", where=population.name, remedy='convert with maxpool="relu-tree", or use strides'
                )
            if population.graded:
                remedy = f"use {population.setting_without}"
                raise UnsupportedLayer("netx has no graded spikes of such neurons", where=population.name, remedy=remedy)
            connection = self._only(population, before.name)
            linear = _plain(connection, shape)
            shape = linear.output_shape(shape)
            self.steps.append(_Step(population, linear, shape))
        if network.readout.delay:
            limit = "all layers of netx begin a sample one step after the other"
            remedy = f"convert with readout_delay=0, or {OTHERWISE}"
            raise UnsupportedLayer(
                f"a readout that waits {network.readout.delay} steps", where=network.readout.name, limit=limit, remedy=remedy
            )

    def _only(self, population: Integrating, before: str) -> Connection:
        incoming = self.network.incoming(population.name)
        sources = ", ".join(c.source for c in incoming)
        if len(incoming) != 1:
            raise UnsupportedLayer(
                f"{len(incoming)} connections lead to it, from {sources}",
                where=population.name,
                limit="netx has one a layer",
                remedy=OTHERWISE,
            )
        if incoming[0].on_host:
            remedy = "convert it for a board of Loihi 2"
            raise UnsupportedLayer("the host computes its sums", where=population.name, limit="netx sums on the chip", remedy=remedy)
        if incoming[0].source != before:
            limit = f"in netx every layer takes what the one before it gives, here {before}"
            raise UnsupportedLayer(f"takes what {sources} gives", where=population.name, limit=limit, remedy=OTHERWISE)
        return incoming[0]


def _plain(connection: Connection, shape: Shape) -> LinearMap:
    """A connection's map as lava-dl has them: a convolution that is padded alike on opposite sides, or a matrix."""
    linear = connection.map
    if isinstance(linear, Conv) and len(shape) == 3:
        padding = linear.padding
        alike = padding[0] == padding[1] >= 0 and padding[2] == padding[3] >= 0
        conv = linear if alike else symmetric(linear)
        (top, _, left, _) = conv.padding
        largest = max(*conv.weight.shape[2:], *conv.stride, *conv.dilation, top, left, conv.groups)
        if largest > GEOMETRY_MAX:
            what = f"a kernel size, stride, padding, dilation or number of groups of {largest}"
            raise LimitExceeded(what, where=connection.name, limit=f"Lava's Conv keeps them in 8 bits, at most {GEOMETRY_MAX}")
        return conv
    if isinstance(linear, Conv):
        limit = "netx makes no image of a vector"
        raise UnsupportedLayer("a convolution takes what a dense layer gives", where=connection.name, limit=limit, remedy=OTHERWISE)
    if not np.any(linear.weight):
        raise UnsupportedLayer(
            "all its weights are 0", where=connection.name, limit="lava-dl scales weights by the largest", remedy="remove the layer"
        )
    if isinstance(linear, Dense):
        return linear
    if prod(linear.outputs) * prod(linear.inputs) > DENSE_LIMIT:
        limit = f"netx has dense matrices alone; at most {DENSE_LIMIT} weights are written out"
        what = f"sparse weights, {prod(linear.outputs)} x {prod(linear.inputs)}"
        raise UnsupportedLayer(what, where=connection.name, limit=limit, remedy=OTHERWISE)
    return Dense(np.asarray(linear.matrix.toarray()))


def _layer(step: _Step) -> Layer:
    population = step.population
    bias = np.broadcast_to(np.asarray(population.bias, np.int64), population.shape).reshape(step.shape) >> STATE_SHIFT
    vth = int(population.unit(0)) if isinstance(population, IF) else VTH_MAX
    return Layer(population.name, step.shape, step.map, bias if bias.any() else None, Neuron("CUBA", vth))
