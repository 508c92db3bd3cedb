"""Functions with kinks as ReLUs: which ones, and how many."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from loihiconv.ann.evaluator import Evaluator
from loihiconv.ann.graph import Add, Ann, Clamp, Input, LeakyRelu, Linear, Relu
from loihiconv.ann.passes import lower
from loihiconv.core.errors import UnsupportedLayer
from loihiconv.core.linear import Dense
from tests.ann.passes.lowering import kinds, lowered

INF = np.inf


def clamped(low: object, high: object, shape: tuple[int, ...] = (2, 1, 2)) -> Ann:
    return Ann((Input("x", shape=shape), Clamp("clamp", ("x",), np.asarray(low, float), np.asarray(high, float))))


def test_leaky_relu_is_two_populations_that_merge_into_the_next_layer() -> None:
    ann = lowered(nn.Linear(4, 3), nn.LeakyReLU(0.25), nn.Linear(3, 2), shape=(4,))
    assert [type(node) for node in ann.nodes[1:]] == [Linear, Relu, Linear, Relu, Linear, Linear, Add]
    first, last = ([node for node in ann if isinstance(node, Linear)][i : i + 2] for i in (0, 2))
    np.testing.assert_array_equal(first[1].map.weight, -first[0].map.weight)
    np.testing.assert_allclose(last[1].map.weight, -0.25 * last[0].map.weight)


def test_without_a_slope_it_is_a_relu() -> None:
    assert kinds(lowered(nn.Linear(4, 3), nn.LeakyReLU(0), nn.Linear(3, 2), shape=(4,))) == ["Linear 0", "Relu 1", "Linear 2"]


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (-1, 2),
        (-INF, 0.5),
        (-INF, [[[0.5, 1.0]], [[2.0, 3.0]]]),
        (0.25, INF),
        ([[[-1.0]], [[0.5]]], 1),
        ([[[-1.0, 0.5]], [[0.5, 0.25]]], [[[1.0, 0.5]], [[0.75, 3.0]]]),
        ([[[-INF]], [[0.5]]], [[[1.0]], [[2.0]]]),
        ([[[-INF]], [[0.0]]], [[[1.0]], [[INF]]]),
        (0, [[[0.5, 1.0]], [[2.0, 3.0]]]),
        (-INF, INF),
    ],
)
def test_ends_of_all_kinds(low: object, high: object) -> None:
    ann = clamped(low, high)
    x = torch.linspace(-4, 4, 160, dtype=torch.float64).reshape(40, 2, 1, 2)
    rewritten = lower(ann).ann
    assert not any(isinstance(node, Clamp) for node in rewritten)
    expected = torch.maximum(torch.minimum(x, torch.tensor(high, dtype=torch.float64)), torch.tensor(low, dtype=torch.float64))
    result = Evaluator(rewritten, dtype=torch.float64)(x)[0].reshape(expected.shape)
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-12)


def test_bounds_that_differ_within_a_channel_become_one() -> None:
    relu = next(node for node in lower(clamped(0, [[[0.5, 1.0]], [[2.0, 3.0]]])).ann if isinstance(node, Relu))
    assert relu.bound == 1


def test_what_bounds_only_some_values_is_refused() -> None:
    with pytest.raises(UnsupportedLayer, match="clamp: bounds some values and leaves others as they are; bound all"):
        lower(clamped(-INF, [[[INF]], [[1.0]]]))
    with pytest.raises(UnsupportedLayer, match="clamp: bounds some values of a channel on one side only"):
        lower(clamped(0, [[[INF, 1.0]], [[1.0, 2.0]]]))


def test_from_above_after_a_relu_it_is_a_bound() -> None:
    nodes = (
        Input("x", shape=(2,)),
        Linear("a", ("x",), Dense(np.eye(2))),
        Relu("r", ("a",)),
        Clamp("c", ("r",), np.array(-INF), np.array(4)),
    )
    ann = lower(Ann((*nodes, Linear("b", ("c",), Dense(np.eye(2)))))).ann
    assert [node.bound for node in ann if isinstance(node, Relu)] == [4]


def test_absolute_values() -> None:
    ann = lower(Ann((Input("x", shape=(3,)), LeakyRelu("abs", ("x",), np.array(-1.0))))).ann
    assert Evaluator(ann)(np.array([[-2.0, 0.0, 3.0]]))[0].tolist() == [[2, 0, 3]]
