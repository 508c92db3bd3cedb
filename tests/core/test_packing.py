"""Samples of several arrays become one, and are taken apart again; what is wrong with them is in `test_input_coding`."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from loihiconv.core.packing import count, gathered, packed, rows
from loihiconv.core.parts import Part, divided


@given(st.lists(array_shapes(max_dims=3, max_side=3), min_size=2, max_size=4), st.integers(1, 3))
def test_packed_and_divided_is_what_it_was(shapes: list[tuple[int, ...]], n: int) -> None:
    parts = [Part(str(i), shape) for i, shape in enumerate(shapes)]
    x = {part.name: np.random.default_rng(0).integers(-9, 9, (n, *part.shape)) for part in parts}
    found = packed(parts, dict(reversed(x.items())))
    assert (found.dtype, found.shape) == (np.float32, (n, sum(part.size for part in parts)))
    for name, values in divided(found, parts).items():
        np.testing.assert_array_equal(values, x[name])


def test_one_input_may_have_its_name() -> None:
    x = np.zeros((2, 3))
    assert gathered([Part("x", (3,))], {"x": x}) is x
    assert gathered([Part("x", (3,))], x) is x


def test_some_of_the_samples() -> None:
    x = np.arange(6)
    assert (rows(x, slice(2)).tolist(), count(x)) == ([0, 1], 6)
    assert rows({"a": x, "b": -x}, [1, 3])["b"].tolist() == [-1, -3]
    assert count({"a": x, "b": -x}) == 6
