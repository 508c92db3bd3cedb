"""Which boards there are, without reading them."""

from __future__ import annotations

from loihiconv.hardware.board import boards
from loihiconv.hardware.board_files import board_names


def test_a_file_is_called_as_its_board_is() -> None:
    assert board_names() == sorted(boards())
