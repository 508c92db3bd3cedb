"""Networks slowed down for Lava's LIF."""

from __future__ import annotations

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.core.network import Network
from loihiconv.demo import digits, digits_cnn
from loihiconv.lava.chip.lif import from_zero, slowed


@pytest.fixture(scope="module")
def net() -> Network:
    return lc.convert(digits_cnn(), digits()[0][:200], board="kapoho_point", timesteps=16, scale="percentile", hold_back=0.0)


def test_slowed_by_hand(net):
    origin = net.origin
    assert origin is not None
    changed = slowed(origin, 4.0)
    first, *others, last = zip(origin.connections, changed.connections, strict=True)
    np.testing.assert_array_equal(first[1].map.weight, first[0].map.weight / np.float32(4))
    assert all(old is new for old, new in others)
    np.testing.assert_array_equal(last[1].map.weight, last[0].map.weight * np.float32(4))
    for old, new in zip(origin.populations[1:-1], changed.populations[1:-1], strict=True):
        np.testing.assert_array_equal(new.bias, old.bias / np.asarray(4, old.bias.dtype))
    assert changed.readout is origin.readout


def test_a_start_at_zero_brings_the_charge_with_the_bias(net):
    origin = net.origin
    changed = from_zero(origin)
    for old, new in zip(origin.populations[1:-1], changed.populations[1:-1], strict=True):
        assert not new.v_init.any()
        np.testing.assert_allclose(new.bias * 16, old.bias * 16 + old.v_init, rtol=1e-6)
    assert changed.readout is origin.readout


def test_charge_that_was_held_back_does_not_shrink_with_the_bias():
    x = digits()[0][:200]
    nets = [lc.convert(digits_cnn(), x, board="kapoho_point", timesteps=16, bias_correction=False, hold_back=h) for h in (0.0, 0.5)]
    none, half = (slowed(net.origin) for net in nets)
    assert any((p.v_init != q.v_init).any() for p, q in zip(nets[0].origin.populations[1:], nets[1].origin.populations[1:], strict=True))
    for p, q in zip(none.populations[1:], half.populations[1:], strict=True):
        np.testing.assert_allclose(p.v_init, q.v_init, atol=1e-6)
        np.testing.assert_allclose(p.bias, q.bias, atol=1e-6)
