"""Shapes of operations, and graphs that are none."""

from __future__ import annotations

import numpy as np
import pytest

from loihiconv.ann.graph import (
    Add,
    Affine,
    Ann,
    AvgPool,
    BatchNorm,
    Clamp,
    Concat,
    Gather,
    Input,
    Linear,
    MaxPool,
    Node,
    Quantize,
    Relu,
    Reshape,
    arranged,
)
from loihiconv.core.errors import InvalidModel
from loihiconv.core.linear import Dense, Shape


@pytest.mark.parametrize(
    ("node", "shape"),
    [
        (AvgPool("n", ("x",), (2, 3), (2, 1), (0, 1)), (2, 2, 6)),  # (5 - 2) // 2 + 1, 6 + 2 - 3 + 1
        (MaxPool("n", ("x",), (5, 6), (9, 9)), (2, 1, 1)),
        (MaxPool("n", ("x",), (2, 2), (2, 2), (0, 1, 1, 1), (1, 3)), (2, 3, 3)),
        (Reshape("n", ("x",), (10, 1, 6)), (10, 1, 6)),
        (Gather("n", ("x",), np.array([-1, 59]), (2,)), (2,)),
        (Concat("n", ("x", "x")), (4, 5, 6)),
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
        ((MaxPool("n", ("x",), (6, 1), (1, 1)),), "n: the kernel covers 6x1 pixels, more than the padded input"),
        ((Reshape("n", ("x",), (61,)),), "n: 61 values expected"),
        ((Gather("n", ("x",), np.array([60]), (1,)),), "n: value 60 is picked"),
        ((Reshape("a", ("x",), (2, 6, 5)), Concat("n", ("x", "a"))), "n: equal shapes but for the channels expected"),
        ((BatchNorm("n", ("x",), *[np.ones(3)] * 4, eps=0.0),), "n: 3 channels expected"),
        (
            (Linear("a", ("x",), Dense(np.ones((3, 60)))), MaxPool("n", ("a",), (1, 1), (1, 1))),
            r"n: an input of shape \(C, H, W\) expected",
        ),
        ((Reshape("a", ("x",), (2, 6, 5)), Add("n", ("x", "a"))), "n: equal shapes expected"),
        ((Relu("x", ("x",)),), "x: two operations have this name"),
        ((Relu("n", ("x",), bound=0.0),), "n: has a bound of 0, so that nothing passes"),
        ((Relu("n", ("x",), bound=np.ones((5, 1))),), "n: one bound, or one per channel, expected"),
        ((Affine("n", ("x",), np.ones(5), np.ones(())),), r"n: shape \(5,\) does not broadcast to \(2, 5, 6\)"),
        ((Quantize("n", ("x",), np.array(0.5), -1, 0),), "n: quantizes to -1 to 0 steps of 0.5, so that nothing passes"),
        ((Clamp("n", ("x",), np.array(2.0), np.array(1.0)),), "n: clamps between 2 and 1, which leaves nothing"),
        ((Relu("n", ("later",)), Relu("later", ("x",))), "n: takes the result of 'later', which comes later or nowhere"),
        ((Relu("n", ("x",)), Input("y", shape=(1,))), "needs its inputs as its first nodes"),
    ],
)
def test_what_does_not_fit_is_named(nodes: tuple[Node, ...], message: str) -> None:
    with pytest.raises(InvalidModel, match=message):
        Ann((Input("x", shape=(2, 5, 6)), *nodes))


@pytest.mark.parametrize(
    ("shape", "kept"), [((3,), (3,)), ((3, 4), (3, 1, 4)), ((3, 4, 5), (3, 4, 5)), ((3, 4, 5, 6), (3, 20, 6)), ((), (1,))]
)
def test_other_axes_are_kept_as_an_image(shape: Shape, kept: Shape) -> None:
    assert arranged(shape) == kept
