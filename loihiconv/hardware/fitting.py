"""A network that does not fit a board is refused before anything is sent there."""

from __future__ import annotations

from loihiconv.core.errors import LimitExceeded
from loihiconv.core.network import Network
from loihiconv.hardware.board import Board
from loihiconv.hardware.placement import place


def require_fit(network: Network, board: Board) -> None:
    """Raise `LimitExceeded` with the first certain limit that a network breaks on a board; `loihiconv place` tells the uncertain ones."""
    certain = [violation for violation in place(network, board).violations if violation.certain]
    if certain:
        more = f" (and {len(certain) - 1} more)" if len(certain) > 1 else ""
        raise LimitExceeded(f"does not fit {board.title}: {certain[0]}{more}", where=network.board, remedy="see 'loihiconv place'")
