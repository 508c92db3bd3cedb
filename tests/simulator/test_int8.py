"""Products of bytes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from loihiconv.core.linear import Conv, Dense
from loihiconv.simulator import int8
from loihiconv.simulator.layout import Geometry
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


@pytest.mark.parametrize("payload", [1, 7, 63, 64])
@pytest.mark.parametrize(
    ("linear", "shape"),
    [
        (Dense(np.arange(-12, 12, dtype=np.int32).reshape(4, 6)), (6,)),
        (Conv(np.arange(-27, 27, dtype=np.int32).reshape(3, 2, 3, 3), padding=(1, 1, 1, 1)), (2, 5, 4)),
        (Conv(np.arange(-27, 27, dtype=np.int32).reshape(3, 2, 3, 3), (2, 1), (0, 2, 1, 0)), (2, 5, 4)),
        (Conv(np.arange(-4, 4, dtype=np.int32).reshape(4, 2, 1, 1)), (2, 3, 3)),
    ],
)
def test_signed_payloads_have_a_zero_point(linear: Dense | Conv, shape: tuple[int, ...], payload: int) -> None:
    network, connection = between(linear, shape)
    exact = Synapses(network, connection, torch.device("cpu")).float32
    weights = int8.Bytes.of(torch.from_numpy(linear.weight))
    assert weights is not None
    geometry = Geometry(linear, shape, linear.output_shape(shape))
    product = int8.Int8Product.prepare(geometry, weights, network.shift, (-payload, payload), exact)
    unsigned = int8.Int8Product.prepare(geometry, weights, network.shift, (0, 1), exact)
    assert (product is not None) == (unsigned is not None and payload < 64)
    if product is not None:
        spikes = torch.randint(-payload, payload + 1, (9, int(np.prod(shape))), dtype=torch.int8)
        assert torch.equal(product(spikes), exact(spikes))


BLIND = {
    "beside one column": (Conv(np.full((2, 6, 3, 1), 2, np.int32), (1, 2), (3, 3, 3, 3), (2, 2)), (6, 1, 1)),
    "between taps": (Conv(np.full((24, 1, 3, 3), 2, np.int32), (3, 1), (3, 3, 2, 2), (2, 1), 3), (3, 1, 3)),
    "depthwise": (Conv(np.full((4, 2, 4, 1), 2, np.int32), (1, 3), (1, 1, 2, 2), (2, 2), 4), (8, 7, 1)),
    "beside one row": (Conv(np.full((3, 2, 1, 2), 2, np.int32), (3, 1), (1, 1, 0, 0)), (2, 1, 4)),
}


@pytest.mark.parametrize("name", BLIND)
def test_convolutions_that_see_nothing_are_not_given_to_onednn(name: str) -> None:
    """Its kernels for int8 ended the process on some of these."""
    conv, shape = BLIND[name]
    network, connection = between(conv, shape)
    synapses = Synapses(network, connection, torch.device("cpu"))
    assert synapses.geometry.blind
    assert synapses.int8 is None
    assert not synapses(torch.ones((3, int(np.prod(shape))), dtype=torch.uint8)).any()


@pytest.mark.parametrize(("stride", "blind"), [(1, False), (2, True), (3, False), (4, True)])
def test_one_tap_on_one_pixel_is_enough(stride: int, blind: bool) -> None:
    """Windows begin at -3, -3 + stride, ... of one column."""
    conv = Conv(np.full((2, 6, 3, 1), 2, np.int32), (1, stride), (3, 3, 3, 3), (2, 2))
    assert Geometry(conv, (6, 1, 1), conv.output_shape((6, 1, 1))).blind is blind
    assert not Geometry(Dense(np.ones((2, 6))), (6,), (2,)).blind
