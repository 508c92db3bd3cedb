"""Cuts by the compiler's rule: its published tables, and an independent count that finds no limit broken."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, floor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loihiconv.core.linear import Conv, Dense, from_matrix
from loihiconv.core.network import Connection, Network
from loihiconv.hardware.board import Board, load_board
from loihiconv.hardware.board_fields import Limit
from loihiconv.hardware.place import place
from loihiconv.hardware.placement import Placement
from tests.hardware.nets import chain, conv, mnist_cnn, ones
from tests.hardware.recount_compiled import recount_compiled
from tests.hardware.tables import MNIST, PILOTNET_SNN, TABLES, YOLO, network
from tests.hardware.test_placement import covered_once, images
from tests.strategies import Case, cases


def compiling(memory: int = 12000, axons: int = 16000, **limits: int) -> Board:
    """Kapoho Point with another memory, and with other limits of the compiler."""
    board = load_board("kapoho_point")
    assert board.compiler is not None
    changed = {name: Limit(value=value, source="a test") for name, value in limits.items()}
    return board.model_copy(
        update={
            "compiler": board.compiler.model_copy(update=changed),
            "synapse_memory_words": Limit(value=memory, source="a test"),
            "input_axons_per_core": Limit(value=axons, source="a test"),
        }
    )


@pytest.mark.parametrize("name", TABLES)
def test_the_published_tables(name: str) -> None:
    table = TABLES[name]
    placement = place(network(table), compiling(table.words_per_core))
    assert placement.cores == table.cores
    for layer, row in zip(placement.layers, table.rows, strict=True):
        assert len(layer.cores) == len(layer.slices) == row.cores, layer.name
        found = [(s.demand.compartments, s.demand.words) for s in layer.slices]
        neurons, words = (max(f) if isinstance(row.linear, Conv) else floor(np.mean(f)) for f in zip(*found, strict=True))
        assert row.neurons in (None, neurons), layer.name
        assert row.words in (None, words), layer.name
        channels, rows, columns = (b - a for a, b in vars(layer.slices[0].region).values())
        assert row.tile in (None, (columns, rows, channels)), layer.name


def test_an_input_of_neurons_takes_cores_of_its_own() -> None:
    """PilotNet as an SNN, on 74 cores."""
    placement = place(network(PILOTNET_SNN, "rate"), "kapoho_point")
    assert (placement.cores, len(placement["input"].slices)) == (74, 13)
    assert max(s.demand.compartments for s in placement["input"].slices) == 3168
    assert {s.demand.words for s in placement["input"].slices} == {0}


def test_a_wide_image_under_a_convolution_is_warned_of() -> None:
    (found,) = [v for v in place(network(YOLO), "kapoho_point").violations if v.quantity == "convolution_inputs"]
    assert (found.layer, found.value, found.limit, found.certain) == ("input->layer0", 448, 256, False)
    assert "256 n - 1" in str(found)
    for width, warned in ((256, False), (257, True)):
        net = chain((1, 1, width), Conv(ones(1, 1, 1, 1)), Conv(ones(1, 1, 1, 1)), Dense(ones(2, width)))
        assert [v.layer for v in place(net, "kapoho_point").violations] == ["layer0->layer1"] * warned


def test_more_memory_needs_fewer_cores_and_a_network_that_the_compiler_spreads_too_far_does_not_fit() -> None:
    small = compiling(6000).model_copy(update={"chips": Limit(value=1, source="x"), "cores_per_chip": Limit(value=5, source="x")})
    assert place(network(MNIST), compiling(16000)).cores == 5
    placement = place(network(MNIST), small)
    assert placement.cores > 5 >= placement.bound
    assert not placement.fits


@pytest.mark.parametrize(
    ("memory", "axons", "quantity", "value"), [(300, 400, "synapse_memory_words", 400), (400, 399, "input_axons_per_core", 400)]
)
def test_a_neuron_with_too_many_inputs(memory: int, axons: int, quantity: str, value: int) -> None:
    """400 inputs take a word and an axon each."""
    net = chain((4,), Dense(ones(400, 4)), Dense(ones(3, 400)), Dense(ones(2, 3)))
    (found,) = [v for v in place(net, compiling(memory, axons)).violations if v.layer == "layer1"]
    assert (found.quantity, found.value, found.certain) == (quantity, value, True)
    assert place(net, compiling(400, 400))["layer1"].slices


def test_synapses_that_are_written_out() -> None:
    """3x3 kernels over 4x4 pixels of 2 channels, with a delay of one step: lists of 8 + 12 + 1 bits for 4, 6 or 9 taps of 3 channels."""
    net = chain((2, 4, 4), conv(2, 2, 1), conv(2, 2, 1), conv(2, 3, 3), Dense(ones(2, 48)))
    skip = Connection("layer0", "layer2", conv(2, 3, 3))
    both, board = replace(net, connections=(*net.connections, skip)), compiling()
    assert both.delay(skip) == 1
    one, two = (place(n, board)["layer2"].slices[0].demand for n in (net, both))
    lists = {taps: ceil((taps * 3 * 21 + 20) / 64) for taps in (4, 6, 9)}
    assert two.words - one.words == 2 * (4 * lists[4] + 8 * lists[6] + 4 * lists[9])
    assert two.axons_in - one.axons_in == 32


def test_parts_of_a_sparse_vector_differ_and_the_largest_has_to_fit() -> None:
    """Eight neurons; the first four have one synapse, the others 16. Lists of up to two take a word, of four two, of eight three."""
    matrix = np.zeros((8, 16), np.float32)
    matrix[:4, 0] = 1
    matrix[4:] = 1
    net = chain((16,), Dense(ones(16, 16)), from_matrix(matrix, (8,), (16,)), Dense(ones(2, 8)))
    for words, parts in ((33, 1), (32, 2), (31, 4), (16, 4), (15, None)):
        slices = place(net, compiling(words))["layer1"].slices
        assert len(slices) == (parts or 0)
        assert all(s.demand.words <= words for s in slices)


@st.composite
def boards(draw: st.DrawFn) -> Board:
    return compiling(
        draw(st.sampled_from((6, 30, 200, 12000))),
        draw(st.sampled_from((12, 40, 16000))),
        neurons_per_core=draw(st.sampled_from((1, 7, 32, 4095))),
        dense_neurons_per_core=draw(st.sampled_from((1, 3, 255))),
        header_bits=draw(st.sampled_from((0, 20))),
    )


@given(st.one_of(cases().map(lambda case: case.network), images().map(lambda n: replace(n, fixed_point=False))), boards())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_an_independent_count_agrees_and_no_limit_of_the_compiler_is_broken(net: Network, board: Board) -> None:
    placement = place(net, board)
    assert board.compiler is not None
    counted = recount_compiled(net, placement)
    assert counted == {core: (d.compartments, d.words, d.axons_in) for core, d in placement.usage.items()}
    for neurons, words, axons in counted.values():
        assert neurons <= board.compiler.neurons_per_core.value
        assert words <= board.synapse_memory_words.value
        assert axons <= board.input_axons_per_core.value
    unplaced = {layer.name for layer in placement.layers if not layer.slices}
    assert unplaced == {
        v.layer for v in placement.violations if v.certain and v.quantity in ("synapse_memory_words", "input_axons_per_core")
    }
    covered_once(net, placement)
    _unshared(placement)


def _unshared(placement: Placement) -> None:
    held = [s.core for s in placement.slices]
    assert sorted(held) == list(range(len(held)))


@given(cases())
@settings(max_examples=20, deadline=None)
def test_never_fewer_cores_than_the_bound(case: Case) -> None:
    placement = place(case.network, "kapoho_point")
    assert placement.cores >= placement.bound >= 1


def test_the_bound_of_a_convolution_with_an_exponent() -> None:
    """3x3 with padding over 40x40: each side has 118 pairs of row and tap, and no synapse is stored that is not there."""
    net = chain((2, 40, 40), conv(2, 2, 1), conv(2, 4, 3), Dense(ones(3, 6400)))
    net = replace(net, connections=(net.connections[0], replace(net.connections[1], weight_exp=-1), net.connections[2]))
    placement = place(net, "kapoho_point")
    assert placement.cores >= placement.bound
    assert placement["layer1"].bounds["synapse_memory"] == 118 * 118 * 2 * 4 * 8 / 64 / 12000
    assert placement["layer1"].bounds["axons_in"] == 3200 / load_board("kapoho_point").input_axons_per_core.value


def test_a_board_of_ones_own_with_fewer_neurons() -> None:
    """What its file says of the chip holds for the compiler's cut, too; more neurons than the compiler uses change nothing."""
    net, board = mnist_cnn(), load_board("kapoho_point")
    few = board.model_copy(update={"neurons_per_core": Limit(value=200, source="a test")})
    placement = place(net, few)
    assert max(demand.compartments for demand in placement.usage.values()) <= 200
    assert placement.cores >= placement.bound
    assert not placement.unplaced
    many = board.model_copy(update={"neurons_per_core": Limit(value=10_000, source="a test")})
    assert place(net, many).cores == place(net, board).cores < placement.cores
