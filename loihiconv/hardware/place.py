"""Where every neuron goes: populations are cut into slices, slices packed onto cores, cores numbered along the chips.

placement = place(network)            # or place(network, "nahuku32")
placement.cores, placement.chips, placement.bound, placement.violations

Where a board's file says how Intel's compiler cuts, that is how (`loihiconv.hardware.compiler`), for what the compiler does decides
whether a network runs there. Otherwise the cut that takes the fewest cores is looked for (`loihiconv.hardware.partition`).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from loihiconv.core.errors import InvalidSetting, LimitExceeded
from loihiconv.core.network import Network, check_network
from loihiconv.hardware.board import Board, load_board
from loihiconv.hardware.bounds import layer_bounds
from loihiconv.hardware.compiled_layers import compiled_layers
from loihiconv.hardware.demand import Layer, placed
from loihiconv.hardware.limits import network_violations
from loihiconv.hardware.placement import Placement
from loihiconv.hardware.placement_limits import placement_violations
from loihiconv.hardware.searched_layers import searched_layers


def place(network: Network, board: str | Path | Board | None = None) -> Placement:
    """Distribute a network over a board's cores.

    Parameters
    ----------
    network : Network
        Float or fixed point: shapes count for the cores, and where a compiler stores weights in as few bits as they take, their
        range; numbers count for `Placement.violations`.
    board : str, path, Board or None
        None takes the board that the network was quantized for.

    Returns
    -------
    Placement
        Also where something does not fit: `Placement.violations` says what.
    """
    check_network(network)
    if board is None and not network.board:
        raise InvalidSetting("no board given", where="board", limit="the network was not quantized for one", remedy="name one")
    board = load_board(board if board is not None else network.board)
    layers = {p.name: Layer(network, p.name, board) for p in placed(network)}
    bounds = {name: layer_bounds(layer) for name, layer in layers.items()}
    if (compiler := board.cutting) is not None:
        parts, impossible = compiled_layers(layers, bounds, compiler)
    else:
        parts, impossible = searched_layers(network, layers, bounds, board)
    totals = {resource: int(-(-round(sum(b[resource] for b in bounds.values()), 9) // 1)) for resource in next(iter(bounds.values()))}
    placement = Placement(board, tuple(parts), totals)
    found = (*network_violations(network, board), *impossible, *placement_violations(placement))
    return replace(placement, violations=found)


def require_fit(network: Network, board: Board) -> None:
    """Raise `LimitExceeded` with the first certain limit that a network breaks on a board; `loihiconv place` tells the uncertain ones."""
    certain = [violation for violation in place(network, board).violations if violation.certain]
    if certain:
        more = f" (and {len(certain) - 1} more)" if len(certain) > 1 else ""
        raise LimitExceeded(f"does not fit {board.title}: {certain[0]}{more}", where=network.board, remedy="see 'loihiconv place'")
