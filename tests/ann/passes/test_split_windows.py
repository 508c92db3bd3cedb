"""Long windows in two steps: the same maximum, few comparisons deep, with no more neurons than before."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loihiconv.ann.evaluator import Evaluator
from loihiconv.ann.graph import Ann, Input, MaxPool, Relu
from loihiconv.ann.passes.rewrite import apply_all
from loihiconv.ann.passes.split_windows import SplitLongWindows, splits


def pooled(length: int, kernel: int, stride: int, dilation: int = 1, *, padding: int = 0, column: bool = False) -> Ann:
    """Spikes of two channels, pooled along their only row or column."""
    along = (lambda n: (n, 1)) if column else (lambda n: (1, n))
    ends = (padding, padding, 0, 0) if column else (0, 0, padding, padding)
    pool = MaxPool("pool", ("relu",), along(kernel), along(stride), ends, along(dilation))
    return Ann((Input("x", (2, *along(length))), Relu("relu", ("x",)), pool))


@given(
    kernel=st.integers(10, 80),
    stride=st.integers(1, 90),
    dilation=st.integers(1, 3),
    more=st.integers(0, 40),
    padding=st.integers(0, 4),
    column=st.booleans(),
)
@settings(max_examples=40)
def test_the_maximum_stays(kernel: int, stride: int, dilation: int, more: int, padding: int, column: bool) -> None:
    ann = pooled((kernel - 1) * dilation + 1 + more, kernel, stride, dilation, padding=padding, column=column)
    split, _ = apply_all(SplitLongWindows(), ann)
    assert split.shapes["pool"] == ann.shapes["pool"]
    x = torch.randn(2, *ann.shapes["x"], generator=torch.Generator().manual_seed(kernel))
    np.testing.assert_array_equal(Evaluator(split)(x)[0], Evaluator(ann)(x)[0])


MOST = 2.3
"""Times as many neurons as in one step that rows of up to 1,024 values take, stretches of stretches included: 2.283, of 473 values."""


@example(kernel=473)
@given(kernel=st.integers(10, 1024))
@settings(max_examples=40)
def test_a_maximum_over_a_whole_row_is_shallow_for_few_more_neurons(kernel: int) -> None:
    """A maximum of 1,024 values (PointNet's, of points) was 1,023 comparisons deep: chips delay by up to 62 steps."""
    split, _ = apply_all(SplitLongWindows(), pooled(kernel, kernel, kernel))
    pools = [node for node in split if isinstance(node, MaxPool)]
    assert len(pools) > 1
    assert sum(max(pool.kernel) - 1 for pool in pools) <= 2 * kernel**0.5 + 2
    assert sum(max(pool.kernel) * max(split.shapes[pool.name][1:]) for pool in pools) <= MOST * kernel


def test_windows_that_overlap_take_fewer_neurons_and_primes_side_by_side_are_left_whole() -> None:
    def depths(ann: Ann) -> list[int]:
        assert isinstance(ann.output, MaxPool)
        return [split.depth for split in splits(ann, ann.output)]

    assert min(depths(pooled(60, 15, 1, padding=7))) == 6  # 5 and 3
    assert not depths(pooled(55, 11, 11))
