"""The networks that benchmarks and tutorials convert.

Every factory takes no argument and returns an untrained `torch.nn.Module`: input channels first in [0, 1], output one
score per class. `trained` fills one with the weights that ``benchmarks/train.py NAME`` made. On the command line::

    loihiconv convert benchmarks.nets:mnist_cnn --weights benchmarks/models/mnist_cnn.safetensors ...
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks import data

MODELS = Path(__file__).parent / "models"
NAMES = (
    "mnist_cnn",
    "mnist_maxpool",
    "fashion_cnn",
    "fashion_gap",
    "fashion_flat",
    "fashion_mlp",
    "cifar10_cnn",
    "mobilenet",
    "resnet20",
    "vgg11",
    "vowels_dscnn",
)
"""Trained by us; `sinabs_mnist` is by others and its weights lie with the data sets. Those of `vgg11`, 18 MB, are not kept here."""


def trained(name: str) -> nn.Module:
    """One of `NAMES`, or "sinabs_mnist", with its weights: in evaluation mode and float32."""
    if name not in (*NAMES, "sinabs_mnist"):
        raise ValueError(f"unknown network '{name}'; known are {', '.join(NAMES)} and sinabs_mnist")
    foreign = name == "sinabs_mnist"
    path = data.folder() / "nets/sinabs_mnist.pt" if foreign else MODELS / f"{name}.safetensors"
    if not path.exists():
        command = "get_data.py nets" if foreign else f"train.py {name}"
        raise FileNotFoundError(f"{path} is missing; get it with: python benchmarks/{command}")
    model: nn.Module = globals()[name]()
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True) if foreign else load_file(path))
    return model.eval()


def mnist_cnn() -> nn.Module:
    """Four convolutions with biases for MNIST: 16 5x5/2, 32 3x3, 64 3x3/2, 10 4x4, the readout.

    No batch norm and no pooling: every layer is spiking as it stands.
    """
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, stride=2),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, stride=2),
        nn.ReLU(),
        nn.Conv2d(64, 10, 4),
        nn.Flatten(),
    )


def mnist_maxpool() -> nn.Module:
    """Seven layers with max-pooling for MNIST: conv, conv, max, conv, max, dense, dense.

    Rueckauer et al. 2016 (arXiv:1612.04052), section 4.2, report 99.44 % for "a 7-layer network with max-pooling" and do
    not give its widths; these are ours.
    """
    return nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Conv2d(32, 32, 3),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(1600, 128),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(128, 10),
    )


def fashion_cnn() -> nn.Module:
    """Three batch-normed convolutions for Fashion-MNIST, with a stride, average pooling and no max-pooling."""
    return nn.Sequential(
        nn.Conv2d(1, 24, 5, stride=2, padding=2),
        nn.BatchNorm2d(24),
        nn.ReLU(),
        nn.Conv2d(24, 48, 3, padding=1),
        nn.BatchNorm2d(48),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Conv2d(48, 64, 3),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(1600, 10),
    )


def fashion_gap() -> nn.Module:
    """Three batch-normed convolutions for Fashion-MNIST and global average pooling, the head of every ResNet and MobileNet.

    Pooling and the dense layer behind it merge to one of 12,544 inputs, with weights a 196th as large.
    """
    return nn.Sequential(
        nn.Conv2d(1, 24, 5, padding=2),
        nn.BatchNorm2d(24),
        nn.ReLU(),
        nn.Conv2d(24, 48, 3, stride=2, padding=1),
        nn.BatchNorm2d(48),
        nn.ReLU(),
        nn.Conv2d(48, 64, 3, padding=1),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(64, 10),
    )


def fashion_flat() -> nn.Module:
    """Two batch-normed convolutions for Fashion-MNIST and one dense layer of 12,544 inputs: a readout of very large fan-in."""
    return nn.Sequential(
        nn.Conv2d(1, 24, 5, padding=2),
        nn.BatchNorm2d(24),
        nn.ReLU(),
        nn.Conv2d(24, 64, 3, stride=2, padding=1),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(12_544, 10),
    )


def fashion_mlp() -> nn.Module:
    """Dense layers alone for Fashion-MNIST: 784-256-128-10."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, 256),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(256, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )


