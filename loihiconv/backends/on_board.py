"""What a board adds to a run: how it is reached where nothing was said, and what its neurons cannot take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from loihiconv.backends.realize import check_generation, realize
from loihiconv.core.errors import LimitExceeded, UnsupportedLayer
from loihiconv.core.network import Integrator, Network
from loihiconv.hardware.board import Board
from loihiconv.hardware.place import require_fit
from loihiconv.lava.chip.lif import VTH_MAX
from loihiconv.lava.chip.realizations import TO_ZERO, Realization, neuron
from loihiconv.lava.chip.settings import BoardAccess


def reached(board: Board, access: BoardAccess) -> BoardAccess:
    """Access with the board's own partition and chip where none were named.

    Another partition than the board's may have other chips, so there the usual ones of the generation are assumed unless ``access.chip``
    names them.

    Parameters
    ----------
    board : Board
    access : BoardAccess
    """
    usual = board.partition.value if board.partition else None
    by_name = access.partition is not None or access.node is not None or access.host is not None
    partition = access.partition if by_name else usual
    elsewhere = access.partition is not None and access.partition != usual
    stepping = board.stepping.value if board.stepping and not elsewhere else None
    return replace(access, partition=partition, chip=access.chip or stepping)


def for_board(network: Network, realization: Realization, board: Board, options: Mapping[str, Any]) -> Network:
    """The network that a realization runs on a board, or an error if it or the board cannot take it; ``options`` are those of `realize`."""
    check_generation(realization, board)
    if network.silent_steps:
        raise UnsupportedLayer(
            f"{network.silent_steps} silent steps",
            where=f"realization {realization}",
            limit="their neuron program (docs/native_neuron.md) cannot be named for a board yet",
            remedy="convert with silent_steps=0; the emulator and Lava's simulator run silent steps",
        )
    realized = realize(network, realization, **options)
    check_biases(realized, board)
    check_thresholds(realized, realization, board)
    require_fit(realized, board)
    return realized


def check_biases(network: Network, board: Board) -> None:
    """Raise `LimitExceeded` where the host would load biases for each sample into neurons of Loihi 2.

    The public microcode that derives from Lava's ``LIF`` is given ``bias_mant << bias_exp`` as one number when its cores are made. What is
    set later, in ``bias_mant``, does not arrive there. Loihi 1 keeps mantissa and exponent in registers of their own.

    Parameters
    ----------
    network : Network
    board : Board
    """
    loaded = next((c for c in network.connections if c.on_host), None)
    if loaded is None or board.generation == 1:
        return
    raise LimitExceeded(
        "the host computes its sums and loads them as biases for each sample",
        where=loaded.name,
        limit=f"{board.title}: neurons of Loihi 2 get their biases once, when they are made",
        remedy=f"convert it again for {board.name}, where the input's payloads go to the chip",
    )


def check_thresholds(network: Network, realization: Realization, board: Board) -> None:
    """Raise `LimitExceeded` where Lava's ``LIF`` gets a threshold on Loihi 2 that `VTH_MAX` says is not safe there.

    Parameters
    ----------
    network : Network
        As `loihiconv.backends.realize.realize` gives it.
    realization : one of `loihiconv.lava.chip.realizations.REALIZATIONS`
    board : Board
    """
    if board.generation == 1:
        return
    for population in network.populations:
        if not isinstance(population, Integrator) or not population.spiking or neuron(population, realization) not in TO_ZERO:
            continue
        if (vth := int(population.unit(0))) > VTH_MAX:
            raise LimitExceeded(
                f"vth = {vth}",
                where=population.name,
                limit=f"{VTH_MAX} for a LIF of Loihi 2, though Lava declares 17 bits",
                remedy='convert it with reset="subtract", from which realization "lif" chooses thresholds that fit',
            )
