"""One small network of every family that people bring, with seeded weights and batch norms that have seen samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

from tests.zoo import images, residual, several, signals

Shapes: TypeAlias = "tuple[int, ...] | Mapping[str, tuple[int, ...]]"
"""Of a sample, or of what each of several inputs takes of one."""


@dataclass(frozen=True)
class Family:
    """How to make a network of a family, the shape of a sample, and how to get back from probabilities to what they were made of."""

    make: Callable[[], nn.Module]
    shape: Shapes
    logits: Callable[[Tensor], Tensor] | None = None


FAMILIES = {
    "LeNet-5": Family(images.LeNet5, (1, 28, 28), logits=lambda y: y),
    "MLP with dropout": Family(images.mlp, (1, 12, 12)),
    "VGG-BN": Family(images.vgg_bn, (3, 16, 16)),
    "all-convolutional net": Family(images.all_convolutional, (3, 16, 16)),
    "Inception": Family(images.inception, (3, 12, 12)),
    "SqueezeNet": Family(images.squeezenet, (3, 17, 17)),
    "Darknet": Family(images.darknet, (3, 12, 12)),
    "CIFAR ResNet": Family(residual.cifar_resnet, (3, 12, 12)),
    "pre-activation ResNet": Family(residual.preactivation_resnet, (3, 12, 12)),
    "ResNet with ReLU6": Family(residual.projection_resnet, (3, 12, 12)),
    "ResNet with PReLU": Family(residual.prelu_resnet, (3, 10, 10)),
    "DenseNet": Family(residual.DenseNet, (3, 10, 10)),
    "ShuffleNet v2": Family(residual.shufflenet_v2, (3, 16, 16)),
    "MobileNet v2": Family(residual.mobilenet_v2, (3, 16, 16)),
    "RepVGG": Family(residual.repvgg, (3, 16, 16)),
    "spatial pyramid pooling": Family(images.PyramidPooling, (3, 16, 16)),
    "clipped ReLUs": Family(images.clipped, (3, 12, 12)),
    "channels last": Family(images.ChannelsLast, (12, 12, 3)),
    "normalization inside": Family(images.Normalized, (3, 12, 12)),
    "two branches": Family(images.TwoBranches, (2, 12, 12)),
    "PilotNet": Family(images.PilotNet, (3, 27, 52)),
    "autoencoder": Family(images.autoencoder, (1, 16, 16)),
    "U-Net": Family(images.UNet, (1, 12, 12)),
    "FCN": Family(images.FCN, (3, 16, 16)),
    "ESPCN": Family(images.espcn, (1, 10, 10)),
    "DS-CNN": Family(signals.ds_cnn, (1, 25, 10), logits=torch.log),
    "raw audio": Family(signals.raw_audio, (1, 240)),
    "TCN": Family(signals.TCN, (2, 32)),
    "ECG ResNet": Family(signals.ecg_resnet, (2, 64)),
    "PointNet": Family(signals.PointNet, (3, 16)),
    "event camera": Family(signals.event_camera, (2, 34, 34)),
    "Nature DQN": Family(signals.nature_dqn, (4, 36, 36)),
    "dueling DQN": Family(signals.DuelingDQN, (4, 36, 36)),
    "actor-critic": Family(several.ActorCritic, (2, 14, 14)),
    "two scale heads": Family(several.TwoScales, (3, 12, 12)),
    "single-shot detector": Family(several.SingleShot, (3, 12, 12)),
    "image and vector": Family(several.ImageAndVector, {"image": (1, 12, 12), "vector": (5,)}),
    "shared towers": Family(several.SharedTowers, {"left": (1, 12, 12), "right": (1, 12, 12)}),
}


def samples(shape: Shapes, number: int, seed: int) -> Tensor | dict[str, Tensor]:
    """Values from 0 to 1 that are alike in neighbours, and brighter in some samples than in others."""
    if isinstance(shape, Mapping):
        return {name: one_input(own, number, seed + i) for i, (name, own) in enumerate(shape.items())}
    return one_input(shape, number, seed)


def one_input(shape: tuple[int, ...], number: int, seed: int) -> Tensor:
    """`samples` of an input."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(number, *(-(-n // 4) for n in shape), generator=generator)
    for axis, n in enumerate(shape, 1):
        coarse = coarse.repeat_interleave(4, axis).narrow(axis, 0, n)
    fine = torch.rand(number, *shape, generator=generator)
    brightness = 0.2 + 0.8 * torch.rand(number, *(1 for _ in shape), generator=generator)
    return brightness * (0.7 * coarse + 0.3 * fine)


def made(name: str) -> nn.Module:
    """The network of a family, as if trained: every batch norm has the statistics of samples."""
    family = FAMILIES[name]
    torch.manual_seed(0)
    model = family.make()
    for module in model.modules():
        if isinstance(module, nn.modules.conv._ConvNd | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")  # outputs differ between samples as trained ones do
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = None  # the mean over all batches
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.3, 0.5)
    model.train()
    with torch.no_grad():
        for seed in range(3):
            outputs(model, samples(family.shape, 64, 100 + seed))
    return model.eval()


def outputs(model: nn.Module, x: Tensor | dict[str, Tensor]) -> list[Tensor]:
    """All that a model gives, each (N, ...)."""
    given = model(*x.values()) if isinstance(x, dict) else model(x)
    return [given] if isinstance(given, Tensor) else list(given.values() if isinstance(given, dict) else given)
