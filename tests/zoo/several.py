"""Small networks of several inputs and several outputs."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.zoo.residual import conv_bn


class ActorCritic(nn.Module):
    """Logits of actions and a value hundreds of times as large, from the same convolutions (A3C, arXiv:1602.01783)."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(2, 6, 4, 2), nn.ReLU(), nn.Conv2d(6, 8, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(32, 24), nn.ReLU()
        )
        self.policy, self.value = nn.Linear(24, 5), nn.Linear(24, 1)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        features = self.body(x)
        return {"policy": self.policy(features), "value": 300 * self.value(features).squeeze(-1)}


class TwoScales(nn.Module):
    """Detector heads on maps of two sizes, the finer of which sees the coarser one upsampled (YOLO v3, arXiv:1804.02767)."""

    def __init__(self) -> None:
        super().__init__()
        self.fine, self.coarse = nn.Sequential(conv_bn(3, 8, 3, stride=2), nn.ReLU()), nn.Sequential(conv_bn(8, 12, 3, stride=2), nn.ReLU())
        self.lateral = nn.Sequential(conv_bn(12, 8, 1), nn.ReLU())
        self.small, self.large = nn.Conv2d(16, 7, 1), nn.Conv2d(12, 7, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        fine = self.fine(x)
        coarse = self.coarse(fine)
        up = F.interpolate(self.lateral(coarse), scale_factor=2.0)
        return self.large(coarse), self.small(torch.cat([fine, up], 1))


class SingleShot(nn.Module):
    """Boxes and classes of anchors on maps of three sizes, joined along the anchors (SSD, arXiv:1512.02325)."""

    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.ModuleList(nn.Sequential(conv_bn(c, d, 3, stride=2), nn.ReLU()) for c, d in ((3, 8), (8, 10), (10, 12)))
        self.boxes = nn.ModuleList(nn.Conv2d(c, 2 * 4, 3, padding=1) for c in (8, 10, 12))
        self.classes = nn.ModuleList(nn.Conv2d(c, 2 * 3, 3, padding=1) for c in (8, 10, 12))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        boxes, classes = [], []
        for stage, box, kind in zip(self.stages, self.boxes, self.classes, strict=True):
            x = stage(x)
            boxes.append(box(x).permute(0, 2, 3, 1).reshape(len(x), -1, 4))
            classes.append(kind(x).permute(0, 2, 3, 1).reshape(len(x), -1, 3))
        return {"boxes": torch.cat(boxes, 1), "classes": torch.cat(classes, 1)}


class ImageAndVector(nn.Module):
    """A camera and a robot's state, joined behind an encoder of each (MultiInputPolicy of stable-baselines3)."""

    def __init__(self) -> None:
        super().__init__()
        self.camera = nn.Sequential(conv_bn(1, 6, 3, stride=2), nn.ReLU(), conv_bn(6, 8, 3, stride=2), nn.ReLU(), nn.Flatten())
        self.state = nn.Sequential(nn.Linear(5, 12), nn.ReLU())
        self.head = nn.Sequential(nn.Linear(84, 20), nn.ReLU(), nn.Linear(20, 4))

    def forward(self, image: Tensor, vector: Tensor) -> Tensor:
        outputs: Tensor = self.head(torch.cat([self.camera(image), self.state(20 * vector - 10)], 1))
        return outputs


class SharedTowers(nn.Module):
    """The same encoder for two images, and how far their codes are apart (siamese, Koch et al. 2015)."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(conv_bn(1, 6, 3, stride=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(54, 10))
        self.head = nn.Linear(10, 2)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        outputs: Tensor = self.head(torch.abs(self.encoder(left) - self.encoder(right)))
        return outputs
