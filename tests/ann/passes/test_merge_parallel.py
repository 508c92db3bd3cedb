"""Parallel linear branches of one sum become one map, exactly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from loihiconv.ann.evaluator import Evaluator
from loihiconv.ann.frontends.torch import read_torch
from loihiconv.ann.graph import Add, Ann, Linear, Relu
from loihiconv.ann.passes import lower
from loihiconv.ann.passes.merge_parallel import parallel_sum
from loihiconv.core.linear import Conv, Dense, from_matrix


class Block(nn.Module):
    """RepVGG's block with its batch norms, as it is trained: relu(bn(conv3x3(x)) + bn(conv1x1(x)) + bn(x))."""

    def __init__(self, *, shortcut: bool = True, stride: int = 1) -> None:
        super().__init__()
        self.wide = nn.Sequential(nn.Conv2d(4, 4, 3, stride, 1, bias=False), nn.BatchNorm2d(4))
        self.narrow = nn.Sequential(nn.Conv2d(4, 4, 1, stride, bias=False), nn.BatchNorm2d(4))
        self.same = nn.BatchNorm2d(4) if shortcut else None
        self.after = nn.Conv2d(4, 3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        total = self.wide(x) + self.narrow(x)
        total = total if self.same is None else total + self.same(x)
        result: torch.Tensor = self.after(torch.relu(total)).flatten(1)
        return result


def trained(module: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            for values in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
                assert values is not None
                nn.init.uniform_(values, 0.5, 1.5)
    return module.double().eval()


def kinds(ann: Ann) -> list[type]:
    return [type(node) for node in ann.nodes[1:]]


@pytest.mark.parametrize(("shortcut", "stride"), [(True, 1), (False, 1), (False, 2)])
def test_a_block_of_repvgg_is_one_convolution(shortcut: bool, stride: int) -> None:
    model = trained(Block(shortcut=shortcut, stride=stride))
    ann = lower(read_torch(model, (4, 6, 7))).ann
    assert kinds(ann) == [Linear, Relu, Linear]
    merged = ann.nodes[1]
    assert isinstance(merged, Linear)
    assert merged.map.weight.shape == (4, 4, 3, 3)
    x = torch.rand(5, 4, 6, 7, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(Evaluator(ann, dtype=torch.float64)(x)[0].flatten(1), model(x), rtol=1e-10, atol=1e-10)


def test_branches_from_elsewhere_stay() -> None:
    class Skip(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second, self.third = nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 2, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = torch.relu(self.first(x))
            total: torch.Tensor = self.second(y) + x + self.third(y)
            return total

    ann = lower(read_torch(Skip(), (2, 5, 5))).ann
    assert kinds(ann) == [Linear, Relu, Linear, Add]
    assert set(ann.output.inputs) == {"input", "add_1.merged"}


def test_what_is_no_map_or_a_larger_one_stays() -> None:
    image, ones = (4, 6, 6), np.ones
    wide, narrow = Conv(ones((4, 4, 3, 3)), padding=(1, 1, 1, 1)), Conv(ones((4, 4, 1, 1)))
    assert parallel_sum(wide, narrow, image) is not None
    assert parallel_sum(Conv(ones((4, 1, 3, 3)), padding=(1, 1, 1, 1), groups=4), narrow, image) is None  # 144 weights for 36 and 16
    assert parallel_sum(Conv(ones((4, 4, 1, 3)), padding=(0, 0, 1, 1)), Conv(ones((4, 4, 3, 1)), padding=(1, 1, 0, 0)), image) is None
    assert parallel_sum(Conv(ones((4, 4, 3, 3)), padding=(2, 2, 2, 2), dilation=(2, 2)), narrow, image) is None
    assert parallel_sum(Conv(ones((4, 4, 1, 1)), (6, 6)), Conv(ones((4, 4, 1, 1)), (5, 6), (-5, 0, 0, 0)), image) is None
    assert parallel_sum(Dense(ones((16, 16))), Conv(ones((1, 1, 1, 1))), (1, 4, 4)) is None
    both = parallel_sum(Dense(ones((2, 3))), Dense(2 * ones((2, 3))), (3,))
    assert both is not None
    np.testing.assert_array_equal(both.weight, 3 * ones((2, 3)))


@given(st.data())
def test_sums_of_convolutions_are_exact(data: st.DataObject) -> None:
    """Any kernels, paddings and crops that give the same shape, by whole numbers."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    stride = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    shape = (4, data.draw(st.integers(3, 7)), data.draw(st.integers(3, 7)))
    outputs = tuple(data.draw(st.integers(1, 3)) for _ in range(2))
    maps = []
    for _ in range(2):
        kernel = tuple(data.draw(st.integers(1, 4)) for _ in range(2))
        padding = []
        for size, k, s, out in zip(shape[1:], kernel, stride, outputs, strict=True):
            before = data.draw(st.integers(-1, 3))
            spare = data.draw(st.integers(0, s - 1))  # rows that no window begins at
            padding += [before, max((out - 1) * s + k + spare - size - before, -1)]
        groups = data.draw(st.sampled_from((1, 2, 4)))
        weight = rng.integers(-9, 10, (4, 4 // groups, *kernel)).astype(np.float64)
        maps.append(Conv(weight, stride, (padding[0], padding[1], padding[2], padding[3]), groups=groups))
    first, second = maps
    if first.output_shape(shape) != second.output_shape(shape):
        return
    merged = parallel_sum(first, second, shape)
    if merged is None:
        return
    assert merged.weight.size <= first.weight.size + second.weight.size
    x = rng.integers(-9, 10, (2, *shape)).astype(np.float64)
    np.testing.assert_array_equal(merged.apply(x), first.apply(x) + second.apply(x))


def test_a_skip_beside_a_dense_layer_is_part_of_it() -> None:
    """relu(W x + x) takes (W + 1) x."""

    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.last = nn.Linear(5, 5), nn.Linear(5, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = x.relu()
            return self.last((self.inner(y) + y).relu())

    model = Residual()
    ann = lower(read_torch(model, (5,))).ann
    maps = [node.map for node in ann if isinstance(node, Linear)]
    assert [type(map) for map in maps[-2:]] == [Dense, Dense]
    np.testing.assert_allclose(maps[-2].weight, model.inner.weight.detach().numpy() + np.eye(5), rtol=1e-6)
    assert len(maps) == 3  # the first is the input's ReLU's


@given(st.integers(0, 99))
def test_dense_and_sparse_maps_beside_one_another(seed: int) -> None:
    rng = np.random.default_rng(seed)
    dense, sparse = Dense(rng.normal(size=(4, 6))), from_matrix(rng.normal(size=(4, 6)) * (rng.random((4, 6)) < 0.3), (4,), (6,))
    x = rng.normal(size=(3, 6))
    for first, second in ((dense, sparse), (sparse, dense), (sparse, sparse)):
        total = parallel_sum(first, second, (6,))
        assert total is not None
        np.testing.assert_allclose(total.apply(x), first.apply(x) + second.apply(x), atol=1e-12)
