"""NIR's linear nodes against PyTorch; how they follow one another is in test_nir_network.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from loihiconv.core.errors import InvalidModel, LoihiconvError, UnsupportedLayer
from loihiconv.core.linear import Array
from loihiconv.exchange.nir_graph import NirNode
from loihiconv.exchange.nir_layers import LAYERS, population_shape
from loihiconv.exchange.signals import Signal

RNG = np.random.default_rng(1)
X = RNG.normal(size=(2, 4, 6, 5))
SEQUENCE = RNG.normal(size=(2, 4, 1, 9))
W1, W2, B = RNG.normal(size=(4, 2, 3)), RNG.normal(size=(4, 2, 3, 2)), RNG.normal(size=4)


def node(kind: str, **fields: Any) -> NirNode:
    return NirNode("here", kind, fields)


def result(layer: NirNode, x: Array) -> Array:
    signal = LAYERS[layer.kind](layer, Signal.of("a", x.shape[1:]))
    ((_, linear),) = signal.merged("here")
    return linear.apply(x).reshape(len(x), *signal.shape) + signal.bias


def torch_of(x: Array) -> torch.Tensor:
    return torch.from_numpy(x)


CONV: dict[str, Any] = {"weight": W2, "bias": B, "stride": np.array([2, 1]), "padding": np.array([1, 0]), "dilation": 1, "groups": 2}
POOL: dict[str, Any] = {"kernel_size": np.array([2, 3]), "stride": np.array([2, 1]), "padding": np.array([1, 1])}


def test_convolutions() -> None:
    expected = F.conv2d(torch_of(X), torch_of(W2), torch_of(B), (2, 1), (1, 0), 1, 2)
    np.testing.assert_allclose(result(node("Conv2d", **CONV), X), expected, atol=1e-12)
    same = node("Conv2d", **{**CONV, "stride": 1, "padding": b"same", "dilation": np.array([2, 1])})
    np.testing.assert_allclose(result(same, X), F.conv2d(torch_of(X), torch_of(W2), torch_of(B), 1, "same", (2, 1), 2), atol=1e-12)
    one = node("Conv1d", weight=W1, bias=B, stride=np.array([2]), padding=1, dilation=2, groups=2)
    expected = F.conv1d(torch_of(SEQUENCE[:, :, 0]), torch_of(W1), torch_of(B), 2, 1, 2, 2)
    np.testing.assert_allclose(result(one, SEQUENCE)[:, :, 0], expected, atol=1e-12)


def test_pooling() -> None:
    for kind, divisor in (("SumPool2d", 1), ("AvgPool2d", None)):
        expected = F.avg_pool2d(torch_of(X), (2, 3), (2, 1), (1, 1), divisor_override=divisor)
        np.testing.assert_allclose(result(node(kind, **POOL), X), expected, atol=1e-12)


@pytest.mark.parametrize(("start", "end", "shape"), [(0, -1, (120,)), (0, 2, (120,)), (1, -1, (4, 1, 30)), (0, 1, (24, 1, 5))])
def test_flattening_keeps_the_order(start: int, end: int, shape: tuple[int, ...]) -> None:
    found = result(node("Flatten", start_dim=start, end_dim=end), X)
    assert found.shape[1:] == shape
    np.testing.assert_array_equal(found.reshape(2, -1), X.reshape(2, -1))


@pytest.mark.parametrize(
    ("layer", "error", "said"),
    [
        (node("Affine", weight=np.ones((1, 2, 3)), bias=B), UnsupportedLayer, "weights of shape (1, 2, 3)"),
        (node("Linear"), InvalidModel, "here: Linear without weight"),
        (node("Linear", weight="many"), InvalidModel, "weight of Linear holds no numbers"),
        (node("Linear", weight=np.ones((2, 7))), InvalidModel, "7 inputs expected, got 120"),
        (node("Conv2d", **{**CONV, "stride": 0}), InvalidModel, "at least 1 each expected"),
        (node("Conv2d", **{**CONV, "padding": 2**20}), InvalidModel, "values expected"),
        (node("Conv2d", **{**CONV, "padding": -1}), InvalidModel, "at least 0 expected"),
        (node("Conv2d", **{**CONV, "padding": "same"}), InvalidModel, 'padding "same" with stride'),
        (node("Conv2d", **{**CONV, "groups": 3}), InvalidModel, "groups 3"),
        (node("Conv2d", **{**CONV, "groups": np.ones(0)}), InvalidModel, "groups of 0 numbers"),
        (node("Conv2d", **{**CONV, "stride": 1.5}), InvalidModel, "whole numbers expected"),
        (node("Conv2d", **{**CONV, "stride": np.ones(3)}), InvalidModel, "1 or 2 expected"),
        (node("Conv2d", **{**CONV, "weight": W1}), InvalidModel, "weights of shape (4, 2, 3)"),
        (node("SumPool2d", **{**POOL, "kernel_size": 0}), InvalidModel, "windows of 0x0"),
        (node("SumPool2d", **{**POOL, "kernel_size": 9}), InvalidModel, "the kernel covers 9x9"),
        (node("Flatten", start_dim=2, end_dim=1), InvalidModel, "flattens axes 2 to 1"),
        (node("Flatten", start_dim=0, end_dim=7), InvalidModel, "flattens axes 0 to"),
        (node("Scale", scale=np.ones(3)), InvalidModel, "a scale of shape (3,)"),
    ],
)
def test_what_does_not_fit_is_named(layer: NirNode, error: type[LoihiconvError], said: str) -> None:
    with pytest.raises(error) as caught:
        result(layer, X)
    assert said in str(caught.value)


def test_pooling_takes_images_and_shapes_have_one_to_three_axes() -> None:
    with pytest.raises(InvalidModel, match="pools a signal of shape"):
        LAYERS["SumPool2d"](node("SumPool2d", **POOL), Signal.of("a", (4,)))
    assert population_shape((4, 9), "here") == (4, 1, 9)
    for shape in ((), (0,), (1, 2, 3, 4)):
        with pytest.raises(UnsupportedLayer, match="without a batch axis expected"):
            population_shape(shape, "here")
    with pytest.raises(InvalidModel, match="here: a signal of shape"):
        population_shape((2**20, 2**20), "here")
