"""Comparison of back ends: every sample, spike and potential, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.core.errors import InvalidData, InvalidSetting
from loihiconv.core.network import Network
from loihiconv.demo import digits, digits_cnn
from loihiconv.evaluation.compare import mismatches


@pytest.fixture(scope="module")
def net() -> Network:
    """The demo's network, converted."""
    return lc.convert(digits_cnn(), digits()[0], board="kapoho_point", timesteps=16)


def test_compare_reports_every_back_end(net: Network) -> None:
    _, _, x, y = digits()
    comparison = lc.compare(digits_cnn(), net, (x, y))
    assert list(comparison.backends) == ["ann", "float", "emulator"]
    emulator = comparison.backends["emulator"]
    assert emulator.n == 360
    assert emulator.accuracy == np.mean(lc.run(net, x).predictions == y)
    assert emulator.firing_rate == pytest.approx(lc.run(net, x).firing_rate)
    assert emulator.synaptic_operations is not None
    assert emulator.synaptic_operations > 1e5
    assert comparison.mismatched_spikes is None
    assert set(comparison.to_json()) == {
        *("timesteps", "silent_steps", "added_steps", "board", "payload_max", "signed", "copies", "output", "task", "backends"),
        *("verdict", "mismatched_spikes", "mismatched_potentials", "placement", "settings", "versions"),
    }


@pytest.mark.lava
def test_every_spike_is_compared_with_lava(net: Network, lava_python: str) -> None:
    _, _, x, y = digits()
    comparison = lc.compare(digits_cnn(), net, (x, y), ["emulator", "lava"], lava_samples=3)
    assert comparison.mismatched_spikes == {"0": 0, "3": 0, "7": 0}
    assert comparison.mismatched_potentials == 0
    assert comparison.backends["lava"].n == 3


def test_mismatches_are_counted(net: Network) -> None:
    x = digits()[2][:4]
    a = lc.run(net, x, record=["spikes"])
    flipped = {name: spikes.copy() for name, spikes in a.spikes.items()}
    flipped["3"][0, 0, 0, 0, :2] ^= True
    assert mismatches(a, replace(a, spikes=flipped)) == ({"0": 0, "3": 2, "7": 0}, 0)
    assert mismatches(a, replace(a, potentials=a.potentials + 1))[1] == 40
    with pytest.raises(InvalidData, match="populations"):
        mismatches(a, lc.run(net, x))


def test_refusals(net: Network) -> None:
    x, y = digits()[2][:4], digits()[3][:4]
    model = digits_cnn()
    with pytest.raises(InvalidData, match="4 samples and 3 labels"):
        lc.compare(model, net, (x, y[:3]))
    with pytest.raises(InvalidData, match="targets of shape"):
        lc.compare(model, net, (x, y + 0.5))
    with pytest.raises(InvalidData, match="pair"):
        lc.compare(model, net, x)  # type: ignore[arg-type]
    with pytest.raises(InvalidSetting, match="unknown back end 'gpu'"):
        lc.compare(model, net, (x, y), ["gpu"])
    with pytest.raises(InvalidSetting, match="runs integers"):
        lc.run(net.origin, x)  # type: ignore[arg-type]
    with pytest.raises(InvalidSetting, match="without its float origin"):
        lc.run(replace(net, origin=None), x, "float")


def test_explaining_warns_of_nothing_that_the_comparison_says(net: Network, recwarn: pytest.WarningsRecorder) -> None:
    full = replace(net.readout, v_init=np.array([2**23 - 1], np.int32), bias=np.array([64], np.int32))
    _, _, x_test, y_test = digits()
    comparison = lc.compare(digits_cnn(), replace(net, populations=(*net.populations[:-1], full)), (x_test[:8], y_test[:8]), explain=True)
    assert any("potentials" in line for line in comparison.saturated)
    assert not [str(w.message) for w in recwarn if "saturate" in str(w.message)]
