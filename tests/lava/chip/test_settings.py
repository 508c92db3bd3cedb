"""How a board is reached."""

from __future__ import annotations

import pytest

from loihiconv.core.errors import InvalidSetting
from loihiconv.lava.chip.settings import BoardAccess


def test_a_board_is_reached_one_way():
    with pytest.raises(InvalidSetting, match="SLURM or by its address"):
        BoardAccess(partition="oheogulch", host="board.example")
