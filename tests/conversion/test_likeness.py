"""How alike outputs are, by what they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from loihiconv.ann.graph import Ann, Input, Reshape, Round
from loihiconv.conversion.likeness import alike, cost_of_rounding, divergence, likely_task
from loihiconv.core.ending import Argmax, Clip, HostFunction, Pointwise, Shaped, Softmax

SIGMOID, SOFTMAX, IMAGE = Pointwise("sigmoid"), Softmax(0), Shaped((3, 2, 2))


def test_divergence_against_scipy() -> None:
    from scipy.special import kl_div, softmax  # takes half a second

    a, b = np.random.default_rng(0).normal(0, 3, (2, 40, 7))
    assert divergence(a, b) == pytest.approx(kl_div(softmax(a, axis=1), softmax(b, axis=1)).sum(axis=1))
    assert not divergence(a, a).any()


def test_cost_of_rounding_by_hand() -> None:
    entry = Input("x", shape=(2,))
    rounded, ann = Ann((entry, Round("n", ("x",), "nearest"))), Ann((entry, Reshape("n", ("x",), (2,))))
    said = cost_of_rounding(rounded, ann, np.array([[1.3, 2.0], [2.0, 3.6]], np.float32))  # off by 0.3 and 0.4; 1, 2, 2 and 4 are 25
    assert said == "without the rounding of activations outputs differ by 10.0\u00a0% (root mean square, on 2 samples)"


def test_of_signs_it_is_that_of_yes_and_no() -> None:
    from scipy.special import expit, kl_div

    a, b = np.random.default_rng(0).normal(0, 3, (2, 40, 3))
    p, q = expit(a), expit(b)
    agreement, diverged = alike("multilabel", (SIGMOID,), a, b)
    assert diverged == pytest.approx((kl_div(p, q) + kl_div(1 - p, 1 - q)).mean(axis=1))
    assert agreement == pytest.approx(((a > 0) == (b > 0)).mean(axis=1))
    np.testing.assert_array_equal(alike("binary", (), a[:, :1], b[:, :1])[0], ((a > 0) == (b > 0))[:, 0])


def test_of_numbers_it_is_the_variance_that_is_missed() -> None:
    relu = Clip(np.zeros(()), np.array(np.inf))
    a = np.random.default_rng(0).normal(size=(40, 2))
    agreement, missed = alike("regression", (relu,), a, a - 0.1)
    expected = ((np.maximum(a, 0) - np.maximum(a - 0.1, 0)) ** 2).mean() / np.maximum(a, 0).var(axis=0).mean()
    assert (agreement.mean(), missed.mean()) == pytest.approx((1 - expected, expected))
    assert [values.mean() for values in alike("regression", (relu,), -np.abs(a), -np.abs(a) - 1)] == [1, 0]


def test_of_pixels_it_is_that_of_their_classes() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 5, 12))
    pixels = [np.stack([v.reshape(5, 3, 4)[:, :, k] for k in range(4)], 1).reshape(20, 3) for v in (a, b)]
    assert alike("dense", (IMAGE, Argmax(0)), a, b)[1] == pytest.approx(divergence(*pixels).reshape(5, 4).mean(axis=1))


@pytest.mark.parametrize(
    ("ending", "size", "task"),
    [
        ((), 10, "classification"),
        ((SOFTMAX,), 10, "classification"),
        ((Argmax(0),), 10, "classification"),
        ((SIGMOID,), 10, "multilabel"),
        ((SIGMOID,), 1, "multilabel"),
        ((), 1, "regression"),
        ((Pointwise("softplus"),), 3, "regression"),
        ((IMAGE,), 12, "dense"),
        ((IMAGE, SOFTMAX), 12, "dense"),
        ((Shaped((1, 4, 4)),), 16, "regression"),
        ((Shaped((3, 1, 1)),), 3, "classification"),
    ],
)
def test_what_a_network_is_for_is_read_from_its_end(ending: tuple[HostFunction, ...], size: int, task: str) -> None:
    assert likely_task(ending, size) == task