def sinabs_mnist() -> nn.Module:
    """The bias-free MNIST network of sinabs 3.1.3 (examples/mnist), trained by its authors: 97.88 % on the test set."""
    return nn.Sequential(
        nn.Conv2d(1, 20, 5, bias=False),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Conv2d(20, 32, 5, bias=False),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Conv2d(32, 128, 3, bias=False),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(128, 500, bias=False),
        nn.ReLU(),
        nn.Linear(500, 10, bias=False),
    )


def cifar10_cnn() -> nn.Module:
    """The CIFAR-10 network of Rueckauer et al. 2016 (arXiv:1612.04052), section 4.1; theirs reached 87.86 %."""

    def block(inputs: int, outputs: int) -> list[nn.Module]:
        return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]

    return nn.Sequential(
        *block(3, 32),
        *block(32, 32),
        nn.MaxPool2d(2),
        nn.Dropout(0.1),
        *block(32, 64),
        *block(64, 64),
        nn.MaxPool2d(2),
        nn.Dropout(0.2),
        nn.Flatten(),
        nn.Linear(4096, 512),
        nn.BatchNorm1d(512),
        nn.ReLU(),
        nn.Dropout(0.4),
        nn.Linear(512, 10),
    )


def mobilenet() -> nn.Module:
    """The small MobileNet that Intel's NxTF put on Loihi, for CIFAR-10 (32x32x3).

    Rueckauer et al. 2021 (NxTF, arXiv:2101.04261) count 76,810 neurons. "Same" padding with stride 2 in the first
    convolution and in the second and fourth pair gives exactly that, with the pooling layer counted and the input not::

        conv 3x3/2 8,192 | pairs 8,192 + 16,384, 4,096 + 8,192, 8,192 + 8,192, 2,048 + 4,096, 4,096 + 4,096
        average pooling 1,024 | dense 10

    It has 4,145,152 synapses, or 4,101,024 without the taps that fall on padding. Theirs are 3,930,880, which is what
    comes out if the first convolution is counted for one of its 32 channels: 27 * 16 * 16 instead of 27 * 8,192.
    Here padding is 1 on every side, where Keras pads a stride of 2 on the right and bottom only; the sizes are the same.
    """

    def conv(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
        weights = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False)
        return [weights, nn.BatchNorm2d(outputs), nn.ReLU()]

    layers = conv(3, 32, 3, stride=2)
    for inputs, outputs, stride in ((32, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1)):
        layers += conv(inputs, inputs, 3, stride=stride, groups=inputs) + conv(inputs, outputs, 1)
    return nn.Sequential(*layers, nn.AvgPool2d(2), nn.Flatten(), nn.Linear(1024, 10))


class Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut; where shapes change it takes every other pixel and adds channels of zeros.

    That is option A of He et al. 2016 (arXiv:1512.03385), section 3.3, as all their networks for CIFAR-10 have it.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.stride, self.added = stride, outputs - inputs

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C', H / stride, W / stride)."""
        shortcut = x
        if self.added:
            before = self.added // 2
            shortcut = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, before, self.added - before))
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + shortcut)


def resnet20() -> nn.Module:
    """ResNet-20 for CIFAR-10, He et al. 2016 (arXiv:1512.03385), section 4.2: 0.27 million weights; theirs reached 91.25 %."""
    layers: list[nn.Module] = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    for inputs, outputs in ((16, 16), (16, 32), (32, 64)):
        layers += [Residual(inputs, outputs, stride=outputs // inputs), Residual(outputs, outputs, 1), Residual(outputs, outputs, 1)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def vgg11() -> nn.Module:
    """VGG-11 with batch norm and max-pooling (Simonyan and Zisserman 2015, arXiv:1409.1556, table 1, A), one dense layer for CIFAR-10."""
    layers: list[nn.Module] = []
    inputs = 3
    for outputs, pooled in ((64, True), (128, True), (256, False), (256, True), (512, False), (512, True), (512, False), (512, True)):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if pooled else []
        inputs = outputs
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 10))


def vowels_dscnn() -> nn.Module:
    """Depthwise separable convolutions over time, as those that spot keywords (Zhang et al. 2017, arXiv:1711.07128), for spoken vowels."""

    def conv(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
        weights = nn.Conv1d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False)
        return [weights, nn.BatchNorm1d(outputs), nn.ReLU()]

    layers = conv(12, 64, 5, stride=2)
    for _ in range(3):
        layers += conv(64, 64, 3, groups=64) + conv(64, 64, 1)
    return nn.Sequential(nn.BatchNorm1d(12), *layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(64, 9))
