"""NIR's neurons as neurons without leak, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from loihiconv.core.errors import InvalidModel, InvalidSetting, LoihiconvError, UnsupportedLayer
from loihiconv.exchange.nir_graph import NirNode
from loihiconv.exchange.nir_neurons import Reading, integration, read_neurons

ONE = np.ones(2)


def node(kind: str, **fields: Any) -> NirNode:
    return NirNode("here", kind, fields)


def test_if_with_a_reset_potential() -> None:
    neurons = read_neurons(node("IF", r=3 * ONE, v_threshold=2 * ONE, v_reset=-4 * ONE), (2,), Reading(10, dt=0.5))
    assert (neurons.reset, neurons.said, neurons.payload_max) == ("zero", True, 1)
    np.testing.assert_allclose(neurons.gain, 1.5 / 6)  # r dt over the way from v_reset to v_threshold
    np.testing.assert_allclose(neurons.v_init, 4 / 6)  # v = 0 at the start


def test_who_says_how_they_reset() -> None:
    plain, written = {"r": ONE, "v_threshold": ONE}, {"metadata": {"reset": b"subtract", "payload_max": 7, "v_init": np.array([0.5])}}
    assert read_neurons(node("IF", **plain), (2,), Reading(10)).reset == "subtract"
    assert not read_neurons(node("IF", **plain), (2,), Reading(10)).said
    assert read_neurons(node("IF", **plain, v_reset=0 * ONE), (2,), Reading(10)).reset == "zero"
    assert read_neurons(node("IF", **plain, v_reset=0 * ONE), (2,), Reading(10, "subtract")).reset == "subtract"
    ours = read_neurons(node("IF", **plain, v_reset=0 * ONE, **written), (2,), Reading(10))
    assert (ours.reset, ours.payload_max, ours.v_init.tolist()) == ("subtract", 7, [0.5, 0.5])
    assert read_neurons(node("IF", **plain, **written), (2,), Reading(10, payload_max=1)).payload_max == 1


def test_a_leak_that_is_nil() -> None:
    lif: dict[str, Any] = {"v_leak": 0 * ONE, "v_threshold": ONE}
    np.testing.assert_allclose(integration(node("LIF", tau=1e6 * ONE, r=2e6 * ONE, **lif), (2,), Reading(100, dt=0.5)), 1)
    infinite = node("LIF", tau=np.inf * ONE, r=np.inf * ONE, **lif)  # as snnTorch writes beta = 1
    np.testing.assert_allclose(integration(infinite, (2,), Reading(100)), 1)
    cuba = node("CubaLIF", tau_mem=np.inf * ONE, r=np.inf * ONE, tau_syn=1e-4 * ONE, w_in=3 * ONE, **lif)
    np.testing.assert_allclose(integration(cuba, (2,), Reading(100, dt=1e-4)), 3)


@pytest.mark.parametrize(
    ("neuron", "dt", "said"),
    [
        (node("LIF", tau=0.01 * ONE, r=ONE), None, "here: LIF leaks: tau = 0.01"),
        (node("LIF", tau=-1 * ONE, r=ONE), None, "LIF leaks: tau = -1"),
        (node("LIF", tau=1e9 * ONE, r=0 * ONE), None, "LIF adds nothing to v"),
        (node("CubaLIF", tau_mem=0.01 * ONE, tau_syn=0.01 * ONE, r=ONE), 1e-4, "CubaLIF leaks: tau_mem = 0.01"),
        (node("CubaLIF", tau_mem=np.inf * ONE, tau_syn=1e-3 * ONE, r=np.inf * ONE), 1e-4, "synaptic currents that decay"),
        (node("CubaLIF", tau_mem=np.inf * ONE, tau_syn=1e-3 * ONE, r=np.inf * ONE), None, "say how long a step is"),
        (node("Threshold", threshold=ONE), None, "keeps nothing"),
    ],
)
def test_what_leaks_or_keeps_nothing_is_refused(neuron: NirNode, dt: float | None, said: str) -> None:
    with pytest.raises(UnsupportedLayer) as caught:
        integration(neuron, (2,), Reading(10, dt=dt))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "how", "error", "said"),
    [
        ({"v_reset": ONE}, Reading(4, "subtract"), InvalidSetting, "a v_reset of 1 with reset by subtraction"),
        ({"v_reset": 3 * ONE}, Reading(4), InvalidModel, "a v_threshold of 2 and a v_reset of 3"),
        ({"r": np.array([1.0, np.nan])}, Reading(4), InvalidModel, "r holds NaN"),
        ({"metadata": {"payload_max": 999}}, Reading(4), InvalidModel, "payloads of up to 999"),
    ],
)
def test_values_that_go_together_with_nothing(fields: dict[str, Any], how: Reading, error: type[LoihiconvError], said: str) -> None:
    with pytest.raises(error) as caught:
        read_neurons(node("IF", **{"r": ONE, "v_threshold": 2 * ONE, **fields}), (2,), how)
    assert said in str(caught.value)
