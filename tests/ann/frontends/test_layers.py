"""Every layer and function that is read, as what it computes, and those that are not, by name."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from loihiconv.ann.frontends.torch import read_torch
from loihiconv.core.errors import UnsupportedLayer
from tests.ann.frontends.nets import IMAGE, Net, assert_read_and_lowered


def residual(m: Any, x: Tensor) -> Tensor:
    y = m.conv(x).relu()
    y += x
    return F.relu(y).flatten(1)


def frozen_batch_norm(m: Any, x: Tensor) -> Tensor:
    """As torchvision.ops.FrozenBatchNorm2d computes it."""
    weight, bias, var, mean = (v.reshape(1, -1, 1, 1) for v in (m.n.weight, m.n.bias, m.n.running_var, m.n.running_mean))
    scale = weight * (var + m.n.eps).rsqrt()
    return m.c(x * scale + (bias - mean * scale))


def named(module: nn.Module, name: str) -> nn.Module:
    """A layer whose type has the qualified name of another package's."""
    package, _, kind = name.rpartition(".")
    type(module).__module__, type(module).__qualname__ = package, kind
    return module


class Normalize(nn.Module):
    """What torchvision's transform of that name computes, which cannot be traced."""

    def __init__(self, mean: Any, std: Any) -> None:
        super().__init__()
        self.mean, self.std = mean, std

    def forward(self, x: Tensor) -> Tensor:
        if not isinstance(x, Tensor):
            raise TypeError("a tensor image expected")
        mean, std = (torch.as_tensor(v, dtype=x.dtype)[:, None, None] for v in (self.mean, self.std))
        return (x - mean) / std


def slopes(layer: nn.PReLU) -> nn.PReLU:
    layer.weight.data.copy_(CHANNELS)
    return layer


def conv(**options: Any) -> nn.Conv2d:
    return nn.Conv2d(4, 3, 3, **options)


