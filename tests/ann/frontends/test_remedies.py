"""Remedies by PyTorch's many names of the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from loihiconv.ann.frontends.remedies import remedy
from loihiconv.ann.frontends.torch import problems, read_torch
from tests.ann.frontends.nets import Net


def decoded(m: Net, x: Tensor) -> Tensor:
    """Boxes as YOLO decodes them: places by sigmoids on a grid, sizes by exponentials of anchors."""
    raw = m.head(m.body(x).relu())  # type: ignore[operator]
    return torch.cat([raw[:, :2].sigmoid() + torch.arange(2), raw[:, 2:4].exp() * 3, (raw[:, 4:].sigmoid() * 2) ** 2], 1)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("GELU", "retrain"),
        ("hard_swish", "retrain with ReLU"),
        ("addcmul_", "constant factors"),
        ("instance_norm", "BatchNorm2d"),
        ("LpNormalization", "batch norm"),
        ("TransformerEncoder", "convolutions"),
    ],
)
def test_names_of_modules_functions_and_methods(name: str, part: str) -> None:
    assert part in remedy(name)


def test_what_is_unknown_gets_what_is_supported() -> None:
    assert remedy("Mystery").startswith("train a network without it; linear layers and convolutions,")


def test_decoders_behind_the_last_layer_are_left_to_the_user() -> None:
    layers = {"body": nn.Linear(4, 6), "head": nn.Linear(6, 7)}
    found = [str(error) for error in problems(Net(decoded, **layers), (4,))]
    assert [text.partition(":")[0] for text in found] == ["sigmoid", "exp", "sigmoid_1", "pow"]
    assert "sigmoid after the last layer is joined with other results" in found[0]
    assert all("let the model return what head gives" in text for text in found)
    assert len(read_torch(Net(lambda m, x: m.head(m.body(x).relu()), **layers), (4,)).nodes) == 4


def test_expected_values_of_a_softmax_are_left_to_the_user() -> None:
    """As those of places, or of returns in distributional reinforcement learning: a sum is no layer."""
    expected = Net(lambda m, x: (m.head(m.body(x).relu()).softmax(1) * torch.arange(7)).sum(1), body=nn.Linear(4, 6), head=nn.Linear(6, 7))
    (error,) = problems(expected, (4,))
    assert "let the model return what head gives" in str(error)


def test_all_layers_whose_results_are_joined_are_named() -> None:
    layers = {"a": nn.Linear(4, 3), "b": nn.Linear(4, 3)}
    found = problems(Net(lambda m, x: m.a(x).softmax(1) + m.b(x).softmax(1), **layers), (4,))
    assert "what a and b give, and" in str(found[0])


@pytest.mark.parametrize("states", [lambda m, x: m.l(x)[0].mean(1), lambda m, x: m.l(x)[0][:, -1], lambda m, x: m.l(x)[0].amax(1)])
def test_what_comes_after_one_of_several_refused_results_is_read_on(states: Callable[[Net, Tensor], Tensor]) -> None:
    layers = {"l": nn.GRU(6, 4, batch_first=True), "f": nn.Linear(4, 3), "g": nn.GELU(), "h": nn.Linear(3, 2)}
    found = problems(Net(lambda m, x: m.h(m.g(m.f(states(m, x)))), **layers), (7, 6))
    assert [error.where for error in found] == ["l", "g"]


def test_what_other_layers_take_has_no_way_out() -> None:
    (error,) = problems(Net(lambda m, x: m.b(m.a(x).sigmoid()), a=nn.Linear(4, 3), b=nn.Linear(3, 2)), (4,))
    assert "let the model" not in str(error)
