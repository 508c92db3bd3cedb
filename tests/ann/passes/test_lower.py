"""Rewrites keep the network's function and leave only what can spike."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from torch import nn

from loihiconv.ann.evaluator import Evaluator, outputs_of
from loihiconv.ann.frontends.torch import read_torch
from loihiconv.ann.passes import lower
from loihiconv.core.errors import UnsupportedLayer
from tests.ann.passes.lowering import assert_lowered


class Residual(nn.Module):
    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x) + x


class Standardize(nn.Module):
    """(x - shift) / scale with constants per channel, per value, or one number."""

    def __init__(self, shape: tuple[int, ...], seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.register_buffer("shift", torch.randn(shape, generator=generator))
        self.register_buffer("scale", torch.rand(shape, generator=generator) + 0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x - self.shift) / self.scale


@st.composite
def networks(draw: st.DrawFn) -> tuple[nn.Sequential, tuple[int, ...]]:
    """A random convolutional network, with batch normalization, pooling, padding and residual sums in random places."""
    number = st.integers(1, 3)
    shape = c, _h, _w = draw(st.tuples(st.integers(1, 4), st.integers(5, 11), st.integers(5, 11)))
    layers: list[nn.Module] = []
    size = torch.zeros(1, *shape)
    for _ in range(draw(st.integers(1, 6))):
        c = size.shape[1]
        groups = draw(st.sampled_from([g for g in (1, 2, 3, 4) if c % g == 0]))
        conv = nn.Conv2d(
            c,
            groups * draw(number),
            draw(st.tuples(number, number)),
            draw(st.tuples(number, number)),
            draw(st.tuples(*[st.integers(0, 1)] * 2)),
            draw(st.tuples(number, number)),
            groups,
            draw(st.booleans()),
        )
        pool = draw(st.sampled_from([nn.AvgPool2d, nn.MaxPool2d]))(draw(st.integers(2, 3)), draw(number), draw(st.integers(0, 1)))
        pad = nn.ZeroPad2d(draw(st.tuples(*[st.integers(-1, 2)] * 4)))
        block = draw(
            st.sampled_from(
                [
                    [conv, nn.ReLU()],
                    [conv, nn.BatchNorm2d(conv.out_channels), nn.ReLU()],
                    [conv, nn.MaxPool2d(2), nn.ReLU()],
                    [pad, conv, nn.ReLU()],
                    [nn.ReLU(), pool],
                    [nn.BatchNorm2d(c)],
                    [pad],
                    [nn.ReLU()],
                    [conv, draw(st.sampled_from([nn.ReLU6(), nn.Hardtanh(0, 0.5), nn.Hardtanh(-0.5, 0.25)])), pool],
                    [conv, draw(st.sampled_from([nn.LeakyReLU(0.2), nn.PReLU(conv.out_channels)])), pool],
                    [Standardize(draw(st.sampled_from([(), (c, 1, 1), tuple(size.shape[1:])])), draw(number))],
                    [Residual(nn.Sequential(nn.Conv2d(c, c, 3, padding=1), nn.BatchNorm2d(c))), nn.ReLU()],
                    [Residual(nn.Conv2d(c, c, 1))],
                    [nn.Dropout()],
                ]
            )
        )
        try:
            result = nn.Sequential(*block).eval()(size)
        except RuntimeError:  # the image has become too small
            continue
        if result.numel():  # cropping may leave nothing, without an error
            size, layers = result, layers + block
    features = size.numel()
    head = draw(st.sampled_from([[], [nn.Linear(features, 3)], [nn.BatchNorm1d(features), nn.Linear(features, 3), nn.ReLU()]]))
    model = nn.Sequential(*layers, nn.Flatten(), *head).double().eval()
    generator = torch.Generator().manual_seed(draw(st.integers(0, 99)))
    for name, values in (*model.named_parameters(), *model.named_buffers()):
        if values.is_floating_point():
            values.data.uniform_(0.5 if name.endswith("var") else -1, 2 if name.endswith("var") else 1, generator=generator)
    return model, shape


@given(networks())
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_random_networks_keep_their_function(case: tuple[nn.Sequential, tuple[int, ...]]) -> None:
    model, shape = case
    x = torch.randn(3, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = model(x)
    try:
        ann = read_torch(model, shape)
    except UnsupportedLayer as error:
        assert "gives nothing but" in str(error)  # noqa: PT017  padding may crop all but itself
        return
    torch.testing.assert_close(outputs_of(ann, Evaluator(ann, dtype=torch.float64)(x)[0]), expected, rtol=1e-9, atol=1e-9)
    try:
        result = lower(ann)
    except UnsupportedLayer as error:
        event("refused to merge")
        assert error.remedy.startswith("put a ReLU between")  # noqa: PT017  many of them can be lowered
        return
    assert_lowered(result.ann)
    output = outputs_of(result.ann, Evaluator(result.ann, dtype=torch.float64)(x)[0])
    torch.testing.assert_close(output, expected, rtol=1e-9, atol=1e-8)


def test_a_bottleneck_whose_merging_makes_many_weights_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loihiconv.ann.passes.FEW", 1000)
    model = nn.Sequential(nn.Conv2d(2, 32, 1), nn.ReLU(), nn.Conv2d(32, 4, 1), nn.Conv2d(4, 32, 1), nn.ReLU())
    (note,) = lower(read_torch(model, (2, 4, 4))).notes[1:]
    assert "1,088 weights in place of 320" in note  # 64 + 32 x 32, 64 + 2 x 32 x 4
    assert lower(read_torch(nn.Sequential(nn.Conv2d(2, 3, 1), nn.Conv2d(3, 2, 1)), (2, 4, 4))).notes == ()
