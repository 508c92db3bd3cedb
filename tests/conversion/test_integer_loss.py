"""Outputs that a board's integers alone make wrong are told of, with the layer; others are not."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc
from loihiconv.ann.frontends import readable
from loihiconv.ann.graph import Ann
from loihiconv.ann.passes import lower
from loihiconv.conversion.integer_loss import errors
from loihiconv.demo import digits_cnn
from tests.evaluation.good import data

X = np.random.default_rng(0).random((100, 16)).astype(np.float32)


def with_one_large_weight(largest: float, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    first, second, last = nn.Linear(16, 24), nn.Linear(24, 12), nn.Linear(12, 3)
    second.weight.data[0, 0] = largest
    last.weight.data[:, 0] = 0
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), last).eval()


@pytest.mark.parametrize("board", ["kapoho_point", "kapoho_bay"])
def test_one_weight_that_leaves_no_bits_to_others_is_told_of(board: str) -> None:
    before = r"outputs err by \d+\s% of their spread over calibration samples, before quantization by \d+\s%; its weights have \S+"
    with pytest.warns(UserWarning, match=rf"2: in the board's integers {before} bits, as most are \S+ or more times smaller .*: retrain"):
        net = lc.convert(with_one_large_weight(3000), X, board=board, timesteps=256)
    assert any("in the board's integers" in note for note in net.record.notes)


def test_a_plane_of_constant_payloads_beside_the_input_does_not_disturb() -> None:
    """Biases of a convolution that a long window leaves no bits in their registers; see `loihiconv.conversion.bias_plane`."""
    convolution = nn.Conv2d(1, 1, 1)
    nn.init.ones_(convolution.weight), nn.init.constant_(convolution.bias, 3)  # type: ignore[arg-type]
    model = nn.Sequential(convolution, nn.ReLU(), nn.Flatten(), with_one_large_weight(300)).eval()
    with pytest.warns(UserWarning, match="in the board's integers outputs err by"):
        network = lc.convert(
            model, X[:8].reshape(8, 1, 4, 4), board="kapoho_point", timesteps=20000, rounding="nearest", bias_correction=False
        )
    assert network.input.shape == (2, 4, 4)


@pytest.mark.parametrize("board", [None, "kapoho_point"])
def test_channels_that_one_other_silences_are_told_of(board: str | None) -> None:
    with pytest.warns(UserWarning, match=r"in 256 time steps outputs err by .*: give more, and look for channels"):
        lc.convert(with_one_large_weight(1000, seed=2), X, board=board, timesteps=256)


def test_the_remedy_works_and_trained_networks_are_not_told_of() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for board in (None, "kapoho_point"):
            lc.convert(digits_cnn(), data()[0][:100], board=board, timesteps=64)
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "calibration data: the network names class")  # its weights are random
                lc.convert(with_one_large_weight(100), X, board=board, timesteps=256)


def read(*layers: nn.Module) -> Ann:
    return lower(readable(nn.Sequential(*layers)).ann((4,))).ann


def test_errors_are_shares_of_the_spread() -> None:
    wanted = np.array([[0.0, 2.0, 1.0], [2.0, 0.0, 1.0]])  # deviations of 1, 1 and 0
    found = wanted + np.array([[5.0], [-1.0]])
    assert list(errors(read(nn.Linear(4, 3)), wanted, found)) == [pytest.approx(0)]  # the same for all classes
    assert list(errors(read(nn.Linear(4, 3), nn.Tanh()), wanted, wanted + 0.5)) == [pytest.approx(0.5 / np.sqrt(2 / 3))]
    assert not list(errors(read(nn.Linear(4, 3)), wanted[:1], found[:1]))  # nothing varies
    ties = wanted[:, :1].repeat(3, axis=1) + np.array([[0, 1e-8, 0], [0, 0, 1e-8]])
    assert not list(errors(read(nn.Linear(4, 3)), ties, ties[::-1]))  # nor here, but for rounding
