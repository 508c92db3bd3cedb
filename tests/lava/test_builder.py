"""What the validator passes, Lava's builder and the chip's take: on every board, with every coding, for every realization."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from loihiconv.backends.realize import realize
from loihiconv.core.errors import LimitExceeded, UnsupportedLayer
from loihiconv.core.input_coding import input_payloads
from loihiconv.core.network import Network, Recording
from loihiconv.evaluation.compare import mismatches
from loihiconv.hardware.board import Board
from loihiconv.lava.chip.realizations import Realization
from loihiconv.lava.chip.settings import ChipSettings
from loihiconv.lava.client import _write_job, run_lava
from loihiconv.lava.job import Settings
from loihiconv.simulator import simulate
from tests.boarded import boarded
from tests.strategies import Case, cases

pytestmark = pytest.mark.lava
EXAMPLES = int(os.environ.get("LOIHICONV_LAVA_EXAMPLES", "10"))
slow = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
REALIZATIONS: tuple[Realization, ...] = ("native", "atrlif", "lif")


def realizable(network: Network, board: Board | None = None) -> dict[Realization, Network]:
    """What each realization that can do it makes of a network."""
    found: dict[Realization, Network] = {}
    for realization in REALIZATIONS:
        try:
            found[realization] = realize(network, realization, board=board)
        except (LimitExceeded, UnsupportedLayer):
            continue
    return found


def builds(case: Case, realized: dict[Realization, Network]) -> None:
    """Connected processes for all of it; nothing runs."""
    builder = pytest.importorskip("loihiconv.lava.builder")
    graph = pytest.importorskip("loihiconv.lava.chip.graph")
    ends = pytest.importorskip("loihiconv.lava.chip.ends")
    given = Settings(len(case.x))
    with TemporaryDirectory() as folder:
        job = _write_job(Path(folder), case.network, input_payloads(case.network, case.x), given)
        assert builder.build(case.network, job, given)
    for realization, network in realized.items():
        chip = ChipSettings(realization)
        with TemporaryDirectory() as folder:
            job = _write_job(Path(folder), network, input_payloads(network, case.x), given, chip)
            assert graph.build(network, job, given, chip, ends.NoAdapters()).neurons


@settings(slow, max_examples=2 * EXAMPLES)
@given(case=cases(several=True, separated=True))
def test_the_builder_refuses_no_random_network(case: Case) -> None:
    builds(case, realizable(case.network))


@settings(slow, max_examples=2 * EXAMPLES)
@given(drawn=boarded())
def test_the_builder_refuses_nothing_that_is_quantized(drawn: tuple[Board, Case]) -> None:
    board, case = drawn
    builds(case, realizable(case.network, board))


@pytest.mark.usefixtures("forked")
@settings(slow, max_examples=max(1, EXAMPLES // 2))
@given(drawn=boarded())
def test_every_spike_on_every_board(drawn: tuple[Board, Case]) -> None:
    _, case = drawn
    recording = run_lava(case.network, case.x, record=["spikes", "potentials"], deadline=120)
    expected = simulate(case.network, case.x, record=["spikes", "potentials"])
    assert mismatches(expected, recording) == (dict.fromkeys(recording.spikes, 0), 0)
    np.testing.assert_array_equal(recording.potentials_over_time, expected.potentials_over_time)
    assert said(recording) == {key: found for key, found in said(expected).items() if key[1] != "hidden potentials"}  # which Lava hides


def said(recording: Recording) -> dict[tuple[str, str], Any]:
    return {(s.population, s.register): s.to_json() for s in recording.saturated}
