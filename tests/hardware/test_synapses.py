"""Who reaches whom, over how many axons, by hand."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np
import pytest

from loihiconv.core.linear import Dense, LinearMap, Shape
from loihiconv.core.network import Network
from loihiconv.hardware.board import load_board
from loihiconv.hardware.synapses import Synapses, on_chip
from tests.hardware.nets import chain, conv, ones


def synapses(shape: Shape, linear: LinearMap, board: str = "nahuku8") -> Synapses:
    """A map from an image, as a core holds it."""
    network = chain(shape, linear, Dense(ones(2, prod(linear.output_shape(shape)))))
    return Synapses(network, network.connections[0], load_board(board))


@pytest.mark.parametrize(("channels", "axons"), [(1, 1), (512, 1), (513, 2), (1024, 2), (1025, 3)])
def test_an_axon_of_a_pixel_tells_512_channels_apart(channels: int, axons: int) -> None:
    """On Loihi 1 an entry of a population axon takes two slots."""
    seen = synapses((channels, 1, 2), conv(channels, 1, 1))
    assert seen.axons((0, 1), 2) == 2 * axons
    assert seen.entries(channels, 2) == 2 * 2 * axons
    assert synapses((channels, 1, 2), conv(channels, 1, 1), "kapoho_point").entries(channels, 2) == 2 * axons


@pytest.mark.parametrize(
    ("shape", "linear", "population_axons"),
    [
        ((2, 1, 2), conv(2, 1, 1), True),
        ((1, 1, 2), conv(1, 1, 1), True),
        ((2, 1, 1), conv(2, 1, 1), False),  # a single pixel: a vector
        ((2, 1, 2), Dense(ones(3, 4)), True),
        ((1, 1, 2), Dense(ones(3, 2)), False),  # no channels to tell apart
        ((2,), Dense(ones(3, 2)), False),
    ],
)
def test_pixels_share_axons_where_there_are_pixels_and_channels(shape: Shape, linear: LinearMap, population_axons: bool) -> None:
    seen = synapses(shape, linear)
    assert seen.population_axons is population_axons
    assert seen.out_slots == (2 if population_axons else 1)
    assert seen.axons((0, 1), 1) == (1 if population_axons else shape[0])


def test_groups_reach_their_own_channels() -> None:
    """2 groups of 3 source and 2 target channels each."""
    grouped = synapses((6, 1, 2), conv(6, 4, 1, groups=2))
    assert [grouped.source_channels(c) for c in ((0, 1), (0, 2), (1, 3), (2, 4))] == [(0, 3), (0, 3), (0, 6), (3, 6)]
    assert [grouped.overlaps(c) for c in ((0, 2), (1, 3), (0, 3), (0, 4))] == [((2, 3),), ((1, 6),), ((1, 3), (2, 3)), ((2, 6),)]


def test_the_host_sums_where_spikes_have_no_payload() -> None:
    network = chain((4,), Dense(ones(4, 4)), Dense(ones(2, 4)))
    first, second = network.connections
    loihi1, loihi2 = load_board("nahuku8"), load_board("kapoho_point")
    assert [on_chip(network, c, loihi1) for c in (first, replace(first, on_host=False), second)] == [False, False, True]
    assert [on_chip(network, c, loihi2) for c in (first, replace(first, on_host=False), second)] == [False, True, True]


@pytest.mark.parametrize(
    ("lowest", "highest", "signed", "halved"),
    [
        (-8, 6, 4, 3),
        (-8, 8, 5, 4),
        (0, 7, 3, 3),
        (0, 255, 8, 8),
        (-254, 254, 8, 8),
        (-98, 124, 8, 8),
        (-10, 0, 4, 4),
        (0, 0, 1, 1),
        (0, 100, 7, 8),
    ],
)
def test_weights_take_as_many_bits_as_the_largest_has(lowest: int, highest: int, signed: int, halved: int) -> None:
    """Halved where signs mix, -98 to 124 would take 7 bits, which no format has."""
    floats = chain((2,), Dense(np.array([[lowest, highest]] * 2)), Dense(ones(1, 2)))
    whole = replace(floats, fixed_point=True)

    def bits(network: Network) -> tuple[int, int]:
        found = Synapses(network, network.connections[0], load_board("kapoho_point"))
        return found.signed_weight_bits, found.halved_weight_bits

    assert bits(whole) == (signed, halved)
    assert bits(floats) == (8, 8)
