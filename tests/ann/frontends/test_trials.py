"""What has no handler is tried: affine operations are read, whatever their names, and nothing else is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from loihiconv.ann.frontends.layers import trials
from loihiconv.ann.frontends.torch import read_torch
from loihiconv.ann.graph import Linear
from loihiconv.core.errors import UnsupportedLayer
from loihiconv.core.linear import Conv, Dense
from tests.ann.frontends.nets import IMAGE, Net, assert_read_and_lowered

W = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
GRID = torch.rand(1, 5, 3, 2, generator=torch.Generator().manual_seed(1)) * 2 - 1


def net(function: Callable[[Any, Tensor], Any]) -> Net:
    """A model with constants."""
    model = Net(function)
    model.register_buffer("w", W)
    model.register_buffer("grid", GRID)
    return model


AFFINE = {
    "@": (lambda m, x: x @ m.w, (4,)),
    "@ of a vector": (lambda m, x: x @ m.w[:, 0], (2, 4)),
    "@ of rows": (lambda m, x: (x @ m.w).relu() @ m.w.t(), (5, 4)),
    "constant @": (lambda m, x: (m.w.t() @ x).relu(), (4, 2)),
    "addmm": (lambda m, x: torch.addmm(torch.ones(3, dtype=x.dtype), x, m.w).relu(), (4,)),
    "addmm to another": (lambda m, x: torch.addmm(x.relu()[:, :3], x, m.w, alpha=2), (4,)),
    "bmm of constants for each sample": (lambda m, x: torch.bmm(x, m.w.expand(len(x), -1, -1)), (2, 4)),
    "einsum": (lambda m, x: torch.einsum("bi,io->bo", x, m.w).relu(), (4,)),
    "tensordot": (lambda m, x: torch.tensordot(x, m.w, dims=([1], [0])), (4, 2)),
    "cumsum": (lambda m, x: x.cumsum(1).relu(), (4, 5)),
    "differences": (lambda m, x: x.diff(dim=2), (3, 6)),
    "trapezoid": (lambda m, x: torch.trapezoid(x.relu(), dim=1), (5, 3)),
    "fold": (lambda m, x: F.fold(x, (4, 4), 2), (8, 9)),
    "grid": (lambda m, x: F.grid_sample(x, m.grid.expand(len(x), -1, -1, -1), align_corners=False).relu(), IMAGE),
    "transposed convolution 3d": (lambda m, x: F.conv_transpose3d(x, torch.ones(2, 1, 2, 2, 2, dtype=x.dtype)), (2, 2, 3, 2)),
    "lerp of two": (lambda m, x: torch.lerp(x.relu(), x, 0.3), (4,)),
    "in a list": (lambda m, x: torch.linalg.multi_dot([x, m.w, m.w.t()]), (4,)),
}


@pytest.mark.parametrize("case", AFFINE)
def test_what_is_affine_is_read(case: str) -> None:
    function, shape = AFFINE[case]
    assert_read_and_lowered(net(function), shape)


def test_statistics_that_are_constants() -> None:
    norm = nn.InstanceNorm2d(4, affine=True, track_running_stats=True).eval()
    assert_read_and_lowered(nn.Sequential(norm, nn.ReLU()), IMAGE)


def test_in_float32_too() -> None:
    ann = read_torch(Net(lambda m, x: torch.einsum("bi,oi->bo", x, m.l.weight), l=nn.Linear(4, 3)), (4,))
    (layer,) = (node for node in ann if isinstance(node, Linear))
    assert isinstance(layer.map, Dense)


def test_a_product_with_a_matrix_is_the_layer_that_it_stands_for() -> None:
    """A `Sparse` of it would have a weight for each row."""
    assert [type(node.map) for node in read_torch(Net(lambda m, x: x @ W), (4,)) if isinstance(node, Linear)] == [Dense]
    assert [type(node.map) for node in read_torch(Net(lambda m, x: x @ W), (9, 4)) if isinstance(node, Linear)] == [Conv]


def test_what_changes_nothing_is_nothing() -> None:
    assert len(read_torch(Net(lambda m, x: x.nan_to_num().relu()), (4,)).nodes) == 2


REFUSED = {
    "median": (lambda m, x: x.median(1)[0], (5, 3), "median: median cannot be converted"),
    "sort": (lambda m, x: x.sort(1)[0], (4,), "sort: sort cannot be converted"),
    "norm": (lambda m, x: x.norm(dim=1, keepdim=True), (4,), "norm: norm cannot be converted"),
    "bends far out": (lambda m, x: F.hardshrink(x, 20.0), (4,), "hardshrink: hardshrink cannot .*jumps"),
    "bends close by": (lambda m, x: F.celu(x, 1e-3), (4,), "celu: celu cannot .*ReLU"),
    "over samples": (lambda m, x: x.cumsum(0), (4,), "cumsum: cumsum mixes samples"),
    "a matrix of samples": (lambda m, x: torch.ones(3, 3) @ x, (4,), "matmul: matmul mixes samples"),
    "another constant for each sample": (
        lambda m, x: torch.addmm(torch.arange(3.0)[:, None], x, torch.ones(4, 2)),
        (4,),
        "addmm: addmm adds other constants",
    ),
    "another matrix for each sample": (lambda m, x: torch.bmm(x, torch.arange(18.0).reshape(3, 2, 3)), (4, 2), "bmm: bmm mixes samples"),
    "of two": (lambda m, x: x @ x.transpose(1, 2), (4, 3), "matmul: matmul cannot .*products of two"),
    "random": (lambda m, x: torch.normal(x, 1.0), (4,), "normal: normal cannot"),
    "nothing": (
        lambda m, x: torch.linalg.multi_dot([x, torch.zeros(4, 2), torch.zeros(2, 3)]),
        (4,),
        "multi_dot gives nothing but constants",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_is_refused(case: str) -> None:
    function, shape, message = REFUSED[case]
    with pytest.raises(UnsupportedLayer, match=message):
        read_torch(Net(function), shape)


@pytest.mark.parametrize(
    ("limit", "message"), [("MOST_INPUTS", "each of its 20 values, more than 9"), ("MOST_SYNAPSES", "more than 9 syn")]
)
def test_what_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch, limit: str, message: str) -> None:
    monkeypatch.setattr(trials, limit, 9)
    with pytest.raises(UnsupportedLayer, match=message):
        read_torch(Net(lambda m, x: x.cumsum(1)), (4, 5))


@given(st.integers(0, 999), st.sampled_from(["ij,jk->ik", "ijk,kl->ijl", "ijk,jl->ilk", "ijk,jkl->il", "ijk,jk->ij", "ij,j->ij"]))
def test_any_einsum_with_constants(seed: int, equation: str) -> None:
    rng = np.random.default_rng(seed)
    sizes = {letter: int(rng.integers(1, 5)) for letter in "jkl"}
    first, second = re.split(",|->", equation)[:2]
    constant = torch.from_numpy(rng.normal(size=[sizes[letter] for letter in second]))

    model = Net(lambda m, x: torch.einsum(equation, x, m.constant))
    model.register_buffer("constant", constant)
    assert_read_and_lowered(model, tuple(sizes[letter] for letter in first[1:]))
