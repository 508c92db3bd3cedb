"""Last functions: values against PyTorch, shapes, ranges and order."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from loihiconv.core.artifact import load
from loihiconv.core.ending import (
    Argmax,
    Clip,
    HostFunction,
    LastFunction,
    Leaky,
    Pick,
    Pointwise,
    Rescale,
    Shaped,
    Softmax,
    described,
    ending_range,
    ending_shape,
    finish,
    joined,
    keeps_order,
)
from loihiconv.core.errors import InvalidModel
from loihiconv.core.linear import Dense
from loihiconv.core.network import Connection, Input, Network, Readout

ONE = np.ones(())
BOUNDS = np.array([[3.0], [0.5], [9.0]])
FUNCTIONS: dict[str, tuple[HostFunction, object]] = {
    "sigmoid": (Pointwise("sigmoid"), torch.sigmoid),
    "logsigmoid": (Pointwise("logsigmoid"), F.logsigmoid),
    "tanh": (Pointwise("tanh"), torch.tanh),
    "softplus": (Pointwise("softplus"), lambda x: F.softplus(x, threshold=50)),
    "softsign": (Pointwise("softsign"), F.softsign),
    "exp": (Pointwise("exp"), torch.exp),
    "silu": (Pointwise("silu"), F.silu),
    "softmax": (Softmax(0), lambda x: x.softmax(1)),
    "log-softmax of columns": (Softmax(1, log=True), lambda x: x.log_softmax(2)),
    "argmax": (Argmax(0), lambda x: x.argmax(1)),
    "argmax kept": (Argmax(1, keepdims=True), lambda x: x.argmax(2, keepdim=True)),
    "relu": (Clip(np.zeros(()), np.array(inf)), F.relu),
    "clamp": (Clip(np.array(-1.0), BOUNDS), lambda x: x.clamp(torch.tensor(-1.0), torch.from_numpy(BOUNDS))),
    "leaky": (Leaky(np.array(0.2)), lambda x: F.leaky_relu(x, 0.2)),
    "rescale": (Rescale(np.array(-2.0), np.array([[1.0, 2.0]])), lambda x: -2 * x + torch.tensor([[1.0, 2.0]])),
    "shaped": (Shaped((2, 3)), lambda x: x.reshape(-1, 2, 3)),
    "pick": (Pick(np.array([5, 0]), (2,)), lambda x: x.flatten(1)[:, [5, 0]]),
}
VALUES = arrays(np.float64, (4, 3, 2), elements=st.floats(-40, 40).map(lambda v: round(v, 2)))


@pytest.mark.parametrize("name", FUNCTIONS)
@given(x=VALUES)
def test_values_shapes_ranges_and_order(name: str, x: np.ndarray) -> None:
    function, torchs = FUNCTIONS[name]
    expected = torchs(torch.from_numpy(x)).double().numpy()  # type: ignore[operator]
    found = function(x)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    assert found.dtype == np.float64
    assert found.shape[1:] == function.output_shape((3, 2))
    low, high = function.range_of((float(x.min()), float(x.max())))
    assert low - 1e-4 <= found.min() <= found.max() <= high + 1e-4
    if function.keeps_order and not isinstance(function, Softmax | Argmax):
        flat = found.reshape(4, -1)
        np.testing.assert_array_equal(flat[np.arange(4), x.reshape(4, -1).argmax(axis=1)], flat.max(axis=1))


def test_functions_follow_one_another() -> None:
    ending = (Shaped((3, 2)), Softmax(0), Rescale(np.array(2.0), np.array(-1.0)), Pick(np.array([2, 3]), (2,)), Shaped((2, 1)))
    x = np.random.default_rng(0).normal(size=(5, 6))
    expected = 2 * torch.from_numpy(x).reshape(5, 3, 2).softmax(1)[:, 1] - 1
    np.testing.assert_allclose(finish(ending, x)[..., 0], expected.numpy())
    assert ending_shape(ending, (6,)) == (2, 1)
    assert ending_range(ending[:3]) == (-1, 1)
    assert keeps_order(ending[:3])
    assert not keeps_order(ending)
    assert described(ending) == "softmax, scaling, selection"


def test_reshapes_are_joined() -> None:
    ending = (Shaped((6,)), Shaped((2, 3)), Shaped((3, 2)), Pointwise("tanh"), Shaped((3, 2)), Shaped((6,)))
    assert [getattr(f, "shape", f.title) for f in joined(ending, (6,))] == [(3, 2), "tanh", (6,)]
    assert joined((Shaped((2, 3)), Shaped((6,))), (6,)) == ()


@pytest.mark.parametrize(
    "function",
    [
        Softmax(1),
        Argmax(2),
        Shaped((4,)),
        Pick(np.array([3]), (1,)),
        Pick(np.array([1]), (2,)),
        Clip(np.zeros(2), ONE),
        Rescale(np.ones((3, 3)), ONE),
    ],
)
def test_what_does_not_fit_is_refused(function: LastFunction) -> None:
    with pytest.raises(ValueError, match=r"axis|expected|indices|broadcast"):
        function.output_shape((3,))
    with pytest.raises(InvalidModel, match="readout: its last functions do not fit"):
        replace(network(), populations=(network().input, replace(network().readout, ending=(function,))))


def network(*ending: LastFunction) -> Network:
    zero = np.zeros(1, np.float32)
    readout = Readout("readout", (3,), zero, zero, ending=ending)
    return Network((Input("input", (3,)), readout), (Connection("input", "readout", Dense(np.eye(3, dtype=np.float32))),), 4)


def test_they_are_saved_with_the_network(tmp_path: object) -> None:
    ending = tuple(f for f, _ in FUNCTIONS.values() if f.title not in ("argmax", "selection", "reshape", "clamp", "scaling", "log-softmax"))
    last = (*ending, Shaped((1, 3)), Clip(np.array([0.0]), np.array(inf)), Argmax(1))
    path = f"{tmp_path}/n.lnet"
    network(*last).save(path)  # type: ignore[arg-type]
    read = load(path).readout
    x = np.random.default_rng(0).normal(size=(9, 3))
    np.testing.assert_array_equal(finish(read.ending, x), finish(last, x))
    assert read.output_shape == (1,)


NUMBERS = st.floats(-5, 5, width=32).map(float)
SIZES = st.sampled_from([(), (1,), (2,), (3, 1), (3, 2)])
FACTOR, LOWEST, HIGHEST = (
    SIZES.flatmap(lambda shape, some=some: arrays(np.float64, shape, elements=NUMBERS | st.sampled_from(some)))
    for some in ([0.0], [-inf], [inf])
)
SAME_SHAPE: st.SearchStrategy[HostFunction] = st.one_of(
    st.sampled_from([function for name, (function, _) in FUNCTIONS.items() if isinstance(function, (Pointwise, Softmax))]),
    st.builds(Clip, LOWEST, HIGHEST),
    st.builds(Rescale, FACTOR, FACTOR),
    st.builds(Leaky, FACTOR),
    st.builds(Pick, arrays(np.int64, 6, elements=st.integers(-1, 5)), st.just((3, 2))),
)


@given(x=VALUES, chain=st.lists(SAME_SHAPE, max_size=5))
def test_values_of_any_chain_lie_within_its_range(x: np.ndarray, chain: list[HostFunction]) -> None:
    bounded: tuple[float, float] = (float(x.min()), float(x.max()))
    for function in chain:
        bounded = function.range_of(bounded)
    with np.errstate(all="ignore"):
        values = finish(chain, x)
    for low, high in (bounded, ending_range(chain)):
        assert not np.isnan([low, high]).any()
        known = values[~np.isnan(values)]
        assert (known >= low - 1e-9 * abs(low)).all() if np.isfinite(low) else low < 0
        assert (known <= high + 1e-9 * abs(high)).all() if np.isfinite(high) else high > 0
