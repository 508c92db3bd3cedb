"""How a board is reached where nothing was said, and what its neurons cannot take."""

from __future__ import annotations

from dataclasses import replace

import pytest

import loihiconv as lc
from loihiconv.backends.on_board import check_biases, check_thresholds, reached
from loihiconv.backends.realize import realize
from loihiconv.core.errors import LimitExceeded
from loihiconv.core.network import IF, Network
from loihiconv.demo import digits, digits_cnn
from loihiconv.hardware.board import load_board
from loihiconv.lava.chip.settings import BoardAccess
from tests.lava.small import chain


@pytest.mark.parametrize(
    ("board", "given", "partition", "chip"),
    [
        ("kapoho_point", BoardAccess(), "kp", "N3C1"),
        ("kapoho_point", BoardAccess(partition="kp"), "kp", "N3C1"),
        ("kapoho_point", BoardAccess(partition="oheogulch"), "oheogulch", None),  # other chips, perhaps
        ("kapoho_point", BoardAccess(partition="oheogulch", chip="N3B2"), "oheogulch", "N3B2"),
        ("kapoho_point", BoardAccess(host="board.example"), None, "N3C1"),
        ("kapoho_point", BoardAccess(node="ncl-kp-01"), None, "N3C1"),
        ("kapoho_point", BoardAccess(chip="N3B3"), "kp", "N3B3"),
        ("oheo_gulch", BoardAccess(), "oheogulch", None),
        ("hala_point", BoardAccess(), None, None),
    ],
)
def test_a_board_is_reached_as_its_file_says(board: str, given: BoardAccess, partition: str | None, chip: str | None) -> None:
    assert reached(load_board(board), given) == replace(given, partition=partition, chip=chip)


def test_biases_of_each_sample_go_to_loihi_1_alone() -> None:
    net = lc.convert(digits_cnn(), digits()[0][:100], board="nahuku8", timesteps=4)
    first = next(c for c in net.connections if c.on_host)
    check_biases(net, load_board("nahuku8"))
    with pytest.raises(
        LimitExceeded, match=rf"{first.name}: the host computes its sums .*; Kapoho Point, .* convert it again for kapoho_point"
    ):
        check_biases(net, load_board("kapoho_point"))
    check_biases(lc.convert(digits_cnn(), digits()[0][:100], board="kapoho_point", timesteps=4), load_board("kapoho_point"))


def test_thresholds_of_lif_have_16_bits_on_loihi_2() -> None:
    def with_threshold(vth: int, reset: str = "zero") -> Network:
        first, hidden, readout = chain(reset=reset).populations
        return replace(chain(), populations=(first, replace(hidden, vth=vth), readout))

    two, one = load_board("kapoho_point"), load_board("nahuku8")
    check_thresholds(with_threshold(2**16 - 1), "lif", two)
    check_thresholds(with_threshold(2**16), "lif", one)
    check_thresholds(with_threshold(2**16, "subtract"), "native", two)  # made of another neuron
    with pytest.raises(LimitExceeded, match=r"hidden: vth = 65536; 65535 for a LIF of Loihi 2, .* convert it with reset"):
        check_thresholds(with_threshold(2**16), "native", two)


def test_realization_lif_chooses_thresholds_that_fit() -> None:
    net = lc.convert(digits_cnn(), digits()[0][:100], board="kapoho_point", timesteps=8)
    realized = realize(net, "lif")
    assert 2**15 < max(int(p.unit(0)) for p in realized.populations if isinstance(p, IF)) < 2**16
    check_thresholds(realized, "lif", load_board("kapoho_point"))
