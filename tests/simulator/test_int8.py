"""Products of bytes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from loihiconv.core.linear import Conv
from loihiconv.simulator import int8
from loihiconv.simulator.synapses import Synapses
from tests.simulator.nets import between


@pytest.mark.parametrize(("value", "narrow"), [(127, True), (-127, True), (254, True), (-254, True), (129, False), (255, False)])
def test_small_products_write_whole_sums(monkeypatch: pytest.MonkeyPatch, value: int, narrow: bool) -> None:
    """The largest weights of one sign with all inputs on; beyond them there is no such product."""
    monkeypatch.setattr(int8, "has_fast_matmul", lambda: True)
    network, connection = between(Conv(np.full((5, 128, 1, 1), value, np.int32)), (128, 3, 2))
    product = Synapses(network, connection, torch.device("cpu")).matmul
    assert (product is not None) == narrow
    if product is not None:
        sums = torch.empty((4, 30), dtype=torch.int32)
        product(torch.ones((4, 768), dtype=torch.uint8), sums)
        assert (sums << product.shift == 128 * value * 64).all()
        some = torch.zeros((3, 30), dtype=torch.int32)
        product.by_rows([torch.ones((4, 768), dtype=torch.uint8)], some)(1, 3)
        assert (some[:2] == sums[:2]).all()
        assert (some[2] == 0).all()