CHANNELS = torch.tensor([0.3, -1.0, 2.0, 0.5])
PIXELS = torch.linspace(-1, 1, 168).reshape(IMAGE)
BOUNDED: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
    "relu6": (nn.Sequential(conv(), nn.ReLU6(), nn.Conv2d(3, 2, 3)), IMAGE),
    "relu6 at the end": (nn.Sequential(nn.Linear(5, 3), Net(lambda m, x: F.relu6(x * 30))), (5,)),
    "hardtanh": (nn.Sequential(conv(padding=1), nn.Hardtanh(), nn.Conv2d(3, 2, 3, padding=1), nn.ReLU()), IMAGE),
    "hardtanh from zero": (nn.Sequential(conv(), nn.Hardtanh(0, 0.2), nn.Flatten(), nn.Linear(60, 2)), IMAGE),
    "functional hardtanh": (Net(lambda m, x: m.c(F.hardtanh(m.a(x), -0.5, 0.1)), a=conv(), c=nn.Conv2d(3, 2, 3)), IMAGE),
    "clamps": (Net(lambda m, x: m.c(torch.clamp(m.a(x), 0, 0.3).clip(0.1, 0.2)), a=conv(), c=nn.Conv2d(3, 2, 3)), IMAGE),
    "clamp in place": (Net(lambda m, x: (y := m.c(x), y.clamp_(min=0), y)[2], c=conv()), IMAGE),
    "clamp from above": (Net(lambda m, x: m.c(torch.clamp(x, max=0.4)), c=conv(padding=1)), IMAGE),
    "clamp_max after relu": (Net(lambda m, x: m.c(x.relu().clamp_max(0.4)), c=conv(padding=1)), IMAGE),
    "clamp_min": (Net(lambda m, x: m.c(torch.clamp_min(x, -0.4)), c=conv(padding=1)), IMAGE),
    "clamp below zero after relu": (Net(lambda m, x: m.c(x.relu().clamp(-1, 0.4)), c=conv()), IMAGE),
    "clamp per channel": (Net(lambda m, x: m.c(torch.clamp(x, -CHANNELS.abs()[:, None, None], PIXELS + 2)), c=conv()), IMAGE),
    "minimum per channel": (Net(lambda m, x: torch.minimum(m.c(x).relu(), CHANNELS[:3, None, None].abs()), c=conv()), IMAGE),
    "two bounds": (nn.Sequential(conv(), nn.Hardtanh(0, 0.5), nn.MaxPool2d(2), nn.Hardtanh(0, 0.2), nn.Conv2d(3, 2, 1)), IMAGE),
    "bounds for two users": (Net(lambda m, x: m.c(y := F.relu6(30 * m.a(x))) + m.c(y.clamp(0, 2)), a=conv(), c=nn.Conv2d(3, 2, 1)), IMAGE),
    "bounded relu then max pool": (nn.Sequential(conv(), nn.MaxPool2d(2), nn.Hardtanh(0, 0.3), nn.Flatten(), nn.Linear(12, 2)), IMAGE),
    "hard sigmoid": (nn.Sequential(nn.Linear(5, 4), nn.Hardsigmoid(), nn.Linear(4, 3)), (5,)),
    "threshold": (
        Net(lambda m, x: m.b(F.threshold(m.a(x), 0, 0)) + m.t(x), a=nn.Linear(5, 4), b=nn.Linear(4, 5), t=nn.Threshold(0.2, 0.2)),
        (5,),
    ),
    "soft shrink": (nn.Sequential(nn.Linear(5, 4), nn.Softshrink(0.2), nn.Linear(4, 3)), (5,)),
    "maximum of two": (Net(lambda m, x: m.b(torch.maximum(m.a(x), x.relu())), a=nn.Linear(5, 5), b=nn.Linear(5, 3)), (5,)),
    "minimum of two": (Net(lambda m, x: m.b(torch.min(m.a(x), x)), a=nn.Linear(5, 5), b=nn.Linear(5, 3)), (5,)),
}
LEAKY: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
    "leaky relu": (nn.Sequential(conv(), nn.LeakyReLU(0.3), nn.Conv2d(3, 2, 3), nn.ReLU()), IMAGE),
    "leaky relu without slope": (nn.Sequential(conv(), nn.LeakyReLU(0), nn.Conv2d(3, 2, 3)), IMAGE),
    "leaky relu at the end": (nn.Sequential(conv(), nn.LeakyReLU()), IMAGE),
    "leaky relu of the input": (nn.Sequential(nn.LeakyReLU(0.5), conv()), IMAGE),
    "leaky relu then batch norm": (nn.Sequential(conv(), nn.LeakyReLU(0.2), nn.BatchNorm2d(3), nn.Conv2d(3, 2, 3, padding=1)), IMAGE),
    "leaky relu then max pool": (nn.Sequential(conv(), nn.LeakyReLU(0.2), nn.MaxPool2d(2), nn.Conv2d(3, 2, 1), nn.ReLU()), IMAGE),
    "two leaky relus": (nn.Sequential(nn.Linear(5, 4), nn.LeakyReLU(0.2), nn.Linear(4, 4), nn.LeakyReLU(0.4), nn.Linear(4, 3)), (5,)),
    "leaky relus in a row": (nn.Sequential(nn.Linear(5, 4), nn.LeakyReLU(0.2), nn.LeakyReLU(0.4), nn.ReLU(), nn.Linear(4, 3)), (5,)),
    "leaky residual": (Net(lambda m, x: F.leaky_relu(m.c(y := F.leaky_relu(x)) + y), c=nn.Conv2d(4, 4, 3, padding=1)), IMAGE),
    "prelu": (nn.Sequential(nn.Linear(5, 4), nn.PReLU(), nn.Linear(4, 3)), (5,)),
    "prelu per channel": (nn.Sequential(nn.Conv2d(4, 4, 3), slopes(nn.PReLU(4)), nn.Flatten(), nn.Linear(80, 3)), IMAGE),
    "rrelu": (nn.Sequential(nn.Linear(5, 4), nn.RReLU(), nn.Linear(4, 3)), (5,)),
    "bound after permuting": (
        Net(
            lambda m, x: m.l(torch.minimum(m.c(x).permute(0, 2, 3, 1).relu(), CHANNELS[:3].abs()).flatten(1)), c=conv(), l=nn.Linear(60, 2)
        ),
        IMAGE,
    ),
    "slopes after permuting": (
        Net(lambda m, x: m.l(m.p(m.c(x).permute(0, 3, 1, 2).flatten(1))), c=conv(), p=nn.PReLU(), l=nn.Linear(60, 2)),
        IMAGE,
    ),
    "slopes after joining": (
        Net(
            lambda m, x: m.d(m.p(torch.cat([m.c(x), m.a(x)], 1))),
            c=nn.Conv2d(4, 2, 3),
            a=nn.Conv2d(4, 2, 3),
            p=slopes(nn.PReLU(4)),
            d=conv(),
        ),
        IMAGE,
    ),
    "bounds after joining": (
        Net(
            lambda m, x: m.d(torch.minimum(torch.cat([m.c(x), m.a(x)], 1).relu(), CHANNELS.abs()[:, None, None])),
            c=nn.Conv2d(4, 2, 3),
            a=nn.Conv2d(4, 2, 3),
            d=conv(),
        ),
        IMAGE,
    ),
    "channels last": (Net(lambda m, x: m.c(((x - CHANNELS) / CHANNELS).permute(0, 3, 1, 2)).relu(), c=conv(padding=1)), (6, 7, 4)),
    "1d": (
        nn.Sequential(nn.Conv1d(3, 4, 3, padding=1), nn.BatchNorm1d(4), slopes(nn.PReLU(4)), nn.Conv1d(4, 2, 3), nn.ReLU6(), nn.Flatten()),
        (3, 9),
    ),
    "constants of 1d": (
        Net(lambda m, x: m.c(x * CHANNELS[:3, None] - torch.arange(9)).clamp(0, 4), c=nn.Conv1d(3, 4, 3, padding=1)),
        (3, 9),
    ),
    "absolute values": (Net(lambda m, x: m.b(abs(m.a(x)) - torch.abs(x)), a=nn.Linear(5, 5), b=nn.Linear(5, 3)), (5,)),
}
ARITHMETIC: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
    "constant": (Net(lambda m, x: m.c(m.a(x) + 1).relu(), a=nn.Conv2d(4, 4, 1), c=conv(padding=1)), IMAGE),
    "constants of other shapes": (
        Net(lambda m, x: m.c((x + CHANNELS[:, None, None] - PIXELS) * PIXELS[:1, :1]).relu(), c=conv(padding=1)),
        IMAGE,
    ),
    "factors per value": (Net(lambda m, x: m.c(m.a(x).relu() * PIXELS[None] / 3), a=nn.Conv2d(4, 4, 1), c=conv(padding=1)), IMAGE),
    "bytes": (Net(lambda m, x: m.c(x / 127.5 - 1).relu(), c=conv(padding=1, stride=2)), IMAGE),
    "bytes in place": (Net(lambda m, x: m.c(x.clone().div_(255).sub_(0.5)), c=conv(padding=1)), IMAGE),
    "standardized": (Net(lambda m, x: m.c((x - CHANNELS[:, None, None]) / CHANNELS[None, :, None, None]), c=conv(padding=2)), IMAGE),
    "standardized vector": (Net(lambda m, x: m.l((x - torch.arange(5)) / 3).relu(), l=nn.Linear(5, 3)), (5,)),
    "normalize": (
        nn.Sequential(named(Normalize([0.1, 0.2, 0.3, 0.4], (1, 2, 3, 4)), "torchvision.transforms.transforms.Normalize"), conv(padding=1)),
        IMAGE,
    ),
    "batch norm by hand": (Net(frozen_batch_norm, c=conv(padding=1), n=nn.BatchNorm2d(4)), IMAGE),
    "batch norm before padding": (nn.Sequential(conv(), nn.ReLU(), nn.BatchNorm2d(3), nn.ZeroPad2d(1), nn.Conv2d(3, 2, 3)), IMAGE),
    "batch norm before max pool": (
        nn.Sequential(conv(), nn.ReLU(), Net(lambda m, x: 3 * x - 1), nn.MaxPool2d(2), nn.Conv2d(3, 2, 1)),
        IMAGE,
    ),
    "batch norm after max pool": (
        nn.Sequential(conv(), nn.ReLU(), nn.MaxPool2d(2), Net(lambda m, x: 3 * x - 1), nn.Conv2d(3, 2, 1)),
        IMAGE,
    ),
    "one minus": (Net(lambda m, x: m.b(1 - m.a(x).relu()), a=nn.Linear(5, 4), b=nn.Linear(4, 3)), (5,)),
    "rsub": (Net(lambda m, x: m.b(torch.rsub(m.a(x), 1, alpha=2)), a=nn.Linear(5, 4), b=nn.Linear(4, 3)), (5,)),
    "negation": (Net(lambda m, x: m.b(-m.a(x).relu()) + torch.neg(+m.a(x)), a=nn.Linear(5, 5), b=nn.Linear(5, 5)), (5,)),
    "difference": (Net(lambda m, x: (x - m.a(x)).relu(), a=nn.Linear(5, 5)), (5,)),
    "difference of signals": (Net(lambda m, x: torch.sub(m.a(x).relu(), m.a(x), alpha=0.5), a=nn.Linear(5, 5)), (5,)),
    "alpha": (Net(lambda m, x: torch.add(x, m.a(x), alpha=2).relu(), a=nn.Linear(5, 5)), (5,)),
    "alpha and a constant": (Net(lambda m, x: torch.add(torch.ones(5), m.a(x), alpha=2).relu(), a=nn.Linear(5, 5)), (5,)),
    "sum of a list": (Net(lambda m, x: sum([x, m.a(x), m.a(x.relu())]).relu(), a=nn.Linear(5, 5)), (5,)),
    "lerp": (Net(lambda m, x: torch.lerp(x, m.a(x), 0.25).lerp(torch.ones(5, dtype=torch.float64), 0.5).relu(), a=nn.Linear(5, 5)), (5,)),
    "temperature": (Net(lambda m, x: m.a(x) / 2.5, a=nn.Linear(5, 3)), (5,)),
    "sum of pixels and channels": (Net(lambda m, x: F.relu((y := m.a(x)) + F.adaptive_avg_pool2d(y, 1) - x), a=nn.Conv2d(4, 4, 1)), IMAGE),
    "constant larger than the signal": (Net(lambda m, x: m.c(F.adaptive_avg_pool2d(x, 1).relu() * PIXELS - PIXELS), c=conv()), IMAGE),
}
SUPPORTED: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
    "linear": (nn.Linear(5, 3), (5,)),
    "linear without bias": (nn.Sequential(nn.Linear(5, 3, bias=False)), (5,)),
    "conv": (nn.Conv2d(4, 3, (3, 2), stride=(1, 2), padding=(2, 1)), IMAGE),
    "conv same": (nn.Conv2d(4, 3, (2, 4), padding="same", dilation=(1, 1)), IMAGE),
    "conv valid": (nn.Conv2d(4, 3, 3, padding="valid", dilation=2), IMAGE),
    "conv reflect": (nn.Conv2d(4, 3, (3, 2), stride=(1, 2), padding=(1, 2), padding_mode="reflect"), IMAGE),
    "conv circular": (nn.Conv2d(4, 4, 3, groups=2, padding="same", dilation=2, padding_mode="circular"), IMAGE),
    "conv1d replicate": (nn.Conv1d(4, 3, 4, padding=2, padding_mode="replicate"), (4, 9)),
    "conv groups": (nn.Conv2d(4, 6, 3, groups=2, padding=1), IMAGE),
    "conv depthwise": (nn.Conv2d(4, 4, 3, groups=4, bias=False), IMAGE),
    "batch norm": (nn.Sequential(nn.Conv2d(4, 3, 3), nn.BatchNorm2d(3), nn.ReLU()), IMAGE),
    "batch norm first": (nn.Sequential(nn.BatchNorm2d(4), nn.Conv2d(4, 3, 3, padding=1), nn.ReLU()), IMAGE),
    "batch norm alone": (nn.BatchNorm2d(4, affine=False), IMAGE),
    "batch norm 1d": (nn.Sequential(nn.Linear(5, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 2)), (5,)),
    "batch norm after flatten": (nn.Sequential(nn.ReLU(), nn.Flatten(), nn.BatchNorm1d(168), nn.Linear(168, 3)), IMAGE),
    "batch norm after flatten of conv": (nn.Sequential(nn.Conv2d(4, 2, 3), nn.Flatten(), nn.BatchNorm1d(40), nn.ReLU()), IMAGE),
    "batch norm after pixel": (nn.Sequential(nn.Conv2d(4, 2, (7, 6)), nn.Flatten(), nn.BatchNorm1d(2), nn.ReLU()), IMAGE),
    "relu in place": (nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(4, 3, 3)), IMAGE),
    "average pool": (nn.Sequential(nn.ReLU(), nn.AvgPool2d(3, 2, 1), nn.Conv2d(4, 3, 3, padding=1), nn.ReLU()), IMAGE),
    "average pool merges": (nn.Sequential(nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(4, 3, 2), nn.ReLU()), IMAGE),
    "ceil mode without effect": (nn.AvgPool2d(2, ceil_mode=True), (4, 6, 6)),
    "a window larger than the image": (nn.AvgPool2d(3, ceil_mode=True), (4, 1, 2)),
    "adaptive average pool": (nn.Sequential(nn.AdaptiveAvgPool2d((1, 3)), nn.Flatten()), IMAGE),
    "adaptive pool to the same": (nn.Sequential(nn.AdaptiveAvgPool2d((None, None)), nn.ReLU()), IMAGE),
    "adaptive max pool": (nn.AdaptiveMaxPool2d((7, 2)), IMAGE),
    "max pool": (nn.Sequential(nn.Conv2d(4, 3, 3), nn.MaxPool2d(3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(18, 2)), IMAGE),
    "max pool then batch norm": (nn.Sequential(nn.Conv2d(4, 3, 3), nn.MaxPool2d(2), nn.BatchNorm2d(3), nn.ReLU()), IMAGE),
    "max pool at the end": (nn.Sequential(nn.Conv2d(4, 3, 3), nn.ReLU(), nn.MaxPool2d((5, 4)), nn.Flatten()), IMAGE),
    "zero pad": (nn.Sequential(nn.ZeroPad2d((1, 2, 0, -1)), nn.Conv2d(4, 3, 3), nn.ReLU()), IMAGE),
    "crop then padded conv": (nn.Sequential(nn.ReLU(), nn.ZeroPad2d(-1), nn.Conv2d(4, 3, 3, padding=1)), IMAGE),
    "dropout": (nn.Sequential(nn.Dropout(), nn.Linear(5, 3), nn.Identity(), nn.ReLU(), nn.AlphaDropout(), nn.Linear(3, 2)), (5,)),
    "functional pad": (Net(lambda m, x: F.pad(x, (1, -1, 2, 0))), IMAGE),
    "functional pools": (Net(lambda m, x: F.max_pool2d(F.avg_pool2d(x.relu(), 2), kernel_size=2)), IMAGE),
    "functional adaptive": (Net(lambda m, x: torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)), IMAGE),
    "functional layers": (Net(lambda m, x: F.linear(F.relu(x), m.l.weight * 2, m.l.bias), l=nn.Linear(5, 3)), (5,)),
    "view": (Net(lambda m, x: m.l(x.view(x.size(0), -1)), l=nn.Linear(168, 3)), IMAGE),
    "view -1": (Net(lambda m, x: m.l(x.view(-1, 168)), l=nn.Linear(168, 3)), IMAGE),
    "reshape": (Net(lambda m, x: m.l(torch.reshape(x, (x.shape[0], -1))), l=nn.Linear(168, 3)), IMAGE),
    "flatten method": (Net(lambda m, x: m.l(F.dropout(x.flatten(start_dim=1), training=m.training)), l=nn.Linear(168, 3)), IMAGE),
    "squeeze": (Net(lambda m, x: m.c(x).squeeze(), c=nn.Conv2d(4, 3, (7, 6))), IMAGE),
    "residual": (Net(residual, conv=nn.Conv2d(4, 4, 3, padding=1)), IMAGE),
    "residual of linear": (Net(lambda m, x: m.b(torch.add(m.a(x), x)), a=nn.Conv2d(4, 4, 1), b=nn.Conv2d(4, 2, 3)), IMAGE),
    "sum of sums": (Net(lambda m, x: F.relu(m.a(x) + m.a(x.relu()) + x), a=nn.Conv2d(4, 4, 1)), IMAGE),
    "sum of flat and image": (Net(lambda m, x: F.relu(x.flatten(1) + m.l(x.flatten(1))), l=nn.Linear(168, 168)), IMAGE),
    "pool with two users": (Net(lambda m, x: F.relu(m.c(p := m.p(x.relu())) + p), p=nn.AvgPool2d(2), c=nn.Conv2d(4, 4, 1)), IMAGE),
    "in place without assignment": (Net(lambda m, x: (y := m.c(x), y.relu_(), m.c(y))[2], c=nn.Conv2d(4, 4, 1)), IMAGE),
    "in place seen by others": (Net(lambda m, x: (y := m.c(x)) + m.c(F.relu_(y)), c=nn.Conv2d(4, 4, 1)), IMAGE),
    "module used twice": (Net(lambda m, x: m.r(m.l(m.r(m.l(x)))), l=nn.Linear(5, 5), r=nn.ReLU()), (5,)),
    **BOUNDED,
    **LEAKY,
    **ARITHMETIC,
}


