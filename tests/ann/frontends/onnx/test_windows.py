"""Windows as ONNX defines them."""

from __future__ import annotations

import pytest
import torch

from loihiconv.ann.frontends.onnx.graph import Operation
from loihiconv.ann.frontends.onnx.windows import Window, flat_pads, window
from loihiconv.core.errors import InvalidModel


def of(shape: tuple[int, ...], **attributes: object) -> Window:
    return window(Operation("pool", "MaxPool", ("x",), ("y",), attributes), torch.zeros(1, 2, *shape), (3, 2))


def test_defaults_and_pads() -> None:
    assert of((7, 8)) == Window((7, 8), (3, 2), (1, 1), (1, 1), (0, 0), (0, 0))
    w = of((7, 8), pads=[1, 0, 2, 1], dilations=[2, 1])
    assert (w.begin, w.end, w.reach, w.symmetric) == ((1, 0), (2, 1), (5, 2), None)
    assert of((7, 8), pads=[1, 0, 1, 0]).symmetric == (1, 0)


def test_same_by_hand() -> None:
    """8 in steps of 2 gives 4 results: (4 - 1) 2 + 3 - 8 = 1 pixel is needed."""
    assert (of((8, 8), auto_pad="SAME_UPPER", strides=[2, 1]).begin, of((8, 8), auto_pad="SAME_UPPER", strides=[2, 1]).end) == (
        (0, 0),
        (1, 1),
    )
    assert of((8, 8), auto_pad="SAME_LOWER", strides=[2, 1]).begin == (1, 1)
    assert of((8, 8), auto_pad="VALID", pads=[1, 1, 1, 1]).begin == (0, 0)


def test_as_pytorch_takes_them() -> None:
    assert flat_pads((1, 2), (3, 4)) == (2, 4, 1, 3)


WRONG: tuple[dict[str, object], ...] = (
    {"strides": [0, 1]},
    {"strides": [1]},
    {"pads": [1, 1]},
    {"pads": [-1, 0, 0, 0]},
    {"dilations": [2**40, 1]},
)


@pytest.mark.parametrize("attributes", WRONG)
def test_absurd_ones_are_refused(attributes: dict[str, object]) -> None:
    with pytest.raises(InvalidModel, match=r"^pool: MaxPool has "):
        of((7, 8), **attributes)
