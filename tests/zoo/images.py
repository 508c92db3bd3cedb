"""Small networks on images that are not residual: classic ones, branches, dense outputs, unusual inputs and activations."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.zoo.residual import conv_bn, head


class Inception(nn.Module):
    """Four branches beside one another (arXiv:1409.4842)."""

    def __init__(self, inputs: int, each: int) -> None:
        super().__init__()
        self.b1 = nn.Sequential(conv_bn(inputs, each, 1), nn.ReLU(True))
        self.b2 = nn.Sequential(conv_bn(inputs, each, 1), nn.ReLU(True), conv_bn(each, each, 3), nn.ReLU(True))
        self.b3 = nn.Sequential(conv_bn(inputs, each, 1), nn.ReLU(True), conv_bn(each, each, 5), nn.ReLU(True))
        self.b4 = nn.Sequential(nn.MaxPool2d(3, 1, 1), conv_bn(inputs, each, 1), nn.ReLU(True))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.b1(x), self.b2(x), self.b3(x), self.b4(x)], 1)


def inception() -> nn.Module:
    return nn.Sequential(conv_bn(3, 4, 3, 2), nn.ReLU(), Inception(4, 2), nn.MaxPool2d(2), head(8))


class Fire(nn.Module):
    """Squeeze, then expand by two kernels (arXiv:1602.07360)."""

    def __init__(self, inputs: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeeze, 1)
        self.expand1x1, self.expand3x3 = nn.Conv2d(squeeze, expand, 1), nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.squeeze(x), inplace=True)
        return torch.cat([F.relu(self.expand1x1(x)), F.relu(self.expand3x3(x))], 1)


def squeezenet() -> nn.Module:
    features = nn.Conv2d(3, 8, 3, 2), nn.ReLU(True), nn.MaxPool2d(3, 2, ceil_mode=True), Fire(8, 4, 6), Fire(12, 4, 8)
    return nn.Sequential(*features, nn.Dropout(), nn.Conv2d(16, 10, 1), nn.ReLU(True), nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten())


def vgg_bn() -> nn.Module:
    layers: list[nn.Module] = []
    for inputs, outputs in ((3, 6), (6, 8), (8, 12)):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(True), nn.MaxPool2d(2)]
    classifier = nn.Linear(48, 24), nn.ReLU(True), nn.Dropout(), nn.Linear(24, 10)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), *classifier)


def all_convolutional() -> nn.Module:
    """Strides in place of pooling, and an average of class maps (arXiv:1412.6806)."""
    first = nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 6, 3, 2, 1), nn.ReLU(), nn.Dropout2d(0.5)
    second = nn.Conv2d(6, 12, 3), nn.ReLU(), nn.Conv2d(12, 12, 1), nn.ReLU(), nn.Conv2d(12, 10, 1)
    return nn.Sequential(*first, *second, nn.AvgPool2d(6), nn.Flatten())


class LeNet5(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 60), nn.Linear(60, 42), nn.Linear(42, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = torch.flatten(x, 1)
        return F.log_softmax(self.fc3(F.relu(self.fc2(F.relu(self.fc1(x))))), dim=1)


def mlp() -> nn.Module:
    first = nn.Flatten(), nn.Linear(144, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.3)
    return nn.Sequential(*first, nn.Linear(64, 48), nn.ReLU(), nn.Dropout(0.3), nn.Linear(48, 10))


def autoencoder() -> nn.Module:
    encoder = nn.Conv2d(1, 6, 3, 2, 1), nn.ReLU(), nn.Conv2d(6, 8, 3, 2, 1), nn.ReLU()
    decoder = nn.ConvTranspose2d(8, 6, 3, 2, 1, 1), nn.BatchNorm2d(6), nn.ReLU(), nn.ConvTranspose2d(6, 1, 4, 2, 1)
    return nn.Sequential(nn.Sequential(*encoder), nn.Sequential(*decoder))


class UNet(nn.Module):
    """Skips are concatenated; one level goes up by interpolation, one by a transposed convolution (arXiv:1505.04597)."""

    def __init__(self) -> None:
        super().__init__()
        self.down1, self.down2, self.bottom = self.double(1, 4), self.double(4, 6), self.double(6, 8)
        self.pool, self.up2 = nn.MaxPool2d(2), nn.ConvTranspose2d(8, 6, 2, 2)
        self.conv2, self.conv1, self.final = self.double(12, 6), self.double(10, 4), nn.Conv2d(4, 2, 1)

    @staticmethod
    def double(inputs: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(conv_bn(inputs, outputs), nn.ReLU(True), conv_bn(outputs, outputs), nn.ReLU(True))

    def forward(self, x: Tensor) -> Tensor:
        skip1 = self.down1(x)
        skip2 = self.down2(self.pool(skip1))
        x = self.bottom(self.pool(skip2))
        x = self.conv2(torch.cat([skip2, self.up2(x)], dim=1))
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        return self.final(self.conv1(torch.cat([skip1, x], dim=1)))


class FCN(nn.Module):
    """Scores of two depths are added, and brought back to the size of the image (arXiv:1411.4038)."""

    def __init__(self) -> None:
        super().__init__()
        self.early = nn.Sequential(conv_bn(3, 6, 3, 2), nn.ReLU())
        self.late = nn.Sequential(conv_bn(6, 8, 3, 2), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=2, dilation=2), nn.ReLU())
        self.score_early, self.score_late = nn.Conv2d(6, 3, 1), nn.Conv2d(8, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        early = self.early(x)
        late = F.interpolate(self.score_late(self.late(early)), size=early.shape[-2:], mode="nearest")
        return F.interpolate(late + self.score_early(early), size=x.shape[-2:], mode="nearest")


def espcn() -> nn.Module:
    """Super-resolution by rearranging channels (arXiv:1609.05158)."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 5, padding=2),
        nn.ReLU(),
        nn.Conv2d(8, 6, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(6, 4, 3, padding=1),
        nn.PixelShuffle(2),
    )