@pytest.mark.parametrize("case", SUPPORTED)
def test_reads_and_lowers_what_the_model_computes(case: str) -> None:
    torch.manual_seed(0)
    model, shape = SUPPORTED[case]
    assert_read_and_lowered(copy.deepcopy(model), shape)


CL = (4, 9)
VOLUME = (2, 4, 5, 6)
MOVED: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
    "cat of branches": (Net(lambda m, x: torch.cat([m.a(x).relu(), m.b(x)], 1).relu(), a=nn.Conv2d(4, 3, 3), b=nn.Conv2d(4, 2, 3)), IMAGE),
    "dense block": (
        Net(
            lambda m, x: m.c(m.n(torch.cat([x.relu(), m.a(x).relu()], 1)).relu()),
            a=nn.Conv2d(4, 3, 3, padding=1),
            n=nn.BatchNorm2d(7),
            c=nn.Conv2d(7, 2, 3),
        ),
        IMAGE,
    ),
    "cat then pool": (Net(lambda m, x: F.max_pool2d(torch.cat([x.relu(), m.a(x).relu()], 1), 2), a=nn.Conv2d(4, 3, 1)), IMAGE),
    "cat of itself": (Net(lambda m, x: m.c(torch.cat([x, x], 1)), c=nn.Conv2d(8, 2, 3)), IMAGE),
    "cat of rows": (Net(lambda m, x: torch.cat([x, m.a(x)], 2), a=nn.Conv2d(4, 4, 3, padding=1)), IMAGE),
    "cat of vectors": (Net(lambda m, x: m.l(torch.cat([x.relu(), m.a(x)], dim=-1)), a=nn.Linear(4, 3), l=nn.Linear(7, 2)), (4,)),
    "stack": (Net(lambda m, x: torch.stack([x, m.a(x)], 1).flatten(1), a=nn.Linear(4, 4)), (4,)),
    "chunk": (Net(lambda m, x: (lambda a, b: m.c(a.relu() + b))(*m.a(x).chunk(2, 1)), a=nn.Conv2d(4, 6, 3), c=nn.Conv2d(3, 2, 1)), IMAGE),
    "split": (Net(lambda m, x: torch.cat([p.relu() for p in x.split([1, 3], 1)][::-1], 1)), IMAGE),
    "slices": (Net(lambda m, x: m.c(x[:, 1:3].relu() + x[:, :2])[:, :, ::2, 1:], c=nn.Conv2d(2, 2, 3, padding=1)), IMAGE),
    "narrow and select": (Net(lambda m, x: x.narrow(1, 1, 2).relu().select(2, 3)), IMAGE),
    "unbind": (Net(lambda m, x: x.unbind(1)[2]), IMAGE),
    "shuffle": (nn.Sequential(nn.ReLU(), nn.ChannelShuffle(2), nn.Conv2d(4, 2, 3)), IMAGE),
    "shuffle by hand": (
        Net(lambda m, x: m.c(x.relu().view(-1, 2, 2, 7, 6).transpose(1, 2).contiguous().view(-1, 4, 7, 6)), c=nn.Conv2d(4, 2, 3)),
        IMAGE,
    ),
    "shortcut A": (
        Net(lambda m, x: (m.c(x) + F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 1, 1))).relu(), c=nn.Conv2d(4, 6, 3, stride=2, padding=1)),
        IMAGE,
    ),
    "permuted input": (Net(lambda m, x: m.c(x.permute(0, 3, 1, 2)).relu(), c=nn.Conv2d(4, 3, 3)), (7, 6, 4)),
    "channels last": (
        Net(lambda m, x: m.l(m.c(x.permute(0, 3, 1, 2)).relu().permute(0, 2, 3, 1)), c=nn.Conv2d(4, 3, 3), l=nn.Linear(3, 2)),
        (7, 6, 4),
    ),
    "transposed image": (Net(lambda m, x: m.c(m.a(x).relu().transpose(2, 3)), a=nn.Conv2d(4, 4, 3), c=nn.Conv2d(4, 2, 3)), IMAGE),
    "vector to image": (Net(lambda m, x: m.c(x.view(-1, 1, 4, 5)).relu(), c=nn.Conv2d(1, 3, 3)), (20,)),
    "dense to image": (
        nn.Sequential(nn.Linear(5, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Unflatten(1, (3, 2, 2)), nn.Conv2d(3, 2, 2)),
        (5,),
    ),
    "dense to image without relu": (nn.Sequential(nn.Linear(5, 12), nn.Unflatten(1, (3, 2, 2)), nn.Conv2d(3, 2, 2)), (5,)),
    "flip and roll": (Net(lambda m, x: torch.roll(x.flip(3), 1, 2) + x), IMAGE),
    "expand": (Net(lambda m, x: x[:, :1].expand(-1, 4, -1, -1) + x), IMAGE),
    "reflect": (Net(lambda m, x: m.c(F.pad(x, (1, 1, 1, 1), mode="reflect")), c=nn.Conv2d(4, 2, 3)), IMAGE),
    "replicated": (nn.Sequential(nn.ReLU(), nn.ReplicationPad2d((1, 0, 2, 1)), nn.Conv2d(4, 2, 3), nn.ReLU()), IMAGE),
    "pixel shuffle": (nn.Sequential(nn.Conv2d(4, 8, 3, padding=1), nn.ReLU(), nn.PixelShuffle(2), nn.Conv2d(2, 2, 3), nn.ReLU()), IMAGE),
    "nearest": (nn.Sequential(nn.ReLU(), nn.Upsample(scale_factor=2), nn.Conv2d(4, 2, 3, padding=1)), IMAGE),
    "bilinear": (nn.Sequential(nn.ReLU(), nn.Upsample(size=(5, 9), mode="bilinear"), nn.Conv2d(4, 2, 3)), IMAGE),
    "bilinear, corners": (Net(lambda m, x: F.interpolate(x, scale_factor=1.5, mode="bilinear", align_corners=True)), IMAGE),
    "bicubic": (Net(lambda m, x: F.interpolate(x, (9, 4), mode="bicubic")), IMAGE),
    "linear 1d": (nn.Upsample(scale_factor=2, mode="linear"), CL),
    "transposed convolution": (nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(4, 3, 3, 2, 1, output_padding=1), nn.ReLU()), IMAGE),
    "transposed convolution, groups": (nn.ConvTranspose2d(4, 6, (2, 3), (1, 3), (0, 2), groups=2, dilation=(2, 1)), IMAGE),
    "transposed convolution 1d": (nn.ConvTranspose1d(4, 2, 4, 2, 1), CL),
    "conv 1d": (nn.Sequential(nn.Conv1d(4, 3, 3, padding="same"), nn.BatchNorm1d(3), nn.ReLU(), nn.MaxPool1d(2), nn.Flatten()), CL),
    "conv 1d, strides": (nn.Sequential(nn.Conv1d(4, 6, 3, 2, 2, 2, 2), nn.ReLU(), nn.AvgPool1d(3, 1, 1), nn.AdaptiveAvgPool1d(1)), CL),
    "time first": (Net(lambda m, x: m.c(x.transpose(1, 2)).relu().mean(-1), c=nn.Conv1d(4, 3, 3)), (9, 4)),
    "raw audio": (Net(lambda m, x: m.c(x.unsqueeze(1)).relu().mean(2), c=nn.Conv1d(1, 3, 5, 2)), (21,)),
    "dense on each step": (nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(18, 3)), (9, 4)),
    "conv 3d": (nn.Sequential(nn.Conv3d(2, 4, (2, 3, 3), (1, 2, 1), 1, groups=2), nn.BatchNorm3d(4), nn.ReLU(), nn.AvgPool3d(2)), VOLUME),
    "means": (Net(lambda m, x: m.l(x.relu().mean((2, 3))), l=nn.Linear(4, 2)), IMAGE),
    "mean kept": (Net(lambda m, x: x.relu().mean(dim=[-1, -2], keepdim=True) + m.c(x), c=nn.Conv2d(4, 4, (7, 6))), IMAGE),
    "sum over channels": (Net(lambda m, x: x.sum(1)), IMAGE),
    "mean over rows": (Net(lambda m, x: x.mean(2)), IMAGE),
    "mean of a vector": (Net(lambda m, x: x.mean(1, keepdim=True)), (4,)),
    "largest": (Net(lambda m, x: x.relu().amax((2, 3))), IMAGE),
    "largest by name": (
        Net(lambda m, x: m.c(x).relu().max(1, True).values + x.max(dim=1, keepdim=True).values, c=nn.Conv2d(4, 3, 1)),
        IMAGE,
    ),
    "largest of channels": (Net(lambda m, x: m.c(x).relu().max(1)[0], c=nn.Conv2d(4, 3, 3)), IMAGE),
    "ensembles": (Net(lambda m, x: torch.stack([m.a(x), m.b(x).relu()]).mean(0).relu(), a=nn.Linear(4, 3), b=nn.Linear(4, 3)), (4,)),
    "ensemble behind samples": (Net(lambda m, x: torch.stack([m.a(x), m.b(x)], dim=1).mean(1), a=nn.Linear(4, 3), b=nn.Linear(4, 3)), (4,)),
    "sum of a stack": (Net(lambda m, x: torch.stack([x, m.a(x), x.relu()]).sum(dim=(0, 2)), a=nn.Conv2d(4, 4, 1)), IMAGE),
    "maximum of a stack": (Net(lambda m, x: torch.stack([x, m.a(x), -x]).max(0).values.relu(), a=nn.Conv2d(4, 4, 1)), IMAGE),
    "maxima of a stack": (Net(lambda m, x: torch.stack([x, m.a(x)]).amax((0, 3)), a=nn.Conv2d(4, 4, 1)), IMAGE),
    "joined samples apart": (Net(lambda m, x: torch.cat([x[None], m.a(x).unsqueeze(0)]).mean(0), a=nn.Linear(4, 4)), (4,)),
    "a stack moved": (Net(lambda m, x: m.a(torch.stack([x.relu(), 2 * x, x]).transpose(0, 1)[:, 1:].flatten(1)), a=nn.Linear(8, 3)), (4,)),
    "a stack taken apart": (Net(lambda m, x: torch.stack([x.relu(), m.a(x)])[1] + torch.stack([x, x])[0], a=nn.Linear(4, 4)), (4,)),
    "average pool, ceil": (nn.Sequential(nn.ReLU(), nn.AvgPool2d(2, ceil_mode=True), nn.Conv2d(4, 2, 2)), IMAGE),
    "average pool, border": (nn.Sequential(nn.AvgPool2d(3, 2, 1, count_include_pad=False), nn.ReLU()), IMAGE),
    "average pool, divisor": (nn.AvgPool2d(2, divisor_override=3), IMAGE),
    "average pool, unequal": (nn.Sequential(nn.ReLU(), nn.AdaptiveAvgPool2d((4, 5)), nn.Flatten(), nn.Linear(80, 3)), IMAGE),
    "max pool 3d": (nn.Sequential(nn.ReLU(), nn.MaxPool3d((1, 2, 3), (2, 2, 1), (0, 1, 1), ceil_mode=True)), VOLUME),
    "max pool 3d, dilated": (nn.Sequential(nn.ReLU(), nn.MaxPool3d(2, 2, 1, dilation=(3, 2, 1))), VOLUME),
    "max pool 3d, unequal": (nn.Sequential(nn.ReLU(), nn.AdaptiveMaxPool3d((2, 3, 6))), VOLUME),
    "average pool 3d": (nn.AdaptiveAvgPool3d((2, 3, 1)), VOLUME),
    "max pool, ceil": (nn.Sequential(nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True), nn.Conv2d(4, 2, 2)), IMAGE),
    "max pool, dilated": (nn.Sequential(nn.ReLU(), nn.MaxPool2d(2, 1, dilation=(3, 2))), IMAGE),
    "max pool, unequal": (nn.Sequential(nn.ReLU(), nn.AdaptiveMaxPool2d((3, 4))), IMAGE),
    "separable bottleneck": (
        nn.Sequential(
            nn.Conv2d(4, 8, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.ReLU(), nn.Conv2d(8, 4, 1), nn.Conv2d(4, 6, 1)
        ),
        IMAGE,
    ),
}


