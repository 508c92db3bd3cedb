"""Which realization holds a network, and what speaks against those that do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from loihiconv.backends.on_board import for_board
from loihiconv.backends.register_check import check_registers
from loihiconv.core.errors import LimitExceeded, LoihiconvError, UnsupportedLayer
from loihiconv.core.linear import Array
from loihiconv.core.network import Network
from loihiconv.hardware.board import Board
from loihiconv.lava.chip.realizations import Realization

PREFERRED: tuple[Realization, ...] = ("netx", "lifreset", "lif")
"""Made of parts that are publicly known to have run on chips; the first by the only loader that Intel itself has tested there."""
REASONS = {
    "netx": "lava-dl's own loader, which Intel has tested on chips, takes it",
    "lifreset": "LIFReset, Dense and Conv are publicly known to have run on chips",
    "lif": "LIF is publicly known to have run on chips",
}
NO_H5PY = LoihiconvError(
    "it would hold the network, but h5py, which writes its file, is not installed",
    where="realization",
    remedy='pip install "loihiconv[nir]"',
)


@dataclass(frozen=True, eq=False)
class Chosen:
    """A realization, and the network that it runs."""

    name: Realization
    network: Network


def choose(network: Network, board: Board, x: Array, options: Mapping[str, Any]) -> tuple[Chosen, str]:
    """The first of `PREFERRED` that holds a network and samples, and why it is that one.

    Parameters
    ----------
    network : Network
    board : Board
    x : array (N, \\*input shape)
        Samples that registers must hold.
    options : mapping
        "board", "ratio" and "calibration" of `realize`.

    Raises
    ------
    LoihiconvError
        If none does: what the last one says.
    """
    against: dict[str, LoihiconvError] = {}
    for name in PREFERRED:
        try:
            found = Chosen(name, held(network, name, board, x, options))
        except (UnsupportedLayer, LimitExceeded) as error:
            against[name] = error
            if name == PREFERRED[-1]:
                raise
            continue
        if name == "netx" and find_spec("h5py") is None:
            against[name] = NO_H5PY
            continue
        return found, _why(name, against)
    raise AssertionError("PREFERRED is empty")


def _why(chosen: Realization, against: Mapping[str, LoihiconvError]) -> str:
    """Why it is the one that is chosen: what speaks for it, and against each one before it, the same once."""
    reasons: dict[str, list[str]] = {}
    for name, error in against.items():
        where = "" if error.where.startswith("realization") else f"{error.where}: "
        remedy = "" if f'"{chosen}"' in error.remedy else error.remedy
        reasons.setdefault(where + "; ".join(filter(None, (error.what, error.limit, remedy))), []).append(f'"{name}"')
    return "; ".join([REASONS[chosen], *(f"not {' or '.join(names)}: {reason}" for reason, names in reasons.items())])


def held(network: Network, realization: Realization, board: Board, x: Array, options: Mapping[str, Any]) -> Network:
    """The network that a realization runs on a board, or an error if it, the board or a register cannot take it; see `for_board`."""
    realized = for_board(network, realization, board, options)
    check_registers(realized, realization, x)
    return realized
