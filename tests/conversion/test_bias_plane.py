"""A plane of constant payloads carries first layers' biases, where that leaves weights more bits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import loihiconv as lc
from loihiconv.conversion.bias_plane import with_bias_plane
from loihiconv.conversion.quantization import quantize
from loihiconv.core.linear import Array, Conv, Dense, LinearMap, from_matrix
from loihiconv.core.network import IF, Connection, Input, Network, Readout
from loihiconv.hardware.board import load_board

RNG = np.random.default_rng(0)


def driven(linear: LinearMap, shape: tuple[int, ...], bias: Array) -> Network:
    """One layer that an analog input drives, and a readout of its spikes."""
    out = linear.output_shape(shape)
    start = np.full((1,) * len(out), 0.5, np.float32)
    eye = Dense(np.eye(int(np.prod(out)), dtype=np.float32))
    populations = (
        Input("input", shape),
        IF("layer", out, 1.0, start, bias),
        Readout("out", (len(eye.weight),), 0 * start.ravel(), 0 * start.ravel()),
    )
    return Network(populations, (Connection("input", "layer", linear), Connection("layer", "out", eye)), 16)


CONV = RNG.normal(0, 0.2, (5, 2, 3, 3)).astype(np.float32)
BIAS = RNG.normal(0, 0.6, (5, 1, 1)).astype(np.float32)
SPARSE = np.random.default_rng(1).normal(0, 0.2, (4, 84)).astype(np.float32) * (np.arange(84) % 3 == 0)


@pytest.mark.parametrize(
    ("linear", "shape", "bias"),
    [
        (Conv(CONV, padding=(1, 1, 1, 1)), (2, 6, 7), BIAS),
        (Conv(CONV, (2, 3)), (2, 6, 7), BIAS),
        (Conv(CONV, (2, 2), (2, 1, 0, 1), (2, 1)), (2, 6, 7), BIAS),
        (Dense(RNG.normal(0, 0.2, (4, 84)).astype(np.float32)), (2, 6, 7), BIAS[:4, 0, 0]),
        (Dense(RNG.normal(0, 0.2, (4, 9)).astype(np.float32)), (9,), BIAS[:4, 0, 0]),
        (from_matrix(SPARSE, (2, 2, 1), (2, 6, 7)), (2, 6, 7), BIAS[:4, 0, 0].reshape(2, 2, 1)),
        (from_matrix(SPARSE, (4,), (84,)), (84,), BIAS[:4, 0, 0] * [0, 1, 0, 1]),
    ],
)
def test_function_is_the_same(linear: LinearMap, shape: tuple[int, ...], bias: Array) -> None:
    network = driven(linear, shape, bias)
    extended = planed(network)
    assert extended is not None
    assert extended.input.sample_shape == shape
    assert not np.any(extended["layer"].bias)  # type: ignore[union-attr]
    x = RNG.random((5, *shape)).astype(np.float32)
    np.testing.assert_array_equal(lc.run(extended, x, "float").spike_counts["layer"], lc.run(network, x, "float").spike_counts["layer"])


def planed(network: Network) -> Network | None:
    return with_bias_plane(network, network.input)


def test_none_where_no_tap_can_carry_it() -> None:
    x = (2, 6, 7)
    assert planed(driven(Conv(CONV, padding=(1, 1, 1, 1)), x, np.broadcast_to(BIAS, (5, 6, 7)) + RNG.random((5, 6, 7)))) is None
    assert planed(driven(Conv(CONV, padding=(3, 3, 3, 3)), x, BIAS)) is None
    assert planed(driven(Conv(CONV, padding=(-1, 0, 0, 0)), x, BIAS)) is None
    assert planed(driven(Conv(CONV[:4, :1], groups=2), x, BIAS[:4])) is None
    assert planed(driven(Conv(CONV), x, 0 * BIAS)) is None


def test_used_only_where_biases_cost_bits() -> None:
    board = load_board("kapoho_point")
    network = driven(Conv(CONV, padding=(1, 1, 1, 1)), (2, 6, 7), np.clip(BIAS, -0.5, 0.5))
    assert not quantize(replace(network, timesteps=4), board).input.bias_plane  # so few steps round rates far more
    network = replace(network, timesteps=56)
    with_plane = quantize(network, board)
    assert with_plane.input.bias_plane
    assert with_plane.origin is network
    gentle = network["layer"]
    assert isinstance(gentle, IF)
    small = replace(network, populations=(network.input, replace(gentle, bias=BIAS / 100), network.readout))
    assert not quantize(small, board).input.bias_plane
    assert not quantize(network, load_board("kapoho_bay")).input.bias_plane
    x = RNG.random((40, 2, 6, 7)).astype(np.float32)
    expected = lc.run(network, x, "float").spike_counts["layer"]
    error = np.abs(lc.run(with_plane, x).spike_counts["layer"] - expected)
    assert error.mean() < 0.1