@pytest.mark.parametrize("case", MOVED)
def test_arranges_and_resamples_as_the_model_does(case: str) -> None:
    assert_read_and_lowered(*copy.deepcopy(MOVED[case]))


@pytest.mark.parametrize(
    "pool", [nn.MaxPool2d(3, 2, 1), nn.MaxPool2d(2, ceil_mode=True), nn.AdaptiveMaxPool2d((3, 4)), nn.MaxPool2d(3, 1, 1, 2)]
)
def test_pooling_of_values_that_may_be_negative(pool: nn.Module) -> None:
    model = nn.Sequential(nn.Conv2d(4, 3, 3, padding=1), pool, nn.Conv2d(3, 2, 1))
    assert_read_and_lowered(model, IMAGE, maxpool="relu-tree")


REFUSED: dict[str, tuple[nn.Module, tuple[int, ...], str]] = {
    "GELU": (nn.Sequential(nn.Linear(4, 4), nn.GELU()), (4,), "1: GELU .*ReLU"),
    "Hardswish": (nn.Sequential(nn.Sequential(nn.Hardswish()), nn.Linear(4, 2)), (4,), r"0\.0: Hardswish .*retrain with ReLU"),
    "ELU": (nn.Sequential(nn.ELU()), (4,), "0: ELU .*retrain with ReLU"),
    "Sigmoid": (nn.Sequential(nn.Sigmoid(), nn.Linear(4, 2)), (4,), "0: Sigmoid .*at the very end"),
    "sign": (Net(lambda m, x: torch.sign(x)), (4,), "sign: sign .*jumps"),
    "jump": (nn.Sequential(nn.Threshold(1, 0)), (4,), "0: Threshold jumps"),
    "random slopes": (Net(lambda m, x: F.rrelu(x, training=True)), (4,), "rrelu: rrelu is random"),
    "clamp the wrong way": (Net(lambda m, x: x.clamp(max=torch.arange(3)[:, None])), (4,), "clamp: clamp takes a constant of shape"),
    "GroupNorm": (nn.Sequential(nn.GroupNorm(2, 4)), IMAGE, "0: GroupNorm .*BatchNorm2d"),
    "LSTM": (Net(lambda m, x: m.rnn(x)[0], rnn=nn.LSTM(6, 3)), (7, 6), "rnn: LSTM .*feed-forward"),
    "attention": (Net(lambda m, x: m.a(x, x, x)[0], a=nn.MultiheadAttention(6, 2)), (7, 6), "a: MultiheadAttention"),
    "mul": (Net(lambda m, x: x * x), (4,), "mul: mul multiplies two activations; .*squeeze-and-excitation"),
    "addcmul": (Net(lambda m, x: torch.addcmul(x, x, x)), (4,), "addcmul: addcmul .*products of two activations"),
    "power": (Net(lambda m, x: x**2), (4,), "pow: pow takes powers"),
    "division by a signal": (Net(lambda m, x: 1 / x), (4,), "truediv: truediv divides by an activation"),
    "rounding division": (Net(lambda m, x: torch.div(x, 2, rounding_mode="floor")), (4,), "div: div has rounding_mode"),
    "division by zero": (Net(lambda m, x: x / 0), (4,), "truediv: truediv divides by zero"),
    "argmax": (Net(lambda m, x: m.a(x.argmax(1, keepdim=True).float()), a=nn.Linear(1, 2)), (4,), "argmax: argmax gives classes"),
    "argmax of samples": (Net(lambda m, x: x.argmax(0)), (4,), "argmax: argmax over the samples of a batch mixes them"),
    "nested": (nn.Sequential(Net(lambda m, x: torch.exp(x)), nn.Linear(4, 2)), (4,), r"0\.exp: exp"),
    "constant per sample": (
        Net(lambda m, x: x + torch.arange(12).reshape(3, 4)),
        (4,),
        "add: add takes a constant of shape .3, 4., one value per sample",
    ),
    "nothing but padding": (
        nn.Sequential(nn.MaxPool2d(2, padding=1, dilation=2)),
        (1, 1, 3),
        "0: MaxPool2d has windows with nothing but padding",
    ),
    "a part that is a constant": (Net(lambda m, x: F.pad(x, (4, -4), value=1.0)), (4,), "pad: pad gives nothing but constants"),
    "a mask of values": (Net(lambda m, x: x.masked_fill(x > 0, 1.0)), (4,), "masked_fill: masked_fill jumps from 0 to 1 where"),
    "values beside infinite ones": (Net(lambda m, x: F.pad(x, (1, 1), value=-torch.inf)), (4,), "pad: pad puts infinite values"),
    "constants per sample beside values": (
        Net(lambda m, x: torch.cat([x, torch.arange(3.0)[:, None]], 1)),
        (4,),
        "cat: cat puts constants",
    ),
    "another type of the same bits": (Net(lambda m, x: x.view(torch.int32).float()), (4,), "view: view changes values"),
    "the type of whole numbers": (Net(lambda m, x: x.type_as(torch.arange(3)).float()), (4,), "type_as: type_as rounds to whole numbers"),
    "values in NumPy": (Net(lambda m, x: torch.from_numpy(x.numpy())), (4,), "Net: .*what cannot be recorded"),
    "no statistics": (nn.Sequential(nn.BatchNorm2d(4, track_running_stats=False)), IMAGE, "0: BatchNorm2d .*statistics"),
    "softmax inside": (nn.Sequential(nn.Softmax(1), nn.Linear(4, 2)), (4,), "0: Softmax .*end"),
    "mixing samples": (Net(lambda m, x: x.reshape(1, -1)), IMAGE, "reshape: .*mixes samples"),
    "samples behind": (Net(lambda m, x: torch.stack([x, x.relu(), x]).mean(2).T), (4,), r"mean: .*as in torch.stack\(\[a, b\], 1\)"),
    "samples behind at the end": (Net(lambda m, x: torch.stack([x, x.relu()])), (4,), r"stack: .*as in torch.stack\(\[a, b\], 1\)"),
    "an axis is left before samples": (Net(lambda m, x: torch.stack([x, x.relu()]).sum(0, keepdim=True)), (4,), r"sum: .*second axis"),
    "steps beside samples": (Net(lambda m, x: x.reshape(-1, 6).relu().reshape(len(x), -1)), (4, 6), "reshape: .*as in torch.stack"),
    "random": (Net(lambda m, x: F.dropout(x)), (4,), "dropout: .*random"),
    "values": (Net(lambda m, x: x if x.sum() > 0 else x.relu()), (4,), "decides on the values"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses_by_name(case: str) -> None:
    model, shape, message = REFUSED[case]
    with pytest.raises(UnsupportedLayer, match=message):
        read_torch(model, shape)