class PyramidPooling(nn.Module):
    """Maxima over grids of 1, 4 and 16 cells (arXiv:1406.4729)."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(conv_bn(3, 6, 3, 2), nn.ReLU(), conv_bn(6, 6, 3), nn.ReLU())
        self.fc = nn.Linear(6 * 21, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)
        return self.fc(torch.cat([F.adaptive_max_pool2d(x, n).flatten(1) for n in (1, 2, 4)], dim=1))


def darknet() -> nn.Module:
    layers: list[nn.Module] = []
    for inputs, outputs in ((3, 4), (4, 8)):
        layers += [conv_bn(inputs, outputs), nn.LeakyReLU(0.1, inplace=True), nn.MaxPool2d(2, 2)]
    return nn.Sequential(
        *layers,
        conv_bn(8, 4, 1),
        nn.LeakyReLU(0.1),
        conv_bn(4, 8),
        nn.LeakyReLU(0.1),
        nn.Conv2d(8, 10, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )


class ChannelsLast(nn.Module):
    """Takes images as files have them: height, width, channels."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(conv_bn(3, 6, 3, 2), nn.ReLU(), conv_bn(6, 8, 3, 2), nn.ReLU())
        self.fc = nn.Linear(8 * 9, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x.permute(0, 3, 1, 2))
        return self.fc(x.permute(0, 2, 3, 1).flatten(1))


class Normalized(nn.Module):
    """Takes values from 0 to 1, and knows mean and deviation of its training data."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))
        self.body = nn.Sequential(conv_bn(3, 6, 3, 2), nn.ReLU(), conv_bn(6, 8, 3, 2), nn.ReLU(), head(8))

    def forward(self, x: Tensor) -> Tensor:
        return self.body((x - self.mean) / self.std)


class Clip(nn.Module):
    """Clipped at a bound that was trained, as networks are before they are made spiking (QCFS, arXiv:2303.04347)."""

    def __init__(self, bound: float) -> None:
        super().__init__()
        self.bound = nn.Parameter(torch.tensor([bound]))

    def forward(self, x: Tensor) -> Tensor:
        return torch.clamp(x / self.bound, 0, 1) * self.bound


def clipped() -> nn.Module:
    return nn.Sequential(
        conv_bn(3, 6), Clip(1.5), nn.AvgPool2d(2), conv_bn(6, 8), Clip(1.2), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(72, 10)
    )


class TwoBranches(nn.Module):
    """Two halves of the input go through the same layers, and what comes out is added."""

    def __init__(self) -> None:
        super().__init__()
        self.tower = nn.Sequential(conv_bn(1, 6, 3, 2), nn.ReLU(), conv_bn(6, 8, 3, 2), nn.ReLU(), nn.Flatten())
        self.fc = nn.Linear(72, 5)

    def forward(self, x: Tensor) -> Tensor:
        left, right = x[:, :1], x[:, 1:]
        return self.fc(F.relu(self.tower(left) + self.tower(right)))


class PilotNet(nn.Module):
    """Steering angle from a camera (arXiv:1604.07316): one number, no class."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.features = nn.Sequential(nn.Conv2d(3, 6, 5, 2), nn.ReLU(), nn.Conv2d(6, 8, 5, 2), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU())
        self.regressor = nn.Sequential(nn.Linear(8 * 2 * 8, 50), nn.ReLU(), nn.Linear(50, 10), nn.ReLU(), nn.Linear(10, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(self.norm(x))
        return self.regressor(x.reshape(x.shape[0], -1))
