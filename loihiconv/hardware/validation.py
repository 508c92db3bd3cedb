"""Every rule that a network has to keep on a board: those of any back end, and those of the board's own formats of numbers."""

from __future__ import annotations

from loihiconv.core.errors import LimitExceeded
from loihiconv.core.network import Network
from loihiconv.core.validation import validate as validate_anywhere
from loihiconv.hardware.board import Board
from loihiconv.hardware.limits import format_violations


def validate(network: Network, board: Board) -> None:
    """Raise an error for the first rule that a network breaks; nothing that passes is refused by Lava or the emulator.

    Whether it also fits the board, in cores and delays, is for `loihiconv.place`.

    Parameters
    ----------
    network : Network
    board : Board
        Whose widths of weights, thresholds, biases and spikes count.

    Raises
    ------
    InvalidModel, LimitExceeded
        As `loihiconv.core.validation.validate` does, and where a number is wider than the board's format.
    """
    validate_anywhere(network)
    broken = [violation for violation in format_violations(network, board) if violation.certain]
    if broken:
        first = broken[0]
        raise LimitExceeded(
            f"{first.quantity.replace('_', ' ')} {first.value:,}",
            where=first.layer,
            limit=f"{board.title}: at most {first.limit:,}",
            remedy=first.remedy,
        )
