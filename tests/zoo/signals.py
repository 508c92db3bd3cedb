"""Small networks on sounds, series, points, events and games."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.zoo.residual import conv_bn


def ds_cnn() -> nn.Module:
    """Keyword spotting of MLPerf Tiny: depthwise separable convolutions on a spectrogram (arXiv:1711.07128)."""
    layers: list[nn.Module] = [nn.Conv2d(1, 8, (10, 4), 2, (5, 1), bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.2)]
    for _ in range(2):
        layers += [conv_bn(8, 8, 3, groups=8), nn.ReLU(), conv_bn(8, 8, 1), nn.ReLU()]
    return nn.Sequential(*layers, nn.Dropout(0.4), nn.AvgPool2d((13, 5)), nn.Flatten(), nn.Linear(8, 12), nn.Softmax(dim=1))


def raw_audio() -> nn.Module:
    """Long first kernels with strides, on the wave itself (M5, arXiv:1610.00087)."""
    layers: list[nn.Module] = []
    for inputs, outputs, kernel, stride in ((1, 6, 16, 4), (6, 8, 3, 1), (8, 10, 3, 1)):
        layers += [nn.Conv1d(inputs, outputs, kernel, stride), nn.BatchNorm1d(outputs), nn.ReLU(), nn.MaxPool1d(2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(10, 8))


class CausalBlock(nn.Module):
    """Dilated convolutions that look back only: padding on both sides, and the right side cut off (arXiv:1803.01271)."""

    def __init__(self, inputs: int, outputs: int, dilation: int) -> None:
        super().__init__()
        self.cut = 2 * dilation
        self.conv1 = nn.Conv1d(inputs, outputs, 3, padding=self.cut, dilation=dilation)
        self.conv2 = nn.Conv1d(outputs, outputs, 3, dilation=dilation)
        self.downsample = nn.Conv1d(inputs, outputs, 1) if inputs != outputs else None

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.conv1(x)[:, :, : -self.cut])
        out = F.relu(self.conv2(F.pad(out, (self.cut, 0))))
        return F.relu(out + (x if self.downsample is None else self.downsample(x)))


class TCN(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Sequential(CausalBlock(2, 6, 1), CausalBlock(6, 6, 2), CausalBlock(6, 6, 4))
        self.linear = nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.network(x)[:, :, -1])


class SeriesBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv1d(inputs, outputs, 7, stride, 3, bias=False), nn.BatchNorm1d(outputs)
        self.conv2, self.bn2 = nn.Conv1d(outputs, outputs, 7, 1, 3, bias=False), nn.BatchNorm1d(outputs)
        self.shortcut = nn.Sequential(nn.MaxPool1d(stride), nn.Conv1d(inputs, outputs, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(F.dropout(F.relu(self.bn1(self.conv1(x))), 0.2, self.training)))
        return F.relu(out + self.shortcut(x))


def ecg_resnet() -> nn.Module:
    """Electrocardiograms of two leads (after Ribeiro et al. 2020, doi:10.1038/s41467-020-15432-4)."""
    stem = nn.Conv1d(2, 4, 7, padding=3, bias=False), nn.BatchNorm1d(4), nn.ReLU()
    return nn.Sequential(*stem, SeriesBlock(4, 6, 2), SeriesBlock(6, 8, 2), nn.Flatten(), nn.Linear(8 * 16, 6))


class PointNet(nn.Module):
    """The same layers for every point, then the maximum over points (arXiv:1612.00593)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv1d(3, 8, 1), nn.BatchNorm1d(8)
        self.conv2, self.bn2 = nn.Conv1d(8, 16, 1), nn.BatchNorm1d(16)
        self.fc1, self.fc2 = nn.Linear(16, 12), nn.Linear(12, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        x = torch.max(x, 2, keepdim=True)[0].view(-1, 16)
        return self.fc2(F.relu(self.fc1(x)))


def event_camera() -> nn.Module:
    """Counts of events of both polarities (N-MNIST: 2 x 34 x 34)."""
    features = nn.Conv2d(2, 4, 5, bias=False), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(4, 8, 3, bias=False), nn.ReLU(), nn.AvgPool2d(2)
    return nn.Sequential(*features, nn.Flatten(), nn.Linear(8 * 36, 10, bias=False))


def dqn_features() -> nn.Sequential:
    """Layers of the Nature DQN (doi:10.1038/nature14236), which takes four frames."""
    return nn.Sequential(
        nn.Conv2d(4, 8, 8, 4), nn.ReLU(), nn.Conv2d(8, 10, 4, 2), nn.ReLU(), nn.Conv2d(10, 20, 3, 1), nn.ReLU(), nn.Flatten()
    )


def nature_dqn() -> nn.Module:
    return nn.Sequential(dqn_features(), nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 6))


class DuelingDQN(nn.Module):
    """Value plus advantage less the mean advantage (arXiv:1511.06581, equation 9)."""

    def __init__(self) -> None:
        super().__init__()
        self.features = dqn_features()
        self.value = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 1))
        self.advantage = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 6))

    def forward(self, x: Tensor) -> Tensor:
        features = self.features(x)
        advantage = self.advantage(features)
        return self.value(features) + advantage - advantage.mean(dim=1, keepdim=True)
