"""Linear maps between populations, multiplied out."""

from __future__ import annotations

import numpy as np
import pytest

from loihiconv.core.errors import InvalidModel, UnsupportedLayer
from loihiconv.core.linear import Array, Conv, Dense
from loihiconv.exchange import signals
from loihiconv.exchange.signals import Signal, compressed, identity, per_neuron, total

RNG = np.random.default_rng(5)
SHAPE = (2, 6, 6)


def conv(out: int, c: int, k: int, padding: int = 0, stride: int = 1) -> Conv:
    return Conv(RNG.normal(size=(out, c, k, k)), (stride, stride), (padding,) * 4)


def value(signal: Signal, x: Array) -> Array:
    """What a signal is for what its one source sends."""
    result = np.zeros((len(x), *signal.shape)) + signal.bias
    for _, linear in signal.merged("here"):
        result += linear.apply(x).reshape(result.shape)
    return result


@pytest.mark.parametrize(
    "maps",
    [
        (conv(3, 2, 3, 1), conv(2, 3, 1)),
        (conv(3, 2, 2, 0, 2), conv(2, 3, 3, 1)),
        (conv(3, 2, 3, 1), conv(2, 3, 3, 1)),  # no convolution together: written out
        (conv(3, 2, 3), Dense(RNG.normal(size=(4, 48)))),
    ],
)
def test_maps_in_a_row_are_one_after_the_other(maps: tuple[Conv | Dense, ...]) -> None:
    x, signal = RNG.normal(size=(3, *SHAPE)), Signal.of("a", SHAPE)
    expected = x
    for linear in maps:
        bias = RNG.normal(size=linear.weight.shape[0])
        signal = signal.through(linear, "here").plus(bias, "here")
        expected = linear.apply(expected)
        expected = expected + bias.reshape(-1, *(1,) * (expected.ndim - 2))
    np.testing.assert_allclose(value(signal, x), expected, atol=1e-9)
    factor = RNG.normal(size=signal.shape)
    np.testing.assert_allclose(value(signal.times(factor, "here"), x), expected * factor, atol=1e-9)


def test_a_reshaped_signal_goes_through_a_convolution() -> None:
    x, linear = RNG.normal(size=(3, *SHAPE)), conv(2, 2, 1)
    signal = Signal.of("a", SHAPE).reshaped((2, 1, 36)).through(linear, "here")
    np.testing.assert_allclose(value(signal, x), linear.apply(x.reshape(3, 2, 1, 36)))


def test_branches_of_one_source_become_one() -> None:
    x, a = RNG.normal(size=(3, *SHAPE)), Signal.of("a", SHAPE)
    both = total([a.through(conv(2, 2, 3, 1), "here"), a], "here")
    assert len(both.merged("here")) == 1
    np.testing.assert_allclose(value(both, x), value(total([a.through(both.branches[0].map, "here")], "here"), x) + x)  # type: ignore[arg-type]
    with pytest.raises(InvalidModel, match="cannot be summed"):
        total([a, a.through(conv(2, 2, 3), "here")], "here")


def test_matrices_that_are_too_large_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "DENSE_LIMIT", 99)
    with pytest.raises(UnsupportedLayer, match="here: becomes a matrix of 10 x 10 weights"):
        identity((10,), "here")


def test_values_per_neuron() -> None:
    assert per_neuron(np.array(2.0), (2, 1, 2), "here", "r").tolist() == [[[2, 2]], [[2, 2]]]
    assert per_neuron(np.arange(4), (2, 1, 2), "here", "r").tolist() == [[[0, 1]], [[2, 3]]]
    assert per_neuron(np.arange(4).reshape(2, 2), (2, 1, 2), "here", "r").tolist() == [[[0, 1]], [[2, 3]]]
    assert per_neuron(np.arange(2), (2, 1, 2), "here", "r", channels=True).tolist() == [[[0, 0]], [[1, 1]]]
    with pytest.raises(InvalidModel, match=r"here: r of shape \(3,\)"):
        per_neuron(np.arange(3), (2, 1, 2), "here", "r")
    assert compressed(np.ones((2, 3, 3))).shape == (2, 1, 1)
    assert compressed(np.arange(4).reshape(1, 2, 2)).shape == (1, 2, 2)
