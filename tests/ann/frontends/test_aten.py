"""Operators give what the functions in their place give, whatever the order of arguments."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from loihiconv.ann.frontends import torch as _handlers  # noqa: F401  registers what functions are known
from loihiconv.ann.frontends.aten import bound, counterpart, function_of
from loihiconv.core.errors import UnsupportedLayer

ops = torch.ops.aten


def rand(*shape: int) -> Tensor:
    return torch.rand(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(sum(shape))) - 0.4


X, V, S = rand(2, 4, 6, 6), rand(2, 6), rand(2, 4, 6)
MEAN, VAR, GAMMA, BETA = rand(4), rand(4).abs() + 1, rand(4), rand(4)
CASES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "convolution": (ops.convolution.default, (X, rand(6, 2, 3, 3), rand(6), [2, 1], [1, 0], [1, 2], False, [0, 0], 2)),
    "convolution 1d": (ops.convolution.default, (S, rand(6, 4, 3), None, [1], [1], [1], False, [0], 1)),
    "convolution transposed": (ops.convolution.default, (X, rand(4, 3, 3, 3), rand(6), [2, 2], [1, 1], [1, 1], True, [1, 0], 2)),
    "convolution mode": (ops._convolution_mode.default, (X, rand(6, 4, 3, 3), rand(6), [1, 1], "same", [1, 1], 1)),
    "conv2d": (ops.conv2d.default, (X, rand(6, 4, 3, 3), rand(6), [2, 2], [1, 1])),
    "linear": (ops.linear.default, (V, rand(3, 6), rand(3))),
    "addmm": (ops.addmm.default, (rand(3), V, rand(6, 3))),
    "mm": (ops.mm.default, (V, rand(6, 3))),
    "embedding": (ops.embedding.default, (rand(9, 3), torch.tensor([1, 5]))),
    "batch norm": (ops.batch_norm.default, (X, GAMMA, BETA, MEAN, VAR, False, 0.1, 1e-3, True)),
    "batch norm of inference": (ops._native_batch_norm_legit_no_training.default, (X, GAMMA, BETA, MEAN, VAR, 0.1, 1e-3)),
    "native batch norm": (ops.native_batch_norm.default, (X, GAMMA, BETA, MEAN, VAR, False, 0.1, 1e-3)),
    "instance norm": (ops.instance_norm.default, (X, GAMMA, BETA, MEAN, VAR, True, 0.1, 1e-3, True)),
    "layer norm": (ops.native_layer_norm.default, (X, [6], rand(6), rand(6), 1e-3)),
    "group norm": (ops.native_group_norm.default, (X, GAMMA, BETA, 2, 4, 36, 2, 1e-3)),
    "softmax": (ops._softmax.default, (X, 1, False)),
    "log softmax": (ops._log_softmax.default, (X, 1, False)),
    "softmax int": (ops.softmax.int, (X, 1)),
    "dropout": (ops.native_dropout.default, (X, 0.5, False)),
    "max pool": (ops.max_pool2d.default, (X, [3, 2], [2, 2], [1, 0])),
    "max pool without stride": (ops.max_pool2d.default, (X, [2, 2])),
    "max pool with indices": (ops.max_pool2d_with_indices.default, (X, [3, 3], [2, 2], [1, 1])),
    "average pool": (ops.avg_pool2d.default, (X, [3, 3], [2, 2], [1, 1], False, False)),
    "adaptive average pool": (ops._adaptive_avg_pool2d.default, (X, [2, 3])),
    "adaptive max pool": (ops.adaptive_max_pool2d.default, (X, [2, 3])),
    "nearest": (ops.upsample_nearest2d.default, (X, [9, 12])),
    "nearest by factors": (ops.upsample_nearest2d.vec, (X, None, [2.0, 2.0])),
    "nearest 1d": (ops.upsample_nearest1d.default, (S, [9])),
    "bilinear": (ops.upsample_bilinear2d.default, (X, [9, 12], True)),
    "bilinear by factors": (ops.upsample_bilinear2d.vec, (X, None, False, [2.0, 2.0])),
    "bicubic": (ops.upsample_bicubic2d.default, (X, [9, 12], False)),
    "constant pad": (ops.constant_pad_nd.default, (X, [1, 2, 0, 1], 0.5)),
    "reflection pad": (ops.reflection_pad2d.default, (X, [1, 2, 0, 1])),
    "replication pad": (ops.replication_pad1d.default, (S, [1, 2])),
    "pad": (ops.pad.default, (X, [1, 1, 2, 0], "circular")),
    "slice": (ops.slice.Tensor, (X, -1, 1, 9223372036854775807, 2)),
    "slice of all": (ops.slice.Tensor, (X,)),
    "select": (ops.select.int, (X, 1, 2)),
    "index": (ops.index.Tensor, (X, [None, torch.tensor([2, 0])])),
    "split": (ops.split_with_sizes.default, (X, [1, 3], 1)),
    "chunk": (ops.chunk.default, (X, 2, 1)),
    "view": (ops._unsafe_view.default, (X, [2, -1])),
    "flatten": (ops.flatten.using_ints, (X, 1)),
    "permute": (ops.permute.default, (X, [0, 2, 3, 1])),
    "transpose": (ops.transpose.int, (X, 1, 2)),
    "cat": (ops.cat.default, ([X, X], 1)),
    "im2col": (ops.im2col.default, (X, [2, 2], [1, 1], [0, 0], [2, 2])),
    "to whole numbers": (ops.to.dtype, (10 * X, torch.int64)),
    "clone": (ops.clone.default, (X,)),
    "size": (ops.sym_size.int, (X, 2)),
    "number": (ops.numel.default, (X,)),
    "axes": (ops.dim.default, (X,)),
    "mean": (ops.mean.dim, (X, [2, 3], True)),
    "add": (ops.add.Tensor, (X, X)),
    "relu": (ops.relu.default, (X,)),
    "leaky relu": (ops.leaky_relu.default, (X, 0.2)),
    "clamp": (ops.clamp.default, (X, None, 0.3)),
}


@pytest.mark.parametrize("case", CASES)
def test_operators_give_what_functions_give(case: str) -> None:
    operator, arguments = CASES[case]
    function = counterpart(operator)
    assert function is not None
    expected, result = operator(*arguments), function(*arguments)
    if not isinstance(expected, (tuple, list)):
        expected, result = (expected,), (result,)
    assert len(expected) == len(result)
    for one, other in zip(expected, result, strict=True):
        if other is not None:  # statistics and indices
            torch.testing.assert_close(other, one)


def test_named_arguments_are_kept_where_they_matter() -> None:
    function = counterpart(ops.add.Tensor)
    assert function is not None
    torch.testing.assert_close(function(V, V, alpha=2), 3 * V)
    assert [(argument.name, value) for argument, value in bound(ops.add.Tensor._schema, (1, 2), {"alpha": 3})] == [
        ("self", 1),
        ("other", 2),
        ("alpha", 3),
    ]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("batch_norm", (X, GAMMA, BETA, MEAN, VAR, True, 0.1, 1e-3)),
        ("native_batch_norm", (X, GAMMA, BETA, True, 0.1, 1e-3)),
        ("dropout", (X, 0.5, True)),
    ],
)
def test_training_mode_is_refused(name: str, arguments: tuple[Any, ...]) -> None:
    function = function_of(name)
    assert function is not None
    with pytest.raises(UnsupportedLayer, match=r"in training mode.*call model\.eval\(\)"):
        function(*arguments)


def test_what_has_a_handler_goes_first_and_others_keep_their_names() -> None:
    assert function_of("relu") is F.relu
    assert function_of("gelu") is F.gelu
    assert function_of("sort") is torch.sort
    assert counterpart(F.relu) is None
