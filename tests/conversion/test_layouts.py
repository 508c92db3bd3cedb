"""Networks whose values are arranged, joined and resampled: from the model to spikes, as users give their samples."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import loihiconv as lc
from loihiconv.evaluation.compare import mismatches


class Shuffle(nn.Module):
    """Channels split, joined and shuffled."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.left, self.right = nn.Conv2d(2, 8, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 1)
        self.last = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        a, b = F.relu(self.first(x)).chunk(2, 1)
        joined = torch.cat([F.relu(self.left(a)), F.relu(self.right(b)) + b], 1)
        return self.last(F.channel_shuffle(joined, 2).mean((2, 3)))


class ChannelsLast(nn.Module):
    """Samples (H, W, C)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.last = nn.Conv2d(3, 4, 3), nn.Linear(4 * 16, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(F.relu(self.conv(x.permute(0, 3, 1, 2))).permute(0, 2, 3, 1).flatten(1))


def one_dimension() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv1d(2, 6, 5, padding=2), nn.BatchNorm1d(6), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(6, 6, 3), nn.ReLU()),
        *(nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(6, 3)),
    )


def decoder() -> nn.Module:
    return nn.Sequential(
        *(nn.Linear(5, 12), nn.ReLU(), nn.Unflatten(1, (3, 2, 2)), nn.ConvTranspose2d(3, 4, 2, 2), nn.ReLU()),
        *(nn.Upsample(scale_factor=1.5, mode="bilinear"), nn.Conv2d(4, 1, 3)),
    )


def odd_pools() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(2, 4, 3, padding=1), nn.MaxPool2d(3, 2, 1), nn.ReLU(), nn.Conv2d(4, 4, 1), nn.ReLU()),
        *(nn.AvgPool2d(3, 2, ceil_mode=True, count_include_pad=False), nn.Conv2d(4, 4, 2), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3)),
    )


NETWORKS = {
    "shuffle": (Shuffle, (2, 6, 6)),
    "channels last": (ChannelsLast, (6, 6, 3)),
    "one dimension": (one_dimension, (2, 20)),
    "decoder": (decoder, (5,)),
    "odd pools": (odd_pools, (2, 9, 9)),
}


def made(name: str) -> tuple[nn.Module, np.ndarray]:
    factory, shape = NETWORKS[name]
    torch.manual_seed(1)
    model = factory()
    x = torch.rand(40, *shape)
    model(x)  # sets running statistics
    return model.eval(), x.numpy()


@pytest.mark.parametrize("name", NETWORKS)
def test_outputs_converge_to_the_models(name: str) -> None:
    model, x = made(name)
    net = lc.convert(model, x, board=None, timesteps=256, maxpool="relu-tree")
    with torch.no_grad():
        expected = model(torch.from_numpy(x)).flatten(1).numpy()
    recording = lc.run(net, x, "float")
    for output, wanted in zip(recording.potentials.T, expected.T, strict=True):
        assert np.corrcoef(output, wanted)[0, 1] > 0.99


@pytest.mark.lava
@pytest.mark.usefixtures("lava_python")
@pytest.mark.parametrize("name", NETWORKS)
def test_emulator_and_lava_agree(name: str) -> None:
    model, x = made(name)
    net = lc.convert(model, x, board="kapoho_point", timesteps=8)
    emulated, simulated = (lc.run(net, x[:2], backend, record=["spikes"]) for backend in ("emulator", "lava"))
    assert mismatches(emulated, simulated) == (dict.fromkeys(emulated.spikes, 0), 0)
