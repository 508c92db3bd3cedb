"""Numbers of neurons for each activation that a board holds."""

from __future__ import annotations

import pytest
from torch import nn

import loihiconv as lc
from loihiconv.ann.passes import copies
from loihiconv.ann.passes.copies import copied_weights
from loihiconv.conversion import room
from loihiconv.conversion.measuring import read
from loihiconv.conversion.room import TRIED, copies_with_room, shaped
from loihiconv.core.errors import LimitExceeded
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


def test_what_is_too_large_to_be_tried_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    ann = read(small_cnn(), data(4)[:1]).ann
    monkeypatch.setattr(room, "MOST_WEIGHTS", copied_weights(ann, 2))
    assert list(copies_with_room(ann, lc.Settings(1), with_cores(128))) == [2]
    monkeypatch.setattr(copies, "MOST_WEIGHTS", copied_weights(ann, 2))
    with pytest.raises(LimitExceeded, match="copies: 4 neurons for each activation"):
        lc.convert(small_cnn(), data(4), board=None, timesteps=4, copies=4)


def test_gates_of_spiking_inputs_have_room_as_others_have() -> None:
    """They are no gates of analog values, for which other settings than those of the search would take them."""
    model = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3))
    ann = read(model, data(4)[:1], "gate").ann
    settings = lc.Settings(1, maxpool="gate", input_coding="rate")
    assert list(copies_with_room(ann, settings, load_board("kapoho_point"))) == []  # no board has gates
    assert shaped(ann, lc.Settings(1, input_coding="rate", copies=2)).populations[2].shape == (8, 2, 2)
