"""The chain of stages: it adds up, it starts and ends where back ends do, and steps that change nothing cost nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import loihiconv as lc
from loihiconv.core.errors import InvalidData, InvalidSetting
from loihiconv.core.network import IF
from loihiconv.demo import digits_cnn
from loihiconv.evaluation.explain.analog import RateModel
from loihiconv.evaluation.explain.layers import BINS, LayerSum
from loihiconv.evaluation.explain.reference import read_reference
from loihiconv.evaluation.explain.stages import chain
from loihiconv.evaluation.explain.waterfall import waterfall
from tests.evaluation.good import converted, data

KEYS = ["ann", "rewritten", "clipped", "steps", "float", "weights", "biases", "emulator"]


@pytest.mark.parametrize("options", [{}, {"timesteps": 3}, {"percentile": 50}, {"board": "nahuku32"}, {"input_coding": "rate"}])
def test_steps_add_up_and_end_where_the_emulator_does(options: dict[str, object]) -> None:
    x, y = data()[2][:120], data()[3][:120]
    net = converted(**options)
    result = waterfall(digits_cnn(), net, (x, y), layer_samples=16)
    assert [step.key for step in result.steps] == KEYS
    correct = [round(step.accuracy * result.n) for step in result.steps]
    losses = [step.step.lost - step.step.gained for step in result.steps[1:] if step.step]
    assert correct[0] - sum(losses) == correct[-1]
    assert sum(losses) == result.total.lost - result.total.gained
    assert result["float"].accuracy == np.mean(lc.run(net, x, "float").predictions == y)
    assert result["emulator"].accuracy == np.mean(lc.run(net, x).predictions == y)
    assert [layer.population for layer in result.layers] == [p.name for p in net.populations[1:]]
    for layer in result.layers:
        assert list(layer.errors) == KEYS[1:]
        assert layer.errors["rewritten"].rms <= 1e-5 * max(1, layer.activation_rms)
        assert layer.error == layer.errors["emulator"]


def test_what_changes_nothing_costs_exactly_nothing() -> None:
    x, y = data()[2][:60], data()[3][:60]
    result = waterfall(digits_cnn(), converted(bias_correction=False), (x, y), layer_samples=8)
    last = result["emulator"]
    assert last.same
    assert last.step is not None
    assert (last.loss, last.step.interval95, last.step.p_value) == (0, (0.0, 0.0), 1)
    assert result["rewritten"].loss == 0


def test_recordings_stand_in_for_runs_and_add_stages() -> None:
    x, y = data()[2][:40], data()[3][:40]
    net = converted()
    emulator = lc.run(net, x)
    wrong = np.where(np.arange(40) < 10, (y + 1) % 10, y)
    result = waterfall(digits_cnn(), net, (x, y), recorded={"emulator": emulator, "hardware": wrong}, layer_samples=8)
    assert [step.key for step in result.steps] == [*KEYS, "hardware"]
    assert result["hardware"].accuracy == 0.75
    assert "hardware" in result
    assert result.total.lost - result.total.gained == 10 - (40 - round(40 * result.steps[0].accuracy))
    with pytest.raises(InvalidData, match=r"hardware: recorded 39 samples, the test set has 40"):
        waterfall(digits_cnn(), net, (x, y), recorded={"hardware": wrong[:39]})


def test_a_float_network_has_a_shorter_chain() -> None:
    x, y = data()[2][:20], data()[3][:20]
    assert [s.key for s in waterfall(digits_cnn(), converted(board=None), (x, y), layer_samples=4).steps] == KEYS[:5]


def test_refusals() -> None:
    x, y = data()[2][:4], data()[3][:4]
    with pytest.raises(InvalidSetting, match="without its float origin"):
        waterfall(digits_cnn(), replace(converted(), origin=None), (x, y))
    with pytest.raises(InvalidSetting, match="layer_samples 0"):
        waterfall(digits_cnn(), converted(), (x, y), layer_samples=0)


@pytest.mark.parametrize("hold_back", [0.0, 0.5])
def test_the_reference_takes_corrections_and_held_back_charge_away(hold_back: float) -> None:
    origin = converted(hold_back=hold_back).origin
    assert origin is not None
    reference = read_reference(digits_cnn(), origin)
    names = {p.name for p in origin.populations[1:]}
    x = data()[2][:8]
    wanted = reference.activations(x, names)
    assert set(wanted) == names
    found = RateModel(reference.plain)(x, "relu", keep=names)[1]
    for name in names:
        np.testing.assert_allclose(found[name].numpy(), wanted[name], rtol=0, atol=2e-5, err_msg=name)
    for p in reference.plain.populations:
        if isinstance(p, IF):
            assert (p.v_init == 0.5).all()


def test_weights_quantized_leaves_biases_alone() -> None:
    net = converted(input_coding="rate")
    assert net.origin is not None
    stages = {stage.key: stage.network for stage in chain(net, read_reference(digits_cnn(), net.origin))}
    wide, rounded = stages["weights"], stages["biases"]
    assert wide is not None
    assert rounded is not None
    for p in net.populations:
        if isinstance(p, IF):
            exact = net.origin[p.name].bias.astype(float) * p.vth * 64  # type: ignore[union-attr]
            assert np.abs(wide[p.name].bias - exact).max() <= 0.5  # type: ignore[union-attr]
            assert np.abs(rounded[p.name].bias - exact).max() <= np.abs(exact).max() / 4095 + 0.5  # type: ignore[union-attr]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_streamed_statistics_are_those_of_all_at_once(seed: int, pieces: int) -> None:
    rng = np.random.default_rng(seed)
    population = IF("p", (3, 2), 1.0, np.zeros(1), np.zeros(1))
    a = np.maximum(rng.normal(0.3, 0.5, (10, 3, 2)), 0).astype(np.float32)
    r = (rng.integers(0, 5, (10, 3, 2)) / 4).astype(np.float32)
    total = LayerSum(population, 4)
    for index in np.array_split(np.arange(10), pieces):
        total.add(a[index], r[index], np.ones((len(index), 3, 2)))
    result = total.result({})
    assert result.correlation == pytest.approx(np.corrcoef(a.ravel(), r.ravel())[0, 1], abs=1e-6)
    assert result.error.rms == pytest.approx(np.sqrt(np.mean((r - a.astype(float)) ** 2)))
    assert result.error.mean == pytest.approx(np.mean(r - a.astype(float)))
    assert result.saturated == np.mean(r == 1)
    assert result.clipped == pytest.approx((a > 1).sum() / max(1, (a > 0).sum()))
    assert result.silent == pytest.approx(np.mean(~(r > 0).any(axis=0)))
    assert result.left_over == (1.0 if (r > 0).any() else 0.0)
    assert result.rate_histogram.sum() == (r > 0).sum()
    assert result.activation_histogram[BINS] == (a > 1).sum()
