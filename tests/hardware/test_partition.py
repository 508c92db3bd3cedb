"""Cuts that fill a core, by hand; all others are recounted in test_placement.py."""

from __future__ import annotations

import pytest

from loihiconv.core.linear import Dense
from loihiconv.hardware.board import load_board
from loihiconv.hardware.board_fields import Limit
from loihiconv.hardware.place import place
from tests.hardware.nets import chain, ones


@pytest.mark.parametrize(("neurons", "kind"), [(512, "whole"), (513, "channels")])
def test_a_core_may_be_full(neurons: int, kind: str) -> None:
    """512 neurons of two compartments each fill one."""
    network = chain((2,), Dense(ones(4, 2)), Dense(ones(neurons, 4)), Dense(ones(2, neurons)))
    assert place(network, "nahuku8")["layer1"].kind == kind


@pytest.mark.parametrize(("words", "kind"), [(30, "whole"), (29, "channels")])
def test_a_list_may_be_as_long_as_an_axon_takes(words: int, kind: str) -> None:
    """100 synapses of 18 bits: 19 words for a block of 64 with its header, and 11 for one of 36."""
    board = load_board("nahuku8").model_copy(update={"synapse_words_per_axon": Limit(value=words, source="a test")})
    network = chain((2,), Dense(ones(4, 2)), Dense(ones(100, 4)), Dense(ones(2, 100)))
    layer = place(network, board)["layer1"]
    assert layer.kind == kind
    assert layer.slices[0].demand.longest <= words
