"""Lava against a simulator written from the definitions: every spike and every potential."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from loihiconv.core.network import Recording
from loihiconv.evaluation.compare import mismatches
from loihiconv.lava.client import run_lava
from loihiconv.simulator import simulate
from tests import naive
from tests.strategies import Case, cases

pytestmark = pytest.mark.lava
EXAMPLES = int(os.environ.get("LOIHICONV_LAVA_EXAMPLES", "24"))
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
@given(case=cases())
def test_every_spike_equals_the_definition(case: Case) -> None:
    check(case, run_lava(case.network, case.x, record=["spikes", "potentials"], deadline=120))


@pytest.mark.usefixtures("forked")
@settings(slow, max_examples=max(1, EXAMPLES // 4))
@given(case=cases(max_timesteps=8, max_samples=2))
def test_intels_own_models_of_the_connections_agree(case: Case) -> None:
    check(case, run_lava(case.network, case.x, record=["spikes", "potentials"], stock_models=True, deadline=120))
