"""What operators are told about their inputs."""

from __future__ import annotations

import pytest
import torch

from loihiconv.ann.frontends.onnx.graph import Operation
from loihiconv.ann.frontends.onnx.operators.registry import axis_of, check_size, constant, handler, integers, number
from loihiconv.core.errors import InvalidModel, UnsupportedLayer

OP = Operation("the_node", "Kind", ("x",), ("y",))


def test_arguments() -> None:
    assert integers(OP, torch.tensor([[1, 2]]), "sizes") == integers(OP, (1.0, 2), "sizes") == (1, 2)
    assert integers(OP, 3, "sizes") == (3,)
    assert number(OP, torch.tensor([0.5]), "scale") == number(OP, 0.5, "scale") == 0.5
    with pytest.raises(InvalidModel, match="the_node: Kind has 2 values as its scale, where one is expected"):
        number(OP, torch.zeros(2), "scale")
    with pytest.raises(InvalidModel, match="Kind lacks its scale"):
        constant(OP, None, "scale")
    with pytest.raises(UnsupportedLayer, match="Kind takes its scale from the network's input"):
        constant(OP, object(), "scale")


def test_axes() -> None:
    x = torch.zeros(2, 3, 4)
    assert (axis_of(OP, x, -1), axis_of(OP, x, 1), axis_of(OP, x, 0, batch=True)) == (2, 1, 0)
    with pytest.raises(InvalidModel, match=r"acts on axis 3 of shape \(2, 3, 4\)"):
        axis_of(OP, x, 3)
    with pytest.raises(UnsupportedLayer, match="acts on the batch axis"):
        axis_of(OP, x, -3)


def test_sizes() -> None:
    check_size(OP, (3, 0, 5))
    for shape in ((2**20, 2**20), (-1, 3)):
        with pytest.raises(InvalidModel, match="makes a tensor of shape"):
            check_size(OP, shape)


def test_unknown_operators_have_no_function() -> None:
    import loihiconv.ann.frontends.onnx.operators  # noqa: F401  registers them

    assert handler("Conv") is not None
    assert handler("com.example.Conv") is None
