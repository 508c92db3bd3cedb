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


SUPPORTED: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
    "linear": (nn.Linear(5, 3), (5,)),
    "linear without bias": (nn.Sequential(nn.Linear(5, 3, bias=False)), (5,)),
    "conv": (nn.Conv2d(4, 3, (3, 2), stride=(1, 2), padding=(2, 1)), IMAGE),
    "conv same": (nn.Conv2d(4, 3, (2, 4), padding="same", dilation=(1, 1)), IMAGE),
    "conv valid": (nn.Conv2d(4, 3, 3, padding="valid", dilation=2), IMAGE),
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
}


@pytest.mark.parametrize("case", SUPPORTED)
def test_reads_and_lowers_what_the_model_computes(case: str) -> None:
    torch.manual_seed(0)
    model, shape = SUPPORTED[case]
    assert_read_and_lowered(copy.deepcopy(model), shape)


REFUSED: dict[str, tuple[nn.Module, tuple[int, ...], str]] = {
    "GELU": (nn.Sequential(nn.Linear(4, 4), nn.GELU()), (4,), "1: GELU .*ReLU"),
    "ReLU6": (nn.Sequential(nn.Sequential(nn.ReLU6()), nn.Linear(4, 2)), (4,), r"0\.0: ReLU6 .*use ReLU"),
    "LeakyReLU": (nn.Sequential(nn.LeakyReLU()), (4,), "0: LeakyReLU .*retrain with ReLU"),
    "Sigmoid": (nn.Sequential(nn.Linear(4, 2), nn.Sigmoid()), (4,), "1: Sigmoid .*leave it out"),
    "ConvTranspose2d": (nn.Sequential(nn.ConvTranspose2d(4, 2, 3)), IMAGE, "0: ConvTranspose2d"),
    "GroupNorm": (nn.Sequential(nn.GroupNorm(2, 4)), IMAGE, "0: GroupNorm .*BatchNorm2d"),
    "LSTM": (Net(lambda m, x: m.rnn(x)[0], rnn=nn.LSTM(6, 3)), (7, 6), "rnn: LSTM .*feed-forward"),
    "attention": (Net(lambda m, x: m.a(x, x, x)[0], a=nn.MultiheadAttention(6, 2)), (7, 6), "a: MultiheadAttention"),
    "Conv1d": (nn.Sequential(nn.Conv1d(7, 2, 3)), (7, 6), "0: Conv1d .*Conv2d"),
    "interpolate": (Net(lambda m, x: F.interpolate(x, scale_factor=2)), IMAGE, "interpolate: interpolate"),
    "mul": (Net(lambda m, x: x * x), (4,), "mul: mul"),
    "cat": (Net(lambda m, x: torch.cat([x, x], 1)), IMAGE, "cat: cat .*add branches"),
    "nested": (nn.Sequential(Net(lambda m, x: torch.tanh(x))), (4,), r"0\.tanh: tanh"),
    "constant": (Net(lambda m, x: x + 1), (4,), "add: add adds a constant"),
    "alpha": (Net(lambda m, x: torch.add(x, x, alpha=2)), (4,), "add: .*alpha=2"),
    "circular": (nn.Sequential(nn.Conv2d(4, 2, 3, padding=1, padding_mode="circular")), IMAGE, "0: Conv2d .*circular"),
    "ceil mode": (nn.Sequential(nn.AvgPool2d(2, ceil_mode=True)), IMAGE, "0: AvgPool2d .*ceil_mode"),
    "count_include_pad": (nn.Sequential(nn.AvgPool2d(3, 1, 1, count_include_pad=False)), IMAGE, "count_include_pad"),
    "divisor": (nn.Sequential(nn.AvgPool2d(2, divisor_override=3)), IMAGE, "divisor_override"),
    "dilated pool": (nn.Sequential(nn.MaxPool2d(2, dilation=2)), IMAGE, "0: MaxPool2d .*dilat"),
    "uneven adaptive pool": (nn.Sequential(nn.AdaptiveAvgPool2d(4)), IMAGE, "0: AdaptiveAvgPool2d .*7x6 into 4x4"),
    "reflect": (Net(lambda m, x: F.pad(x, (1, 1, 1, 1), mode="reflect")), IMAGE, "pad: pad .*reflect"),
    "no statistics": (nn.Sequential(nn.BatchNorm2d(4, track_running_stats=False)), IMAGE, "0: BatchNorm2d .*statistics"),
    "softmax inside": (nn.Sequential(nn.Softmax(1), nn.Linear(4, 2)), (4,), "0: Softmax .*end"),
    "linear on images": (nn.Sequential(nn.Linear(6, 2)), IMAGE, "0: Linear .*Flatten"),
    "mixing samples": (Net(lambda m, x: x.reshape(1, -1)), IMAGE, "reshape: .*keeps samples apart"),
    "random": (Net(lambda m, x: F.dropout(x)), (4,), "dropout: .*random"),
    "values": (Net(lambda m, x: x if x.sum() > 0 else x.relu()), (4,), "decides on the values"),
    "dict": (Net(lambda m, x: {"logits": x.relu()}), (4,), "Net: forward.. returns"),
    "tuple": (Net(lambda m, x: (x.relu(), x)), (4,), "Net: forward.. returns several"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses_by_name(case: str) -> None:
    model, shape, message = REFUSED[case]
    with pytest.raises(UnsupportedLayer, match=message):
        read_torch(model, shape)
