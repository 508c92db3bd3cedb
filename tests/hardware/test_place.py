"""Placements: reference networks, and what does not fit."""

from __future__ import annotations

from math import ceil
from time import process_time

import numpy as np
import pytest

from loihiconv.core.errors import InvalidSetting
from loihiconv.core.linear import Conv, Dense
from loihiconv.core.network import IF, Connection, Input, MaxPool, Network, Population, Readout
from loihiconv.hardware.place import place
from tests.hardware.nets import chain, mnist_cnn, mobilenet, resnet18, vgg16


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
