"""Good networks on scikit-learn's digits, made once, for tests that plant faults in them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from torch import nn

import loihiconv as lc
from loihiconv.core.linear import Array
from loihiconv.core.network import IF, Connection, Network
from loihiconv.demo import digits, digits_cnn


@cache
def data() -> tuple[Array, Array, Array, Array]:
    """Training and held-out digits."""
    return digits()


@cache
def converted(**settings: Any) -> Network:
    """The demo's network."""
    return lc.convert(digits_cnn(), data()[0], **{"board": "kapoho_point", "timesteps": 32, **settings})


def with_max_pooling() -> nn.Module:
    """The demo's network with maxima where it has averages; it still names most digits."""
    layers = [nn.MaxPool2d(2) if isinstance(layer, nn.AvgPool2d) else layer for layer in digits_cnn()]
    return nn.Sequential(*layers).eval()


def changed(network: Network, name: str, **fields: Any) -> Network:
    """A network with other fields in one population."""
    populations = tuple(replace(p, **fields) if p.name == name else p for p in network.populations)
    return replace(network, populations=populations)


def rewired(network: Network, connection: Connection, weight: Array) -> Network:
    """A network with other weights in one connection."""
    other = replace(connection, map=connection.map.with_weight(weight))
    return replace(network, connections=tuple(other if c is connection else c for c in network.connections))


def hidden(network: Network, index: int) -> IF:
    """One of its populations of spiking neurons."""
    population = [p for p in network.populations if isinstance(p, IF)][index]
    assert isinstance(population, IF)
    return population
