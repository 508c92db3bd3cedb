"""Covariances of what each synapse is multiplied with."""

from __future__ import annotations

import numpy as np
import pytest

from loihiconv.conversion.adaptive_rounding import expected_error
from loihiconv.conversion.covariances import Moments, input_covariances, input_moments
from loihiconv.core.linear import Conv, Dense
from loihiconv.core.network import IF, Connection, Input, Network, Readout
from tests.naive import matrix


@pytest.mark.parametrize("centred", [True, False])
def test_covariances_are_those_of_each_synapse(centred: bool) -> None:
    """Against the dense matrix of the convolution: E[(δ x)²] over samples and positions, with a padded, strided, grouped kernel."""
    rng = np.random.default_rng(2)
    conv = Conv(rng.normal(size=(4, 1, 3, 2)).astype(np.float32), (2, 1), (1, 0, 0, 1), groups=2)
    zero, flat = np.zeros((1, 1, 1), np.float32), np.zeros(1, np.float32)
    populations = (
        Input("input", (2, 5, 4), scale=2.0),
        IF("a", conv.output_shape((2, 5, 4)), 1.0, zero, zero),
        Readout("r", (1,), flat, flat),
    )
    size = int(np.prod(populations[1].shape))
    maps = (Connection("input", "a", conv), Connection("a", "r", Dense(np.ones((1, size), np.float32))))
    x = rng.uniform(0, 2, (50, 2, 5, 4)).astype(np.float32)
    network = Network(populations, maps, 4)
    found = input_covariances(network, x, centred=centred, targets={"a"})
    assert list(found) == ["a"]
    (of_conv,) = found["a"]
    assert of_conv is not None
    sums = (x.reshape(50, -1) / 2 @ matrix(conv, (2, 5, 4)).T).reshape(50, 4, -1)
    wanted = [np.mean(s**2) - (np.mean(s) ** 2 if centred else 0) for s in sums.transpose(1, 0, 2)]
    assert expected_error(conv.weight.astype(np.float64), of_conv) == pytest.approx(np.mean(wanted), rel=1e-4)
    (hidden,) = input_covariances(network, x, centred=centred)["r"]
    assert hidden is not None
    assert hidden.shape == (1, size, size)


@pytest.mark.parametrize("centred", [True, False])
def test_little_contrast_is_seen_and_halves_add_up(centred: bool) -> None:
    """Values of 0.5 + 1e-5 x: their squares in float32 are all alike. By numpy in float64."""
    rng = np.random.default_rng(0)
    values = (0.5 + 1e-5 * rng.normal(size=(200, 3)) @ rng.normal(size=(3, 5))).astype(np.float32)
    first, second = (Moments(np.full((1, 5), 0.5, np.float32)) for _ in range(2))
    for part in (values[:80], values[80:100]):
        first.add(part[None])
    second.add(values[None, 100:])
    exact = values.astype(np.float64)
    wanted = np.cov(exact.T, bias=True) + (0 if centred else np.outer(exact.mean(axis=0), exact.mean(axis=0)))
    found = (first + second).covariance(centred=centred)[0]
    np.testing.assert_allclose(found, wanted, atol=1e-4 * np.abs(wanted).max() if centred else 1e-12, rtol=1e-9)


def parallel(timesteps: int = 8) -> Network:
    """Two branches from the same image to the same neurons, and two from those to the readout."""
    rng = np.random.default_rng(1)
    zero, flat = np.zeros((1, 1, 1), np.float32), np.zeros(1, np.float32)
    wide, narrow = (rng.normal(0, 0.3, (3, 2, k, k)).astype(np.float32) for k in (3, 1))
    dense = [Dense(rng.normal(0, 0.2, (4, 75)).astype(np.float32)) for _ in range(2)]
    populations = (Input("input", (2, 5, 5)), IF("a", (3, 5, 5), 1.0, zero, zero), Readout("r", (4,), flat, flat))
    first = (Connection("input", "a", Conv(wide, padding=(1, 1, 1, 1))), Connection("input", "a", Conv(narrow)))
    return Network(populations, (*first, *(Connection("a", "r", linear) for linear in dense)), timesteps)


def test_connections_that_join_the_same_populations_have_covariances_of_their_own() -> None:
    x = np.random.default_rng(0).random((20, 2, 5, 5)).astype(np.float32)
    found = input_covariances(parallel(), x)
    assert [h.shape for known in found.values() for h in known if h is not None] == [(1, 18, 18), (1, 2, 2), (1, 75, 75), (1, 75, 75)]
    flat = x.transpose(1, 0, 2, 3).reshape(2, -1).astype(np.float64)
    np.testing.assert_allclose(found["a"][1], np.cov(flat, bias=True)[None], rtol=1e-5)


def test_samples_go_to_either_half_in_turns() -> None:
    x = np.random.default_rng(0).random((100, 2, 5, 5)).astype(np.float32)
    for samples, rows in ((100, (64, 36)), (20, (10, 10)), (3, (2, 1)), (1, (1, 0))):
        halves = input_moments(parallel(), x[:samples], {"a"})["a"][1]
        assert halves is not None
        assert (halves[0].rows, halves[1].rows) == (25 * rows[0], 25 * rows[1])
