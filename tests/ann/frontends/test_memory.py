"""Operations in place: read as what they do to everyone who holds the memory, or refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from loihiconv.ann.frontends.memory import overlap
from loihiconv.ann.frontends.torch import read_torch
from loihiconv.core.errors import UnsupportedLayer
from tests.ann.frontends.nets import Net, assert_read_and_lowered

SHAPE = (4, 3, 2)


def assigned(m: Any, x: Tensor) -> Tensor:
    y = m.c(x)
    y[:, 0] = 0
    y[:, 1:2] = x[:, :1]
    y[:, :, 1] = 0.3
    return m.l(y.flatten(1))


def added_to_a_part(m: Any, x: Tensor) -> Tensor:
    y = m.c(x)
    y[:, :2] += x[:, 2:]
    y[:, :3] *= 2
    return m.l(y.flatten(1))


def by_another_name(m: Any, x: Tensor) -> Tensor:
    y = z = m.c(x)
    z += 1
    return m.l((y + z).flatten(1))


def halves_apart(m: Any, x: Tensor) -> Tensor:
    y = m.c(x)
    first, second = y[:, :2], y[:, 2:]
    first += second
    F.relu(first, inplace=True)
    return m.l(torch.cat([first, second], 1).flatten(1))


def of_a_view_alone(m: Any, x: Tensor) -> Tensor:
    y = m.c(x).flatten(1)
    y -= 1
    return m.l(y)


RIGHT = (assigned, added_to_a_part, by_another_name, halves_apart, of_a_view_alone)


def part_changed(m: Any, x: Tensor) -> Tensor:
    y = m.c(x)
    y[:, :2].relu_()
    return m.l(y.flatten(1))


def named_part_changed(m: Any, x: Tensor) -> Tensor:
    y = m.c(x)
    part = y[:, :2]
    part += 1
    return m.l(y.flatten(1))


def whole_changed(m: Any, x: Tensor) -> Tensor:
    y = m.c(x)
    flat = y.flatten(1)
    F.relu(y, inplace=True)
    return m.l(flat)


def data_changed(m: Any, x: Tensor) -> Tensor:
    y = m.c(x)
    y.data.add_(1)
    return m.l(y.flatten(1))


def result_changed(m: Any, x: Tensor) -> Tensor:
    y = m.c(x)
    flat = y.flatten(1)
    y += 1
    return flat


def constant_filled(m: Any, x: Tensor) -> Tensor:
    y = torch.zeros(len(x), *SHAPE)
    y[:, :4] = m.c(x)
    return m.l(y.flatten(1))


def zeros_filled(m: Any, x: Tensor) -> Tensor:
    y = torch.zeros_like(x)
    y[:, :2] = m.c(x)[:, :2]
    return m.l(y.flatten(1))


def constant_changed_after_use(m: Any, x: Tensor) -> Tensor:
    y = torch.zeros_like(x)
    before = x + y
    y += 1
    return m.l((before + y).flatten(1))


STALE = (part_changed, named_part_changed, whole_changed, data_changed, result_changed)
CONSTANTS = (constant_filled, zeros_filled, constant_changed_after_use)


def model(function: Any) -> nn.Module:
    return Net(function, c=nn.Conv2d(4, 4, 1), l=nn.Linear(24, 3))


@pytest.mark.parametrize("function", RIGHT, ids=lambda f: f.__name__)
def test_what_is_followed(function: Any) -> None:
    assert_read_and_lowered(model(function), SHAPE)


@pytest.mark.parametrize("function", STALE, ids=lambda f: f.__name__)
def test_views_that_have_changed_are_refused(function: Any) -> None:
    with pytest.raises(UnsupportedLayer, match=r"what \w+ has changed in place, by another name .*put the results"):
        read_torch(model(function), SHAPE)


@pytest.mark.parametrize("function", CONSTANTS, ids=lambda f: f.__name__)
def test_constants_do_not_take_results(function: Any) -> None:
    with pytest.raises(UnsupportedLayer, match=r"Net: .*changes a constant in place"):
        read_torch(model(function), SHAPE)


def test_overlap() -> None:
    x = torch.zeros(4, 6)
    assert overlap(x, x.T)
    assert overlap(x[:, :3], x[1:, 2:])
    assert overlap(x, x.view(torch.int32))
    assert overlap(x[:1].expand(3, 6), x)
    assert not overlap(x[:, :3], x[:, 3:])
    assert not overlap(x[:, ::2], x[:, 1::2])
    assert not overlap(x, x.clone())
    assert not overlap(x[:0], x)
    assert not overlap(x.to_sparse(), x)
