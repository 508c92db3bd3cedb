"""How many neurons for each activation a board has room for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from loihiconv.ann.graph import Ann
from loihiconv.ann.passes.copies import MOST_WEIGHTS, copied_weights, with_copies
from loihiconv.conversion.naming import population_names
from loihiconv.conversion.settings import Settings
from loihiconv.conversion.spiking import to_spiking
from loihiconv.core.network import Network
from loihiconv.hardware.board import Board
from loihiconv.hardware.place import place

TRIED = (2, 4)


def shaped(ann: Ann, settings: Settings) -> Network:
    """A float spiking network with the populations and connections that an Ann becomes, which is all that placing asks for."""
    scales = {name: np.ones(()) for name in ann.shapes}  # shapes decide, so any will do
    return to_spiking(with_copies(ann, settings.copies), scales, settings, names=population_names(ann))


def copies_with_room(ann: Ann, settings: Settings, board: Board) -> Iterator[int]:
    """Those numbers of copies, of `TRIED`, with which a board still holds the network."""
    for copies in TRIED:
        if copied_weights(ann, copies) > MOST_WEIGHTS or not place(shaped(ann, replace(settings, copies=copies)), board).fits:
            return
        yield copies
