"""The chip's process graph in Lava's CPU simulator, spike for spike what the emulator predicts."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import loihiconv as lc
from benchmarks import data, nets
from loihiconv.backends.register_check import check_registers
from loihiconv.core.errors import LimitExceeded
from loihiconv.core.linear import Dense
from loihiconv.core.network import IF, Connection, MaxPool, Network
from loihiconv.core.record import RealizationRecord
from loihiconv.evaluation.compare import mismatches
from loihiconv.lava.chip.atrlif import largest_threshold
from loihiconv.lava.chip.lif import VTH_MAX
from loihiconv.lava.chip.settings import ChipSettings
from loihiconv.lava.client import LavaFailed, run_lava
from loihiconv.simulator import simulate
from tests.backends.driven import driven
from tests.lava.small import chain
from tests.strategies import Case, cases

pytestmark = pytest.mark.lava
EXAMPLES = int(os.environ.get("LOIHICONV_LAVA_EXAMPLES", "10"))
slow = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def fitted(network: Network, realization: str) -> Network:
    """Integers of a realization without quantizing again: even thresholds within the budget, or reset to zero everywhere."""
    ceiling = largest_threshold(network.timesteps)

    def change(population: IF) -> IF:
        if realization == "native":  # there only neurons of its own count steps
            return replace(population, reset="subtract") if network.silent_steps else population
        population = replace(population, silent=0, buffered=False)
        if realization == "lif":
            return replace(population, reset="zero")
        if realization == "lifreset":
            return replace(population, reset="zero", v_init=np.zeros(1, np.int32), vth=min(int(population.vth), VTH_MAX))
        if realization == "atrlif" and population.reset == "subtract":
            return replace(population, vth=max(2, min(int(population.vth), ceiling) // 2 * 2))
        return population

    populations = tuple(change(p) if isinstance(p, IF) else p for p in network.populations)
    if realization == "lifreset":
        populations = (*populations[:-1], replace(network.readout, v_init=np.zeros(1, np.int32)))
    return replace(network, populations=populations)


@pytest.mark.usefixtures("forked")
@slow
@given(
    case=cases(max_timesteps=12, max_samples=3, graded=False, several=True, separated=True),
    realization=st.sampled_from(("native", "atrlif", "atrlif", "lif", "lifreset", "lifreset")),
)
def test_every_spike_equals_the_emulators(case: Case, realization: str) -> None:
    assume(not any(isinstance(p, MaxPool) for p in case.network.populations))
    assume(realization != "lifreset" or not any(c.on_host for c in case.network.connections))
    network = fitted(case.network, realization)
    try:
        check_registers(network, realization, case.x)  # type: ignore[arg-type]
    except LimitExceeded:
        assume(False)
    chip = ChipSettings(realization)  # type: ignore[arg-type]
    recording = run_lava(network, case.x, record=["spikes", "potentials"], chip=chip, deadline=120)
    expected = simulate(network, case.x, record=["spikes", "potentials"])
    assert mismatches(expected, recording) == (dict.fromkeys(recording.spikes, 0), 0)
    assert set(recording.spikes) == set(expected.spikes)
    np.testing.assert_array_equal(recording.potentials_over_time, expected.potentials_over_time)
    np.testing.assert_array_equal(recording.predictions, expected.predictions)
    assert recording.synaptic_operations == pytest.approx(expected.synaptic_operations)


@pytest.mark.usefixtures("forked")
@settings(slow, max_examples=max(1, EXAMPLES // 3))
@given(
    timesteps=st.integers(1, 40), weight=st.integers(1, 127).map(lambda n: 2 * n), payload=st.integers(1, 255), v_init=st.integers(0, 9999)
)
def test_atrlif_at_the_end_of_its_budget(timesteps: int, weight: int, payload: int, v_init: int) -> None:
    """The largest threshold that T allows, and inputs around it and beyond, for which v saturates."""
    network = driven(timesteps=timesteps, vth=largest_threshold(timesteps), weight=weight, v_init=v_init)
    x = np.array([[float(payload)], [1.0]])
    recording = run_lava(network, x, record=["spikes"], chip=ChipSettings("atrlif"), deadline=120)
    np.testing.assert_array_equal(recording.spikes["hidden"], simulate(network, x, record=["spikes"]).spikes["hidden"])


def test_beyond_the_budget_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loihiconv.lava.client.run_lava", lambda *_, **__: pytest.fail("it ran"))
    network = replace(driven(timesteps=16, vth=8190, weight=90, v_init=1), timesteps=15)
    too_long = replace(network, timesteps=16)
    with pytest.raises(LimitExceeded, match=r"hidden: vth = 8190 leaves room for 15 spikes; ATRLIF with T = 16 needs .* at most 7942"):
        lc.run(too_long, np.array([[91.0]]), "lava", realization="atrlif")


@pytest.mark.usefixtures("forked")
def test_samples_do_not_mix() -> None:
    """Each sample starts anew, though the neurons that Lava has know no samples."""
    x = np.array([[255.0, 255, 255, 255], [0, 0, 0, 0], [1, 1, 1, 1]])
    for realization in ("native", "atrlif", "lifreset"):
        network = fitted(chain(weight=2, bias=64), realization)
        recording = run_lava(network, x, chip=ChipSettings(realization))  # type: ignore[arg-type]
        alone = [run_lava(network, x[i : i + 1], chip=ChipSettings(realization)) for i in range(3)]  # type: ignore[arg-type]
        np.testing.assert_array_equal(recording.potentials, np.concatenate([r.potentials for r in alone]))


@pytest.mark.usefixtures("forked")
def test_without_sinks_nothing_is_counted() -> None:
    recording = run_lava(chain(), np.ones((2, 4)), chip=ChipSettings("native", sinks=False))
    assert recording.potentials.tolist() == [[6 * 12 * 64, 6 * 10 * 64]] * 2
    assert recording.spike_counts == {}
    assert np.isnan(recording.firing_rate)
    assert (recording.realization, recording.profile) == (RealizationRecord("native"), None)


@pytest.mark.usefixtures("forked")
def test_a_population_that_lava_would_not_run_is_named() -> None:
    base = chain()
    lonely = IF("lonely", (2,), 500, np.array(0, np.int32), np.array(0, np.int32))
    populations = (*base.populations[:2], lonely, base.populations[2])
    connections = (*base.connections, Connection("input", "lonely", Dense(np.full((2, 4), 2, np.int32))))
    network = replace(base, populations=populations, connections=connections)
    with pytest.raises(LavaFailed, match="lonely: has no way to the readout"):
        run_lava(network, np.ones((1, 4)), chip=ChipSettings("native"))


@pytest.mark.slow
@pytest.mark.parametrize("realization", ["atrlif", "lif", "lifreset"])
def test_mnist(realization: str, lava_python: str) -> None:
    path = data.folder() / "mnist.npz"
    if not path.exists():
        pytest.skip(f"{path} is missing; get it with: python benchmarks/get_data.py mnist")
    with np.load(path) as file:
        x_train, x = (file[name][:n, None].astype(np.float32) / 255 for name, n in (("x_train", 1000), ("x_test", 20)))
    net = lc.convert(nets.trained("mnist_cnn"), x_train, board="kapoho_point", timesteps=32)
    in_lava = lc.run(net, x, "lava", record=["spikes"], realization=realization)  # type: ignore[arg-type]
    emulated = lc.run(net, x, "emulator", record=["spikes"], realization=realization)  # type: ignore[arg-type]
    assert min(int(s.sum()) for s in emulated.spikes.values()) > 100
    assert mismatches(emulated, in_lava) == (dict.fromkeys(in_lava.spikes, 0), 0)
