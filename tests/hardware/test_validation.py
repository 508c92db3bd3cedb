"""What breaks a board's formats is refused, with the limit and the board's name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loihiconv.core.errors import LimitExceeded
from loihiconv.core.linear import Dense
from loihiconv.hardware.board import load_board
from loihiconv.hardware.board_fields import Limit
from loihiconv.hardware.validation import validate
from tests.core.test_artifact import network, with_hidden

BOARD = load_board("kapoho_point")


def test_what_the_board_holds_passes() -> None:
    validate(network(), BOARD)


def test_weights_that_are_finer_than_the_boards() -> None:
    four = BOARD.model_copy(update={"weight_bits": Limit(value=4, source="test")})
    with pytest.raises(LimitExceeded, match="input->hidden: weights that are no multiples of 32"):
        validate(network(), four)
    coarse = tuple(replace(c, map=Dense(c.map.weight * np.int32(16))) for c in network().connections)
    validate(replace(network(), connections=coarse), four)


def test_thresholds_of_loihi_1() -> None:
    nahuku = load_board("nahuku8")
    with pytest.raises(LimitExceeded):
        validate(with_hidden(vth=257), nahuku)
