"""A delayed readout integrates from step t0 on; `tests/strategies.py` draws delays for what compares back ends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.conversion.judge import Judge
from loihiconv.core.classification import softmax_spikes
from loihiconv.core.errors import InvalidModel, InvalidSetting
from loihiconv.core.network import Network
from loihiconv.evaluation.explain.attribution import split
from loihiconv.evaluation.explain.theory import recorded_rates
from loihiconv.simulator import simulate
from tests.conversion.small import data, small_cnn


def converted(timesteps: int = 12, **settings: object) -> Network:
    return lc.convert(small_cnn(), data(40), board="kapoho_point", timesteps=timesteps, **settings)


def delayed(network: Network, delay: int) -> Network:
    return replace(network, populations=(*network.populations[:-1], replace(network.readout, delay=delay)))


@pytest.mark.parametrize("portable", [False, True])
@pytest.mark.parametrize("memory", [None, 1])
@pytest.mark.parametrize("delay", [0, 1, 5, 11])
def test_it_is_what_comes_after_the_delay(delay: int, memory: int | None, portable: bool) -> None:
    """Against the course of the same readout without a delay; also where a block of steps ends within it."""
    net, x = converted(), data(9)
    course = simulate(net, x, record=["potentials"]).potentials_over_time
    assert course is not None
    start = np.broadcast_to(net.readout.v_init, net.readout.shape)
    late = simulate(delayed(net, delay), x, record=["potentials"], memory=memory, portable=portable)
    before = course[:, delay - 1] if delay else start
    np.testing.assert_array_equal(late.potentials, course[:, -1] - before + start)
    assert late.potentials_over_time is not None
    assert (late.potentials_over_time[:, :delay] == start).all()
    np.testing.assert_array_equal(late.potentials_over_time[:, delay:], course[:, delay:] - before[..., None, :] + start)
    for name, counts in simulate(net, x).spike_counts.items():
        np.testing.assert_array_equal(late.spike_counts[name], counts)


def test_a_conversion_uses_the_room_and_keeps_the_outputs_scale() -> None:
    plain, net = converted(optimize="none", percentile=99), converted(optimize="none", percentile=99, readout_delay=8)
    assert (net.readout.delay, net.readout_steps) == (8, 4)
    assert net.record.settings["readout_delay"] == 8
    reach, before = (n.record.quantization[n.readout.name].gain for n in (net, plain))
    assert reach >= before
    assert net.record.bounds[net.readout.name].v < plain.record.bounds[plain.readout.name].v * reach / before
    assert net.origin is not None
    judge = Judge(_ann(), data(40))
    long = lc.convert(small_cnn(), data(40), board="kapoho_point", timesteps=512, readout_delay=256)
    assert judge(long)[1].mean() < 0.01
    recording = simulate(long, data(5), record=["residuals"])
    rates = recorded_rates(long, recording, data(5))[long.readout.name] / long.readout.scale
    np.testing.assert_allclose(rates, judge.outputs[:5], atol=0.05 * np.abs(judge.outputs).max())
    parts = split(long, recording, data(5))[long.readout.name].parts
    assert np.any(parts["transient"])
    assert not np.any(parts["discarded"])


def _ann() -> object:
    from loihiconv.conversion.measuring import read

    return read(small_cnn(), data(4)).ann


def test_bias_correction_averages_over_the_steps_that_count() -> None:
    """Corrected potentials have the mean outputs of the ANN, per step that is integrated."""
    x = data(40)
    net = lc.convert(small_cnn(), x, board=None, timesteps=16, readout_delay=8)
    outputs = simulate(net, x).potentials / (net.readout.scale * 8)
    np.testing.assert_allclose(outputs.mean(axis=0), Judge(_ann(), x).outputs.mean(axis=0), atol=1e-4)


def test_a_softmax_asks_for_nothing_before() -> None:
    net = converted(readout="softmax", readout_delay=7)
    course = simulate(net, data(6), record=["potentials"]).potentials_over_time
    assert course is not None
    late = softmax_spikes(net.readout, course)
    assert not late[:, :7].any()
    early = softmax_spikes(replace(net.readout, delay=0), course)
    np.testing.assert_array_equal(late[:, 7:], early[:, 7:])
    assert early[:, :7].any()


def test_it_is_saved(tmp_path: Path) -> None:
    net = converted(readout_delay=3)
    net.save(tmp_path / "net.lnet")
    again = lc.load(tmp_path / "net.lnet")
    assert again.readout.delay == 3
    np.testing.assert_array_equal(lc.run(again, data(4)).potentials, lc.run(net, data(4)).potentials)


def test_refusals() -> None:
    with pytest.raises(InvalidSetting, match="readout_delay 12; 0 to 11, fewer than the time steps, expected"):
        converted(readout_delay=12)
    with pytest.raises(InvalidModel, match="a delay of 12 steps; 0 to 11 expected"):
        delayed(converted(), 12)
