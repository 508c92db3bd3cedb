"""Small networks of residual, dense and mobile blocks, as their papers draw them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def conv_bn(inputs: int, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """A convolution that keeps the size, with batch normalization."""
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs))


def head(channels: int, classes: int = 10) -> nn.Sequential:
    """Global average pooling and a classifier."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


class PaddedShortcut(nn.Module):
    """Every second pixel, and zeros for the channels that are new: option A of He et al. 2016, arXiv:1512.03385, section 4.2."""

    def forward(self, x: Tensor) -> Tensor:
        channels = x.shape[1] // 2
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, channels, channels))


class BasicBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int, shortcut: nn.Module, activation: nn.Module) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        self.shortcut, self.activation = shortcut, activation

    def forward(self, x: Tensor) -> Tensor:
        out = self.activation(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return self.activation(out)


class ResNet(nn.Module):
    """Two stages of basic blocks."""

    def __init__(self, shortcut: nn.Module, activation: nn.Module) -> None:
        super().__init__()
        self.conv1, self.bn1, self.activation = nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), activation
        self.layer1 = nn.Sequential(BasicBlock(4, 4, 1, nn.Identity(), activation))
        self.layer2 = nn.Sequential(BasicBlock(4, 8, 2, shortcut, activation), BasicBlock(8, 8, 1, nn.Identity(), activation))
        self.fc = nn.Linear(8, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.activation(self.bn1(self.conv1(x)))
        x = self.layer2(self.layer1(x))
        x = F.avg_pool2d(x, x.size()[3])
        return self.fc(x.view(x.size(0), -1))


def cifar_resnet() -> nn.Module:
    return ResNet(PaddedShortcut(), nn.ReLU(inplace=True))


def projection_resnet() -> nn.Module:
    return ResNet(conv_bn(4, 8, 1, 2), nn.ReLU6(inplace=True))


def prelu_resnet() -> nn.Module:
    return ResNet(conv_bn(4, 8, 1, 2), nn.PReLU())


class PreActBlock(nn.Module):
    """Normalize, rectify, then convolve (arXiv:1603.05027)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(inputs), nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn2, self.conv2 = nn.BatchNorm2d(outputs), nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(x))
        shortcut = self.shortcut(out) if hasattr(self, "shortcut") else x
        out = self.conv1(out)
        out = self.conv2(F.relu(self.bn2(out)))
        return out + shortcut


def preactivation_resnet() -> nn.Module:
    blocks = PreActBlock(4, 4, 1), PreActBlock(4, 8, 2), PreActBlock(8, 8, 1)
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, bias=False), *blocks, nn.BatchNorm2d(8), nn.ReLU(), head(8))


class DenseLayer(nn.Module):
    """Bottleneck layer of DenseNet (arXiv:1608.06993), which adds channels to those it takes."""

    def __init__(self, inputs: int, growth: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(inputs), nn.Conv2d(inputs, 2 * growth, 1, bias=False)
        self.norm2, self.conv2 = nn.BatchNorm2d(2 * growth), nn.Conv2d(2 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv1(F.relu(self.norm1(x)))
        out = self.conv2(F.relu(self.norm2(out)))
        return torch.cat([x, out], 1)


class DenseNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv0 = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.block1 = nn.Sequential(DenseLayer(4, 3), DenseLayer(7, 3))
        self.transition = nn.Sequential(nn.BatchNorm2d(10), nn.ReLU(), nn.Conv2d(10, 5, 1, bias=False), nn.AvgPool2d(2))
        self.block2 = nn.Sequential(DenseLayer(5, 3), DenseLayer(8, 3))
        self.norm, self.head = nn.BatchNorm2d(11), head(11)

    def forward(self, x: Tensor) -> Tensor:
        x = self.block2(self.transition(self.block1(self.conv0(x))))
        return self.head(F.relu(self.norm(x)))


class ShuffleBlock(nn.Module):
    """Unit of ShuffleNet v2 (arXiv:1807.11164): half of the channels pass, then all are shuffled."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.stride, half = stride, channels // 2
        inputs = half if stride == 1 else channels
        first = conv_bn(inputs, half, 1), nn.ReLU(inplace=True)
        last = conv_bn(half, half, 1), nn.ReLU(inplace=True)
        self.branch2 = nn.Sequential(*first, conv_bn(half, half, 3, stride, groups=half), *last)
        down = conv_bn(inputs, inputs, 3, stride, groups=inputs), conv_bn(inputs, half, 1), nn.ReLU(inplace=True)
        self.branch1 = nn.Sequential(*down) if stride == 2 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        first, second = x.chunk(2, dim=1) if self.stride == 1 else (x, x)
        out = torch.cat((self.branch1(first), self.branch2(second)), dim=1)
        n, c, h, w = out.size()
        return out.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, -1, h, w)


def shufflenet_v2() -> nn.Module:
    return nn.Sequential(conv_bn(3, 8, 3, 2), nn.ReLU(), ShuffleBlock(8, 2), ShuffleBlock(8, 1), head(8))


class InvertedResidual(nn.Module):
    """Expand, convolve by channel, and project without an activation: MobileNet v2 (arXiv:1801.04381)."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        expand = conv_bn(inputs, inner, 1), nn.ReLU6(inplace=True)
        self.conv = nn.Sequential(*expand, conv_bn(inner, inner, 3, stride, inner), nn.ReLU6(inplace=True), conv_bn(inner, outputs, 1))
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.residual else self.conv(x)


def mobilenet_v2() -> nn.Module:
    blocks = InvertedResidual(4, 4, 1, 2), InvertedResidual(4, 6, 2, 3), InvertedResidual(6, 6, 1, 3)
    last = conv_bn(6, 12, 1), nn.ReLU6(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(12, 10)
    return nn.Sequential(conv_bn(3, 4, 3, 2), nn.ReLU6(inplace=True), *blocks, *last)


class RepVGGBlock(nn.Module):
    """3x3, 1x1 and identity side by side, as trained (arXiv:2101.03697)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.dense, self.point = conv_bn(inputs, outputs, 3, stride), conv_bn(inputs, outputs, 1, stride)
        self.same = nn.BatchNorm2d(inputs) if inputs == outputs and stride == 1 else None

    def forward(self, x: Tensor) -> Tensor:
        same = 0 if self.same is None else self.same(x)
        return F.relu(self.dense(x) + self.point(x) + same)


def repvgg() -> nn.Module:
    return nn.Sequential(RepVGGBlock(3, 6, 2), RepVGGBlock(6, 6, 1), RepVGGBlock(6, 10, 2), RepVGGBlock(10, 10, 1), head(10))
