"""Networks whose activations hardly differ between samples are told of, trained ones are not."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

import loihiconv as lc
from loihiconv.ann.frontends import readable
from loihiconv.ann.passes import lower
from loihiconv.conversion.resolution import changes, too_few_steps
from loihiconv.demo import digits_cnn
from tests.evaluation.good import data, with_max_pooling

X = np.random.default_rng(0).random((200, 20)).astype(np.float32)


def chain(activation: nn.Module, gain: float = 1.0) -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(20, 16), activation, nn.Linear(16, 16), activation, nn.Linear(16, 4)).eval()
    model[2].weight.data *= gain  # type: ignore[operator, union-attr]
    return model


HARD_SIGMOIDS = (chain(nn.Hardsigmoid()), 64, r"2: .* 0\.35 of the 64 levels .* hardly; give timesteps=1483 or more")
SMALL_WEIGHTS = (chain(nn.ReLU(), 1e-4), 256, r"2: .* of the 256 levels .*; no number of time steps will do: is the network trained\?")


@pytest.mark.parametrize(("model", "timesteps", "said"), [HARD_SIGMOIDS, SMALL_WEIGHTS])
def test_layers_that_hardly_change_are_told_of(model: nn.Module, timesteps: int, said: str) -> None:
    with pytest.warns(UserWarning, match=said):
        net = lc.convert(model, X, board=None, timesteps=timesteps)
    assert any("from sample to sample" in note for note in net.record.notes)


@pytest.mark.parametrize(("model", "timesteps"), [(digits_cnn, 1), (digits_cnn, 32), (with_max_pooling, 4)])
def test_trained_networks_are_not(model: Callable[[], nn.Module], timesteps: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lc.convert(model(), data()[0][:200], board=None, timesteps=timesteps, optimize="none", maxpool="relu-tree")


def test_changes_are_deviations_of_rates() -> None:
    model = chain(nn.ReLU())
    net = lc.convert(model, X[:64], board=None, timesteps=64)
    assert net.record.calibration is not None
    hidden = torch.relu(model[0](torch.from_numpy(X[:64]))).detach().numpy() / np.asarray(net.record.calibration.scales["0"])
    ann = lower(readable(model).ann((20,))).ann
    assert changes(ann, net, X[:64])["0"] == pytest.approx(np.sqrt((hidden.std(axis=0) ** 2).mean()), rel=1e-4)
    assert not too_few_steps(ann, net, X[:64])
