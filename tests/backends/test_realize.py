"""Which integers each realization runs, by hand and by property; nothing of Lava."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import loihiconv as lc
from loihiconv.backends.realize import realize
from loihiconv.core.errors import InvalidSetting, LimitExceeded, UnsupportedLayer
from loihiconv.core.linear import Conv, Dense
from loihiconv.core.network import IF, Connection, MaxPool, Network
from loihiconv.core.record import RealizationRecord
from loihiconv.demo import digits, digits_cnn
from loihiconv.lava.chip.atrlif import largest_threshold
from loihiconv.simulator import simulate
from tests.lava.small import chain


@pytest.fixture(scope="module")
def net() -> Network:
    return lc.convert(digits_cnn(), digits()[0][:200], board="kapoho_point", timesteps=16, scale="percentile", hold_back=0.0)


def test_a_network_that_fits_stays_as_it_is():
    small = chain(timesteps=8)  # vth = 500, even
    for name in ("native", "atrlif"):
        realized = realize(small, name)
        assert realized.populations == small.populations
        assert realized.connections == small.connections
        assert realized.record.realization == RealizationRecord(name, quantized_again=False)
    assert realize(chain(reset="zero"), "lif").record.realization.quantized_again is False


def test_quantized_again_for_atrlif(net):
    realized = realize(net, "atrlif")
    thresholds = [p.vth for p in realized.populations if isinstance(p, IF)]
    assert largest_threshold(16) >= max(thresholds)
    assert not any(vth % 2 for vth in thresholds)
    assert realized.record.realization == RealizationRecord("atrlif", quantized_again=True, largest_threshold=largest_threshold(16))
    x, y = digits()[2:]
    assert (simulate(realized, x).predictions == y).mean() > 0.98


def test_lif_fires_an_eighth_as_often_and_potentials_keep_their_meaning(net):
    realized, x = realize(net, "lif"), digits()[2][:50]
    assert {p.reset for p in realized.populations if isinstance(p, IF)} == {"zero"}
    long = lambda network: replace(network, timesteps=512)  # noqa: E731  (so that roundings of spike counts are small)
    soft, hard = simulate(long(net), x), simulate(long(realized), x)
    assert hard.firing_rate == pytest.approx(soft.firing_rate / 8, rel=0.1)
    outputs = [(r.potentials - r.potentials.mean()) / n.readout.scale / 512 for r, n in ((soft, net), (hard, realized))]
    assert np.corrcoef(outputs[0].ravel(), outputs[1].ravel())[0, 1] > 0.95
    assert np.abs(outputs[1]).mean() == pytest.approx(np.abs(outputs[0]).mean(), rel=0.15)


def test_a_smaller_ratio_fires_more_often(net):
    x = digits()[2][:20]
    rates = [lc.run(net, x, realization="lif", lif_ratio=ratio).firing_rate for ratio in (2.0, 8.0)]
    assert rates[0] > 2 * rates[1]


def test_loihi_1_keeps_its_thresholds_form():
    net = lc.convert(digits_cnn(), digits()[0][:200], board="nahuku32", timesteps=64)
    for population in realize(net, "atrlif").populations:
        if isinstance(population, IF):
            mantissa = population.vth
            while mantissa % 2 == 0:
                mantissa //= 2
            assert mantissa <= 255
            assert population.vth <= largest_threshold(64)


def test_neurons_that_begin_each_sample_by_themselves(net):
    realized, again = realize(net, "lifreset", ratio=2.0), realize(net, "netx")
    assert realized.record.realization == RealizationRecord("lifreset", quantized_again=True, ratio=2.0, corrected=False)
    assert again.record.realization == RealizationRecord("netx", quantized_again=True, ratio=3.0, corrected=False)
    assert realize(again, "netx") is again
    assert realize(again, "lifreset").connections is again.connections  # what netx can say is not all that LIFReset can be
    hidden = [p for p in (*realized.populations, *again.populations) if isinstance(p, IF)]
    assert {p.reset for p in hidden} == {"zero"}
    assert not any(np.any(p.v_init) for p in hidden)
    with pytest.raises(LimitExceeded, match=r"realization lifreset: T = 12; chips reset .* 2\^n .*; convert with timesteps=8 or 16"):
        realize(replace(net, timesteps=12), "lifreset")
    loihi_1 = lc.convert(digits_cnn(), digits()[0][:100], board="nahuku32", timesteps=8, bias_correction=False)
    with pytest.raises(LimitExceeded, match=r"input->0: the host computes its sums .*; .* use realization \"lif\""):
        realize(loihi_1, "lifreset")


def test_what_cannot_be_quantized_again_is_refused():
    odd = chain()
    hidden = replace(odd.populations[1], vth=501)
    with pytest.raises(LimitExceeded, match=r"hidden: vth = 501 is odd; ATRLIF with T = 8 needs even thresholds of at most 8190; .*origin"):
        realize(replace(odd, populations=(odd.populations[0], hidden, odd.populations[2])), "atrlif")
    with pytest.raises(LimitExceeded, match=r"hidden: vth = 500 leaves room for 261 spikes; .* T = 1000 needs .* at most 130;"):
        realize(chain(timesteps=1000), "atrlif")
    with pytest.raises(LimitExceeded, match="hidden: resets by subtraction; Lava's LIF resets to zero"):
        realize(chain(), "lif")
    with pytest.raises(LimitExceeded, match=r"hidden: T = 100000; .*24-bit"):
        realize(chain(timesteps=100_000), "atrlif")


def test_mistakes_are_named():
    with pytest.raises(InvalidSetting, match=r"unknown realization 'cuba'; one of native, atrlif, lif, lifreset, netx"):
        realize(chain(), "cuba")  # type: ignore[arg-type]
    with pytest.raises(InvalidSetting, match="this network is float"):
        realize(replace(chain(), fixed_point=False), "native")
    with pytest.raises(InvalidSetting, match=r"ratio: 0.5; a number of at least 1"):
        realize(chain(), "lif", ratio=0.5)
    with pytest.raises(InvalidSetting, match="a float network has no realization"):
        lc.run(replace(chain(), fixed_point=False), np.ones((1, 4)), "float", realization="lif")


def test_gates_are_refused():
    base = chain(inputs=4)
    hidden = IF("image", (1, 2, 2), 500, np.array(0, np.int32), np.array(0, np.int32))
    pool = MaxPool("pool", (1, 1, 1))
    connections = (
        Connection("input", "image", Dense(np.full((4, 4), 2, np.int32))),
        Connection("image", "pool", Conv(np.ones((1, 1, 2, 2), np.int32), (2, 2))),
        Connection("pool", "readout", Dense(np.full((2, 1), 2, np.int32))),
    )
    network = Network((base.input, hidden, pool, base.readout), connections, 8, fixed_point=True)
    with pytest.raises(UnsupportedLayer, match="pool: no chip has gates for max-pooling"):
        realize(network, "native")


@settings(max_examples=50, deadline=None)
@given(timesteps=st.integers(1, 40), bias=st.sampled_from([0, 64, -64]))
def test_the_emulator_runs_what_a_realization_runs(timesteps: int, bias: int):
    small, x = chain(timesteps=timesteps, bias=bias), np.array([[1.0, 0, 2, 3]])
    plain, realized = lc.run(small, x), lc.run(small, x, realization="atrlif")
    np.testing.assert_array_equal(plain.potentials, realized.potentials)
