"""Rewrites keep the network's function and leave only what can spike."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from torch import nn

from loihiconv.ann.evaluate import Evaluator
from loihiconv.ann.frontends.torch import read_torch
from loihiconv.ann.graph import Add, Ann, BatchNorm, Input, Linear, MaxPool, Relu
from loihiconv.ann.passes import lower
from loihiconv.ann.passes.fold_batchnorm import scale_and_shift
from loihiconv.core.errors import UnsupportedLayer
from loihiconv.core.linear import Conv, Dense

FEEDS = {
    Linear: (Input, Relu, MaxPool),
    Add: (Input, Linear, Relu, MaxPool),
    Relu: (Linear, Add),
    MaxPool: (Input, Relu, MaxPool, Linear, Add),
}


def assert_lowered(ann: Ann) -> None:
    """Check what `lower` promises about who feeds whom."""
    assert isinstance(ann.output, Linear | Add)
    for node in ann.nodes[1:]:
        assert all(isinstance(ann[name], FEEDS[type(node)]) for name in node.inputs), node.name


def lowered(*layers: nn.Module, shape: tuple[int, ...]) -> Ann:
    ann = lower(read_torch(nn.Sequential(*layers).double(), shape)).ann
    assert_lowered(ann)
    return ann


def kinds(ann: Ann) -> list[str]:
    return [f"{type(node).__name__} {node.name}" for node in ann.nodes[1:]]


def test_batch_norm_by_hand() -> None:
    norm = BatchNorm("bn", ("x",), *(np.array([v]) for v in (3.0, 1.0, 2.0, 3.75)), eps=0.25)
    scale, shift = scale_and_shift(norm)  # 3 / sqrt(4) = 1.5, 1 - 1.5 * 2 = -2
    assert (scale[0], shift[0]) == (1.5, -2)
    folded = lower(
        Ann(
            (
                Input("x", shape=(1,)),
                Linear("fc", ("x",), Dense(np.array([[4.0]])), np.array([1.0])),
                BatchNorm("bn", ("fc",), norm.gamma, norm.beta, norm.mean, norm.var, norm.eps),
            )
        )
    ).ann["fc"]
    assert isinstance(folded, Linear)
    assert folded.map.weight[0, 0] == 6  # 1.5 * 4
    assert folded.bias is not None
    assert folded.bias[0] == -0.5


def test_pooling_merges_into_the_next_convolution() -> None:
    ann = lowered(
        nn.Conv2d(1, 2, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(2, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2), shape=(1, 8, 8)
    )
    assert kinds(ann) == ["Linear 0", "Relu 1", "Linear 3", "Relu 4", "Linear 6"]
    merged = ann["3"]
    assert isinstance(merged, Linear)
    assert isinstance(merged.map, Conv)
    assert merged.map.weight.shape == (3, 2, 4, 4)
    assert merged.map.stride == (2, 2)
    assert merged.bias is not None
    assert merged.bias.shape == (3, 1, 1)


def test_overlapping_pooling_becomes_a_population_where_it_cannot_merge() -> None:
    ann = lowered(nn.ReLU(), nn.AvgPool2d(3, 1, 1), nn.Conv2d(1, 2, 3, padding=1), shape=(1, 6, 6))
    assert kinds(ann) == ["Linear 0.identity", "Relu 0", "Linear 1", "Relu 1.relu", "Linear 2"]


def test_padded_convolution_after_convolution_is_refused() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1))
    with pytest.raises(UnsupportedLayer, match=r"1: cannot be merged with 0.*put a ReLU between 0 and 1"):
        lower(read_torch(model, (1, 6, 6)))


def test_bias_under_padding_depends_on_the_position() -> None:
    norm, conv = nn.BatchNorm2d(1), nn.Conv2d(1, 1, 3, padding=1, bias=False)
    nn.init.ones_(norm.bias)
    nn.init.ones_(conv.weight)
    node = lowered(nn.ReLU(), norm, conv, shape=(1, 3, 3))["2"]
    assert isinstance(node, Linear)
    # Each window counts those of its nine pixels that are not padding.
    np.testing.assert_allclose(node.bias, [[[4, 6, 4], [6, 9, 6], [4, 6, 4]]])


def test_final_relu_is_left_out_with_a_note() -> None:
    result = lower(read_torch(nn.Sequential(nn.Linear(4, 2), nn.ReLU()), (4,)))
    assert kinds(result.ann) == ["Linear 0"]
    assert len(result.notes) == 1
    assert result.notes[0].startswith("1: the ReLU after the last layer")


def test_relu_moves_before_max_pooling() -> None:
    ann = lowered(nn.Conv2d(1, 1, 1), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(4, 2), shape=(1, 4, 4))
    assert kinds(ann) == ["Linear 0", "Relu 2", "MaxPool 1", "Linear 4"]


def test_single_pixels_end_as_a_vector() -> None:
    ann = lowered(nn.Conv2d(2, 3, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), shape=(2, 4, 4))
    assert ann.shapes[ann.output.name] == (3,)


class Residual(nn.Module):
    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x) + x


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
    ann = read_torch(model, shape)
    torch.testing.assert_close(Evaluator(ann, dtype=torch.float64)(x)[0].flatten(1), expected, rtol=1e-9, atol=1e-9)
    try:
        result = lower(ann)
    except UnsupportedLayer as error:
        event("refused to merge")
        assert error.remedy.startswith("put a ReLU between")  # noqa: PT017  many of them can be lowered
        return
    assert_lowered(result.ann)
    output = Evaluator(result.ann, dtype=torch.float64)(x)[0].flatten(1)
    torch.testing.assert_close(output.relu() if result.notes else output, expected, rtol=1e-9, atol=1e-8)
