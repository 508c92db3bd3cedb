"""Networks of constant currents: neurons against the simulator, networks against the theory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from loihiconv.core.choices import Reset
from loihiconv.core.network import IF, Readout
from loihiconv.evaluation.explain.analog import RateModel, fired
from loihiconv.evaluation.explain.theory import analog_rates
from loihiconv.simulator import simulate
from tests.evaluation.explain.test_theory import dense_float, positive_network
from tests.strategies import Case, cases


@pytest.mark.parametrize("reset", ["subtract", "zero"])
@pytest.mark.parametrize("start", [0.0, 0.5, -0.25])
@pytest.mark.parametrize("timesteps", [1, 7, 32])
def test_constant_currents_against_the_simulator(reset: Reset, start: float, timesteps: int) -> None:
    currents = np.concatenate([np.arange(-16, 160) / 128, [3.0]])[:, None]
    network = dense_float([currents, np.eye(len(currents))], [np.zeros(len(currents))] * 2, timesteps=timesteps, start=start, reset=reset)
    counts = simulate(network, np.ones((1, 1))).spike_counts["layer0"][0]
    rates = fired(torch.from_numpy(currents[:, 0]), timesteps, start, reset)
    np.testing.assert_array_equal(np.rint(rates.numpy() * timesteps), counts)


@pytest.mark.parametrize("payload_max", [3, 15])
@pytest.mark.parametrize("start", [0.0, 0.5, -0.25, 1.0, -2.5])
@pytest.mark.parametrize("timesteps", [1, 2, 7])
def test_graded_spikes_of_constant_currents_against_brute_force(payload_max: int, start: float, timesteps: int) -> None:
    currents = np.concatenate([np.arange(-48, 64) / 16, [payload_max - 0.25, payload_max, payload_max + 0.5, 40.0]])
    v, sent = np.full(len(currents), start), np.zeros(len(currents))
    for _ in range(timesteps):
        v = v + currents
        payload = np.clip(np.floor(v), 0, payload_max)
        v, sent = v - payload, sent + payload
    rates = fired(torch.from_numpy(currents), timesteps, start, payload_max=payload_max)
    np.testing.assert_allclose(rates.numpy() * timesteps, sent, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(cases(max_timesteps=4, separated=True))
def test_relu_is_the_analog_network(case: Case) -> None:
    network = case.network
    expected = analog_rates(network, case.x)
    outputs, kept = RateModel(network)(case.x, "relu", keep=list(expected))
    for p in network.populations[1:]:
        if any(c.on_host for c in network.incoming(p.name)):
            return  # the host rounds its currents, and all that follows sees it
        scale = p.scale if isinstance(p, Readout) else 1.0
        wanted = expected[p.name] / scale
        np.testing.assert_allclose(kept[p.name].numpy(), wanted, rtol=1e-4, atol=1e-4 * (1 + np.abs(wanted).max()), err_msg=p.name)
    np.testing.assert_array_equal(outputs.numpy(), kept[network.readout.name].numpy())


def test_clip_and_steps() -> None:
    network, x = positive_network(0, 8, 0.5)
    relu, clip, steps = (RateModel(network)(x, t, keep=["layer0"])[1]["layer0"] for t in ("relu", "clip", "steps"))
    torch.testing.assert_close(clip, relu.clamp(0, 1))
    torch.testing.assert_close(steps * 8, (steps * 8).round())
    assert float((steps - clip).abs().max()) <= 1 / 8
    assert RateModel(network).outputs(x, "relu").shape[0] == 4
    network = replace(network, populations=tuple(replace(p, payload_max=3) if isinstance(p, IF) else p for p in network.populations))
    relu, clip, steps = (RateModel(network)(8 * x, t, keep=["layer0"])[1]["layer0"] for t in ("relu", "clip", "steps"))
    torch.testing.assert_close(clip, relu.clamp(0, 3))
    assert float(steps.max()) > 1
    assert float((steps - clip).abs().max()) <= 1 / 8


def test_a_bound_of_the_function_is_one_of_its_rates() -> None:
    network, x = positive_network(0, 8, 0.5)
    bounded = replace(
        network, populations=tuple(replace(p, bound=np.full((1,), 0.5)) if isinstance(p, IF) else p for p in network.populations)
    )
    relu, cut = (RateModel(net)(x, "relu", keep=["layer0"])[1]["layer0"] for net in (network, bounded))
    assert float(relu.max()) > 0.5
    torch.testing.assert_close(cut, relu.clamp(0, 0.5))
    np.testing.assert_allclose(analog_rates(bounded, x)["layer0"], cut.numpy(), rtol=1e-5)
