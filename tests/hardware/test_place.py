"""Placements: reference networks, and what does not fit."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from time import process_time

import numpy as np
import pytest

from loihiconv.core.errors import InvalidSetting, LimitExceeded
from loihiconv.core.linear import Conv, Dense
from loihiconv.core.network import IF, Connection, Input, MaxPool, Network, Population, Readout
from loihiconv.hardware.board import Board, load_board
from loihiconv.hardware.board_fields import Limit
from loihiconv.hardware.bounds import layer_bounds
from loihiconv.hardware.demand import Layer
from loihiconv.hardware.place import place, require_fit
from loihiconv.hardware.placement_limits import placement_violations
from tests.hardware.nets import chain, conv, mnist_cnn, mobilenet, ones, resnet18, vgg16


def test_cores_are_numbered_without_gaps_and_chips_follow():
    placement = place(mobilenet(), "nahuku32")
    assert list(placement.usage) == list(range(placement.cores))
    assert placement.chips == ceil(placement.cores / 128) == 2


@pytest.mark.parametrize(("network", "most", "bound"), [(mnist_cnn, 14, 13), (mobilenet, 155, 149)])
def test_reference_networks_on_loihi_1(network, most: int, bound: int):
    placement = place(network(), "nahuku32")
    assert placement.violations == ()
    assert placement.bound == bound <= placement.cores <= most


@pytest.mark.slow
@pytest.mark.parametrize("network", [vgg16, resnet18])
def test_large_networks_are_placed(network):
    begin = process_time()
    placement = place(network(), "nahuku32")
    assert process_time() - begin < 10
    assert placement.violations == ()
    assert placement.cores < 2 * placement.bound


def test_mobilenet_has_the_neurons_that_are_published():
    # Rueckauer et al. 2021 count 76,810, the average pooling's 1,024 among them; here it is part of the dense layer.
    assert sum(layer.neurons for layer in place(mobilenet(), "nahuku32").layers) == 76_810 - 1_024


def test_refusals_say_what_and_how_much():
    wide = chain((5000,), Dense(np.ones((5000, 5000))), Dense(np.ones((10, 5000))))
    violations = place(wide, "nahuku32").violations
    assert [(v.layer, v.quantity, v.value, v.limit, v.certain) for v in violations] == [
        ("readout", "input_axons_per_core", 5000, 4096, True)
    ]
    assert "fan-in" in violations[0].remedy


def test_a_board_that_is_too_small():
    placement = place(vgg16(), "kapoho_bay")
    violation = next(v for v in placement.violations if v.quantity == "cores")
    assert violation.value == placement.cores > violation.limit == 256
    assert "chips" in violation.remedy
    assert not placement.fits


def test_max_pooling_is_refused():
    pool = Connection("layer0", "pool", Conv(np.ones((2, 1, 2, 2)), (2, 2), groups=2))
    populations: list[Population] = [Input("input", (2, 4, 4)), _if("layer0", (2, 4, 4)), MaxPool("pool", (2, 2, 2)), _readout(3)]
    first = Connection("input", "layer0", Conv(np.ones((2, 2, 1, 1))), on_host=True)
    network = Network(tuple(populations), (first, pool, Connection("pool", "readout", Dense(np.ones((3, 8))))), 8)
    assert [(v.layer, v.quantity) for v in place(network, "nahuku8").violations] == [("pool", "max_pooling")]


def test_a_float_network_needs_a_board():
    with pytest.raises(InvalidSetting, match="no board"):
        place(mnist_cnn())


def _if(name: str, shape: tuple[int, ...]) -> IF:
    return IF(name, shape, 1.0, np.zeros(1), np.zeros(1))


def _readout(classes: int) -> Readout:
    return Readout("readout", (classes,), np.zeros(1), np.zeros(1))


def limited(**limits: tuple[int, bool]) -> Board:
    """Nahuku with other limits, certain or not."""
    changed = {key: Limit(value=value, certain=certain, source="a test") for key, (value, certain) in limits.items()}
    return load_board("nahuku8").model_copy(update=changed)


def test_bounds_by_hand() -> None:
    """3 channels of 4 pixels into 5 neurons, which feed 2 integrators: the image's axons are shared by its channels."""
    network = chain((3, 2, 2), conv(3, 3, 1), Dense(ones(5, 12)), Dense(ones(2, 5)))
    layers = {name: Layer(network, name, load_board("nahuku8")) for name in ("layer0", "layer1", "readout")}
    assert layer_bounds(layers["layer0"]) == {
        "neurons": 12 * 2 / 1024,
        "synapse_memory": 0,  # the host has the weights
        "axons_in": 0,
        "axons_out": 4 * 2 / 4096,  # a slot is half an entry of a population axon
    }
    assert layer_bounds(layers["layer1"]) == {
        "neurons": 5 * 2 / 1024,
        "synapse_memory": ceil(60 * 8 / 64) / 16384,
        "axons_in": 4 / 4096,
        "axons_out": 5 / 4096,
    }
    assert layer_bounds(layers["readout"]) == {"neurons": 2 / 1024, "synapse_memory": 2 / 16384, "axons_in": 5 / 4096, "axons_out": 0}


def test_a_board_that_is_just_large_enough() -> None:
    network = chain((4,), Dense(ones(4, 4)), Dense(ones(2, 4)))
    few = {"neurons_per_core": (4, True), "chips": (1, True)}
    cores = place(network, limited(**few, cores_per_chip=(128, True))).cores
    assert cores > 1
    assert place(network, limited(**few, cores_per_chip=(cores, True))).violations == ()
    for certain in (True, False):
        (violation,) = place(network, limited(**few, cores_per_chip=(cores - 1, certain))).violations
        assert (violation.quantity, violation.value, violation.limit, violation.certain) == ("cores", cores, cores - 1, certain)


def test_only_what_is_certain_is_refused() -> None:
    network = chain((5000,), Dense(ones(5000, 5000)), Dense(ones(10, 5000)))
    require_fit(network, limited(input_axons_per_core=(4096, False)))
    with pytest.raises(LimitExceeded, match=r"does not fit Nahuku.*: readout: input axons per core 5,000.*; see 'loihiconv place'") as one:
        require_fit(network, limited(input_axons_per_core=(4096, True)))
    assert "more)" not in str(one.value)
    with pytest.raises(LimitExceeded, match=r"\(and 1 more\)"):
        require_fit(network, limited(input_axons_per_core=(4096, True), chips=(1, True), cores_per_chip=(1, True)))


@pytest.mark.parametrize(("words", "found"), [(2, []), (1, ["synapse_words_per_axon"])])
def test_lists_up_to_what_an_axon_takes(words: int, found: list[str]) -> None:
    """Two integrators with a list of one word each, and four neurons with 4 x 18 + 10 bits: two words."""
    network = chain((2,), Dense(ones(1, 2)), Dense(ones(4, 1)), Dense(ones(1, 4)))
    board = limited(synapse_words_per_axon=(words, True))
    placement = replace(place(network, "nahuku8"), board=board)
    assert placement["layer1"].slices[0].demand.longest == 2
    assert [v.quantity for v in placement_violations(placement)] == found
