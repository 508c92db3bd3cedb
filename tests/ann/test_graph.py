"""Shapes of operations, and graphs that are none."""

from __future__ import annotations

import numpy as np
import pytest

from loihiconv.ann.graph import Add, Ann, AvgPool, BatchNorm, Input, Linear, MaxPool, Node, Pad, Relu
from loihiconv.core.errors import InvalidModel
from loihiconv.core.linear import Dense, Shape


@pytest.mark.parametrize(
    ("node", "shape"),
    [
        (AvgPool("n", ("x",), (2, 3), (2, 1), (0, 1)), (2, 2, 6)),  # (5 - 2) // 2 + 1, 6 + 2 - 3 + 1
        (MaxPool("n", ("x",), (5, 6), (9, 9)), (2, 1, 1)),
        (Pad("n", ("x",), (1, 0, -2, -3)), (2, 6, 1)),
        (Relu("n", ("x",)), (2, 5, 6)),
        (Add("n", ("x", "x")), (2, 5, 6)),
    ],
)
def test_shapes_by_hand(node: Node, shape: Shape) -> None:
    ann = Ann((Input("x", shape=(2, 5, 6)), node))
    assert ann.shapes == {"x": (2, 5, 6), "n": shape}
    assert (ann.input.name, ann.output, ann["n"], ann.users("x")) == ("x", node, node, (node,))


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ((MaxPool("n", ("x",), (6, 1), (1, 1)),), "n: windows of 6x1 are larger than the input"),
        ((Pad("n", ("x",), (-3, -2, 0, 0)),), "n: cropping by .* leaves nothing"),
        ((BatchNorm("n", ("x",), *[np.ones(3)] * 4, eps=0.0),), "n: 3 channels expected"),
        (
            (Linear("a", ("x",), Dense(np.ones((3, 60)))), MaxPool("n", ("a",), (1, 1), (1, 1))),
            r"n: an input of shape \(C, H, W\) expected",
        ),
        ((Pad("a", ("x",), (0, -1, 0, 0)), Add("n", ("x", "a"))), "n: equal shapes expected"),
        ((Relu("x", ("x",)),), "x: two operations have this name"),
        ((Relu("n", ("later",)), Relu("later", ("x",))), "n: takes the result of 'later', which comes later or nowhere"),
        ((Input("y", shape=(1,)),), "exactly one input"),
    ],
)
def test_what_does_not_fit_is_named(nodes: tuple[Node, ...], message: str) -> None:
    with pytest.raises(InvalidModel, match=message):
        Ann((Input("x", shape=(2, 5, 6)), *nodes))
