"""How a board is reached where nothing was said, and what its neurons cannot take."""

from __future__ import annotations

from dataclasses import replace

import pytest

import loihiconv as lc
from loihiconv.backends.on_board import check_biases, reached
from loihiconv.core.errors import LimitExceeded
from loihiconv.demo import digits, digits_cnn
from loihiconv.hardware.board import load_board
from loihiconv.lava.chip.settings import BoardAccess


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
        ("oheo_gulch", BoardAccess(), None, None),
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
