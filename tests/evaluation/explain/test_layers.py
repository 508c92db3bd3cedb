"""Statistics of layers, streamed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loihiconv.core.linear import Conv, Dense
from loihiconv.core.network import IF, Connection, Input, MaxPool, Network, Readout
from loihiconv.evaluation.explain.layers import BINS, LayerSum, layer_sums


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


def test_of_copies_and_of_gates_that_pool_them_the_mean_is_looked_at() -> None:
    zero, windows = np.zeros((1, 1, 1), np.float32), Conv(np.ones((6, 1, 2, 2), np.float32), (2, 2), groups=6)
    hidden, gates = IF("hidden", (6, 4, 4), 1.0, zero, zero, copies=3), MaxPool("gates", (6, 2, 2))
    first, last = Conv(np.ones((6, 1, 1, 1), np.float32)), Dense(np.ones((2, 24), np.float32))
    populations = (Input("input", (1, 4, 4)), hidden, gates, Readout("readout", (2,), zero.ravel(), zero.ravel()))
    connections = (Connection("input", "hidden", first), Connection("hidden", "gates", windows), Connection("gates", "readout", last))
    sums = layer_sums(Network(populations, connections, 4))
    assert {name: total.copies for name, total in sums.items()} == {"hidden": 3, "gates": 3, "readout": 1}
    rates = np.tile(np.array([0, 0.5, 1, 0.25, 0.25, 0.25], np.float32)[:, None, None], (1, 2, 2))[None]
    sums["gates"].add(np.full_like(rates, 0.5), rates)
    result = sums["gates"].result({})
    assert result.error.mean == pytest.approx(-0.125)
    assert result.error.rms == pytest.approx(np.sqrt((0 + 0.25**2) / 2))
