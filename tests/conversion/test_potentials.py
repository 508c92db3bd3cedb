"""Room for hidden potentials: what calibration samples show, by hand and against the definition, and what the gain leaves for it."""

from __future__ import annotations

import warnings
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import loihiconv as lc
from loihiconv.conversion import quantization
from loihiconv.conversion.gains import LEAST_FOR_POTENTIALS
from loihiconv.conversion.potentials import POTENTIAL_MARGIN, farthest, observe, without_potentials
from loihiconv.conversion.quantization import quantize
from loihiconv.core.linear import Array, Conv, Dense
from loihiconv.core.network import IF, V_MAX, Connection, Input, Network, Readout
from loihiconv.core.record import CalibrationSummary, ConversionRecord
from tests.conversion.test_quantization import LOIHI2

CAUSE = "potential over T steps"


def neurons(*weight: float, bias: float = 0.0, timesteps: int = 10, payload_max: int = 1, v_init: float = 0.5) -> Network:
    """Float neurons of one input each, before a readout."""
    n = len(weight)
    hidden = IF("hidden", (n,), 1.0, np.full(1, v_init, np.float32), np.full(1, bias, np.float32), payload_max=payload_max)
    populations = (Input("input", (1,)), hidden, Readout("readout", (1,), np.zeros(1, np.float32), np.zeros(1, np.float32)))
    connections = (
        Connection("input", "hidden", Dense(np.array(weight, np.float32)[:, None])),
        Connection("hidden", "readout", Dense(np.ones((1, n), np.float32))),
    )
    return Network(populations, connections, timesteps)


def seen(network: Network, **potentials: tuple[float, float]) -> Network:
    return replace(network, record=ConversionRecord(calibration=CalibrationSummary(potentials=potentials)))


def test_what_was_observed() -> None:
    """0.5 - 10 x 0.75 = -7; and 0.5 + 10 x 1.25 - 10 spikes = 3, to which the last spike is added."""
    network = observe(neurons(-0.75, 1.25), np.array([[0.0], [1.0]]))
    assert network.record.calibration.potentials == {"hidden": (-7.0, 4.0)}
    falling = network.populations[1]
    assert isinstance(falling, IF)
    doubled = replace(network, populations=(network.populations[0], replace(falling, vth=2.0), *network.populations[2:]))
    assert observe(doubled, np.array([[1.0]])).record.calibration.potentials["hidden"][0] == -3.5  # in thresholds
    graded = observe(neurons(-0.75, 4.25, payload_max=4), np.array([[1.0]]))
    assert graded.record.calibration.potentials == {"hidden": (-7.0, 3.0 + 4)}
    assert without_potentials(network, {"hidden"}).record.calibration.potentials == {}
    assert without_potentials(network, {"other"}).record.calibration.potentials == network.record.calibration.potentials


@pytest.mark.parametrize(
    ("observed", "expected"),
    [
        ((-4.0, 2.0), 4 * POTENTIAL_MARGIN),
        ((-1.0, 4.0), 4 * POTENTIAL_MARGIN),
        ((-7.0, 2.0), 9.5),  # 0.5 + 10 (-0.75 - 0.25) is the worst at the lower end
        ((-2.0, 20.0), 10.5),  # and 0.5 + 10 (1.25 - 0.25) at the upper
        ((0.5, 0.5), 0.75),  # the lower end is not the upper's mirror
    ],
)
def test_how_far_potentials_go(observed: tuple[float, float], expected: float) -> None:
    network = seen(neurons(-0.75, 1.25, bias=-0.25), hidden=observed)
    hidden = network["hidden"]
    assert isinstance(hidden, IF)
    assert farthest(network, hidden) == pytest.approx(expected)
    assert farthest(without_potentials(network, {"hidden"}), hidden) is None


def spread(n: int = 40, lowest: float = -1.0) -> Network:
    """Neurons with weights all over -1 to 1, so that an exponent pays for them."""
    return neurons(*np.linspace(lowest, 1, n), timesteps=4096)


