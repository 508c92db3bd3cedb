"""Numbers of neurons for each activation that a board holds."""

from __future__ import annotations

import loihiconv as lc
from loihiconv.conversion.measuring import read
from loihiconv.conversion.room import TRIED, copies_with_room, shaped
from loihiconv.hardware.board import Board, load_board
from loihiconv.hardware.place import place
from tests.conversion.small import data, small_cnn


def with_cores(number: int) -> Board:
    board = load_board("kapoho_point")
    changed = {"chips": 1, "cores_per_chip": number}
    return board.model_copy(update={name: getattr(board, name).model_copy(update={"value": value}) for name, value in changed.items()})


def test_as_many_as_there_are_cores_for() -> None:
    ann = read(small_cnn(), data(4)[:1]).ann
    needed = [place(shaped(ann, lc.Settings(1, copies=copies)), with_cores(128)).cores for copies in (1, *TRIED)]
    assert needed == sorted(needed)
    for cores in range(needed[0], needed[-1] + 1):
        held = [copies for copies, most in zip(TRIED, needed[1:], strict=True) if most <= cores]
        assert list(copies_with_room(ann, lc.Settings(1), with_cores(cores))) == held


def test_shapes_are_those_of_the_network() -> None:
    ann = read(small_cnn(), data(4)[:1]).ann
    assert [p.shape[0] for p in shaped(ann, lc.Settings(1, copies=2)).populations] == [2, 12, 16, 24, 5]
