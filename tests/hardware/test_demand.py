"""What a layer takes of a core, by hand."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, prod

import numpy as np
import pytest

from loihiconv.core.linear import Conv, Dense, from_matrix
from loihiconv.core.network import IF, Connection
from loihiconv.hardware.board import Board, load_board
from loihiconv.hardware.board_fields import Limit
from loihiconv.hardware.demand import Demand, Layer, share
from loihiconv.hardware.place import place
from loihiconv.hardware.region import Region
from tests.hardware.nets import chain, conv, mnist_cnn, ones
from tests.hardware.recount import recount


def small_board(name: str, **limits: int) -> Board:
    """A board with tighter limits, so that even small networks must be cut; cuts are looked for."""
    changed: dict[str, Limit | None] = {key: Limit(value=value, source="a test") for key, value in limits.items()}
    return load_board(name).model_copy(update={"compiler": None, **changed})


def test_memory_worked_out_by_hand():
    # 3x3 kernel, 2 -> 3 channels over 4x4 with padding: one slice holds all. Rows are seen in 3 ways, with 2, 3, 3 and 2 taps, so
    # 3 x 3 views per source channel with 4, 6, 6, 6, 9, 6, 4, 6, 4... times 3 targets; an entry has 8 + 10 bits, a list 10 more.
    network = chain((2, 4, 4), Conv(np.ones((2, 2, 1, 1))), Conv(np.ones((3, 2, 3, 3)), padding=(1, 1, 1, 1)), Dense(np.ones((2, 48))))
    layer = place(network, small_board("nahuku8", input_axons_per_core=4096))["layer1"]
    assert layer.kind == "whole"
    assert not layer.slices[0].halo
    taps = [a * b for a in (2, 3, 2) for b in (2, 3, 2)]
    assert layer.slices[0].demand.words == 2 * sum(ceil((n * 3 * 18 + 10) / 64) for n in taps)
    assert layer.slices[0].demand.longest == ceil((9 * 3 * 18 + 10) / 64)
    assert layer.slices[0].demand.axons_in == 16
    assert layer.slices[0].demand.compartments == 3 * 16 * 2


def test_a_halo_is_kept_where_memory_is_short():
    network = chain((64, 4, 4), conv(64, 64, 1), conv(64, 64, 3), Dense(np.ones((2, 1024))))
    placement = place(network, small_board("nahuku8", synapse_memory_words=2048))
    assert placement["layer1"].slices[0].halo
    assert placement.violations == ()


def test_reset_to_zero_needs_half_the_compartments():
    network = mnist_cnn()
    zero = replace(network, populations=tuple(replace(p, reset="zero") if isinstance(p, IF) else p for p in network.populations))
    assert place(zero, "nahuku32").bounds["neurons"] == ceil((2304 + 3200 + 1024 + 10) / 1024)


def test_rate_coded_inputs_take_neurons_and_analog_ones_do_not():
    network = mnist_cnn()
    rate = replace(
        network,
        populations=(replace(network.input, coding="rate", payload_max=255), *network.populations[1:]),
        connections=tuple(replace(c, on_host=False) for c in network.connections),
    )
    assert place(rate, "nahuku32")["input"].neurons == 784
    assert "input" not in {layer.name for layer in place(network, "nahuku32").layers}


def test_skips_wait_and_their_entries_carry_the_delay():
    network = chain((4, 6, 6), conv(4, 4, 1), conv(4, 4, 3), conv(4, 4, 3), Dense(np.ones((2, 144))))
    skip = Connection("layer0", "layer2", Conv(np.ones((4, 1, 1, 1)), groups=4))
    with_skip = replace(network, connections=(*network.connections, skip))
    assert with_skip.delay(skip) == 1
    plain, more = place(network, "nahuku8")["layer2"], place(with_skip, "nahuku8")["layer2"]
    # one list of one synapse per channel and copy of the base's range (36 pixels of 2 compartments: one)
    assert more.slices[0].demand.words == plain.slices[0].demand.words + 4 * ceil((8 + 1 + 10 + 10) / 64)
    assert recount(with_skip, place(with_skip, "nahuku8"))


def test_loihi_2_stores_kernels_once_per_slice():
    placement = place(mnist_cnn(), small_board("kapoho_point"))
    layer = placement["layer1"]
    parts = {s.region.channels for s in layer.slices}
    per_kernel = {(b - a) * 16 * 9 for a, b in parts}
    assert {s.demand.words for s in layer.slices} == {ceil(n * 8 / 64) for n in per_kernel}
    assert prod(layer.shape) == sum(s.region.neurons for s in layer.slices)


def test_lists_are_as_long_as_the_group_with_most_targets() -> None:
    """61 target channels: all 60 of the first group, and 1 of the second; 8 + 10 bits each."""
    network = chain((6, 1, 2), conv(6, 6, 1), conv(6, 120, 1, groups=2), Dense(ones(2, 240)))
    layer = Layer(network, "layer1", load_board("nahuku8"))
    assert layer.demand(Region((0, 61), (0, 1), (0, 2)), halo=False).longest == ceil((60 * 18 + 10) / 64)


def test_the_longest_list_is_that_of_any_connection() -> None:
    network = chain((4,), Dense(ones(4, 4)), Dense(ones(100, 4)), Dense(ones(2, 100)))
    short = Connection("layer0", "layer1", Dense(ones(100, 4)))
    both = replace(network, connections=(*network.connections, short))
    region = Region((0, 100), (0, 1), (0, 1))
    one, two = (Layer(n, "layer1", load_board("nahuku8")).demand(region, halo=False) for n in (network, both))
    assert one.longest == 19 + ceil((36 * 18 + 10) / 64)
    assert (two.longest, two.words, two.axons_in) == (one.longest, 2 * one.words, 2 * one.axons_in)
    assert Demand(1, 2, 3, 4, 5) + Demand(1, 1, 1, 1, 9) == Demand(2, 3, 4, 5, 9) == Demand(1, 1, 1, 1, 9) + Demand(1, 2, 3, 4, 5)


@pytest.mark.parametrize(("reach", "copies"), [(8, 4), (30, 2), (31, 1)])
def test_lists_are_copied_where_a_base_does_not_reach(reach: int, copies: int) -> None:
    """16 neurons of two compartments each: the last one's begins at 30."""
    network = chain((1, 4, 4), conv(1, 1, 1), conv(1, 1, 1), Dense(ones(2, 16)))
    layer = Layer(network, "layer1", small_board("nahuku8", axon_base_range=reach))
    assert layer.demand(Region((0, 1), (0, 4), (0, 4)), halo=False).words == copies


