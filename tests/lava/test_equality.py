"""Lava against a simulator written from the definitions: every spike and every potential."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from torch import nn

import loihiconv as lc
from loihiconv.core.linear import Dense, Sparse
from loihiconv.core.network import Recording
from loihiconv.evaluation.compare import mismatches
from loihiconv.lava.client import run_lava
from loihiconv.simulator import simulate
from tests import naive
from tests.strategies import Case, cases

pytestmark = pytest.mark.lava
EXAMPLES = int(os.environ.get("LOIHICONV_LAVA_EXAMPLES", "10"))
slow = settings(
    max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def check(case: Case, recording: Recording) -> None:
    """Compare a recording with the emulator's and with the naive simulator's."""
    assert mismatches(simulate(case.network, case.x, record=["spikes"]), recording) == (dict.fromkeys(recording.spikes, 0), 0)
    expected = naive.simulate(case.network, case.x)
    naive.check_spikes(recording, expected)
    np.testing.assert_array_equal(recording.potentials_over_time, expected.potentials_over_time)
    np.testing.assert_array_equal(recording.potentials, expected.potentials)
    np.testing.assert_array_equal(recording.output_spikes, expected.output_spikes)
    np.testing.assert_array_equal(recording.predictions, expected.predictions)
    assert recording.synaptic_operations == pytest.approx(expected.synaptic_operations)


@pytest.mark.usefixtures("forked")
@slow
@given(case=cases(several=True, separated=True, signed=True))
def test_every_spike_equals_the_definition(case: Case) -> None:
    check(case, run_lava(case.network, case.x, record=["spikes", "potentials"], deadline=120))


@pytest.mark.usefixtures("forked")
@settings(slow, max_examples=max(1, EXAMPLES // 4))
@given(case=cases(max_timesteps=8, max_samples=2, several=True, separated=True, signed=True))
def test_intels_own_models_of_the_connections_agree(case: Case) -> None:
    check(case, run_lava(case.network, case.x, record=["spikes", "potentials"], stock_models=True, deadline=120))


@pytest.mark.usefixtures("forked")
@pytest.mark.parametrize("board", ["kapoho_point", "nahuku8"])
def test_a_converted_network_with_sparse_connections_runs_alike_everywhere(board: str) -> None:
    """Average pooling with padding after a convolution without a ReLU, once from payloads (or host's currents) and once from spikes."""
    torch.manual_seed(0)
    first = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.AvgPool2d(3, 2, 1), nn.ReLU()
    second = nn.Conv2d(4, 6, 3, padding=1), nn.AvgPool2d(3, 2, 1), nn.ReLU()
    model = nn.Sequential(*first, *second, nn.Flatten(), nn.Linear(24, 3)).eval()
    x = torch.rand(100, 1, 8, 8).numpy()
    network = lc.convert(model, x, board=board, timesteps=64)
    assert [type(c.map) for c in network.connections] == [Sparse, Sparse, Dense]
    assert network.connections[0].on_host == (board == "nahuku8")
    recording = run_lava(network, x[:4], record=["spikes", "potentials"], deadline=120)
    check(Case(network, x[:4]), recording)
    outputs = model(torch.from_numpy(x)).detach().numpy()
    for backend in ("float", "emulator"):
        assert np.mean(lc.run(network, x, backend).predictions == outputs.argmax(axis=1)) >= 0.9


@pytest.mark.usefixtures("forked")
@pytest.mark.parametrize("bits", [1, 3])
def test_a_network_that_takes_spikes_back_runs_alike_everywhere(bits: int) -> None:
    """Two convolutions and a dense layer; float and portable simulations of the same network as well, but for rounding."""
    torch.manual_seed(1)
    first = nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3, groups=8), nn.ReLU()
    model = nn.Sequential(*first, nn.Conv2d(8, 8, 1), nn.ReLU(), nn.Flatten(), nn.Linear(72, 12), nn.ReLU(), nn.Linear(12, 3)).eval()
    x = torch.rand(60, 1, 7, 7).numpy()
    network = lc.convert(model, x, board="kapoho_point", timesteps=6, spike_bits=bits, signed_spikes=True)
    assert "signed spikes" in network.unwritten
    check(Case(network, x[:6]), run_lava(network, x[:6], record=["spikes", "potentials"], deadline=120))
    compiled, portable = (simulate(network, x, record=["spikes"], portable=way) for way in (False, True))
    np.testing.assert_array_equal(compiled.potentials, portable.potentials)
    assert sum(int((s < 0).sum()) for s in compiled.spikes.values() if s.dtype == np.int8) > 100
    assert all(compiled.sent(p.name).min() >= 0 for p in network.populations if p.spiking)


@pytest.mark.usefixtures("forked")
@pytest.mark.parametrize(("board", "stock"), [("kapoho_point", False), ("kapoho_point", True), ("nahuku8", False)])
def test_a_network_of_several_neurons_for_each_activation_runs_alike_everywhere(board: str, stock: bool) -> None:
    """Depthwise and pointwise convolutions, a maximum as a tree, a skip and dense layers."""
    torch.manual_seed(2)
    first = nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3, groups=4), nn.ReLU(), nn.MaxPool2d(2)
    model = nn.Sequential(*first, nn.Conv2d(4, 6, 1), nn.ReLU(), nn.Flatten(), nn.Linear(24, 7), nn.ReLU(), nn.Linear(7, 3)).eval()
    x = torch.rand(60, 1, 8, 8).numpy()
    network = lc.convert(model, x, board=board, timesteps=6, copies=2)
    check(Case(network, x[:3]), run_lava(network, x[:3], record=["spikes", "potentials"], stock_models=stock, deadline=120))
