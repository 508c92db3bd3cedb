"""Where values are arranged anew: what is left of it, and the convolutions that pick values."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from loihiconv.ann.frontends.torch import read_torch
from loihiconv.ann.graph import Ann, Gather, Input, Linear, Relu, Reshape
from loihiconv.ann.passes import lower
from loihiconv.ann.passes.layout import is_permutation, picked
from loihiconv.core.linear import Array, Conv, Dense, Sparse
from tests.ann.frontends.nets import Net


@given(st.data())
def test_a_picking_is_what_it_picks(data: st.DataObject) -> None:
    before = (3, 4, 5)
    numbers = np.arange(60).reshape(before)
    rows, columns = (slice(data.draw(st.integers(0, 1)), None, data.draw(st.integers(1, 3))) for _ in range(2))
    channels = data.draw(st.lists(st.integers(0, 2), min_size=1, max_size=4))
    index = np.pad(numbers[channels][:, rows, columns], ((0, 0), (1, 0), (0, 2)), constant_values=-1)
    if data.draw(st.booleans()):
        index = data.draw(st.permutations(index.ravel().tolist()).map(lambda values: np.reshape(values, index.shape)))
    map = picked(index.ravel(), before, index.shape)
    x = np.random.default_rng(0).random((2, *before))
    expected = np.concatenate([np.zeros((2, 1)), x.reshape(2, -1)], 1)[:, index.ravel() + 1].reshape(2, *index.shape)
    np.testing.assert_array_equal(map.apply(x), expected)


@pytest.mark.parametrize(
    ("index", "kind"),
    [
        (np.arange(24).reshape(2, 3, 4)[::-1], Conv),  # channels in another order
        (np.arange(24).reshape(2, 3, 4)[:, ::2, 1:], Conv),  # strides and crops
        (np.arange(24).reshape(2, 3, 4)[:, ::-1], Sparse),
        (np.arange(24).reshape(2, 4, 3), Sparse),
    ],
)
def test_what_is_regular_is_a_convolution(index: Array, kind: type) -> None:
    assert isinstance(picked(index.ravel(), (2, 3, 4), index.shape), kind)


def test_thousands_of_channels_that_are_joined_are_no_convolution() -> None:
    """As where anchors of maps of several sizes are one list of boxes."""
    index = np.concatenate([np.arange(1200 * 4), np.full(900 * 4, -1)])
    assert isinstance(picked(index, (1200, 1, 4), (2100, 1, 4)), Sparse)


def test_permutations_take_every_value_once() -> None:
    entry = Input("x", shape=(4,))
    for index, answer in (([3, 1, 0, 2], True), ([0, 1, 2, 2], False), ([0, 1, 2, -1], False), ([0, 1], False)):
        gather = Gather("g", ("x",), np.array(index), (len(index),))
        assert is_permutation(Ann((entry, gather)), gather) is answer
    assert is_permutation(Ann((entry, Reshape("r", ("x",), (2, 1, 2)))), Reshape("r", ("x",), (2, 1, 2)))


def left(model: nn.Module, shape: tuple[int, ...]) -> list[str]:
    return [type(node.map).__name__ if isinstance(node, Linear) else type(node).__name__ for node in lower(read_torch(model, shape)).ann]


def test_what_is_concatenated_again_is_in_one_row() -> None:
    """As in a dense block: parts are numbered once, and each is rectified by itself."""
    joined = Net(lambda m, x: torch.cat([torch.cat([m.a(x), m.b(x)], 1), m.c(x)], 1).relu(), **{n: nn.Conv2d(2, 3, 1) for n in "abc"})
    ended = Net(lambda m, x: m.d(m.joined(x)), joined=joined, d=nn.Conv2d(9, 2, 1)).eval()
    relus = {node.name: node.inputs for node in lower(read_torch(ended, (2, 4, 4))).ann if isinstance(node, Relu)}
    assert relus == {f"joined.relu.part{i}": (f"joined.{name}",) for i, name in enumerate("abc")}


def test_the_host_puts_samples_in_order() -> None:
    model = Net(lambda m, x: m.c(x.permute(0, 3, 1, 2)).relu(), c=nn.Conv2d(3, 2, 3))
    entry = lower(read_torch(model, (5, 6, 3))).ann.input
    assert (entry.shape, entry.given) == ((3, 5, 6), (5, 6, 3))
    assert entry.order is not None
    np.testing.assert_array_equal(np.arange(90)[entry.order].reshape(3, 5, 6), np.arange(90).reshape(5, 6, 3).transpose(2, 0, 1))


def test_arrangements_that_undo_one_another_leave_nothing() -> None:
    def forward(m: Net, x: torch.Tensor) -> torch.Tensor:
        y = m.a(x).relu().permute(0, 2, 3, 1).relu().permute(0, 3, 1, 2)  # type: ignore[operator]  # modules by name
        return m.b(y + x).flatten(1)  # type: ignore[operator, no-any-return]  # modules by name

    model = Net(forward, a=nn.Conv2d(3, 3, 3, padding=1), b=nn.Conv2d(3, 2, 3))
    assert left(model, (3, 5, 6)) == ["Input", "Conv", "Relu", "Conv", "Conv", "Add"]


def test_joined_parts_are_populations_of_their_own() -> None:
    model = Net(
        lambda m, x: m.l(torch.cat([m.a(x), m.b(x)], 1).relu().flatten(1)), a=nn.Conv2d(2, 3, 3), b=nn.Conv2d(2, 1, 3), l=nn.Linear(48, 2)
    )
    assert left(model, (2, 5, 6)) == ["Input", "Conv", "Conv", "Relu", "Relu", "Dense", "Dense", "Add"]


def test_a_dense_layer_takes_the_shape_of_the_next() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Unflatten(1, (2, 2, 2)), nn.Conv2d(2, 3, 2))
    ann = lower(read_torch(model, (4,))).ann
    relu = next(node for node in ann if isinstance(node, Relu))
    drive = ann[relu.inputs[0]]
    assert isinstance(drive, Linear)
    assert isinstance(drive.map, Dense)
    assert ann.shapes[relu.name] == (2, 2, 2)