def test_entries_of_what_waits_are_wider_and_the_longest_list_counts() -> None:
    """Three synapses of 18 bits and a header fill a word, with a bit of delay each they need two; windows of 9 have the longest list."""
    network = chain((3, 3, 3), conv(3, 3, 1), conv(3, 3, 1), conv(3, 3, 3), Dense(ones(2, 27)))
    skip = Connection("layer0", "layer2", conv(3, 3, 1))
    both, region = replace(network, connections=(*network.connections, skip)), Region((0, 3), (0, 3), (0, 3))
    one, two = (Layer(n, "layer2", load_board("nahuku8")).demand(region, halo=False) for n in (network, both))
    assert both.delay(skip) == 1
    assert two.words == one.words + 3 * 2
    assert two.longest == one.longest == ceil((9 * 3 * 18 + 10) / 64)


def test_sparse_maps_take_what_their_synapses_take():
    # 3 x 4 -> 4 values; sources 0 and 5 reach three targets each, source 11 one. An entry has 8 + 10 bits, a list 10 more.
    matrix = np.zeros((4, 12), np.float32)
    matrix[:3, 0], matrix[1:, 5], matrix[2, 11] = 1, 1, 1
    network = chain((3, 2, 2), Conv(np.ones((3, 3, 1, 1))), from_matrix(matrix, (4,), (3, 2, 2)), Dense(np.ones((2, 4))))
    placement = place(network, small_board("nahuku8", input_axons_per_core=4096))
    demand = placement["layer1"].slices[0].demand
    assert demand.words == 2 * ceil((3 * 18 + 10) / 64) + ceil((18 + 10) / 64)
    assert demand.longest == ceil((3 * 18 + 10) / 64)
    assert demand.axons_in == 3  # one per pixel: channels 0 of the first, 1 of the second, 2 of the last
    assert placement["layer0"].slices[0].demand.axons_out == 3 * 2
    assert placement.bound == 1
    loihi2 = place(network, small_board("kapoho_point"))["layer1"].slices[0].demand
    assert (loihi2.words, loihi2.axons_in, loihi2.compartments) == (ceil(7 * 8 / 64), 3, 4)


def test_slices_of_a_sparse_map_differ():
    """Two halves of the neurons with one list and with many: each slice is counted by itself, and the larger one decides."""
    matrix = np.zeros((8, 16), np.float32)
    matrix[:4, 0] = 1
    matrix[4:] = 1
    network = chain((16,), Dense(np.ones((16, 16))), from_matrix(matrix, (8,), (16,)), Dense(np.ones((2, 8))))
    cut = place(network, small_board("kapoho_point", neurons_per_core=4, synapse_memory_words=64))
    first, second = (s.demand for s in cut["layer1"].slices)
    assert (first.words, first.axons_in) == (1, 1)
    assert (second.words, second.axons_in) == (8, 16)
    sent = {s.region.channels: s.demand.axons_out for s in cut["layer0"].slices}
    assert sent == {(0, 4): 5, (4, 8): 4, (8, 12): 4, (12, 16): 4}
    assert {core: vars(demand) for core, demand in cut.usage.items()} == recount(network, cut)


def test_the_scarcest_resource_counts() -> None:
    board = load_board("nahuku8")  # 1024 compartments and 4096 axons to and from a core
    assert share(Demand(compartments=512, axons_in=1024), board) == 0.5
    assert share(Demand(compartments=512, axons_in=3072), board) == 0.75
    assert share(Demand(compartments=512, words=12288, axons_in=1024), board) == 0.75
    assert share(Demand(compartments=512, axons_out=1024), board, axons_out=2048) == 0.75
