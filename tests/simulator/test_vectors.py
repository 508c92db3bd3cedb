"""Vectors in kernels against numpy, for whatever a processor's own vectors are."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import pytest

from loihiconv.simulator.vectors import bits, converted, fill, first_one, load, select, shifted, store


@numba.njit
def _arithmetic(a: Any, b: Any, at: int, out: Any, truth: Any) -> None:
    x, y, byte = load(a, at, 16), load(b, at, 16), fill(np.uint8(0), 16)
    store(out[0], at, x + y)
    store(out[1], at, x - y)
    store(out[2], at, x * y)
    store(out[3], at, select(x > y, x, y))
    store(truth[0], at, converted(x > y, byte))
    store(truth[1], at, converted(x != y, byte))


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("at", [0, 3])
def test_operators(dtype: type, at: int) -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.integers(-90, 91, 19).astype(dtype) for _ in range(2))
    b[at + 1] = a[at + 1]
    out, truth = np.zeros((4, 19), dtype), np.zeros((2, 19), np.uint8)
    _arithmetic(a, b, at, out, truth)
    here = np.zeros(19, bool)
    here[at : at + 16] = True
    for found, expected in zip((*out, *truth), (a + b, a - b, a * b, np.maximum(a, b), a > b, a != b), strict=True):
        np.testing.assert_array_equal(found, np.where(here, expected, 0))


@numba.njit
def _convert(a: Any, out: Any) -> None:
    store(out, 0, converted(load(a, 0, 8), load(out, 0, 8)))


@pytest.mark.parametrize(
    ("source", "target", "values"),
    [
        (np.uint8, np.int32, [0, 1, 127, 128, 255]),
        (np.uint8, np.float32, [0, 1, 127, 128, 255]),
        (np.int16, np.int32, [0, 1, -1, 2**15 - 1, -(2**15)]),
        (np.int32, np.float32, [0, 1, -1, 2**24, -(2**24)]),
        (np.float32, np.int32, [0, 1, -1, 2**30, -(2**30)]),
        (np.int32, np.int16, [0, 1, -1, 2**15 - 1, -(2**15)]),
        (np.int32, np.int32, [0, 1, -1, 2**31 - 1, -(2**31)]),
    ],
)
def test_conversions_keep_numbers(source: type, target: type, values: list[int]) -> None:
    a, out = np.resize(np.asarray(values, source), 8), np.zeros(8, target)
    _convert(a, out)
    np.testing.assert_array_equal(out, a.astype(np.float64))


@numba.njit
def _shift(a: Any, bits: Any, out: Any) -> None:
    store(out, 0, shifted(load(a, 0, 4), fill(bits, 4)))


def test_integers_are_shifted_and_floats_are_not() -> None:
    for dtype, expected in ((np.int32, [64, -64, 0, 8128]), (np.float32, [1, -1, 0, 127])):
        a = np.array([1, -1, 0, 127], dtype)
        out = np.zeros_like(a)
        _shift(a, np.int32(6), out)
        np.testing.assert_array_equal(out, expected)


@numba.njit
def _one(a: Any, out: Any) -> None:
    for i in range(a.size):
        store(out, i, load(a, i, 1) + fill(np.int32(1), 1))


def test_a_vector_may_be_one_number() -> None:
    a = np.arange(5, dtype=np.int32)
    out = np.zeros_like(a)
    _one(a, out)
    np.testing.assert_array_equal(out, a + 1)


@numba.njit
def _first_and_all(a: Any, lanes: Any) -> Any:
    mask = bits(load(a, 0, 64) != fill(np.uint8(0), 64)) if lanes == 64 else bits(load(a, 0, 8) != fill(np.uint8(0), 8))
    return mask, first_one(mask)


@pytest.mark.parametrize("lanes", [8, 64])
def test_masks_as_bits(lanes: int) -> None:
    for places in ([0], [lanes - 1], [3, 5, lanes - 2], range(lanes)):
        a = np.zeros(64, np.uint8)
        a[list(places)] = 200
        assert _first_and_all(a, lanes) == (sum(1 << p for p in places), min(places))