@pytest.mark.parametrize("far", [100.0, 1000.0])
def test_a_gain_leaves_room_and_exponents_take_the_bits_back(far: float) -> None:
    """64 g 1.5 far <= 2^23 - 1; the weights are as fine as without."""
    free, held = (quantize(network, LOIHI2) for network in (spread(), seen(spread(), hidden=(-far, 1.0))))
    entry = held.record.quantization["hidden"]
    assert entry.limited_by == CAUSE
    assert entry.gain == V_MAX // (64 * POTENTIAL_MARGIN * far)
    assert free.record.quantization["hidden"].gain > 2 * entry.gain
    assert entry.weight_bits_used > 6.9
    assert held.connections[0].weight_exp < 0


def test_neurons_that_nothing_reaches_need_no_room() -> None:
    network = seen(neurons(0.0, v_init=0.0), hidden=(0.0, 1.0))
    assert quantize(network, LOIHI2).record.quantization["hidden"].limited_by != CAUSE


def test_thresholds_stay_fine() -> None:
    """Room for 10,000 thresholds would leave a threshold of 8: too coarse, so that such potentials are watched instead."""
    network = seen(replace(spread(), timesteps=100_000), hidden=(-10_000.0, 1.0))
    spiking = replace(network, populations=(replace(network.input, coding="rate"), *network.populations[1:]))
    assert quantize(spiking, LOIHI2).record.quantization["hidden"].gain == LEAST_FOR_POTENTIALS


def test_a_convolution_of_payloads_leaves_room_where_that_costs_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a short window a few bits are enough; in a long one it needs an exponent, and without leaves no room."""
    rng = np.random.default_rng(0)
    found = {}
    for timesteps in (8, 1024):
        hidden = IF("hidden", (4, 6, 6), 1.0, np.full((1, 1, 1), 0.5, np.float32), np.zeros((1, 1, 1), np.float32))
        populations = (Input("input", (1, 8, 8)), hidden, Readout("readout", (1,), np.zeros(1, np.float32), np.zeros(1, np.float32)))
        weight = rng.normal(0, 0.4, (4, 1, 3, 3)).astype(np.float32)
        connections = (
            Connection("input", "hidden", Conv(weight)),
            Connection("hidden", "readout", Dense(np.ones((1, 144), np.float32))),
        )
        network = observe(Network(populations, connections, timesteps), rng.random((8, 1, 8, 8)))
        for fits in (True, False):
            monkeypatch.setattr(quantization, "place", lambda *_, fits=fits: SimpleNamespace(fits=fits))
            net = quantize(network, LOIHI2)
            found[timesteps, fits] = net.record.quantization["hidden"].limited_by == CAUSE, net.connections[0].weight_exp < 0
    assert found == {(8, True): (True, False), (8, False): (True, False), (1024, True): (True, True), (1024, False): (False, False)}


def perceptron(seed: int, widths: tuple[int, ...]) -> nn.Module:
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    timesteps=st.sampled_from([4, 64, 300]),
    board=st.sampled_from(["kapoho_point", "kapoho_bay"]),
    settings=st.sampled_from([{}, {"bias_correction": False}, {"hold_back": 0.0}, {"input_coding": "rate"}]),
)
def test_no_hidden_potential_saturates_on_calibration_samples(seed: int, timesteps: int, board: str, settings: dict[str, Any]) -> None:
    """Dense layers, whatever T, board and coding; weights keep their bits, but where the host sums with its own."""
    x = np.random.default_rng(seed).random((24, 9)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*no activation on")
        network = lc.convert(perceptron(seed, (9, 14, 12, 3)), x, board=board, timesteps=timesteps, **settings)
        warnings.simplefilter("error")
        assert not [s for s in lc.run(network, x).saturated if s.register == "hidden potentials"]
    bits = [entry.weight_bits_used for entry in network.record.quantization.values() if entry.limited_by != "currents from the host"]
    assert min(bits) > 5.5


def test_settings_decide_where_potentials_are_observed_not_whether() -> None:
    x = np.random.default_rng(0).random((24, 9)).astype(np.float32)
    for correct in (True, False):
        network = lc.convert(perceptron(0, (9, 14, 12, 3)), x, board="kapoho_point", timesteps=8, bias_correction=correct)
        assert set(network.record.calibration.potentials) == {p.name for p in network.populations[1:-1]}
    ends: Array = np.array(list(network.record.calibration.potentials.values()))
    assert (ends[:, 0] < 0).all()
    assert (ends[:, 1] > 1).all()
